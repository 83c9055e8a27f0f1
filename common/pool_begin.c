/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening sessions without waiting for any of them: straight to where a dial
 * has led before, and without TLS.  Whatever does not go so the crew does.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/pool_state.h"

/* One of them; the janitor's. */
struct pool_opening {
	TAILQ_ENTRY(pool_opening) entry; /* in pool.openings */
	struct pool_lease *lease;
	struct session_params params;
	struct session_begin *begin;
	enum smtp_stage stage;      /* what is waited for, */
	int64_t begun_ms, until_ms; /* and until when */
};

/* Every now and then one goes the long way, to find out whether that is still
 * the place. */
static bool
knows_where(struct pool_target *t, int64_t now_ms)
{
	if (dial_known(&t->where, now_ms))
		return true;
	t->where.until_ms = now_ms + POOL_RENEW_MS;
	return false;
}

bool
begin_job(struct pool_lease *l, int64_t now_ms)
{
	struct pool_target *t = l->target;
	struct pool *p = t->pool;

	if (p->params.dial != NULL || !t->plain || !knows_where(t, now_ms))
		return false;
	TAILQ_INSERT_TAIL(&p->begins, l, entry);
	janitor_wake(p, t->n_waiting > 0);
	return true;
}

/* With the lock held. */
static void
long_way(struct pool_lease *l)
{
	struct fault f;

	dial_forget(&l->target->where);
	if (l->target->pool->stop || crew_job(l))
		return;
	fault_set(&f, FAULT_LOCAL, "no thread to begin a session");
	pool_target_failed(l, OUTCOME_TEMP, &f, STAGE_CONNECT);
}

static void
opening_free(struct pool_opening *o)
{
	if (o != NULL)
		session_begin_free(o->begin);
	free(o);
}

/* NULL: it is not to be done so. */
static struct pool_opening *
opening_new(struct pool_lease *l, const struct dial_where *where)
{
	struct pool_opening *o = calloc(1, sizeof(*o));
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = o };
	struct transport *t;

	if (o == NULL)
		return NULL;
	o->lease = l;
	o->stage = STAGE_CONNECT;
	o->begun_ms = clock_ms();
	o->until_ms = o->begun_ms + POOL_AGAIN_MS;
	pool_session_params(l->target, &o->params);
	if ((t = dial_again(where)) != NULL)
		o->begin = session_begin(&o->params, t);
	if (o->begin != NULL &&
	    epoll_ctl(l->target->pool->epoll, EPOLL_CTL_ADD,
		session_begin_fd(o->begin), &e) == 0)
		return o;
	opening_free(o);
	return NULL;
}

void
begin_all(struct pool *p)
{
	struct pool_opening *o;
	struct pool_lease *l;
	struct dial_where where;

	while (!p->stop && (l = TAILQ_FIRST(&p->begins)) != NULL) {
		TAILQ_REMOVE(&p->begins, l, entry);
		where = l->target->where;
		pthread_mutex_unlock(&p->lock);
		o = where.len > 0 ? opening_new(l, &where) : NULL;
		pthread_mutex_lock(&p->lock);
		if (o != NULL)
			TAILQ_INSERT_TAIL(&p->openings, o, entry);
		else
			long_way(l);
	}
}

static void
settle(struct pool_lease *l, enum session_begun begun, struct session *s,
    const struct session_begin_end *end)
{
	switch (begun) {
	case SESSION_BEGUN_OPEN:
		pool_target_opened(l, s);
		break;
	case SESSION_BEGUN_BLOCKS:
		long_way(l);
		break;
	case SESSION_BEGUN_FAILED:
	case SESSION_BEGUN_WAITS:
	default:
		dial_forget(&l->target->where);
		pool_target_failed(l, end->outcome, &end->fault, end->stage);
		break;
	}
}

/* A reply that comes octet by octet has no more time than another. */
static void
wait_on(struct pool_opening *o)
{
	enum smtp_stage stage = session_begin_stage(o->begin);

	if (stage == o->stage)
		return;
	o->stage = stage;
	o->until_ms = clock_ms() + POOL_REPLY_MS;
	if (o->until_ms > o->begun_ms + POOL_OPEN_MS)
		o->until_ms = o->begun_ms + POOL_OPEN_MS;
}

/* What has become of it. */
static void
opening_on(struct pool *p, struct pool_opening *o, enum session_begun begun,
    struct session *s, const struct session_begin_end *end)
{
	struct pool_lease *l = o->lease;

	if (begun == SESSION_BEGUN_WAITS) {
		wait_on(o);
		return;
	}
	if (begun == SESSION_BEGUN_OPEN)
		(void)epoll_ctl(p->epoll, EPOLL_CTL_DEL, session_fd(s), NULL);
	TAILQ_REMOVE(&p->openings, o, entry);
	opening_free(o);
	pthread_mutex_lock(&p->lock);
	settle(l, begun, s, end);
	pthread_mutex_unlock(&p->lock);
}

void
begin_events(struct pool *p, const struct epoll_event *ev, int n)
{
	struct session_begin_end end;
	struct pool_opening *o;
	struct session *s;
	enum session_begun begun;
	uint64_t count;

	if (n <= 0)
		return;
	pthread_mutex_unlock(&p->lock);
	for (; n > 0; n--, ev++) {
		if ((o = ev->data.ptr) == NULL) {
			/* It only wakes. */
			if (read(p->wake, &count, sizeof(count)) < 0)
				continue;
		} else {
			begun = session_begin_step(o->begin, &s, &end);
			opening_on(p, o, begun, s, &end);
		}
	}
	pthread_mutex_lock(&p->lock);
}

void
begin_late(struct pool *p)
{
	int64_t now_ms = clock_ms();
	struct session_begin_end end;
	struct pool_opening *o, *next;
	enum session_begun begun;

	if (TAILQ_EMPTY(&p->openings) || now_ms < p->late_ms)
		return;
	p->late_ms = now_ms + POOL_LATE_MS;
	pthread_mutex_unlock(&p->lock);
	for (o = TAILQ_FIRST(&p->openings); o != NULL; o = next) {
		next = TAILQ_NEXT(o, entry);
		if (now_ms < o->until_ms)
			continue;
		begun = session_begin_late(o->begin, &end);
		opening_on(p, o, begun, NULL, &end);
	}
	pthread_mutex_lock(&p->lock);
}

/* Their leases end with the pool. */
void
begin_none(struct pool *p)
{
	struct pool_opening *o;

	while ((o = TAILQ_FIRST(&p->openings)) != NULL) {
		TAILQ_REMOVE(&p->openings, o, entry);
		opening_free(o);
	}
}
