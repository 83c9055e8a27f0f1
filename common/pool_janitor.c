/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that begins and ends sessions.
 *
 * Once a second it looks at the idle ones and refills what is to be warm.
 * Sessions that have been given back it ends, or has their logins reset, in
 * short steps, all at once: under load that costs nobody a change of context,
 * and a place that is waited for is not kept for long.  So it does with those
 * that are being opened, while nobody waits for one.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/pool_state.h"

/* Events taken, and closing sessions looked at, at once. */
#define EVENTS_MAX  64
#define CLOSING_FEW 64

/* Has it gone, or been waited for long enough? */
static bool
has_left(struct pool_lease *l, const struct pollfd *pfd, int64_t now_ms)
{
	return (pfd->revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) !=
	    0 ||
	    pfd->fd == -1 || now_ms >= l->since_ms + POOL_QUIT_MS;
}

/* Look at a few, from l on; those that are over move.  Returns where to go
 * on. */
static struct pool_lease *
pump_few(struct pool_leases *mine, struct pool_lease *l,
    struct pool_leases *over, int64_t now_ms)
{
	struct pool_lease *few[CLOSING_FEW];
	struct pollfd pfds[CLOSING_FEW];
	nfds_t n = 0, i;

	for (; l != NULL && n < CLOSING_FEW; l = TAILQ_NEXT(l, entry)) {
		few[n] = l;
		pfds[n].fd = session_fd(l->session);
		pfds[n].events = POLLRDHUP;
		pfds[n].revents = 0;
		if (!l->quit && !session_leave(l->session))
			pfds[n].fd = -1;
		l->quit = true;
		n++;
	}
	(void)poll(pfds, n, 0);
	for (i = 0; i < n; i++) {
		if (!has_left(few[i], &pfds[i], now_ms))
			continue;
		TAILQ_REMOVE(mine, few[i], entry);
		TAILQ_INSERT_TAIL(over, few[i], entry);
		session_free(few[i]->session);
	}
	return l;
}

/* With the lock held, but given up meanwhile: ending a session is I/O. */
static void
pump_all(struct pool *p, struct pool_leases *mine)
{
	struct pool_leases over = TAILQ_HEAD_INITIALIZER(over);
	struct pool_lease *l = TAILQ_FIRST(mine);
	int64_t now_ms = clock_ms();

	pthread_mutex_unlock(&p->lock);
	while (l != NULL)
		l = pump_few(mine, l, &over, now_ms);
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
		reset_settle(t);
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

/* Returns whether there are others that are waited for. */
static bool
settle_waited(struct pool *p)
{
	struct pool_target *t;

	if (p->n_waiting == 0)
		return false;
	TAILQ_FOREACH(t, &p->all, all) {
		if (reset_is_waited_for(t))
			reset_settle(t);
	}
	/* The lock was given up. */
	TAILQ_FOREACH(t, &p->all, all) {
		if (reset_is_waited_for(t))
			return true;
	}
	return false;
}

void
janitor_wake(struct pool *p, bool hurry)
{
	static const uint64_t one = 1;

	if (p->rest == POOL_AWAKE || (p->rest == POOL_GATHERS && !hurry))
		return;
	p->rest = POOL_AWAKE;
	/* When its counter is full it will look anyway. */
	if (write(p->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("eventfd: cannot be written");
}

/* Sleep until there is something to do, or that many ms; returns how many
 * events there are.  The lock is given up. */
static int
rest(struct pool *p, enum pool_rest how, int ms, struct epoll_event *ev)
{
	struct pollfd wake = { .fd = p->wake, .events = POLLIN };
	int n;

	p->rest = how;
	pthread_mutex_unlock(&p->lock);
	if (how == POOL_GATHERS) {
		(void)poll(&wake, 1, ms);
		ms = 0;
	}
	n = epoll_wait(p->epoll, ev, EVENTS_MAX, ms);
	pthread_mutex_lock(&p->lock);
	p->rest = POOL_AWAKE;
	p->heard = n > 0;
	return n;
}

/* Are there ready sessions in plenty, so that others may take their time? */
static bool
has_plenty(const struct pool *p)
{
	const struct pool_target *t;

	TAILQ_FOREACH(t, &p->all, all) {
		if (t->n[LEASE_OPENING] > 0 &&
		    4 * t->n[LEASE_IDLE] <
			3 * (size_t)t->options->warm_sessions)
			return false;
	}
	return true;
}

/* A session that has just been told QUIT is given a tick to go; those that are
 * being opened may wait for each other while nobody waits for them: as long as
 * something comes each time. */
static int
rest_well(struct pool *p, bool closing, bool settling, int64_t pass_ms,
    struct epoll_event *ev)
{
	int64_t ms = -1, now_ms = clock_ms();
	enum pool_rest how = POOL_RESTS;

	closing = closing || !TAILQ_EMPTY(&p->closing) || p->had_spent ||
	    !TAILQ_EMPTY(&p->spent);
	if (pass_ms != INT64_MAX)
		ms = pass_ms > now_ms ? pass_ms - now_ms : 0;
	if (closing && (ms == -1 || ms > POOL_TICK_MS)) {
		ms = p->haste ? POOL_HASTE_MS : POOL_TICK_MS;
		how = POOL_GATHERS;
	}
	if (settling && (ms == -1 || ms > POOL_HASTE_MS)) {
		ms = POOL_HASTE_MS;
		how = POOL_GATHERS;
	}
	if (TAILQ_EMPTY(&p->openings))
		return rest(p, how, (int)ms, ev);
	if (p->n_waiting == 0 && p->heard)
		return rest(p, POOL_GATHERS,
		    has_plenty(p) ? POOL_TICK_MS : POOL_GATHER_MS, ev);
	if (ms == -1 || ms > POOL_LATE_MS)
		ms = POOL_LATE_MS;
	return rest(p, POOL_RESTS, (int)ms, ev);
}

void *
janitor_main(void *pool)
{
	struct pool *p = pool;
	struct pool_leases mine = TAILQ_HEAD_INITIALIZER(mine);
	struct epoll_event ev[EVENTS_MAX];
	int64_t pass_ms = 0;
	bool settling;
	int n;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		p->haste = false;
		if (clock_ms() >= pass_ms || p->fresh) {
			p->fresh = false;
			pass_ms = pass(p);
		}
		begin_all(p);
		begin_late(p);
		TAILQ_CONCAT(&mine, &p->closing, entry);
		if (!TAILQ_EMPTY(&mine))
			pump_all(p, &mine);
		reset_spent(p);
		settling = settle_waited(p);
		if (p->stop)
			break;
		if (!TAILQ_EMPTY(&p->begins))
			continue;
		n = rest_well(p, !TAILQ_EMPTY(&mine), settling, pass_ms, ev);
		begin_events(p, ev, n);
	}
	begin_none(p);
	TAILQ_CONCAT(&p->closing, &mine, entry);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}
