/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_attempt - one login on its way; what the files of auth.h share,
 * nobody else includes it
 *
 *   auth.c          life and reload
 *   auth_attempt.c  from the name to the shield, and what comes of it
 *   auth_ask.c      a session with one of the hosts, and its last reply
 *   auth_check.c    a user name and a password
 *   auth_quick.c    the same, without waiting
 *   auth_relay.c    a dialogue, response by response
 *   auth_log.c      lines of the log
 *   auth_report.c   figures
 */
#ifndef POSTERN_COMMON_AUTH_ATTEMPT_H
#define POSTERN_COMMON_AUTH_ATTEMPT_H

#include <stdatomic.h>

#include "common/auth.h"
#include "common/auth_client.h"
#include "common/auth_mech.h"
#include "common/auth_memory.h"
#include "common/auth_verdict.h"
#include "common/exchange.h"
#include "common/log.h"
#include "common/pool.h"
#include "common/route.h"
#include "common/session.h"
#include "common/setup.h"
#include "common/shield.h"

/* What somebody should look at; a warning of each kind is logged once a
 * minute at most. */
enum auth_worry {
	AUTH_WORRY_ROUTE,     /* not known now */
	AUTH_WORRY_CANON,     /* no name to send upstream */
	AUTH_WORRY_EDGE,      /* a mechanism that is not in `mechanisms` */
	AUTH_WORRY_OPEN,      /* certificate, TLS, a feature that is missing */
	AUTH_WORRY_CLEAR,     /* the password would travel in clear */
	AUTH_WORRY_MECHANISM, /* not offered upstream */
	AUTH_WORRY_REPLY,     /* 500 to 504, 530, 534, 538 */
	AUTH_WORRY_ELSEWHERE, /* server-first, and the route is another one */
	AUTH_WORRIES
};

struct auth {
	struct setup_holder setups;
	struct auth_memory *memory;
	struct shield *shield;
	struct pool *pool;
	atomic_bool stopped;
	atomic_ullong accepted, rejected, deferred;
	atomic_ullong malformed;  /* of the rejected: nobody was asked */
	atomic_ullong remembered; /* of all: answered from memory */
	atomic_ullong relayed, given_up;
	atomic_llong open; /* at this moment */
	struct log_limit worries[AUTH_WORRIES];
};

struct auth_attempt {
	struct auth *a;
	struct setup *setup;       /* referenced */
	const struct auth_mech *m; /* NULL: none that is known */
	char mech[24];             /* as it was asked for */
	char realm[256];
	struct session_client client;
	bool direct;
	bool quick;             /* on a thread that may not wait */
	bool slow;              /* quick, and it would have to: no answer */
	struct strbuf *explain; /* or NULL */
	int64_t begin_us;
	struct deadline deadline;

	char shown[LOGIN_NAME_OCTETS + 1]; /* the name, for the log */
	struct login_name name;
	struct route *route;                 /* referenced, or NULL */
	char account[LOGIN_NAME_OCTETS + 1]; /* the name that goes upstream */

	bool memorable; /* a pair that the memory is asked about */
	struct auth_claim *claim;
	bool entered; /* into the shield; with this visit: */
	bool known;

	/* The session with a host of the route. */
	size_t host; /* the next one to try */
	bool again;  /* it has been tried once: its session was stale */
	bool spoilt; /* AUTH has been said where no login was possible */
	struct pool_lease *lease;
	struct exchange x;
	/* What must not be quoted: a password or token, and the message that
	 * it goes upstream in.  Borrowed, NULL where there is none. */
	const struct secret *hidden_secret, *hidden_message;

	/* What came of it. */
	enum auth_end end;
	enum shield_end left;
	bool repeated; /* a refusal from memory */
	struct auth_answer answer;
};

/* auth_attempt.c */

/* attempt_begin(t, a, who, mech, d): *t is overwritten.  False: answered. */
bool attempt_begin(struct auth_attempt *t, struct auth *a,
    const struct auth_asker *who, const char *mech, struct deadline d);

/* attempt_slow(t): it cannot go on without waiting.  Returns false. */
bool attempt_slow(struct auth_attempt *t);

/* attempt_forget(t): there never was one: what it has claimed is given up,
 * nothing is counted or logged. */
void attempt_forget(struct auth_attempt *t);

/* The answer, where nobody needs to be asked.  Each returns false. */
bool attempt_defer(struct auth_attempt *t, const char *reason);
bool attempt_malformed(struct auth_attempt *t, const char *why);

/* attempt_name(t, text, len): the name as typed.  False: answered. */
bool attempt_name(struct auth_attempt *t, const char *text, size_t len);

/* attempt_take_route(t, r): the options of r, whose reference is taken over,
 * apply from now on.  False: answered. */
bool attempt_take_route(struct auth_attempt *t, struct route *r);

/* attempt_find_route(t, out): the name's route, a new reference.  False:
 * answered. */
bool attempt_find_route(struct auth_attempt *t, struct route **out);

/* attempt_account(t): the name that goes upstream.  False: answered. */
bool attempt_account(struct auth_attempt *t);

/* attempt_shield(t): false: answered. */
bool attempt_shield(struct auth_attempt *t);

/* attempt_end(t, out): settle with memory and shield, count, log, give *out
 * the answer; *t holds nothing any more. */
void attempt_end(struct auth_attempt *t, struct auth_answer *out);

/* explain(t, fmt, ...): a line for people, where there are any. */
void attempt_explain(struct auth_attempt *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* auth_check.c */

/* attempt_prepare(t, l): as far as to the shield.  False: answered, or
 * slow. */
bool attempt_prepare(struct auth_attempt *t, const struct auth_login *l);

/* attempt_message(message, user, pass): what a reply could repeat of a
 * message of PLAIN, RFC 4616: as much of it as a reply holds. */
void attempt_message(
    struct secret *message, const char *user, const struct secret *pass);

/* auth_ask.c */

/* attempt_connect_now(t): as attempt_connect(), but only with an idle session
 * of the first host, and none that a client is to be announced on.  False:
 * there is none; nothing has been answered. */
bool attempt_connect_now(struct auth_attempt *t);
/* attempt_unconnect(t): nothing was said on the session: give it back. */
void attempt_unconnect(struct auth_attempt *t);

/* attempt_connect(t): a session with the next host that can be had, and that
 * may be told a password; the client is announced to it.  False: answered,
 * there is no other. */
bool attempt_connect(struct auth_attempt *t);
struct session *attempt_session(struct auth_attempt *t);

/* attempt_no_mech(t, what): the session has not got the mechanism: give it
 * back. */
void attempt_no_mech(struct auth_attempt *t, const char *what);

/* attempt_is_over(t): the dialogue t->x has come to an end.  False: nothing
 * of the client's has been sent, so that the next host may be asked. */
bool attempt_is_over(struct auth_attempt *t);

/* attempt_judge(t): the answer from the last reply; gives the session back. */
void attempt_judge(struct auth_attempt *t);

/* auth_log.c */

void auth_log(const struct auth_attempt *t);
void auth_worry(struct auth_attempt *t, enum auth_worry w, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* POSTERN_COMMON_AUTH_ATTEMPT_H */
