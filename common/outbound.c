/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/outbound.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/outbound_state.h"
#include "common/strbuf.h"

/* -- life ------------------------------------------------------------- */

static bool
refused(const struct conf *conf, char *why, size_t len)
{
	const char *fault = outbound_conf_fault(conf);

	if (fault != NULL)
		(void)snprintf(why, len, "outbound_smtp_auth_pass: %s", fault);
	return fault != NULL;
}

struct outbound *
outbound_new_lenient(struct conf *conf, char *why, size_t len)
{
	struct outbound *o = calloc(1, sizeof(*o));

	(void)snprintf(why, len, "out of memory");
	if (o == NULL)
		return NULL;
	o->setup = outbound_setup_new(conf, why, len);
	if (o->setup == NULL || pthread_mutex_init(&o->lock, NULL) != 0) {
		outbound_setup_unref(o->setup);
		free(o);
		return NULL;
	}
	return o;
}

struct outbound *
outbound_new(struct conf *conf, char *why, size_t len)
{
	return refused(conf, why, len) ? NULL
				       : outbound_new_lenient(conf, why, len);
}

bool
outbound_reload(struct outbound *o, struct conf *conf, char *why, size_t len)
{
	struct outbound_setup *fresh, *old;

	if (refused(conf, why, len))
		return false;
	fresh = outbound_setup_new(conf, why, len);
	if (fresh == NULL)
		return false;
	(void)pthread_mutex_lock(&o->lock);
	old = o->setup;
	o->setup = fresh;
	(void)pthread_mutex_unlock(&o->lock);
	outbound_setup_unref(old);
	return true;
}

