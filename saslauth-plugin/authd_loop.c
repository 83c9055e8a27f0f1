/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/authd_loop.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "saslauth-plugin/complain.h"

/* A fifth field of saslauthd's protocol after the fourth; a reader of our
 * answer; a request that is on its way when we stop. */
#define PERHAPS_MS 20
#define WRITE_MS   5000
#define STOP_MS    250

/* Events taken in a row. */
#define EVENTS_MAX 256

static struct conn *
conn_of_timer(const struct timer *t)
{
	return (struct conn *)((uintptr_t)t - offsetof(struct conn, timer));
}

/* Wait for events once: whoever gets the connection next sets new ones. */
static bool
watch(struct server *s, struct conn *c, uint32_t events)
{
	struct epoll_event e = { .events = events | EPOLLONESHOT,
		.data.ptr = c };
	int op = c->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	c->in_epoll = true;
	return epoll_ctl(s->epoll, op, c->fd, &e) == 0;
}

/* Nothing is to be told of it until it is watched again: a worker may free
 * it.  An event takes the watch away by itself, the end of time does not. */
static void
watch_no_more(struct server *s, struct conn *c)
{
	if (c->in_epoll)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	c->in_epoll = false;
}

/* Ending a dialogue may block. */
static void
end_conn(struct server *s, struct conn *c)
{
	timer_clear(&s->timers, &c->timer);
	conn_rouse(c);
	if (c->state == CONN_HELD)
		atomic_fetch_sub(&s->n_held, 1);
	c->state = CONN_OVER;
	if (c->dialogue == NULL || !workers_give(s->workers, &c->work))
		conn_work(&c->work);
}

static void
wait_for(struct server *s, struct conn *c, uint32_t events, int64_t at_ms)
{
	timer_set(&s->timers, &c->timer, at_ms);
	if (!watch(s, c, events))
		end_conn(s, c);
}

/* Its reply has been written. */
static void
next(struct server *s, struct conn *c)
{
	c->state = CONN_READ;
	if (!c->more || s->ending >= SERVER_HURRIES)
		end_conn(s, c);
	else if (c->dialogue != NULL)
		wait_for(s, c, EPOLLIN, c->until_ms);
	else if (c->in_len > 0) {
		/* Not now: others are waiting, too. */
		timer_clear(&s->timers, &c->timer);
		c->state = CONN_READY;
		STAILQ_INSERT_TAIL(&s->ready, &c->work, entry);
	} else if (s->ending != SERVER_SERVES)
		end_conn(s, c);
	else {
		conn_rest(c);
		wait_for(s, c, EPOLLIN, clock_ms() + c->protocol->idle_ms);
	}
}

static void
reply_now(struct server *s, struct conn *c)
{
	switch (conn_send(c)) {
	case CONN_LATER:
		c->state = CONN_WRITE;
		wait_for(s, c, EPOLLOUT, clock_ms() + WRITE_MS);
		break;
	case CONN_SENT:
		next(s, c);
		break;
	case CONN_GONE:
	default:
		end_conn(s, c);
		break;
	}
}

static void
hold(struct server *s, struct conn *c)
{
	int64_t at = clock_ms();

	c->state = CONN_HELD;
	if (s->ending == SERVER_SERVES)
		at += c->hold_ms;
	wait_for(s, c, 0, at < c->until_ms ? at : c->until_ms);
}

/* Without a worker, that is. */
static void
answered(struct server *s, struct conn *c)
{
	c->state = CONN_WRITE;
	if (conn_hold(c))
		hold(s, c);
	else
		reply_now(s, c);
}

static void
turn_away(struct server *s, struct conn *c)
{
	static struct log_limit limit;
	struct serve_call call;
	char why[64];

	s->n_turned_away++;
	snprintf(
	    why, sizeof(why), "too many %s under way", c->protocol->requests);
	complain(&limit, "%s: one is turned away", why);
	conn_call(c, &call);
	c->protocol->refuse(&call, why);
	conn_replied(c, &call);
	reply_now(s, c);
}

static void
hand_over(struct server *s, struct conn *c)
{
	timer_clear(&s->timers, &c->timer);
	/* It may be older than the list of users. */
	if (conn_stays(c) && c->dialogue == NULL && !conn_allowed(s, c))
		return;
	s->n_requests++;
	if (c->protocol->lookups)
		c->until_ms = clock_ms() + LOGIN_MS;
	c->state = CONN_ASKS;
	switch (conn_quick_begin(c)) {
	case CONN_QUICK_ANSWERED:
		answered(s, c);
		return;
	case CONN_QUICK_WAITS:
		return;
	case CONN_QUICK_SLOW:
		break;
	}
	c->state = CONN_ANSWER;
	c->given_ms = clock_ms();
	if (!workers_give(
		c->protocol->lookups ? s->lookers : s->workers, &c->work))
		turn_away(s, c);
}

