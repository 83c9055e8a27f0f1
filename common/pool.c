/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "common/pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/pool_state.h"

/* session_open() with libcurl, getaddrinfo() and a TLS handshake fits well. */
#define POOL_STACK ((size_t)512 * 1024)

/* Life */

void
pool_wait(struct pool *p, pthread_cond_t *cond, int64_t at_ms)
{
	struct timespec ts = {
		.tv_sec = (time_t)(at_ms / 1000),
		.tv_nsec = (long)(at_ms % 1000) * 1000000,
	};

	if (at_ms == INT64_MAX)
		(void)pthread_cond_wait(cond, &p->lock);
	else
		(void)pthread_cond_timedwait(cond, &p->lock, &ts);
}

bool
pool_thread(void *(*start)(void *), void *arg, pthread_t *thread)
{
	pthread_attr_t attr;
	sigset_t all, old;
	bool ok;

	if (pthread_attr_init(&attr) != 0)
		return false;
	ok = pthread_attr_setstacksize(&attr, POOL_STACK) == 0;
	if (ok) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		ok = pthread_create(thread, &attr, start, arg) == 0;
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	pthread_attr_destroy(&attr);
	return ok;
}

static bool
pool_init_locks(struct pool *p)
{
	return pthread_condattr_init(&p->condattr) == 0 &&
	    pthread_condattr_setclock(&p->condattr, CLOCK_MONOTONIC) == 0 &&
	    pthread_mutex_init(&p->lock, NULL) == 0 &&
	    pthread_cond_init(&p->work, &p->condattr) == 0 &&
	    pthread_cond_init(&p->ended, &p->condattr) == 0;
}

static bool
pool_watch_wake(struct pool *p)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };

	return p->epoll != -1 && p->wake != -1 &&
	    epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->wake, &e) == 0;
}

static void
pool_close(struct pool *p)
{
	if (p->epoll != -1)
		(void)close(p->epoll);
	if (p->wake != -1)
		(void)close(p->wake);
}

struct pool *
pool_new(const struct pool_params *params)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->params = *params;
	TAILQ_INIT(&p->all);
	TAILQ_INIT(&p->closing);
	TAILQ_INIT(&p->spent);
	TAILQ_INIT(&p->begins);
	TAILQ_INIT(&p->openings);
	TAILQ_INIT(&p->jobs);
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool_watch_wake(p) && pool_init_locks(p) &&
	    pool_thread(janitor_main, p, &p->janitor))
		return p;
	pool_close(p);
	free(p);
	return NULL;
}

/* Whoever is in the middle of a dialogue finds the connection closed. */
static void
target_break_off(struct pool_target *t, const struct fault *f)
{
	struct pool_lease *l;
	int fd;

	TAILQ_FOREACH(l, &t->leases, all) {
		fd = l->abort_fd;
		if (l->state == LEASE_IN_USE)
			fd = session_fd(l->session);
		if (fd != -1)
			(void)shutdown(fd, SHUT_RDWR);
	}
	pool_target_fail(t, t->seq, OUTCOME_TEMP, f, STAGE_CONNECT);
}

void
pool_stop(struct pool *p)
{
	struct pool_target *t;
	struct fault f;

	fault_set(&f, FAULT_LOCAL, "stopping");
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	TAILQ_FOREACH(t, &p->all, all) {
		target_break_off(t, &f);
	}
	pthread_cond_broadcast(&p->work);
	janitor_wake(p, true);
	pthread_mutex_unlock(&p->lock);
}

static void
target_end(struct pool_target *t)
{
	struct pool_lease *l;

	while ((l = TAILQ_FIRST(&t->leases)) != NULL) {
		/* Idle or soon, closing, or a job that nobody took. */
		session_free(l->session);
		lease_free(l);
	}
	pool_target_free(t);
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pool_stop(p);
	(void)pthread_join(p->janitor, NULL);
	pthread_mutex_lock(&p->lock);
	while (p->n_threads > 0)
		pool_wait(p, &p->ended, INT64_MAX);
	thread_chain_join(&p->gone);
	while (!TAILQ_EMPTY(&p->all))
		target_end(TAILQ_FIRST(&p->all));
	pthread_mutex_unlock(&p->lock);
	conf_unref(p->past);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->ended);
	pthread_condattr_destroy(&p->condattr);
	pthread_mutex_destroy(&p->lock);
	pool_close(p);
	free(p);
}

/* Taking */

