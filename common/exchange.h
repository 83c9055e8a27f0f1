/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange - one AUTH dialogue on a greeted session (RFC 4954)
 *
 * The client's side of AUTH, a response at a time for mechanisms that are
 * relayed, or whole for a user name and a password.  Blocks until the
 * deadline.  What the last reply means is not judged here (auth_verdict.h).
 *
 * Responses are put in base64 and shown to the trace as "********"; an
 * initial response goes with AUTH when the line keeps to 512 octets, else on
 * a line of its own after the first 334.
 */
#ifndef POSTERN_COMMON_EXCHANGE_H
#define POSTERN_COMMON_EXCHANGE_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/outcome.h"
#include "common/reply.h"
#include "common/secret.h"

struct session;

enum exchange_event {
	EXCHANGE_BROKEN = 0, /* no reply: *fault tells; the session is dead, or
			      * nothing was sent (then `sent` is false) */
	EXCHANGE_CHALLENGE,  /* 334: *challenge, decoded */
	EXCHANGE_REPLY,      /* any other reply; the dialogue is over */
};

/* The state of a dialogue; zeroed before the first call. */
struct exchange {
	struct session *session;
	enum exchange_event event;
	struct secret challenge; /* valid after EXCHANGE_CHALLENGE */
	struct reply reply;      /* valid after EXCHANGE_REPLY */
	struct fault fault;      /* valid after EXCHANGE_BROKEN */
	bool sent;       /* something of the client's has gone out: a second
		     * attempt elsewhere would be a second login */
	bool challenged; /* there was a 334 */
	bool final;      /* the reply answers the last response that the
		     * mechanism asks for; of one that is relayed, any */
	bool was_ready;  /* this and the next: for exchange.c */
	unsigned long before;
};

/*
 * exchange_start(x, s, mech, initial, d): begin a relayed dialogue.  A 334
 * whose text is not base64 breaks it; so do octets behind a reply, unless
 * they are a 421 behind the last one: that reply stands, the session is dead.
 *
 *   mech     its SASL name; the caller has seen that s offers it
 *   initial  the client's first message, or NULL: there is none
 *
 * Returns x->event.  An empty initial response is sent as "=".
 */
enum exchange_event exchange_start(struct exchange *x, struct session *s,
    const char *mech, const struct secret *initial, struct deadline d);

/* exchange_step(x, response, d): answer a challenge.  Returns x->event. */
enum exchange_event exchange_step(
    struct exchange *x, const struct secret *response, struct deadline d);

/* exchange_abort(x, d): answer a challenge with "*" and read the reply.  The
 * session can be used again when it is EXCHANGE_REPLY; 421, and what is no
 * refusal, are EXCHANGE_BROKEN. */
enum exchange_event exchange_abort(struct exchange *x, struct deadline d);

/*
 * exchange_password(x, s, user, pass, type, d): log in with a password.
 *
 *   type  "PLAIN", "LOGIN", or NULL: PLAIN where it is offered, else LOGIN
 *
 * What the challenges say is not looked at.  Returns EXCHANGE_REPLY or
 * EXCHANGE_BROKEN; the latter, with FAULT_FEATURE and nothing sent, when none
 * of these is offered; with FAULT_LOCAL and nothing sent, when the password
 * has a NUL or does not fit.
 */
struct exchange_login {
	const char *user;
	const struct secret *pass;
	const char *type;
};
enum exchange_event exchange_password(struct exchange *x, struct session *s,
    const struct exchange_login *l, struct deadline d);

/*
 * The same in one line, without blocking.
 *
 * exchange_line(x, s, user, pass): put AUTH PLAIN with its initial response
 * into s.  Returns false, and nothing will have been sent, when s does not
 * offer PLAIN, the response is too long to go with AUTH, or memory is short.
 *
 * exchange_pump(x): go on.  Returns true when it is over: x->event as from
 * exchange_password(); false: poll session_fd() for session_events().
 *
 * exchange_late(x): the reply has not come in time: EXCHANGE_BROKEN.
 */
bool exchange_line(struct exchange *x, struct session *s, const char *user,
    const struct secret *pass);
bool exchange_pump(struct exchange *x);
void exchange_late(struct exchange *x);

void exchange_release(struct exchange *x); /* wipes; not the session */

#endif /* POSTERN_COMMON_EXCHANGE_H */
