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
	a->server->n_quick--;
	free(a);
}

/* Wait for the upstream once.  Its socket is known where there has been a login
 * before: nothing has been told of it since. */
static bool
watch(struct asking *a, bool known)
{
	struct epoll_event e = { .data.ptr = a };
	struct auth_quick_poll p;
	int epoll = a->server->epoll;

	auth_quick_poll(a->quick, &p);
	e.events = (uint32_t)(unsigned short)p.events | EPOLLONESHOT;
	timer_set(&a->server->asking_timers, &a->timer, p.until.at_ms);
	if (p.fd < 0)
		return false;
	known = known || p.again;
	if (epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, p.fd, &e) ==
	    0)
		return true;
	if (errno != (known ? ENOENT : EEXIST))
		return false;
	return epoll_ctl(
		   epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, p.fd, &e) == 0;
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

	asking_free(a);
	conn_call(c, &call);
	c->protocol->say(&call, answer);
	conn_replied(c, &call);
	return c;
}

struct conn *
asking_late(struct asking *a)
{
	struct auth_answer answer = { 0 };

	watch_no_more(a);
	auth_quick_late(a->quick, &answer);
	return say(a, &answer);
}

struct conn *
asking_event(struct asking *a)
{
	struct auth_answer answer = { 0 };

	if (auth_quick_step(a->quick, &answer) == AUTH_QUICK_ANSWERED)
		return say(a, &answer);
	return watch(a, true) ? NULL : asking_late(a);
}

/* There is room for its timer. */
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
	s->n_quick++;
	return a;
}

/* The upstream is waited for, or else what comes of that is the reply. */
static bool
wait_for_upstream(
    struct conn *c, struct serve_call *call, struct auth_quick *quick)
{
	struct asking *a = asking_new(c->server, quick, c);
	struct auth_answer answer = { 0 };

	if (a != NULL && watch(a, false))
		return true;
	if (a != NULL)
		asking_free(a);
	auth_quick_late(quick, &answer);
	c->protocol->say(call, &answer);
	return false;
}

enum conn_quick
conn_quick_begin(struct conn *c)
{
	struct auth_quick *quick = NULL;
	struct server *s = c->server;
	struct serve_call call;

	if (c->dialogue != NULL ||
	    (s->n_quick >= ASKINGS_MAX && !c->protocol->lookups))
		return CONN_QUICK_SLOW;
	conn_call(c, &call);
	call.quick = &quick;
	c->protocol->answer(&call);
	if (call.slow)
		return CONN_QUICK_SLOW;
	s->n_quickly++;
	if (call.later && wait_for_upstream(c, &call, quick)) {
		conn_forget(c);
		return CONN_QUICK_WAITS;
	}
	conn_replied(c, &call);
	if (call.fault != NULL)
		conn_complain(c, call.fault);
	return CONN_QUICK_ANSWERED;
}