/* Wait for a session; with the lock held. */
static enum outcome
wait_for(struct pool_target *t, struct pool_waiter *w, struct deadline d)
{
	int64_t now_ms = clock_ms();

	/* It may have come while an idle session was looked at. */
	if (t->pool->stop) {
		fault_set(&w->fault, FAULT_LOCAL, "stopping");
		return OUTCOME_TEMP;
	}
	/* Nobody waits for a trial that is made anyhow. */
	if (t->breaker.state != BREAKER_CLOSED &&
	    pool_target_is_warm(t, now_ms))
		pool_target_grow(t, now_ms);
	if (pool_target_barred(t, now_ms)) {
		fault_set(&w->fault, FAULT_CONNECTION, "not asked now: %s",
		    t->last.text);
		w->stage = t->last_stage;
		return OUTCOME_TEMP;
	}
	if (pthread_cond_init(&w->cond, &t->pool->condattr) != 0) {
		fault_set(&w->fault, FAULT_LOCAL, "out of memory");
		return OUTCOME_TEMP;
	}
	w->seq = ++t->seq;
	TAILQ_INSERT_TAIL(&t->waiters, w, entry);
	t->n_waiting++;
	t->pool->n_waiting++;
	pool_target_grow(t, now_ms);
	crew_hurry(t->pool);
	janitor_wake(t->pool, true);
	while (!w->done && !deadline_passed(d))
		pool_wait(t->pool, &w->cond, d.at_ms);
	if (!w->done) {
		TAILQ_REMOVE(&t->waiters, w, entry);
		t->n_waiting--;
		t->pool->n_waiting--;
		fault_set(&w->fault, FAULT_CONNECTION,
		    "no session became free in time");
	}
	pthread_cond_destroy(&w->cond);
	return w->lease != NULL ? OUTCOME_OK : w->outcome;
}

/* The freshest idle session that has not turned bad, or one that will be idle
 * now; the lock is given up to look at it.  NULL: there is none. */
static struct pool_lease *
take_idle(struct pool_target *t)
{
	struct pool *p = t->pool;
	struct pool_lease *l;

	/* While all others serve one login only. */
	if (t->on_trial && (l = reset_take(t)) != NULL)
		return l;
	while (!p->stop && (l = TAILQ_FIRST(&t->idle)) != NULL) {
		lease_set(l, LEASE_IN_USE);
		pool_target_grow(t, clock_ms());
		pthread_mutex_unlock(&p->lock);
		if (session_alive(l->session)) {
			pthread_mutex_lock(&p->lock);
			return l;
		}
		pthread_mutex_lock(&p->lock);
		lease_drop(l);
	}
	return reset_take(t);
}

enum outcome
pool_take(struct pool *p, struct route *r, size_t i, struct deadline d,
    struct pool_lease **out, struct fault *f, enum smtp_stage *stage)
{
	struct pool_waiter w = { .outcome = OUTCOME_TEMP,
		.stage = STAGE_CONNECT };
	enum outcome oc = OUTCOME_TEMP;
	struct pool_target *t;

	pthread_mutex_lock(&p->lock);
	if (p->stop) {
		fault_set(&w.fault, FAULT_LOCAL, "stopping");
	} else if ((t = pool_target_get(p, r, i)) == NULL) {
		fault_set(&w.fault, FAULT_LOCAL, "out of memory");
	} else {
		t->asked_ms = clock_ms();
		if ((w.lease = take_idle(t)) != NULL)
			oc = OUTCOME_OK;
		else
			oc = wait_for(t, &w, d);
	}
	pthread_mutex_unlock(&p->lock);
	*out = w.lease;
	if (oc == OUTCOME_OK)
		return oc;
	if (f != NULL)
		*f = w.fault;
	if (stage != NULL)
		*stage = w.stage;
	return oc;
}

struct pool_lease *
pool_take_idle(struct pool *p, struct route *r, size_t i)
{
	struct pool_lease *l = NULL;
	struct pool_target *t;

	pthread_mutex_lock(&p->lock);
	if (!p->stop && (t = pool_target_get(p, r, i)) != NULL) {
		t->asked_ms = clock_ms();
		l = take_idle(t);
	}
	pthread_mutex_unlock(&p->lock);
	return l;
}

struct session *
pool_session(struct pool_lease *l)
{
	return l->session;
}

/* Giving back */

static bool
may_reset(const struct pool_lease *l)
{
	const struct pool_target *t = l->target;
	const struct conf_upstream *up = &t->options->up;

	/* The client's address cannot be taken back. */
	return !t->old && !t->no_reset && (t->can_reset || !t->on_trial) &&
	    up->xclient == XCLIENT_NO && session_can_reset_login(l->session) &&
	    session_commands(l->session) + POOL_LOGIN_COMMANDS <=
	    (unsigned long)up->max_commands;
}

