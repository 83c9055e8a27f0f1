/* SPDX-License-Identifier: BSD-2-Clause */
/* AUTH while a session is opened: whether it may be, and what came of it. */
#include "common/session.h"

#include <stddef.h>

#include "common/exchange.h"
#include "common/session_state.h"

static enum outcome
check_auth(const struct opening *o)
{
	const struct session *s = o->s;

	if (!s->local && !(s->tls.active && s->tls.verified)) {
		fault_set(o->f, FAULT_FEATURE,
		    "AUTH to %s would not be under verified TLS", o->key);
		return OUTCOME_PERM;
	}
	if (o->p->auth_pass == NULL) {
		fault_set(o->f, FAULT_LOCAL, "AUTH without a password");
		return OUTCOME_PERM;
	}
	return OUTCOME_OK;
}

/* No reply: only what was lost on the way may be another time's luck. */
static enum outcome
auth_broken(struct opening *o, const struct exchange *x)
{
	*o->f = x->fault;
	if (x->fault.origin == FAULT_FEATURE)
		fault_set(o->f, FAULT_FEATURE, "%s %s", o->key, x->fault.text);
	return o->s->state == SESSION_AT_DEAD ? OUTCOME_TEMP : OUTCOME_PERM;
}

/* The whole dialogue has the time of one reply. */
enum outcome
opening_auth(struct opening *o)
{
	const struct session_params *p = o->p;
	const struct exchange_login l = { p->auth_user, p->auth_pass,
		p->auth_type };
	struct exchange x = { .event = EXCHANGE_BROKEN };
	enum outcome oc;

	if (p->auth_user == NULL)
		return OUTCOME_OK;
	session_state_set(o->s, SESSION_AT_AUTH);
	oc = check_auth(o);
	if (oc != OUTCOME_OK)
		return oc;
	if (exchange_password(&x, o->s, &l, opening_deadline(o)) ==
	    EXCHANGE_BROKEN) {
		oc = auth_broken(o, &x);
	} else if (x.reply.code != 235 || !x.final) {
		o->reply = x.reply;
		oc = opening_refused(o, "AUTH");
	} else if (o->s->state == SESSION_AT_DEAD) {
		*o->f = o->s->fault;
		oc = OUTCOME_TEMP;
	}
	exchange_release(&x);
	return oc;
}
