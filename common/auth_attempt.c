/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_attempt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/strbuf.h"

void
attempt_explain(struct auth_attempt *t, const char *fmt, ...)
{
	char text[FAULT_TEXT_MAX + 128];
	va_list ap;

	if (t->explain == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strbuf_addf(t->explain, "%s\n", text);
}

static bool
answered(struct auth_attempt *t, enum verdict verdict, const char *reason)
{
	struct auth_answer *r = &t->answer;

	r->verdict = verdict;
	(void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
	return false;
}

bool
attempt_defer(struct auth_attempt *t, const char *reason)
{
	return answered(t, VERDICT_DEFER, reason);
}

bool
attempt_slow(struct auth_attempt *t)
{
	t->slow = true;
	return false;
}

bool
attempt_malformed(struct auth_attempt *t, const char *why)
{
	(void)snprintf(t->answer.text, sizeof(t->answer.text), "%s", why);
	(void)atomic_fetch_add(&t->a->malformed, 1);
	return answered(t, VERDICT_REJECT, "malformed");
}

bool
attempt_begin(struct auth_attempt *t, struct auth *a,
    const struct auth_asker *who, const char *mech, struct deadline d)
{
	memset(t, 0, sizeof(*t));
	t->a = a;
	(void)atomic_fetch_add(&a->open, 1);
	t->begin_us = clock_us();
	t->setup = setup_holder_get(&a->setups);
	/* A domain's own timeout is known only with its route. */
	t->deadline =
	    deadline_sooner(d, deadline_in(t->setup->conf->auth.up.timeout));
	t->m = auth_mech_find(mech);
	(void)snprintf(t->mech, sizeof(t->mech), "%s", mech);
	(void)snprintf(t->realm, sizeof(t->realm), "%s", who->realm);
	(void)auth_client_parse(who->client, &t->client);
	t->direct = who->direct;
	t->explain = who->explain;
	return !atomic_load(&a->stopped) || attempt_defer(t, "stopping");
}

/* As far as it can be shown: the log makes '?' of what is no text. */
static void
show_name(struct auth_attempt *t, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len && i < sizeof(t->shown) - 1; i++)
		t->shown[i] = text[i] != '\0' ? text[i] : '?';
}

bool
attempt_name(struct auth_attempt *t, const char *text, size_t len)
{
	const char *why;

	show_name(t, text, len);
	if (!login_name_parse(text, len, &t->name, &why))
		return attempt_malformed(t, why);
	/* What was typed is octets that do not end where a string does. */
	(void)snprintf(
	    t->answer.user, sizeof(t->answer.user), "%s", t->name.full);
	return true;
}

static bool
offered_here(const struct auth_attempt *t)
{
	const struct strlist *list = &t->route->auth->mechanisms;
	size_t i;

	/* posternctl may try anything; saslauthd's protocol does not tell. */
	if (t->direct || t->mech[0] == '\0')
		return true;
	for (i = 0; i < list->n; i++) {
		if (strcasecmp(list->v[i], t->mech) == 0)
			return true;
	}
	return false;
}

bool
attempt_take_route(struct auth_attempt *t, struct route *r)
{
	int64_t spent_ms = (clock_us() - t->begin_us) / 1000;

	route_unref(t->route);
	t->route = r;
	t->deadline = deadline_sooner(
	    t->deadline, deadline_in(r->up->timeout - spent_ms));
	if (offered_here(t))
		return true;
	auth_worry(t, AUTH_WORRY_EDGE,
	    "%s was asked for, and is not in mechanisms", t->mech);
	return attempt_defer(t, "mechanism not in mechanisms");
}

bool
attempt_find_route(struct auth_attempt *t, struct route **out)
{
	struct router *router = t->setup->router;
	struct fault f;

	fault_clear(&f);
	if (t->quick && route_auth_asks(router, &t->name))
		return attempt_slow(t);
	if (t->explain != NULL)
		route_explain_auth(router, &t->name, t->deadline, t->explain);
	if (route_auth(router, &t->name, t->deadline, out, &f) != OUTCOME_OK) {
		auth_worry(
		    t, AUTH_WORRY_ROUTE, "route not known now: %s", f.text);
		(void)snprintf(
		    t->answer.text, sizeof(t->answer.text), "%s", f.text);
		return attempt_defer(t, "route not known now");
	}
	return *out != NULL || attempt_defer(t, "no route");
}

bool
attempt_account(struct auth_attempt *t)
{
	const char *canon = t->route->auth->canon;

	if (login_name_canon(
		&t->name, canon, t->realm, t->account, sizeof(t->account))) {
		attempt_explain(
		    t, "canon: %s: upstream the name is %s", canon, t->account);
		return true;
	}
	if (t->name.local[0] == '\0')
		return attempt_malformed(t, "no local part");
	auth_worry(
	    t, AUTH_WORRY_CANON, "canon = \"%s\" makes no name of it", canon);
	return attempt_defer(t, "no name to send upstream");
}

/* -- the shield -------------------------------------------------------- */

static struct shield_visit
visit(const struct auth_attempt *t)
{
	return (struct shield_visit){ t->route->id, t->account, t->client.addr,
		t->known };
}

static struct shield_limits
limits(const struct auth_attempt *t)
{
	const struct conf_auth *o =
	    t->route != NULL ? t->route->auth : &t->setup->conf->auth;

	return (struct shield_limits){ o->shield_failures, o->shield_window,
		o->client_failures, o->client_window };
}

static enum shield_answer
enter(struct auth_attempt *t)
{
	struct shield_limits l = limits(t);
	struct shield_visit v = visit(t);

	if (t->quick)
		return shield_try(t->a->shield, &v, &l, clock_ms(), &t->slow);
	return shield_wait(t->a->shield, &v, &l, t->deadline);
}

bool
attempt_shield(struct auth_attempt *t)
{
	if (t->direct) {
		attempt_explain(t, "shield: not asked");
		return true;
	}
	switch (enter(t)) {
	case SHIELD_PASS:
		t->entered = true;
		return true;
	case SHIELD_ACCOUNT:
		return attempt_defer(t, "shield: failures of the account");
	case SHIELD_CLIENT:
		break;
	}
	return attempt_defer(t, "shield: failures of the client");
}

/* -- the end ----------------------------------------------------------- */

static int64_t
life(const struct auth_attempt *t)
{
	if (t->route == NULL)
		return 0;
	return t->end == AUTH_END_GOOD ? t->route->auth->good_memory
				       : t->route->auth->bad_memory;
}

static void
settle(struct auth_attempt *t)
{
	struct shield_limits l = limits(t);
	struct shield_visit v;
	int64_t now = clock_ms();

	/* Whoever waits for the claim's end may ask next, and must not find
	 * this attempt still under way. */
	if (t->entered) {
		v = visit(t);
		shield_leave(t->a->shield, &v, t->left, now);
	}
	auth_claim_end(t->claim, t->end, life(t));
	t->claim = NULL;
	if (t->answer.verdict == VERDICT_REJECT && !t->direct)
		t->answer.hold_ms = shield_delay(
		    t->a->shield, t->client.addr, &l, t->repeated, now);
}

static void
count(struct auth_attempt *t)
{
	struct auth *a = t->a;

	switch (t->answer.verdict) {
	case VERDICT_ACCEPT:
		(void)atomic_fetch_add(&a->accepted, 1);
		break;
	case VERDICT_REJECT:
		(void)atomic_fetch_add(&a->rejected, 1);
		break;
	case VERDICT_DEFER:
		(void)atomic_fetch_add(&a->deferred, 1);
		break;
	}
	if (t->answer.cached)
		(void)atomic_fetch_add(&a->remembered, 1);
	(void)atomic_fetch_sub(&a->open, 1);
}

static void
release(struct auth_attempt *t)
{
	exchange_release(&t->x);
	route_unref(t->route);
	setup_unref(t->setup);
	explicit_bzero(t, sizeof(*t));
}

void
attempt_end(struct auth_attempt *t, struct auth_answer *out)
{
	settle(t);
	count(t);
	attempt_explain(t, "verdict: %s%s%s", verdict_name(t->answer.verdict),
	    t->answer.reason[0] != '\0' ? ", " : "", t->answer.reason);
	auth_log(t);
	*out = t->answer;
	release(t);
}

void
attempt_forget(struct auth_attempt *t)
{
	struct shield_visit v;

	if (t->entered) {
		v = visit(t);
		shield_leave(t->a->shield, &v, SHIELD_UNSURE, clock_ms());
	}
	auth_claim_end(t->claim, AUTH_END_UNSURE, 0);
	(void)atomic_fetch_sub(&t->a->open, 1);
	release(t);
}
