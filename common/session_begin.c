/* SPDX-License-Identifier: BSD-2-Clause */
/* From a socket to a greeted session without waiting: greeting and EHLO. */
#include "common/session.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/session_state.h"
#include "common/transport.h"

struct session_begin {
	struct fault fault;
	struct opening o; /* o.s is NULL when it is over */
};

static bool
may_begin(const struct session_params *p)
{
	return p->tls != TLS_IMPLICIT && p->xclient == XCLIENT_NO &&
	    p->auth_user == NULL && opening_has_name(p);
}

struct session_begin *
session_begin(const struct session_params *p, struct transport *t)
{
	struct session_begin *b = may_begin(p) ? malloc(sizeof(*b)) : NULL;

	if (b == NULL || (b->o.s = session_new(p)) == NULL) {
		transport_free(t);
		free(b);
		return NULL;
	}
	b->o.p = p;
	b->o.f = &b->fault;
	b->o.plain = b->o.tls_failed = false;
	fault_clear(&b->fault);
	(void)endpoint_format(&p->endpoint, b->o.key, sizeof(b->o.key));
	b->o.s->t = t;
	return b;
}

void
session_begin_free(struct session_begin *b)
{
	if (b == NULL)
		return;
	session_free(b->o.s);
	free(b);
}

int
session_begin_fd(const struct session_begin *b)
{
	return session_fd(b->o.s);
}

enum smtp_stage
session_begin_stage(const struct session_begin *b)
{
	return b->o.s->stage;
}

/* Whether STARTTLS is due, HELO, or a refusal: all that is seldom. */
static bool
is_enough(const struct session_params *p, const struct session *s)
{
	if (p->tls == TLS_NONE)
		return true;
	return (s->ehlo.keywords & EHLO_STARTTLS) == 0 &&
	    (p->tls == TLS_MAY || s->local);
}

/* After HELO there is no name. */
bool
session_begin_would(const struct session_params *p, const struct session *s)
{
	return may_begin(p) && !s->tls.active && s->ehlo.domain[0] != '\0' &&
	    is_enough(p, s);
}

static enum session_begun
over(struct session_begin *b, enum outcome oc, struct session **out,
    struct session_begin_end *end)
{
	end->outcome = opening_end(&b->o, oc, out, &end->stage);
	end->fault = b->fault;
	b->o.s = NULL;
	return oc == OUTCOME_OK ? SESSION_BEGUN_OPEN : SESSION_BEGUN_FAILED;
}

/* A reply has come. */
static enum session_begun
replied(struct session_begin *b, struct session **out,
    struct session_begin_end *end)
{
	struct opening *o = &b->o;
	enum outcome oc;

	if (o->s->state == SESSION_AT_GREETING) {
		oc = opening_greeting_reply(o);
		if (oc != OUTCOME_OK)
			return over(b, oc, out, end);
		session_looked(o->s);
		if (!opening_ehlo_send(o))
			return over(b, OUTCOME_TEMP, out, end);
		return SESSION_BEGUN_WAITS;
	}
	if (o->reply.code == 500 || o->reply.code == 502)
		return SESSION_BEGUN_BLOCKS;
	oc = opening_ehlo_reply(o);
	if (oc == OUTCOME_OK && !is_enough(o->p, o->s))
		return SESSION_BEGUN_BLOCKS;
	return over(b, oc, out, end);
}

/* Is it by now? */
static enum session_begun
connected(struct session_begin *b, struct session_begin_end *end)
{
	struct session *none;

	if (!opening_connected(&b->o))
		return SESSION_BEGUN_BLOCKS;
	if (!opening_expect_greeting(&b->o))
		return over(b, OUTCOME_TEMP, &none, end);
	return SESSION_BEGUN_WAITS;
}

enum session_begun
session_begin_step(struct session_begin *b, struct session **out,
    struct session_begin_end *end)
{
	enum session_begun begun = SESSION_BEGUN_WAITS;
	struct opening *o = &b->o;
	void *cookie;

	*out = NULL;
	if (o->s->state == SESSION_AT_CONNECT)
		begun = connected(b, end);
	while (begun == SESSION_BEGUN_WAITS) {
		switch (session_pump(o->s, &o->reply, &cookie, o->f)) {
		case SESSION_NONE:
			return SESSION_BEGUN_WAITS;
		case SESSION_DEAD:
			return over(b, OUTCOME_TEMP, out, end);
		case SESSION_REPLY:
			begun = replied(b, out, end);
			break;
		}
	}
	return begun;
}

enum session_begun
session_begin_late(struct session_begin *b, struct session_begin_end *end)
{
	struct session *none;

	if (b->o.s->state == SESSION_AT_CONNECT)
		return connected(b, end);
	session_late(b->o.s, b->o.f);
	return over(b, OUTCOME_TEMP, &none, end);
}
