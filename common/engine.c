/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/engine.h"
#include "common/errtext.h"
#include "common/log.h"

#define EVENTS_MAX 64

void
engine_wake(struct engine *e)
{
	uint64_t one = 1;

	if (e->woken)
		return;
	e->woken = true;
	/* An eventfd takes eight octets or is at its limit: awake either way. */
	if (write(e->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("prober: cannot wake its thread");
}

void
engine_place(struct engine *e, struct probe *p)
{
	struct target *t;

	if (p->finished)
		return;
	if (p->host >= p->q.route->n_hosts) {
		probe_fail(e, p, "no upstream available");
		return;
	}
	if ((t = target_get(e, p)) == NULL) {
		fault_set(&p->last, FAULT_LOCAL, "out of memory");
		probe_fail(e, p, "out of memory");
		return;
	}
	target_enqueue(t, p, false);
}

void
engine_next_host(struct engine *e, struct probe *p, const struct fault *f)
{
	if (p->finished)
		return;
	if (f != NULL)
		p->last = *f;
	target_dequeue(p);
	p->host++;
	p->deaths = 0;
	engine_place(e, p);
}

void
engine_poll(struct engine *e, struct line *l, bool first)
{
	short want = session_events(l->session);
	struct epoll_event ev = { .data.ptr = l };

	if (!first && want == l->polled)
		return;
	if ((want & POLLIN) != 0)
		ev.events |= EPOLLIN;
	if ((want & POLLOUT) != 0)
		ev.events |= EPOLLOUT;
	if (epoll_ctl(e->poll_fd, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
		session_fd(l->session), &ev) == 0)
		l->polled = want;
	else
		log_error("prober: cannot watch a session: %s", ERRNO);
}

void
engine_call(struct engine *e, void (*fn)(struct engine *, void *), void *arg)
{
	struct engine_call c = { .fn = fn, .arg = arg };

	pthread_mutex_lock(&e->lock);
	if (!e->stopped) {
		STAILQ_INSERT_TAIL(&e->calls, &c, entry);
		engine_wake(e);
		while (!c.done)
			pthread_cond_wait(&e->cond, &e->lock);
	}
	pthread_mutex_unlock(&e->lock);
}

/* What others have left for us.  Returns false when it is time to stop. */
static bool
engine_inbox(struct engine *e)
{
	STAILQ_HEAD(, probe) probes = STAILQ_HEAD_INITIALIZER(probes);
	STAILQ_HEAD(, opened) arrivals = STAILQ_HEAD_INITIALIZER(arrivals);
	STAILQ_HEAD(, engine_call) calls = STAILQ_HEAD_INITIALIZER(calls);
	uint64_t count;
	struct probe *p;
	struct opened *o;
	struct engine_call *c;
	bool stop;

	if (read(e->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_error("prober: cannot read its wake-ups: %s", ERRNO);
	pthread_mutex_lock(&e->lock);
	e->woken = false;
	STAILQ_CONCAT(&probes, &e->inbox);
	STAILQ_CONCAT(&arrivals, &e->arrivals);
	STAILQ_CONCAT(&calls, &e->calls);
	stop = e->stop;
	pthread_mutex_unlock(&e->lock);

	while ((o = STAILQ_FIRST(&arrivals)) != NULL) {
		struct target *t = NULL;

		STAILQ_REMOVE_HEAD(&arrivals, entry);
		ENGINE_FIND(e, targets, o->key, strlen(o->key), t);
		target_arrived(t, o); /* a target with openers is kept */
	}
	while ((p = STAILQ_FIRST(&probes)) != NULL) {
		STAILQ_REMOVE_HEAD(&probes, inbox_entry);
		engine_place(e, p);
	}
	while ((c = STAILQ_FIRST(&calls)) != NULL) {
		STAILQ_REMOVE_HEAD(&calls, entry);
		c->fn(e, c->arg);
		pthread_mutex_lock(&e->lock);
		c->done = true;
		pthread_cond_broadcast(&e->cond);
		pthread_mutex_unlock(&e->lock);
	}
	return !stop;
}

static void
engine_dispatch(struct engine *e)
{
	int64_t now = clock_ms();
	struct target *t;

	while ((t = TAILQ_FIRST(&e->dirty)) != NULL) {
		TAILQ_REMOVE(&e->dirty, t, dirty_entry);
		t->dirty = false;
		target_dispatch(t, now);
	}
}

/* Deadlines are kept to ENGINE_TICK_MS, so that a busy loop does not go
 * through all targets each time round. */
static void
engine_tick(struct engine *e)
{
	int64_t now = clock_ms();
	struct target *t, *next;

	if (now < e->next_tick_ms)
		return;
	e->next_tick_ms = now + ENGINE_TICK_MS;
	HASH_ITER(hh, e->targets, t, next)
	{
		target_tick(t, now);
		if (t->n_queue == 0 && t->n_lines == 0 && t->n_opening == 0 &&
		    !t->dirty && now - t->used_ms > 60000) {
			HASH_DEL(e->targets, t);
			target_free(t);
		}
	}
}

/* How long nothing needs to be looked at. */
static int
engine_timeout(const struct engine *e)
{
	const struct target *t;
	int wait = -1;

	if (atomic_load(&e->waiting) > 0)
		return ENGINE_TICK_MS;
	for (t = e->targets; t != NULL; t = t->hh.next) {
		const struct line *l;

		TAILQ_FOREACH(l, &t->lines, entry) {
			if (!TAILQ_EMPTY(&l->sent))
				return ENGINE_TICK_MS;
		}
		wait = 250; /* an idle session ends to the quarter second */
	}
	return wait;
}

static void
engine_shutdown(struct engine *e)
{
	struct target *t, *next;
	struct probe *p, *pnext;
	struct fault f = { 0 };

	fault_set(&f, FAULT_LOCAL, "shutting down");
	HASH_ITER(hh, e->open, p, pnext)
	{
		p->last = f;
		probe_fail(e, p, "shutting down");
	}
	pthread_mutex_lock(&e->lock);
	while (e->n_openers > 0)
		pthread_cond_wait(&e->cond, &e->lock);
	pthread_mutex_unlock(&e->lock);
	thread_chain_join(&e->gone);
	(void)engine_inbox(e);
	HASH_ITER(hh, e->targets, t, next)
	{
		struct line *l;

		while ((l = TAILQ_FIRST(&t->lines)) != NULL)
			if (TAILQ_EMPTY(&l->sent))
				line_close(l);
			else
				line_end(l, &f, false);
		HASH_DEL(e->targets, t);
		if (t->dirty)
			TAILQ_REMOVE(&e->dirty, t, dirty_entry);
		target_free(t);
	}
	pthread_mutex_lock(&e->lock);
	e->stopped = true;
	pthread_mutex_unlock(&e->lock);
	(void)engine_inbox(e); /* calls that came meanwhile */
}

static void *
engine_main(void *arg)
{
	struct engine *e = arg;
	struct epoll_event ev[EVENTS_MAX];
	int n;

	while (engine_inbox(e)) {
		engine_tick(e);
		engine_dispatch(e);
		n = epoll_wait(e->poll_fd, ev, EVENTS_MAX, engine_timeout(e));
		for (int i = 0; i < n; i++)
			if (ev[i].data.ptr != NULL)
				line_pump(ev[i].data.ptr);
		engine_dispatch(e);
	}
	engine_shutdown(e);
	return NULL;
}

static bool
engine_start(struct engine *e)
{
	struct epoll_event ev = { .events = EPOLLIN };
	sigset_t all, old;
	bool ok;

	e->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->poll_fd < 0 || e->wake_fd < 0 ||
	    epoll_ctl(e->poll_fd, EPOLL_CTL_ADD, e->wake_fd, &ev) != 0)
		return false;
	/* Signals are the main thread's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ok = pthread_create(&e->thread, NULL, engine_main, e) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok;
}

static void
engine_release(struct engine *e)
{
	struct endpoint_state *s, *next;

	HASH_ITER(hh, e->endpoints, s, next)
	{
		HASH_DEL(e->endpoints, s);
		free(s);
	}
	if (e->poll_fd >= 0)
		close(e->poll_fd);
	if (e->wake_fd >= 0)
		close(e->wake_fd);
	pthread_cond_destroy(&e->cond);
	pthread_mutex_destroy(&e->lock);
	free(e->owned);
	free(e);
}

struct engine *
engine_new(const struct prober_params *params)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->params = *params;
	if (getrandom(&e->hash_key, sizeof(e->hash_key), 0) !=
	    (ssize_t)sizeof(e->hash_key)) {
		free(e);
		return NULL;
	}
	e->poll_fd = e->wake_fd = -1;
	STAILQ_INIT(&e->inbox);
	STAILQ_INIT(&e->arrivals);
	STAILQ_INIT(&e->calls);
	TAILQ_INIT(&e->dirty);
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->cond, NULL);
	if (!engine_start(e)) {
		engine_release(e);
		return NULL;
	}
	return e;
}

void
engine_stop(struct engine *e)
{
	bool stopped;

	pthread_mutex_lock(&e->lock);
	stopped = e->stop;
	e->stop = true;
	engine_wake(e);
	pthread_mutex_unlock(&e->lock);
	if (!stopped)
		pthread_join(e->thread, NULL);
}

void
engine_free(struct engine *e)
{
	engine_release(e);
}
