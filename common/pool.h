/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - upstream sessions that are already connected, under TLS and greeted
 *
 * For logins, where each needs a session of its own and wants it now.  Per
 * endpoint the pool keeps up to `warm_sessions` idle ones ready, opens more
 * when more are asked for, never has more than `max_sessions` in all (those
 * being opened, in use, idle and closing count), and drops idle ones after
 * `idle_timeout`, before the upstream tires of them.  Sessions are opened by
 * the pool's own threads; whoever waits gets the first that is ready, in the
 * order of asking.
 *
 * A breaker per endpoint (breaker.h) keeps from asking one that is down; its
 * trial is made by the pool's threads where sessions are to be kept warm.
 *
 * Any thread.  No lock is held across I/O.
 */
#ifndef POSTERN_COMMON_POOL_H
#define POSTERN_COMMON_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/outcome.h"
#include "common/route.h"
#include "common/session.h"
#include "common/stage.h"

struct pool;
struct pool_lease;

struct pool_params {
	session_dial *dial; /* NULL: dial_connect() */
	void *dial_arg;
	session_trace *trace; /* may be NULL */
	void *trace_arg;
	bool trace_debug; /* as in session.h */
};

struct pool *pool_new(const struct pool_params *p); /* NULL: no memory */

/* pool_stop(p): open nothing more; whoever waits is told so. */
void pool_stop(struct pool *p);

/* pool_free(p): after pool_stop() and when every lease is given back: ends
 * the threads and closes the idle sessions.  NULL does nothing. */
void pool_free(struct pool *p);

/*
 * pool_warm(p, r, i): host i of a route is to be kept warm from now on,
 * until pool_renew() or pool_stop(), whether it is asked for or not.  Other
 * hosts are kept warm for ten minutes after they were last asked for.
 */
void pool_warm(struct pool *p, struct route *r, size_t i);

/* pool_renew(p): a new configuration is in force: idle sessions are closed,
 * those in use when they are given back; nothing is kept warm any more. */
void pool_renew(struct pool *p);

/*
 * pool_take(p, r, i, d, out, f): a session with host i of a route.
 *
 *   d      absolute limit of waiting
 *   out    the caller gives it back with pool_give(); NULL on failure
 *   stage  where opening failed; may be NULL
 *
 * Nothing but the opening has been said on it, or its login was reset.
 * Returns OUTCOME_OK, or OUTCOME_TEMP or OUTCOME_PERM as session_open() does;
 * OUTCOME_TEMP too when the breaker is open, all max_sessions are in use
 * until the deadline, or the pool is stopped.
 */
enum outcome pool_take(struct pool *p, struct route *r, size_t i,
    struct deadline d, struct pool_lease **out, struct fault *f,
    enum smtp_stage *stage);

/* pool_take_idle(p, r, i): a session that is ready now, without waiting; or
 * NULL.  One that is to take its place is opened. */
struct pool_lease *pool_take_idle(struct pool *p, struct route *r, size_t i);

struct session *pool_session(struct pool_lease *l); /* borrowed */

/*
 * pool_give(l, fate): give it back.
 *
 * POOL_REUSE is for a session on which a login has succeeded: where the
 * upstream lets us reset that (XCLIENT LOGIN, offered to us alone) it is told
 * so, and becomes idle again with its reply, which whoever takes it looks for;
 * else it is closed.
 * POOL_UNUSED: nothing was said on it.  A session is closed with QUIT and
 * counts until the upstream has closed it, one second at most; the caller
 * does not wait for that.
 */
enum pool_fate {
	POOL_CLOSE, /* a refusal, or any doubt */
	POOL_REUSE,
	POOL_UNUSED,
	POOL_BROKEN,  /* it died: counts as a failure of the endpoint */
	POOL_REFUSED, /* 421: the endpoint is to be left alone for a while */
	POOL_SPOILT,  /* pool_was_reset(), and it is not as if new: closed, and
			 * no login is reset there any more */
};

void pool_give(struct pool_lease *l, enum pool_fate fate);

/* pool_was_reset(l): another login was on it, and was reset.  pool_is_trial(l):
 * and nobody knows yet whether the upstream takes one after that. */
bool pool_was_reset(const struct pool_lease *l);
bool pool_is_trial(const struct pool_lease *l);

/* Numbers of one endpoint, for status and stats. */
struct pool_stats {
	char upstream[ENDPOINT_TEXT_MAX];
	const char *breaker; /* constant */
	size_t idle, in_use, opening, closing, waiting;
	unsigned long opened, failed, reused;
};

/* pool_each(p, fn, arg): tell fn of each endpoint. */
void pool_each(struct pool *p,
    void (*fn)(void *arg, const struct pool_stats *s), void *arg);

#endif /* POSTERN_COMMON_POOL_H */
