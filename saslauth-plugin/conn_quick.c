/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins that the loop itself puts to the upstream. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "saslauth-plugin/authd_loop.h"

struct asking *
asking_of_timer(const struct timer *t)
{
	return (struct asking *)((uintptr_t)t - offsetof(struct asking, timer));
}

static void
asking_free(struct asking *a)
{
	timer_clear(&a->server->asking_timers, &a->timer);
	a->server->n_askings--;
	free(a);
}

/* Wait for the upstream once.  Its socket may be known from a login before
 * that: nothing is told of it until it is asked for again. */
static bool
watch(struct asking *a)
{
	int epoll = a->server->epoll, op = EPOLL_CTL_MOD;
	struct epoll_event e = { .data.ptr = a };
	struct auth_quick_poll p;

	auth_quick_poll(a->quick, &p);
	e.events = (uint32_t)(unsigned short)p.events | EPOLLONESHOT;
	timer_set(&a->server->asking_timers, &a->timer, p.until.at_ms);
	if (!a->known)
		op = EPOLL_CTL_ADD;
	a->known = true;
	if (p.fd < 0)
		return false;
	return epoll_ctl(epoll, op, p.fd, &e) == 0 ||
	    (errno == EEXIST && epoll_ctl(epoll, EPOLL_CTL_MOD, p.fd, &e) == 0);
}

static void
watch_no_more(struct asking *a)
{
	struct auth_quick_poll p;

	auth_quick_poll(a->quick, &p);
	if (p.fd >= 0)
		(void)epoll_ctl(a->server->epoll, EPOLL_CTL_DEL, p.fd, NULL);
}

/* Said by auth.h: what the protocol makes of it is the reply. */
static struct conn *
say(struct asking *a, const struct auth_answer *answer)
{
	struct conn *c = a->conn;
	struct serve_call call;

	a->conn = NULL;
	a->server->n_quick--;
	conn_call(c, &call);
	c->protocol->say(&call, answer);
	conn_replied(c, &call);
	return c;
}

struct conn *
asking_late(struct asking *a)
{
	struct auth_answer answer = { 0 };
	struct conn *c = NULL;

	watch_no_more(a);
	while (a->quick != NULL)
		if (auth_quick_late(&a->quick, &answer) == AUTH_QUICK_ANSWERED)
			c = say(a, &answer);
	asking_free(a);
	return c;
}

struct conn *
asking_event(struct asking *a)
{
	struct auth_answer answer = { 0 };
	struct conn *c = NULL, *late;

	if (auth_quick_step(&a->quick, &answer) == AUTH_QUICK_ANSWERED)
		c = say(a, &answer);
	if (a->quick == NULL)
		asking_free(a);
	else if (!watch(a) && (late = asking_late(a)) != NULL)
		c = late;
	return c;
}

/* c: NULL when it has been answered.  There is room for its timer. */
static struct asking *
asking_new(struct server *s, struct auth_quick *quick, struct conn *c)
{
	struct asking *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->watched = WATCHED_UPSTREAM;
	a->server = s;
	a->quick = quick;
	a->conn = c;
	s->n_askings++;
	if (c != NULL)
		s->n_quick++;
	return a;
}

/* Without memory the upstream is not waited for. */
static void
not_asked(struct serve_call *call, const struct serve_protocol *p,
    struct auth_quick *quick)
{
	struct auth_answer answer = { 0 };

	while (quick != NULL)
		if (auth_quick_late(&quick, &answer) == AUTH_QUICK_ANSWERED)
			p->say(call, &answer);
}

enum conn_quick
conn_quick_begin(struct conn *c)
{
	struct auth_quick *quick = NULL;
	struct server *s = c->server;
	struct serve_call call;
	struct asking *a;

	if (c->dialogue != NULL ||
	    (s->n_askings >= ASKINGS_MAX && !conn_stays(c)))
		return CONN_QUICK_SLOW;
	conn_call(c, &call);
	call.quick = &quick;
	c->protocol->answer(&call);
	if (call.slow)
		return CONN_QUICK_SLOW;
	s->n_quickly++;
	if (quick != NULL) {
		a = asking_new(s, quick, call.later ? c : NULL);
		if (a == NULL)
			not_asked(&call, c->protocol, quick);
		else if (watch(a)) {
			if (call.later) {
				conn_forget(c);
				return CONN_QUICK_WAITS;
			}
		} else if (asking_late(a) != NULL)
			return CONN_QUICK_ANSWERED;
	}
	conn_replied(c, &call);
	if (call.fault != NULL)
		conn_complain(c, call.fault);
	return CONN_QUICK_ANSWERED;
}
