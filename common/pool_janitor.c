/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that ends sessions.
 *
 * Once a second it looks at the idle ones and refills what is to be warm.
 * Sessions that are closing it looks at in short steps, all at once: under
 * load that costs nobody a change of context, and a place that is waited for
 * is not kept for long.
 */
#include "config.h"

#include <poll.h>
#include <stdlib.h>

#include "common/pool_state.h"

bool
lease_leave(struct pool_lease *l, int64_t now_ms)
{
	struct reply r;
	struct fault f;
	void *cookie;
	enum session_event ev;

	if (!l->quit && !session_quit(l->session, NULL))
		return true;
	l->quit = true;
	do {
		ev = session_pump(l->session, &r, &cookie, &f);
	} while (ev == SESSION_REPLY);
	return ev == SESSION_DEAD || now_ms >= l->since_ms + POOL_QUIT_MS;
}

/* With the lock held, but given up meanwhile: ending a session is I/O. */
static void
pump_all(struct pool *p, struct pool_leases *mine)
{
	struct pool_leases over = TAILQ_HEAD_INITIALIZER(over);
	struct pool_lease *l, *next;
	int64_t now_ms = clock_ms();

	pthread_mutex_unlock(&p->lock);
	for (l = TAILQ_FIRST(mine); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (!lease_leave(l, now_ms))
			continue;
		TAILQ_REMOVE(mine, l, entry);
		TAILQ_INSERT_TAIL(&over, l, entry);
		session_free(l->session);
	}
	pthread_mutex_lock(&p->lock);
	while ((l = TAILQ_FIRST(&over)) != NULL) {
		TAILQ_REMOVE(&over, l, entry);
		lease_free(l);
	}
}

static void
check_readable(struct pool *p, struct pool_lease *l)
{
	bool alive;

	lease_set(l, LEASE_CHECKING);
	pthread_mutex_unlock(&p->lock);
	/* Under TLS it may have been a ticket. */
	alive = session_alive(l->session);
	if (!alive)
		session_free(l->session);
	pthread_mutex_lock(&p->lock);
	if (alive)
		lease_ready(l, clock_ms());
	else
		lease_free(l);
}

/* Nothing ought to have come on an idle session.  False: one was looked at
 * more closely, and the list may be another now. */
static bool
check_idle(struct pool *p, struct pool_target *t)
{
	struct pool_lease *l;
	struct pollfd pfd = { .events = POLLIN };

	TAILQ_FOREACH(l, &t->idle, entry) {
		pfd.fd = session_fd(l->session);
		if (poll(&pfd, 1, 0) > 0) {
			check_readable(p, l);
			return false;
		}
	}
	return true;
}

/* End what has been idle for too long; of what is to be kept warm not all at
 * once, since what takes its place is opened only then. */
static int64_t
expire_idle(struct pool_target *t, int64_t now_ms)
{
	int64_t life_ms = t->options->up.idle_timeout;
	int64_t next_ms = now_ms + POOL_PASS_MS;
	size_t most = t->n[LEASE_IDLE];
	struct pool_lease *l, *before;

	if (pool_target_is_warm(t, now_ms))
		most = (size_t)t->options->warm_sessions / 4 + 1;
	for (l = TAILQ_LAST(&t->idle, pool_leases); l != NULL; l = before) {
		before = TAILQ_PREV(l, pool_leases, entry);
		if (now_ms < l->since_ms + life_ms) {
			if (l->since_ms + life_ms < next_ms)
				next_ms = l->since_ms + life_ms;
		} else if (most > 0) {
			lease_end(l);
			most--;
		}
	}
	return next_ms;
}

static bool
is_unused(const struct pool_target *t, int64_t now_ms)
{
	return TAILQ_EMPTY(&t->leases) && t->n_waiting == 0 &&
	    (t->old || (!t->warm && now_ms >= t->asked_ms + POOL_KEEP_MS));
}

/* Look at every target; returns when to do so again. */
static int64_t
pass(struct pool *p)
{
	int64_t now_ms = clock_ms(), next_ms = now_ms + POOL_PASS_MS, at_ms;
	struct pool_target *t, *next;
	size_t n;

	for (t = TAILQ_FIRST(&p->all); t != NULL; t = next) {
		/* t cannot go away: targets are freed here only */
		for (n = t->n[LEASE_IDLE]; n > 0 && !p->stop; n--) {
			if (check_idle(p, t))
				break;
		}
		at_ms = expire_idle(t, now_ms);
		if (at_ms < next_ms)
			next_ms = at_ms;
		pool_target_grow(t, now_ms);
		next = TAILQ_NEXT(t, all);
		if (is_unused(t, now_ms))
			pool_target_free(t);
	}
	return TAILQ_EMPTY(&p->all) ? INT64_MAX : next_ms;
}

void
janitor_wake(struct pool *p)
{
	if (p->resting)
		pthread_cond_signal(&p->tidy);
}

/* Sleep until there is something to do.  A session that has just been told
 * QUIT is given a tick to go. */
static void
rest(struct pool *p, bool busy, int64_t pass_ms)
{
	int64_t now_ms = clock_ms(), at_ms = pass_ms;
	bool closing = busy || !TAILQ_EMPTY(&p->closing);

	if (!closing) {
		p->resting = true;
		pool_wait(p, &p->tidy, pass_ms);
		p->resting = false;
		closing = !TAILQ_EMPTY(&p->closing);
	}
	if (!closing || p->stop)
		return;
	now_ms = clock_ms();
	at_ms = now_ms + (p->haste ? POOL_HASTE_MS : POOL_TICK_MS);
	if (at_ms > pass_ms)
		at_ms = pass_ms;
	pool_wait(p, &p->tidy, at_ms);
}

void *
janitor_main(void *pool)
{
	struct pool *p = pool;
	struct pool_leases mine = TAILQ_HEAD_INITIALIZER(mine);
	int64_t pass_ms = 0;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		p->haste = false;
		if (clock_ms() >= pass_ms || p->fresh) {
			p->fresh = false;
			pass_ms = pass(p);
		}
		TAILQ_CONCAT(&mine, &p->closing, entry);
		if (!TAILQ_EMPTY(&mine))
			pump_all(p, &mine);
		if (!p->stop)
			rest(p, !TAILQ_EMPTY(&mine), pass_ms);
	}
	TAILQ_CONCAT(&p->closing, &mine, entry);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}
