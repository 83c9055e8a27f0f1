/* SPDX-License-Identifier: BSD-2-Clause */
/* Who connects, and who may. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errtext.h"
#include "saslauth-plugin/authd_loop.h"
#include "saslauth-plugin/complain.h"
#include "saslauth-plugin/peers.h"

/* Connections accepted in a row. */
#define ACCEPT_MAX 64

/* Without descriptors or memory: the pause until accept(2) is tried again. */
#define ACCEPT_PAUSE_MS 100

static bool
peer_allowed(struct server *s, uid_t uid)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = peers_allow(s->peers, uid);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

bool
conn_allowed(struct server *s, struct conn *c)
{
	if (peer_allowed(s, c->uid))
		return true;
	s->n_refused++;
	c->state = CONN_REFUSED;
	if (!workers_give(s->workers, &c->work))
		conn_drop(c);
	return false;
}

/* Counted, so that timers have room and nobody is forgotten at the end. */
static bool
conn_admit(struct server *s, bool lookups)
{
	static struct log_limit limit;
	bool ok = false, share;

	do {
		pthread_mutex_lock(&s->lock);
		/* Neither kind can keep all of the other out. */
		share = (lookups ? s->n_lookups : s->n_conns - s->n_lookups) <
		    s->max_kind;
		if (share && s->n_conns < s->max_conns &&
		    timers_reserve(&s->timers, s->n_conns + 1)) {
			s->n_conns++;
			s->n_lookups += lookups;
			ok = true;
		}
		pthread_mutex_unlock(&s->lock);
		/* Those that rest are logins'. */
	} while (!ok && (share || !lookups) && conn_make_room(s));
	if (!ok)
		complain(&limit, "more than %zu connections: one is closed",
		    s->max_kind);
	return ok;
}

static void
conn_begin(
    struct server *s, const struct listener *l, int fd, struct scratch *scratch)
{
	bool lookups = l->protocol->lookups;
	int64_t now, until;
	struct conn *c;
	uid_t uid = 0;

	if (!peers_of(fd, &uid) || !conn_admit(s, lookups)) {
		close(fd);
		return;
	}
	if ((c = conn_new(s, l->protocol, fd)) == NULL) {
		conn_gone(s, lookups);
		return;
	}
	c->uid = uid;
	now = clock_ms();
	if (!conn_allowed(s, c))
		return;
	s->n_accepted++;
	c->state = CONN_READ;
	/* Whoever connects for a login has one. */
	if (lookups) {
		conn_rest(c);
		until = now + l->protocol->idle_ms;
	} else {
		c->until_ms = now + LOGIN_MS;
		until = c->rest_ms = now + REQUEST_MS;
	}
	timer_set(&s->timers, &c->timer, until);
	/* Most often the request is there already. */
	conn_read(s, c, scratch);
}

void
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
		/* We shall be called again. */
		if (conn_make_room(s))
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
accept_called(struct server *s, struct scratch *scratch)
{
	for (size_t i = 0; i < s->n_listeners; i++) {
		if (s->listeners[i].called)
			accept_some(s, &s->listeners[i], scratch);
		s->listeners[i].called = false;
	}
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
