/* SPDX-License-Identifier: BSD-2-Clause */
/* What workers do: ask, answer, give the connection back. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "saslauth-plugin/authd_loop.h"
#include "saslauth-plugin/complain.h"
#include "saslauth-plugin/peers.h"

/* Answers that are held back at once; those beyond are given at once. */
#define HELD_MAX 4096

/* A login that has waited so long for its worker may have been given up. */
#define WAITED_MS 100

struct conn *
conn_of(struct work *work)
{
	return (struct conn *)((uintptr_t)work - offsetof(struct conn, work));
}

void
conn_call(struct conn *c, struct serve_call *call)
{
	memset(call, 0, sizeof(*call));
	call->auth = c->server->auth;
	call->outbound = c->server->outbound;
	call->request = c->in;
	call->len = c->request_len > 0 ? c->request_len : c->in_len;
	call->until.at_ms = c->until_ms;
	call->dialogue = &c->dialogue;
}

void
conn_replied(struct conn *c, const struct serve_call *call)
{
	c->out = call->reply;
	c->out_len = call->reply == NULL ? 0 : call->reply_len;
	c->out_sent = 0;
	c->more = call->more;
	c->hold_ms = call->hold_ms;
	conn_forget(c);
}

void
conn_complain(struct conn *c, const char *why)
{
	static struct log_limit limit;

	c->server->n_bad++;
	complain(&limit, "%s socket: uid %lu sends what is no request: %s",
	    c->protocol->name, (unsigned long)c->uid, why);
}

void
server_wake(struct server *s)
{
	static const uint64_t one = 1;

	/* When its counter is full the loop will look anyway. */
	if (write(s->wake.fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("eventfd: cannot be written");
}

void
conn_gone(struct server *s, bool lookups)
{
	pthread_mutex_lock(&s->lock);
	s->n_lookups -= lookups;
	if (--s->n_conns == 0)
		pthread_cond_broadcast(&s->none_left);
	pthread_mutex_unlock(&s->lock);
}

void
conn_drop(struct conn *c)
{
	struct server *s = c->server;
	bool lookups = c->protocol->lookups;

	conn_free(c);
	conn_gone(s, lookups);
}

static void
give_back(struct conn *c, enum conn_state state)
{
	struct server *s = c->server;
	bool first;

	c->state = state;
	pthread_mutex_lock(&s->lock);
	first = STAILQ_EMPTY(&s->back);
	STAILQ_INSERT_TAIL(&s->back, &c->work, entry);
	/* Under the lock: afterwards s may be gone with its last connection. */
	if (first)
		server_wake(s);
	pthread_mutex_unlock(&s->lock);
}

static void
over(struct conn *c)
{
	if (c->dialogue != NULL)
		c->protocol->end(c->dialogue);
	c->dialogue = NULL;
	conn_drop(c);
}

bool
conn_hold(struct conn *c)
{
	struct server *s = c->server;

	if (c->hold_ms <= 0)
		return false;
	if (atomic_fetch_add(&s->n_held, 1) < HELD_MAX) {
		s->n_held_back++;
		return true;
	}
	atomic_fetch_sub(&s->n_held, 1);
	return false;
}

/* The answer is due now, unless it is to be held back. */
static void
answer(struct conn *c)
{
	if (!c->more && c->dialogue != NULL) {
		c->protocol->end(c->dialogue);
		c->dialogue = NULL;
	}
	if (conn_hold(c)) {
		give_back(c, CONN_HELD);
		return;
	}
	switch (conn_send(c)) {
	case CONN_LATER:
		give_back(c, CONN_WRITE);
		break;
	case CONN_SENT:
		if (c->more) {
			give_back(c, CONN_READ);
			break;
		}
		over(c);
		break;
	case CONN_GONE:
	default:
		over(c);
		break;
	}
}

static void
ask(struct conn *c)
{
	struct serve_call call;

	/* Nobody would hear the answer; the upstream need not be asked. */
	if (clock_ms() - c->given_ms >= WAITED_MS && conn_hung_up(c)) {
		over(c);
		return;
	}
	conn_call(c, &call);
	c->protocol->answer(&call);
	conn_replied(c, &call);
	if (call.fault != NULL)
		conn_complain(c, call.fault);
	answer(c);
}

void
conn_work(struct work *work)
{
	struct conn *c = conn_of(work);

	switch (c->state) {
	case CONN_ANSWER:
		ask(c);
		break;
	case CONN_REFUSED:
		peers_complain(c->uid);
		conn_drop(c);
		break;
	case CONN_OVER:
	case CONN_ASKS:
	case CONN_READ:
	case CONN_READY:
	case CONN_HELD:
	case CONN_WRITE:
	default:
		over(c);
		break;
	}
}
