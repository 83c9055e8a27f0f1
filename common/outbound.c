/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/outbound.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/outbound_state.h"
#include "common/strbuf.h"
#include "common/utf8.h"

/* The scope of what a message brought. */
#define MESSAGE "message"

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

/* Once there is a store it stays: what it holds is asked for. */
static bool
open_messages(const struct outbound *o, const struct conf *conf,
    struct outbound_messages **out, char *why, size_t len)
{
	*out = o->messages;
	if (o->messages != NULL) {
		outbound_messages_limits(o->messages, conf);
		return true;
	}
	if (outbound_messages_open(conf, out, why, len))
		return true;
	if (conf->credential.message_credentials)
		return false;
	log_warning("outbound: whether messages had credentials is not known: "
		    "%s",
	    why);
	return true;
}

struct outbound *
outbound_new(struct conf *conf, char *why, size_t len)
{
	struct outbound *o = refused(conf, why, len)
	    ? NULL
	    : outbound_new_lenient(conf, why, len);

	if (o != NULL && !open_messages(o, conf, &o->messages, why, len)) {
		outbound_free(o);
		o = NULL;
	}
	return o;
}

bool
outbound_check(struct conf *conf, char *why, size_t len)
{
	const char *state = conf->authd.state_directory;
	struct outbound_setup *s;

	if (refused(conf, why, len) ||
	    (s = outbound_setup_new(conf, why, len)) == NULL)
		return false;
	outbound_setup_unref(s);
	if (!conf->credential.message_credentials ||
	    (state != NULL && state[0] != '\0'))
		return true;
	(void)snprintf(
	    why, len, "message_credentials: authd has no state_directory");
	return false;
}

bool
outbound_reload(struct outbound *o, struct conf *conf, char *why, size_t len)
{
	struct outbound_setup *fresh, *old;
	struct outbound_messages *messages;

	if (refused(conf, why, len))
		return false;
	fresh = outbound_setup_new(conf, why, len);
	if (fresh == NULL)
		return false;
	if (!open_messages(o, conf, &messages, why, len)) {
		outbound_setup_unref(fresh);
		return false;
	}
	(void)pthread_mutex_lock(&o->lock);
	old = o->setup;
	o->setup = fresh;
	o->messages = messages;
	(void)pthread_mutex_unlock(&o->lock);
	outbound_setup_unref(old);
	return true;
}

void
outbound_free(struct outbound *o)
{
	if (o == NULL)
		return;
	outbound_messages_close(o->messages);
	outbound_setup_unref(o->setup);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

struct outbound_setup *
outbound_setup_get(struct outbound *o, struct outbound_messages **messages)
{
	struct outbound_setup *s;

	(void)pthread_mutex_lock(&o->lock);
	s = o->setup;
	(void)atomic_fetch_add(&s->refs, 1);
	*messages = o->messages;
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
	if (t->q->no_colon &&
	    (!utf8_valid(user, strlen(user)) || !utf8_valid(octets, len))) {
		outbound_defer(t, OUTBOUND_WORRY_FORM,
		    "user name or password is not UTF-8: Postfix would log "
		    "it");
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

static bool
is_sense(struct outbound_try *t, const char *what, const char *text)
{
	const char *wrong = outbound_nonsense(text);

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
		if (strchr(q->key, '@') == NULL)
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
	if (t->has_held && t->held.type >= 0) {
		a->type = t->held.type;
		memcpy(a->type_scope, MESSAGE, sizeof(MESSAGE));
	}
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

/* What the message brought; false when that is lost. */
static bool
by_message(struct outbound_try *t)
{
	enum outbound_found found;

	if (t->q->key != NULL || t->q->queue_id == NULL)
		return true;
	if (t->messages == NULL) {
		outbound_say(t, "message: what it brought is not known here");
		return true;
	}
	found = outbound_messages_find(t->messages, t->q->queue_id, &t->held);
	if (found == OUTBOUND_LOST) {
		outbound_defer(t, OUTBOUND_WORRY_LOST,
		    "the credentials of this message were lost");
		return false;
	}
	t->has_held = found == OUTBOUND_HELD;
	outbound_say(
	    t, "message: brought %s", t->has_held ? "something" : "nothing");
	if (t->has_held && t->held.binding != NULL) {
		t->binding = t->held.binding;
		outbound_say(t, "message: binding \"%s\"", t->binding);
	}
	return true;
}

static void
pick(const struct outbound_try *t, bool any_port, struct credential_pick *out,
    struct strbuf *lines)
{
	struct credential_where where = { .binding = t->binding,
		.any_port = any_port };

	if (!t->elsewhere)
		where.sender = t->sender;
	if (t->known)
		where.to = &t->to;
	if (t->has_held)
		where.key = t->held.key;
	credential_pick(t->setup->credentials, &where, out, lines);
}

/* What has brought a binding along goes where that may send, if it says
 * where. */
static bool
gives_held(const struct outbound_try *t, const struct credential_pick *any)
{
	if (!t->has_held || t->held.user == NULL)
		return false;
	if (t->held.binding == NULL || t->nexthop == NULL ||
	    !any->has_nexthops || any->may_binding)
		return true;
	outbound_say(t,
	    "message: passed over: the binding's nexthops do not have this "
	    "one");
	return false;
}

/* Postfix asks again, with the port.  Who names all at once and no port may
 * be on any: where that makes a difference, nobody can tell what is due. */
static bool
lacks_port(const struct outbound_try *t, const struct credential_pick *any)
{
	return t->q->key == NULL && t->known && t->to.port == 0 &&
	    (any->said != t->pick.said || any->login != t->pick.login);
}

/* False: it would have to be waited for. */
static bool
by_scopes(struct outbound_try *t)
{
	const struct credential_pick *any = &t->pick;
	struct credential_pick wide;

	pick(t, false, &t->pick, t->elsewhere ? NULL : t->q->explain);
	take_pick(t);
	if (t->pick.said == CREDENTIAL_NO_BINDING) {
		outbound_defer(t, OUTBOUND_WORRY_BINDING,
		    "there is no binding \"%.64s\"", t->binding);
		return true;
	}
	if (t->q->key == NULL) {
		pick(t, true, &wide, NULL);
		any = &wide;
	}
	if (gives_held(t, any)) {
		outbound_give(t, t->held.user, &t->held.pass, MESSAGE);
		return true;
	}
	if (t->elsewhere || (t->sender == NULL && t->nexthop == NULL)) {
		none(t, "neither a sender nor a next hop");
		return true;
	}
	if (lacks_port(t, any)) {
		outbound_defer(t, OUTBOUND_WORRY_QUESTION,
		    "nexthops have that host with a port, which the MTA does "
		    "not tell");
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
count(const struct outbound_try *t)
{
	const struct outbound_answer *a = t->out;
	struct outbound *o = t->o;

	switch (a->verdict) {
	case OUTBOUND_GIVEN:
		if (!t->q->only_whether)
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
	struct outbound_setup *setup;
	struct outbound_try t;
	bool done = true;

	memset(out, 0, sizeof(*out));
	memset(&t, 0, sizeof(t));
	setup = outbound_setup_get(o, &t.messages);
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
	if (read_question(&t) && by_message(&t))
		done = by_scopes(&t);
	if (done) {
		if (out->verdict == OUTBOUND_GIVEN)
			outbound_say(&t, "given: user <%s> of %s", out->user,
			    out->login_scope);
		count(&t);
		outbound_log(&t);
	}
	outbound_held_release(&t.held);
	outbound_setup_unref(setup);
	return done;
}