static void
bad_request(struct server *s, struct conn *c, const char *why)
{
	struct serve_call call;

	conn_complain(c, why);
	timer_clear(&s->timers, &c->timer);
	conn_call(c, &call);
	if (c->protocol->bad != NULL)
		c->protocol->bad(&call, why);
	conn_replied(c, &call);
	c->more = false;
	reply_now(s, c);
}

/* Until when the rest of a request may come. */
static int64_t
rest_until(struct server *s, struct conn *c)
{
	if (!conn_stays(c) || c->dialogue != NULL ||
	    (s->ending != SERVER_SERVES && c->timer.place != 0))
		return c->timer.at_ms;
	if (c->rest_ms == 0)
		c->rest_ms = clock_ms() +
		    (s->ending == SERVER_SERVES ? REQUEST_MS : STOP_MS);
	return c->rest_ms;
}

/* What to do with what is there; ended: no more will come. */
static void
look(struct server *s, struct conn *c, bool ended)
{
	const char *why = "";

	switch (c->protocol->look(c->in, c->in_len, &why)) {
	case SERVE_WHOLE:
		if (c->protocol->first != NULL)
			c->request_len = c->protocol->first(c->in, c->in_len);
		hand_over(s, c);
		break;
	case SERVE_PERHAPS:
		/* Who writes all at once has written all. */
		if (ended || !c->in_parts)
			hand_over(s, c);
		else
			wait_for(s, c, EPOLLIN, clock_ms() + PERHAPS_MS);
		break;
	case SERVE_PART:
		if (ended)
			end_conn(s, c);
		else
			wait_for(s, c, EPOLLIN, rest_until(s, c));
		break;
	case SERVE_BAD:
	default:
		bad_request(s, c, why);
		break;
	}
}

void
conn_read(struct server *s, struct conn *c, struct scratch *scratch)
{
	/* One octet too many is enough to know. */
	size_t room = c->protocol->max + 1 - c->in_len;
	ssize_t n = recv(c->fd, scratch->octets, room, MSG_DONTWAIT);
	bool taken;

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_for(s, c, EPOLLIN, c->timer.at_ms);
		return;
	}
	if (n < 0 || (n == 0 && c->in_len == 0)) {
		end_conn(s, c);
		return;
	}
	if (c->rests && n > 0) {
		conn_rouse(c);
		c->until_ms = clock_ms() + LOGIN_MS;
	}
	taken = n == 0 || conn_take(c, scratch->octets, (size_t)n);
	explicit_bzero(scratch->octets, (size_t)n);
	if (taken)
		look(s, c, n == 0);
	else
		end_conn(s, c);
}

/* Its point in time has come. */
static void
on_time(struct server *s, struct conn *c)
{
	const char *why;

	watch_no_more(s, c);
	switch (c->state) {
	case CONN_HELD:
		atomic_fetch_sub(&s->n_held, 1);
		c->state = CONN_WRITE;
		reply_now(s, c);
		break;
	case CONN_READ:
		if (c->in_len > 0 &&
		    c->protocol->look(c->in, c->in_len, &why) ==
			SERVE_PERHAPS) {
			hand_over(s, c);
			break;
		}
		if (!c->rests)
			s->n_late++;
		end_conn(s, c);
		break;
	case CONN_READY:
	case CONN_ANSWER:
	case CONN_ASKS:
	case CONN_WRITE:
	case CONN_REFUSED:
	case CONN_OVER:
	default:
		end_conn(s, c);
		break;
	}
}

static void
on_event(
    struct server *s, struct conn *c, uint32_t events, struct scratch *scratch)
{
	switch (c->state) {
	case CONN_READ:
		conn_read(s, c, scratch);
		break;
	case CONN_WRITE:
		reply_now(s, c);
		break;
	case CONN_HELD:
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			end_conn(s, c);
		break;
	case CONN_READY:
	case CONN_ANSWER:
	case CONN_ASKS:
	case CONN_REFUSED:
	case CONN_OVER:
	default:
		break;
	}
}

/* An upstream has had something to say. */
static void
on_upstream(struct server *s, struct asking *a)
{
	struct conn *c = asking_event(a);

	if (c != NULL)
		answered(s, c);
}

/* A worker has done its part. */
static void
taken_back(struct server *s, struct conn *c)
{
	switch (c->state) {
	case CONN_READ:
		next(s, c);
		break;
	case CONN_WRITE:
		wait_for(s, c, EPOLLOUT, clock_ms() + WRITE_MS);
		break;
	case CONN_HELD:
		hold(s, c);
		break;
	case CONN_READY:
	case CONN_ANSWER:
	case CONN_ASKS:
	case CONN_REFUSED:
	case CONN_OVER:
	default:
		end_conn(s, c);
		break;
	}
}

