/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections on which nothing is under way. */
#include "saslauth-plugin/authd_loop.h"

void
conn_rest(struct conn *c)
{
	c->rests = true;
	c->server->n_rest++;
	if (!c->protocol->lookups)
		TAILQ_INSERT_TAIL(&c->server->resting, c, resting);
}

void
conn_rouse(struct conn *c)
{
	if (!c->rests)
		return;
	c->rests = false;
	c->server->n_rest--;
	if (!c->protocol->lookups)
		TAILQ_REMOVE(&c->server->resting, c, resting);
}

/* It has no dialogue, so nothing here blocks. */
bool
conn_make_room(struct server *s)
{
	struct conn *c = TAILQ_FIRST(&s->resting);

	if (c == NULL)
		return false;
	conn_rouse(c);
	timer_clear(&s->timers, &c->timer);
	conn_drop(c);
	return true;
}
