/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/authd_loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errtext.h"
#include "common/wire.h"
#include "saslauth-plugin/complain.h"
#include "saslauth-plugin/peers.h"

/* The whole first request; a login in all, which is half a second less than
 * the plug-in waits; a fifth field of saslauthd's protocol after the fourth;
 * a reader of our answer. */
#define REQUEST_MS 10000
#define LOGIN_MS   24500
#define PERHAPS_MS 20
#define WRITE_MS   5000

/* Connections accepted in a row, and events taken. */
#define ACCEPT_MAX 64
#define EVENTS_MAX 256

/* Without descriptors or memory: the pause until accept(2) is tried again. */
#define ACCEPT_PAUSE_MS 100
/* How often the same is complained about. */
#define COMPLAIN_MS     10000
/* A request that is on its way when we stop. */
#define STOP_MS         250

/* What has come, before it is known whose size it has.  The loop's alone. */
struct scratch {
	unsigned char octets[WIRE_MAX + 1];
};

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

static void
reply_now(struct server *s, struct conn *c)
{
	switch (conn_send(c)) {
	case CONN_LATER:
		c->state = CONN_WRITE;
		wait_for(s, c, EPOLLOUT, clock_ms() + WRITE_MS);
		break;
	case CONN_SENT:
		if (c->more) {
			c->state = CONN_READ;
			wait_for(s, c, EPOLLIN, c->until_ms);
			break;
		}
		end_conn(s, c);
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
hand_over(struct server *s, struct conn *c)
{
	static struct log_limit limit;
	struct serve_call call;

	timer_clear(&s->timers, &c->timer);
	s->n_requests++;
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
	if (workers_give(s->workers, &c->work))
		return;
	s->n_turned_away++;
	complain(&limit, "too many logins under way: one is turned away");
	conn_call(c, &call);
	c->protocol->refuse(&call, "too many logins under way");
	conn_replied(c, &call);
	reply_now(s, c);
}

static void
bad_request(struct server *s, struct conn *c, const char *why)
{
	conn_complain(c, why);
	end_conn(s, c);
}

/* What to do with what is there; ended: no more will come. */
static void
look(struct server *s, struct conn *c, bool ended)
{
	const char *why = "";

	switch (c->protocol->look(c->in, c->in_len, &why)) {
	case SERVE_WHOLE:
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
			wait_for(s, c, EPOLLIN, c->timer.at_ms);
		break;
	case SERVE_BAD:
	default:
		bad_request(s, c, why);
		break;
	}
}

static void
read_some(struct server *s, struct conn *c, struct scratch *scratch)
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
		s->n_late++;
		end_conn(s, c);
		break;
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
		read_some(s, c, scratch);
		break;
	case CONN_WRITE:
		reply_now(s, c);
		break;
	case CONN_HELD:
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			end_conn(s, c);
		break;
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
		if (s->ending < SERVER_HURRIES)
			wait_for(s, c, EPOLLIN, c->until_ms);
		else
			end_conn(s, c);
		break;
	case CONN_WRITE:
		wait_for(s, c, EPOLLOUT, clock_ms() + WRITE_MS);
		break;
	case CONN_HELD:
		hold(s, c);
		break;
	case CONN_ANSWER:
	case CONN_ASKS:
	case CONN_REFUSED:
	case CONN_OVER:
	default:
		end_conn(s, c);
		break;
	}
}

static bool
peer_allowed(struct server *s, uid_t uid)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = peers_allow(s->peers, uid);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

/* Counted, so that timers have room and nobody is forgotten at the end. */
static bool
conn_admit(struct server *s)
{
	static struct log_limit limit;
	bool ok = false;

	pthread_mutex_lock(&s->lock);
	if (s->n_conns < s->max_conns &&
	    timers_reserve(&s->timers, s->n_conns + 1)) {
		s->n_conns++;
		ok = true;
	}
	pthread_mutex_unlock(&s->lock);
	if (!ok)
		complain(&limit, "more than %zu connections: one is closed",
		    s->max_conns);
	return ok;
}

static void
conn_begin(
    struct server *s, const struct listener *l, int fd, struct scratch *scratch)
{
	struct conn *c;
	uid_t uid = 0;

	if (!peers_of(fd, &uid) || !conn_admit(s)) {
		close(fd);
		return;
	}
	if ((c = conn_new(s, l->protocol, fd)) == NULL) {
		pthread_mutex_lock(&s->lock);
		s->n_conns--;
		pthread_mutex_unlock(&s->lock);
		return;
	}
	c->uid = uid;
	c->begun_ms = clock_ms();
	c->until_ms = c->begun_ms + LOGIN_MS;
	if (!peer_allowed(s, uid)) {
		s->n_refused++;
		c->state = CONN_REFUSED;
		if (!workers_give(s->workers, &c->work))
			conn_drop(c);
		return;
	}
	s->n_accepted++;
	c->state = CONN_READ;
	timer_set(&s->timers, &c->timer, c->begun_ms + REQUEST_MS);
	/* Most often the request is there already. */
	read_some(s, c, scratch);
}

static void
listeners_watch(struct server *s, uint32_t events)
{
	for (size_t i = 0; i < s->n_listeners; i++) {
		struct epoll_event e = { .events = events,
			.data.ptr = &s->listeners[i] };

		if (s->listeners[i].fd >= 0)
			(void)epoll_ctl(
			    s->epoll, EPOLL_CTL_MOD, s->listeners[i].fd, &e);
	}
}

static void
accept_some(struct server *s, struct listener *l, struct scratch *scratch)
{
	static struct log_limit limit;

	/* Most often there is one: to be told that there is no other costs as
	 * much as to be woken again.  Of many, more and more. */
	for (int n = l->burst; n > 0; n--) {
		int fd =
		    accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			conn_begin(s, l, fd, scratch);
			continue;
		}
		l->burst = 1;
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		/* It would be told again and again. */
		complain(&limit, "cannot accept a connection: %s", ERRNO);
		listeners_watch(s, 0);
		s->accept_at_ms = clock_ms() + ACCEPT_PAUSE_MS;
		return;
	}
	if (l->burst < ACCEPT_MAX)
		l->burst *= 2;
}

void
loop_close(struct server *s)
{
	for (size_t i = 0; i < s->n_listeners; i++) {
		if (s->listeners[i].fd >= 0)
			close(s->listeners[i].fd);
		s->listeners[i].fd = -1;
	}
}

/* What is held is given at once; who has not sent a request may do so for a
 * moment; a dialogue goes on, until there is no time for that either. */
static int64_t
hastened(void *arg, const struct timer *timer)
{
	const struct server *s = arg;
	const struct conn *c = conn_of_timer(timer);
	int64_t at, now = clock_ms();

	if (c->state == CONN_HELD || s->ending >= SERVER_HURRIES)
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
				accept_some(
				    s, (struct listener *)what, &scratch);
			else if (*what == WATCHED_UPSTREAM)
				on_upstream(s, (struct asking *)what);
			else
				on_event(s, (struct conn *)what,
				    events[i].events, &scratch);
		}
		/* Not before: a connection that comes back may go, while an
		 * event for another is still to be looked at. */
		if (woken)
			take_back_all(s);
		times_up(s);
	}
	return NULL;
}