/* What its end says of the endpoint. */
static void
learn(struct pool_lease *l, enum pool_fate fate)
{
	struct pool_target *t = l->target;
	struct fault f;

	switch (fate) {
	case POOL_UNUSED:
		break;
	case POOL_CLOSE:
	case POOL_REUSE:
		if (fate == POOL_REUSE && l->was_reset) {
			t->can_reset = true;
			t->on_trial = false;
		}
		t->life_ms = clock_ms();
		if (t->breaker.state == BREAKER_CLOSED)
			(void)breaker_good(&t->breaker);
		break;
	case POOL_BROKEN:
		fault_set(&f, FAULT_CONNECTION, "sessions break");
		pool_target_blame(t, &f, false);
		break;
	case POOL_REFUSED:
		fault_set(&f, FAULT_CONNECTION, "it ended a session with 421");
		pool_target_blame(t, &f, true);
		pool_target_flush(t);
		break;
	case POOL_SPOILT:
		reset_no_more(t, "not to be used after it");
		pool_target_flush(t);
		break;
	}
}

/* There are enough others: the janitor will have it reset, with more of them
 * at once. */
static bool
can_wait(const struct pool_target *t)
{
	return t->can_reset && t->n_waiting == 0 &&
	    2 * (t->n[LEASE_IDLE] + t->n[LEASE_RESETTING]) >
	    (size_t)t->options->warm_sessions;
}

/* What becomes of it; with the lock held, which may be given up.  True: its
 * login is to be reset now. */
static bool
keep(struct pool_lease *l, enum pool_fate fate, bool alive)
{
	struct pool_target *t = l->target;
	struct pool *p = t->pool;

	if (!p->stop && alive && fate == POOL_UNUSED && !t->old &&
	    !(l->was_reset && t->no_reset)) {
		lease_ready(l, clock_ms());
		return false;
	}
	if (fate == POOL_BROKEN) {
		lease_drop(l);
		return false;
	}
	if (p->stop || fate != POOL_REUSE || !may_reset(l)) {
		lease_end(l);
		return false;
	}
	l->trial = t->on_trial = !t->can_reset;
	if (!can_wait(t))
		return true;
	lease_set(l, LEASE_SPENT);
	TAILQ_INSERT_TAIL(&p->spent, l, entry);
	janitor_wake(p, false);
	return false;
}

void
pool_give(struct pool_lease *l, enum pool_fate fate)
{
	struct pool *p = l->target->pool;
	bool alive = fate == POOL_UNUSED && session_alive(l->session);
	bool reset;

	pthread_mutex_lock(&p->lock);
	learn(l, fate);
	reset = keep(l, fate, alive);
	pthread_mutex_unlock(&p->lock);
	if (reset)
		lease_reset(l);
}

bool
pool_was_reset(const struct pool_lease *l)
{
	return l->was_reset;
}

bool
pool_is_trial(const struct pool_lease *l)
{
	return l->was_reset && l->trial;
}

/* Configurations */

void
pool_warm(struct pool *p, struct route *r, size_t i)
{
	struct pool_target *t;

	pthread_mutex_lock(&p->lock);
	t = p->stop ? NULL : pool_target_get(p, r, i);
	if (t != NULL) {
		t->warm = true;
		pool_target_grow(t, clock_ms());
	}
	pthread_mutex_unlock(&p->lock);
}

void
pool_renew(struct pool *p)
{
	struct conf *past = NULL;
	struct pool_target *t;

	pthread_mutex_lock(&p->lock);
	TAILQ_FOREACH(t, &p->all, all) {
		pool_target_forget(t);
		if (t->old)
			continue;
		if (past == NULL) {
			past = p->past;
			p->past = conf_ref(t->conf);
		}
		t->old = true;
		t->warm = false;
		pool_target_flush(t);
	}
	pthread_mutex_unlock(&p->lock);
	conf_unref(past);
}

void
pool_each(struct pool *p, void (*fn)(void *arg, const struct pool_stats *s),
    void *arg)
{
	const struct pool_target *t;
	struct pool_stats s;

	pthread_mutex_lock(&p->lock);
	TAILQ_FOREACH(t, &p->all, all) {
		memset(&s, 0, sizeof(s));
		(void)snprintf(
		    s.upstream, sizeof(s.upstream), "%s", t->place->label);
		s.breaker = breaker_name(&t->breaker);
		s.idle = t->n[LEASE_IDLE] + t->n[LEASE_CHECKING] +
		    t->n[LEASE_SPENT] + t->n[LEASE_RESETTING];
		s.in_use = t->n[LEASE_IN_USE];
		s.opening = t->n[LEASE_OPENING];
		s.closing = t->n[LEASE_CLOSING];
		s.waiting = t->n_waiting;
		s.opened = t->opened;
		s.failed = t->failed;
		s.reused = t->reused;
		fn(arg, &s);
	}
	pthread_mutex_unlock(&p->lock);
}