/* What is held is given at once; who has not sent a request may do so for a
 * moment, unless it rests; a dialogue goes on, until there is no time for
 * that either. */
static int64_t
hastened(void *arg, const struct timer *timer)
{
	const struct server *s = arg;
	const struct conn *c = conn_of_timer(timer);
	int64_t at, now = clock_ms();

	if (c->state == CONN_HELD || s->ending >= SERVER_HURRIES || c->rests)
		return now;
	at = now + STOP_MS;
	if (c->dialogue != NULL || at > timer->at_ms)
		return timer->at_ms;
	return at;
}

static void
look_for_end(struct server *s)
{
	enum server_end end;

	pthread_mutex_lock(&s->lock);
	end = s->end;
	pthread_mutex_unlock(&s->lock);
	if (end == s->ending)
		return;
	s->ending = end;
	loop_close(s);
	timers_change(&s->timers, hastened, s);
	pthread_mutex_lock(&s->lock);
	s->closed = true;
	pthread_cond_broadcast(&s->none_left);
	pthread_mutex_unlock(&s->lock);
}

static void
take_back_all(struct server *s)
{
	STAILQ_HEAD(, work) all = STAILQ_HEAD_INITIALIZER(all);
	struct work *work;
	uint64_t n;

	if (read(s->wake.fd, &n, sizeof(n)) < 0)
		return;
	pthread_mutex_lock(&s->lock);
	STAILQ_CONCAT(&all, &s->back);
	pthread_mutex_unlock(&s->lock);
	while ((work = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, entry);
		taken_back(s, conn_of(work));
	}
	look_for_end(s);
}

/* One request each, then it is the others' turn. */
static void
serve_ready(struct server *s)
{
	STAILQ_HEAD(, work) all = STAILQ_HEAD_INITIALIZER(all);
	struct work *work;
	struct conn *c;

	STAILQ_CONCAT(&all, &s->ready);
	while ((work = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, entry);
		c = conn_of(work);
		c->state = CONN_READ;
		look(s, c, false);
	}
}

static void
times_up(struct server *s)
{
	int64_t now = clock_ms();
	struct timer *t;
	struct conn *c;

	while ((t = timers_first(&s->timers)) != NULL && t->at_ms <= now) {
		timer_clear(&s->timers, t);
		on_time(s, conn_of_timer(t));
	}
	while (
	    (t = timers_first(&s->asking_timers)) != NULL && t->at_ms <= now) {
		if ((c = asking_late(asking_of_timer(t))) != NULL)
			answered(s, c);
	}
	if (s->accept_at_ms != 0 && s->accept_at_ms <= now) {
		s->accept_at_ms = 0;
		listeners_watch(s, EPOLLIN);
	}
}

static int
time_left(const struct server *s)
{
	const struct timer *t = timers_first(&s->timers);
	int64_t left = INT_MAX, now = clock_ms();

	if (!STAILQ_EMPTY(&s->ready))
		return 0;
	if (t != NULL && t->at_ms - now < left)
		left = t->at_ms - now;
	t = timers_first(&s->asking_timers);
	if (t != NULL && t->at_ms - now < left)
		left = t->at_ms - now;
	if (s->accept_at_ms != 0 && s->accept_at_ms - now < left)
		left = s->accept_at_ms - now;
	if (left == INT_MAX)
		return -1;
	return left < 0 ? 0 : (int)left;
}

void *
loop_main(void *server)
{
	struct server *s = server;
	struct epoll_event events[EVENTS_MAX];
	struct scratch scratch;
	int n;

	while (s->ending != SERVER_ENDS) {
		bool woken = false;

		n = epoll_wait(s->epoll, events, EVENTS_MAX, time_left(s));
		for (int i = 0; i < n; i++) {
			enum watched *what = events[i].data.ptr;

			if (*what == WATCHED_WAKE)
				woken = true;
			else if (*what == WATCHED_LISTENER)
				((struct listener *)what)->called = true;
			else if (*what == WATCHED_UPSTREAM)
				on_upstream(s, (struct asking *)what);
			else
				on_event(s, (struct conn *)what,
				    events[i].events, &scratch);
		}
		/* Not before: a connection that comes back may go, or make
		 * room for a new one, while an event for it is still to be
		 * looked at. */
		accept_called(s, &scratch);
		if (woken)
			take_back_all(s);
		serve_ready(s);
		times_up(s);
	}
	return NULL;
}