void
outbound_free(struct outbound *o)
{
	if (o == NULL)
		return;
	outbound_setup_unref(o->setup);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

static struct outbound_setup *
setup_get(struct outbound *o)
{
	struct outbound_setup *s;

	(void)pthread_mutex_lock(&o->lock);
	s = o->setup;
	(void)atomic_fetch_add(&s->refs, 1);
	(void)pthread_mutex_unlock(&o->lock);
	return s;
}

/* -- steps ------------------------------------------------------------ */

const char *
outbound_verdict_name(enum outbound_verdict v)
{
	switch (v) {
	case OUTBOUND_GIVEN:
		return "given";
	case OUTBOUND_NONE:
		return "none";
	case OUTBOUND_DEFER:
	default:
		return "defer";
	}
}

void
outbound_answer_release(struct outbound_answer *a)
{
	secret_release(&a->pass);
}

void
outbound_say(const struct outbound_try *t, const char *fmt, ...)
{
	char line[FAULT_TEXT_MAX + 64];
	va_list ap;

	if (t->q->explain == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	strbuf_addf(t->q->explain, "%s\n", line);
}

void
outbound_defer(
    struct outbound_try *t, enum outbound_worry worry, const char *fmt, ...)
{
	struct outbound_answer *a = t->out;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(a->reason, sizeof(a->reason), fmt, ap);
	va_end(ap);
	a->verdict = OUTBOUND_DEFER;
	a->user[0] = '\0';
	secret_release(&a->pass);
	t->worry = worry;
	outbound_say(t, "defer: %s", a->reason);
	if (t->detail[0] != '\0')
		outbound_say(t, "defer: %s", t->detail);
}

static void
none(struct outbound_try *t, const char *reason)
{
	t->out->verdict = OUTBOUND_NONE;
	(void)snprintf(t->out->reason, sizeof(t->out->reason), "%s", reason);
	outbound_say(t, "none: %s", reason);
}

void
outbound_give(struct outbound_try *t, const char *user,
    const struct secret *pass, const char *scope)
{
	struct outbound_answer *a = t->out;
	const char *octets;
	size_t len;

	octets = secret_bytes(pass, &len);
	if (t->q->no_colon && strchr(user, ':') != NULL) {
		(void)snprintf(t->detail, sizeof(t->detail),
		    "user <%.255s> of %s", user, scope);
		outbound_defer(t, OUTBOUND_WORRY_FORM,
		    "the user name has a ':', which Postfix cannot take");
		return;
	}
	if (!secret_set(&a->pass, octets, len)) {
		outbound_defer(t, OUTBOUND_WORRY_MEMORY, "out of memory");
		return;
	}
	(void)snprintf(a->user, sizeof(a->user), "%s", user);
	(void)snprintf(a->login_scope, sizeof(a->login_scope), "%s", scope);
	a->verdict = OUTBOUND_GIVEN;
}

/* -- what is asked ---------------------------------------------------- */

/* What no MTA asks; NULL when it may be one. */
static const char *
nonsense(const char *text)
{
	size_t len = strnlen(text, OUTBOUND_KEY_MAX + 1), i;

	if (len == 0)
		return "is empty";
	if (len > OUTBOUND_KEY_MAX)
		return "is longer than 1024 octets";
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 32 || text[i] == 127)
			return "has a control character";
	return NULL;
}

static bool
is_sense(struct outbound_try *t, const char *what, const char *text)
{
	const char *wrong = nonsense(text);

	if (wrong == NULL)
		return true;
	outbound_defer(t, OUTBOUND_WORRY_QUESTION, "the %s %s", what, wrong);
	return false;
}

static bool
set_sender(struct outbound_try *t, const char *what, const char *text)
{
	if (!is_sense(t, what, text))
		return false;
	t->sender = text;
	return true;
}

static bool
set_nexthop(struct outbound_try *t, const char *what, const char *text)
{
	const char *why;

	if (!is_sense(t, what, text))
		return false;
	t->nexthop = text;
	t->known = nexthop_parse(text, strlen(text), &t->to, &why);
	t->elsewhere = !t->known;
	if (t->elsewhere)
		outbound_say(t, "nexthop: no scope can have it: %s", why);
	return true;
}

/* False when the question is none: defer. */
static bool
read_question(struct outbound_try *t)
{
	const struct outbound_question *q = t->q;
	char fold[CREDENTIAL_SENDER_MAX + 1];

	if (q->key != NULL) {
		if (q->key[0] == '[' || strchr(q->key, '@') == NULL)
			return set_nexthop(t, "key", q->key);
		/* "foo@" is neither. */
		t->elsewhere = !credential_sender(q->key, fold);
		return set_sender(t, "key", q->key);
	}
	/* The null reverse-path is no sender that has a scope. */
	if (q->sender != NULL && q->sender[0] != '\0' &&
	    strcmp(q->sender, "<>") != 0 && !set_sender(t, "sender", q->sender))
		return false;
	if (q->nexthop != NULL)
		return set_nexthop(t, "next hop", q->nexthop);
	if (t->sender != NULL || q->queue_id != NULL)
		return true;
	outbound_defer(t, OUTBOUND_WORRY_QUESTION,
	    "neither a sender nor a next hop was asked for");
	return false;
}

/* -- the answer ------------------------------------------------------- */

static void
take_pick(struct outbound_try *t)
{
	const struct credential_pick *p = &t->pick;
	struct outbound_answer *a = t->out;

	a->type = p->type;
	memcpy(a->type_scope, p->type_scope, sizeof(a->type_scope));
	memcpy(a->key_scope, p->key_scope, sizeof(a->key_scope));
}

static void
give_login(struct outbound_try *t)
{
	const struct conf_outbound *o = t->pick.login;

	if (o == NULL) {
		none(t, "nothing is configured for it");
		return;
	}
	if (o->pass_fault != NULL) {
		(void)snprintf(
		    t->detail, sizeof(t->detail), "%s", o->pass_fault);
		outbound_defer(t, OUTBOUND_WORRY_FILE,
		    "the password's file could not be read");
		return;
	}
	outbound_give(t, o->outbound_smtp_auth_user, o->outbound_smtp_auth_pass,
	    t->pick.login_scope);
}

/* False: it would have to be waited for. */
static bool
by_scopes(struct outbound_try *t)
{
	struct credential_where where = { t->binding, NULL, NULL, NULL };

	if (!t->elsewhere)
		where.sender = t->sender;
	if (t->known)
		where.to = &t->to;
	credential_pick(t->setup->credentials, &where, &t->pick,
	    t->elsewhere ? NULL : t->q->explain);
	take_pick(t);
	if (t->pick.said == CREDENTIAL_NO_BINDING) {
		outbound_defer(t, OUTBOUND_WORRY_BINDING,
		    "there is no binding \"%.64s\"", t->binding);
		return true;
	}
	if (t->elsewhere) {
		none(t, "neither a sender nor a next hop");
		return true;
	}
	if (t->pick.said == CREDENTIAL_ASK) {
		if (!outbound_query(t))
			return false;
		if (t->out->verdict != OUTBOUND_NONE)
			return true;
	}
	give_login(t);
	return true;
}

static void
count(struct outbound *o, const struct outbound_answer *a)
{
	switch (a->verdict) {
	case OUTBOUND_GIVEN:
		(void)atomic_fetch_add(&o->given, 1);
		break;
	case OUTBOUND_NONE:
		(void)atomic_fetch_add(&o->none, 1);
		break;
	case OUTBOUND_DEFER:
	default:
		(void)atomic_fetch_add(&o->deferred, 1);
		break;
	}
	if (a->asked)
		(void)atomic_fetch_add(&o->asked, 1);
	if (a->cached)
		(void)atomic_fetch_add(&o->remembered, 1);
}

bool
outbound_ask(struct outbound *o, const struct outbound_question *q,
    struct deadline d, bool now, struct outbound_answer *out)
{
	struct outbound_setup *setup = setup_get(o);
	struct outbound_try t;
	bool done = true;

	memset(out, 0, sizeof(*out));
	memset(&t, 0, sizeof(t));
	out->verdict = OUTBOUND_NONE;
	out->type = -1;
	t.o = o;
	t.setup = setup;
	t.q = q;
	t.deadline = d;
	t.now = now;
	t.begin_us = clock_us();
	t.binding = q->binding;
	t.out = out;
	if (read_question(&t))
		done = by_scopes(&t);
	if (done) {
		if (out->verdict == OUTBOUND_GIVEN)
			outbound_say(&t, "given: user <%s> of %s", out->user,
			    out->login_scope);
		count(o, out);
		outbound_log(&t);
	}
	outbound_setup_unref(setup);
	return done;
}

/* -- for posternctl --------------------------------------------------- */

size_t
outbound_drop(struct outbound *o, const char *value)
{
	struct outbound_setup *setup = setup_get(o);
	size_t n = 0;

	if (setup->source != NULL)
		n = value != NULL ? datasource_drop(setup->source, value)
				  : datasource_flush(setup->source);
	outbound_setup_unref(setup);
	return n;
}

void
outbound_status(struct outbound *o, struct strbuf *sb)
{
	struct outbound_setup *setup = setup_get(o);
	struct datasource_stats s;

	if (setup->source != NULL) {
		datasource_stats(setup->source, &s);
		strbuf_addf(sb,
		    "outbound_datasource=%s entries=%zu dead=%zu queries=%lu "
		    "cached=%lu stale=%lu failed=%lu\n",
		    datasource_name(setup->source), s.entries, s.dead,
		    s.queries, s.cached, s.stale, s.failed);
	}
	outbound_setup_unref(setup);
}

void
outbound_stats(struct outbound *o, struct strbuf *sb)
{
	strbuf_addf(sb,
	    "outbound_given=%lu\noutbound_none=%lu\noutbound_deferred=%lu\n"
	    "outbound_asked=%lu\noutbound_cached=%lu\n",
	    atomic_load(&o->given), atomic_load(&o->none),
	    atomic_load(&o->deferred), atomic_load(&o->asked),
	    atomic_load(&o->remembered));
}
