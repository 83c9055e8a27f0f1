/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins that the loop itself puts to the upstream. */
#include <errno.h>
#include <sys/epoll.h>

#include "saslauth-plugin/authd_loop.h"

/* As many as workers may have. */
#define QUICK_MAX 1500

/* Said by auth.h: what the protocol makes of it is the reply. */
static void
say(struct conn *c, const struct auth_answer *a)
{
	struct serve_call call;

	c->quick = NULL;
	c->server->n_quick--;
	conn_call(c, &call);
	c->protocol->say(&call, a);
	conn_replied(c, &call);
}

/* Wait for the upstream once.  Its socket may be known from a login before
 * that: nothing is told of it until it is asked for again. */
static bool
watch(struct conn *c)
{
	struct epoll_event e = { .data.ptr = &c->upstream };
	int epoll = c->server->epoll;
	struct auth_quick_poll p;

	auth_quick_poll(c->quick, &p);
	e.events = (uint32_t)(unsigned short)p.events | EPOLLONESHOT;
	if (p.fd < 0)
		return false;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, p.fd, &e) == 0)
		return true;
	return errno == EEXIST &&
	    epoll_ctl(epoll, EPOLL_CTL_MOD, p.fd, &e) == 0;
}

static void
watch_no_more(struct conn *c)
{
	struct auth_quick_poll p;

	auth_quick_poll(c->quick, &p);
	if (p.fd >= 0)
		(void)epoll_ctl(c->server->epoll, EPOLL_CTL_DEL, p.fd, NULL);
}

static enum conn_quick
wait_for(struct conn *c)
{
	struct auth_quick_poll p;

	if (!watch(c))
		return conn_quick_late(c);
	auth_quick_poll(c->quick, &p);
	c->quick_until_ms = p.until.at_ms;
	return CONN_QUICK_WAITS;
}

enum conn_quick
conn_quick_begin(struct conn *c)
{
	struct serve_call call;

	if (c->dialogue != NULL || c->server->n_quick >= QUICK_MAX)
		return CONN_QUICK_SLOW;
	conn_call(c, &call);
	call.quick = &c->quick;
	c->protocol->answer(&call);
	if (call.slow)
		return CONN_QUICK_SLOW;
	c->server->n_quickly++;
	if (c->quick != NULL) {
		c->server->n_quick++;
		conn_forget(c);
		return wait_for(c);
	}
	conn_replied(c, &call);
	if (call.fault != NULL)
		conn_complain(c, call.fault);
	return CONN_QUICK_ANSWERED;
}

enum conn_quick
conn_quick_step(struct conn *c)
{
	struct auth_answer a = { 0 };

	if (auth_quick_step(c->quick, &a) == AUTH_QUICK_WAIT)
		return wait_for(c);
	say(c, &a);
	return CONN_QUICK_ANSWERED;
}

enum conn_quick
conn_quick_late(struct conn *c)
{
	struct auth_answer a = { 0 };

	watch_no_more(c);
	auth_quick_late(c->quick, &a);
	say(c, &a);
	return CONN_QUICK_ANSWERED;
}
