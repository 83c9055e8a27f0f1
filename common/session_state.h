/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_state - the inside of a session, shared by session*.c
 *
 * Octets go out through tx, a copy of the commands that may be sent now, and
 * come in through rx, the one line buffer.  A reply counts only for a command
 * whose last octet has been written.
 */
#ifndef POSTERN_COMMON_SESSION_STATE_H
#define POSTERN_COMMON_SESSION_STATE_H

#include <netinet/in.h>
#include <stdint.h>

#include "common/session.h"

#define SESSION_TX_SIZE 4096
#define SESSION_RX_SIZE (2 * REPLY_LINE_MAX)

/* The longest AUTH line: what Postfix takes (FACTS: 12288 octets). */
#define SESSION_LINE_MAX 12288

/* In this order; EHLO comes again after STARTTLS and XCLIENT. */
enum session_state {
	SESSION_AT_CONNECT,
	SESSION_AT_GREETING,
	SESSION_AT_EHLO,
	SESSION_AT_STARTTLS,
	SESSION_AT_XCLIENT,
	SESSION_AT_AUTH,
	SESSION_AT_READY,
	SESSION_AT_DEAD,
};

struct command {
	struct command *next;
	void *cookie;
	char *shown;  /* for the trace: the line is a secret; or NULL */
	bool alone;   /* nothing in flight before, nothing behind it */
	size_t moved; /* octets of it that are in tx, or were */
	uint64_t end; /* of its last octet, on the scale of written */
	size_t len;
	char line[]; /* len octets, with CRLF; then a NUL */
};

struct session {
	struct transport *t;
	enum session_state state;
	enum smtp_stage stage; /* of the state, or of the one it died in */
	struct fault fault;    /* why it is dead */
	bool closing;          /* a 421 has been handed out */

	/* Unanswered commands; of these, waiting are not yet in tx. */
	struct command *oldest, *newest, *waiting;
	size_t outstanding, unsent;
	unsigned long commands;

	size_t tx_pos, tx_len; /* of tx */
	bool tx_secret;
	bool tx_broken; /* no more can be written; tx_fault says why */
	struct fault tx_fault;
	uint64_t moved;   /* octets ever put into tx */
	uint64_t written; /* octets ever written */
	short tx_events;  /* what to poll for, after TRANSPORT_WAIT */

	size_t rx_pos, rx_len; /* of rx */
	size_t rx_seen;        /* no line end before this */
	short rx_events;
	bool rx_empty; /* nothing was there when it was last looked at, just
			* now: the next batch need not look again */
	bool rx_short; /* of a socket: it had less than there was room for */
	struct reply reply; /* being gathered */

	struct ehlo ehlo;
	struct tls_info tls;
	bool lmtp;
	bool local;     /* the peer is on this machine */
	bool mail_utf8; /* the last MAIL said SMTPUTF8 */

	session_trace *trace;
	void *trace_arg;
	bool trace_debug;

	/* What follows is not cleared. */
	char tx[SESSION_TX_SIZE];
	char rx[SESSION_RX_SIZE];
};

/* What session_open() works with. */
struct opening {
	const struct session_params *p;
	struct session *s;
	struct deadline d;
	struct fault *f;
	struct reply reply; /* the last one */
	bool plain;         /* TLS_MAY, second connection: no STARTTLS */
	bool tls_failed;    /* the handshake did */
	char key[ENDPOINT_TEXT_MAX]; /* of the endpoint, for the log */
};

/* session.c */

/* The only way to change the state; traces it. */
void session_state_set(struct session *s, enum session_state state);

/* Does anybody want to know?  Most often not. */
bool session_traced(const struct session *s);

/* Tell the trace a remark. */
void session_remark(struct session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* End the session because of *f. */
void session_die(struct session *s, const struct fault *f);

/* What a refusing reply says, as a fault. */
void session_reply_fault(const struct reply *r, struct fault *f);

/* Forget the oldest command. */
void session_command_done(struct session *s);

/* Expect a reply that no command asks for: the greeting. */
bool session_expect(struct session *s);

/* Wait for the reply to the oldest command; as session_command(). */
enum outcome session_wait(
    struct session *s, struct deadline d, struct reply *r, struct fault *f);

/* End the session: no reply has come in time. */
void session_late(struct session *s, struct fault *f);

/* End the session if anything has come behind `when`. */
enum outcome session_quiet(
    struct session *s, const char *when, struct fault *f);

/* Queue a line; `alone` as in struct command.  Only a response of AUTH may be
 * empty. */
bool session_queue(
    struct session *s, const struct session_line *l, bool alone, void *cookie);

/* The reply that has been handed out just now was all there was: what is sent
 * next need not look again. */
void session_looked(struct session *s);

/* session_open.c */

struct session *session_new(const struct session_params *p);

/* Is there a name for EHLO? */
bool opening_has_name(const struct session_params *p);

/* o->s->t should be connected: look where to.  False: it is not. */
bool opening_connected(struct opening *o);

/* The greeting in two steps. */
bool opening_expect_greeting(struct opening *o);
enum outcome opening_greeting_reply(struct opening *o);

/* It is over: *out is o->s, or o->s is freed. */
enum outcome opening_end(struct opening *o, enum outcome oc,
    struct session **out, enum smtp_stage *stage);

/* The limit of what is done now: o->d or reply_ms. */
struct deadline opening_deadline(const struct opening *o);

/* Send one line and wait for o->reply. */
enum outcome opening_ask(
    struct opening *o, const char *line, const char *shown);

/* The fault and outcome of o->reply, which refuses: 4yz TEMP, 5yz PERM,
 * anything else is not an answer to `what`. */
enum outcome opening_refused(struct opening *o, const char *what);

/* EHLO (LHLO), filling s->ehlo. */
enum outcome opening_ehlo(struct opening *o);
/* The same in two steps, and without HELO: queue it, look at o->reply. */
bool opening_ehlo_send(struct opening *o);
enum outcome opening_ehlo_reply(struct opening *o);

enum outcome opening_starttls(struct opening *o); /* session_starttls.c */
enum outcome opening_handshake(struct opening *o, bool verify);
enum outcome opening_xclient(struct opening *o); /* session_xclient.c */
enum outcome opening_auth(struct opening *o);    /* session_auth.c */

#endif /* POSTERN_COMMON_SESSION_STATE_H */
