/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/auth_attempt.h"
#include "common/ehlo.h"
#include "common/esc.h"

/* What is shorter stands in texts by chance. */
#define HIDDEN_MIN    4
/* So many octets of it do not. */
#define HIDDEN_ENOUGH 16

struct session *
attempt_session(struct auth_attempt *t)
{
	return pool_session(t->lease);
}

static void
give(struct auth_attempt *t, enum pool_fate fate)
{
	if (t->lease == NULL)
		return;
	/* The next one would be told upstream as this client. */
	if (t->route->up->xclient != XCLIENT_NO &&
	    (fate == POOL_REUSE || fate == POOL_UNUSED))
		fate = POOL_CLOSE;
	pool_give(t->lease, fate);
	t->lease = NULL;
}

/* Its beginning is enough: what is repeated may be cut off somewhere. */
static bool
tells(const char *text, const struct secret *secret, bool message)
{
	size_t len, coded_len;
	const char *octets = secret_bytes(secret, &len);
	char *coded;
	bool found;

	if (len < HIDDEN_MIN)
		return false;
	/* A message may begin with the name, which is none. */
	if (memmem(text, strlen(text), octets,
		message || len < HIDDEN_ENOUGH ? len : HIDDEN_ENOUGH) != NULL)
		return true;
	if ((coded = malloc(len / 3 * 4 + 5)) == NULL)
		return true;
	(void)EVP_EncodeBlock(
	    (unsigned char *)coded, (const unsigned char *)octets, (int)len);
	coded_len = strlen(coded);
	found =
	    memmem(text, strlen(text), coded,
		coded_len < HIDDEN_ENOUGH ? coded_len : HIDDEN_ENOUGH) != NULL;
	explicit_bzero(coded, coded_len);
	free(coded);
	return found;
}

/* An upstream that repeats what it was told is not quoted. */
static void
hide(const struct auth_attempt *t, char *text, size_t size)
{
	if ((t->hidden_secret != NULL &&
		tells(text, t->hidden_secret, false)) ||
	    (t->hidden_message != NULL && tells(text, t->hidden_message, true)))
		(void)snprintf(
		    text, size, "(left out: it repeats the credentials)");
}

/* What went wrong, in case that no other host can be had. */
static void
note(struct auth_attempt *t, const struct fault *f)
{
	struct auth_answer *r = &t->answer;

	r->code = f->origin == FAULT_REPLY ? f->code : 0;
	(void)snprintf(r->esc, sizeof(r->esc), "%s",
	    f->origin == FAULT_REPLY ? f->esc : "");
	(void)snprintf(r->text, sizeof(r->text), "%s", f->text);
	hide(t, r->text, sizeof(r->text));
	attempt_explain(t, "upstream %s: %s", r->upstream, r->text);
}

/* A host that is merely down is the breaker's to complain about. */
static void
could_not_open(struct auth_attempt *t, enum outcome oc, enum smtp_stage stage,
    const struct fault *f)
{
	note(t, f);
	if (oc == OUTCOME_PERM || stage == STAGE_STARTTLS ||
	    f->origin == FAULT_FEATURE ||
	    strncmp(f->text, "certificate", 11) == 0)
		auth_worry(t, AUTH_WORRY_OPEN, "upstream %s: at %s: %s",
		    t->answer.upstream, stage_name(stage), f->text);
}

/* Not longer than leaves the hosts behind it a chance. */
static struct deadline
share(const struct auth_attempt *t)
{
	if (t->host + 1 >= t->route->n_hosts)
		return t->deadline;
	return deadline_in(deadline_left_ms(t->deadline) / 2);
}

/* The name alone does not tell where a connection has ended. */
static bool
is_private(struct auth_attempt *t, const struct route_host *h)
{
	struct session *s = attempt_session(t);

	return h->tls == TLS_NONE || session_is_local(s) ||
	    session_tls(s)->active;
}

static bool
may_be_told(struct auth_attempt *t, const struct route_host *h)
{
	if (is_private(t, h))
		return true;
	(void)snprintf(t->answer.text, sizeof(t->answer.text),
	    "neither TLS nor this machine");
	auth_worry(t, AUTH_WORRY_CLEAR,
	    "upstream %s: a password would travel in clear",
	    t->answer.upstream);
	return false;
}

static bool
announce(struct auth_attempt *t, bool *stale)
{
	struct deadline d = share(t);
	struct session_again again = { t->setup->conf->hostname,
		(enum conf_xclient)t->route->up->xclient, &t->client };
	struct fault f;
	enum outcome oc;

	if (again.xclient == XCLIENT_NO)
		return true;
	if (again.xclient == XCLIENT_IFAVAILABLE && t->client.addr[0] == '\0')
		return true;
	fault_clear(&f);
	oc = session_tell_client(attempt_session(t), &again, d, &f);
	if (oc == OUTCOME_OK) {
		attempt_explain(t, "xclient: the client is %s",
		    t->client.addr[0] != '\0' ? t->client.addr : "not known");
		return true;
	}
	could_not_open(t, oc, STAGE_XCLIENT, &f);
	*stale = f.origin == FAULT_CONNECTION && !deadline_passed(d);
	return false;
}

/* One host: true with a session that may be used; else stale says whether it
 * was only the session that was no good. */
static bool
connect_host(struct auth_attempt *t, size_t i, bool *stale)
{
	const struct route_host *h = &t->route->hosts[i];
	struct auth_answer *r = &t->answer;
	enum smtp_stage stage = STAGE_CONNECT;
	struct fault f;
	enum outcome oc;

	*stale = false;
	fault_clear(&f);
	memcpy(r->upstream, h->label, sizeof(r->upstream));
	oc =
	    pool_take(t->a->pool, t->route, i, share(t), &t->lease, &f, &stage);
	if (oc != OUTCOME_OK) {
		could_not_open(t, oc, stage, &f);
		return false;
	}
	attempt_explain(t, "upstream %s: session ready%s", r->upstream,
	    session_tls(attempt_session(t))->active ? ", under TLS" : "");
	if (!may_be_told(t, h)) {
		give(t, POOL_UNUSED);
		return false;
	}
	if (!announce(t, stale)) {
		give(t, *stale ? POOL_BROKEN : POOL_CLOSE);
		return false;
	}
	r->code = 0;
	r->esc[0] = r->text[0] = '\0';
	return true;
}

bool
attempt_connect_now(struct auth_attempt *t)
{
	const struct route_host *h = &t->route->hosts[0];
	struct auth_answer *r = &t->answer;

	if (t->route->up->xclient != XCLIENT_NO)
		return false;
	t->lease = pool_take_idle(t->a->pool, t->route, 0);
	if (t->lease == NULL)
		return false;
	/* A login that fails by trial would be made again. */
	if (!is_private(t, h) || pool_is_trial(t->lease)) {
		attempt_unconnect(t);
		return false;
	}
	memcpy(r->upstream, h->label, sizeof(r->upstream));
	return true;
}

void
attempt_unconnect(struct auth_attempt *t)
{
	give(t, POOL_UNUSED);
}

/* A session that was found dead says nothing about its host: another one is
 * tried there once. */
static void
next_host(struct auth_attempt *t, bool same)
{
	if (same && !t->again) {
		t->again = true;
		return;
	}
	t->host++;
	t->again = false;
}

bool
attempt_connect(struct auth_attempt *t)
{
	bool stale;

	exchange_release(&t->x);
	while (t->host < t->route->n_hosts) {
		if (atomic_load(&t->a->stopped))
			return attempt_defer(t, "stopping");
		if (deadline_passed(t->deadline))
			return attempt_defer(t, "out of time");
		if (connect_host(t, t->host, &stale))
			return true;
		next_host(t, stale);
	}
	return attempt_defer(t, "no upstream can be asked");
}

void
attempt_no_mech(struct auth_attempt *t, const char *what)
{
	(void)snprintf(t->answer.text, sizeof(t->answer.text),
	    "does not offer AUTH %s", what);
	auth_worry(t, AUTH_WORRY_MECHANISM, "upstream %s: %s",
	    t->answer.upstream, t->answer.text);
	give(t, POOL_UNUSED);
	t->host++;
	t->again = false;
}

/* 421: the upstream is to be left alone, unless it has only been waiting for
 * us for too long (4.4.2). */
static enum pool_fate
fate_of_421(const struct reply *reply)
{
	struct esc esc;

	if (esc_parse(reply->text, reply->code, &esc) > 0 && esc.subject == 4 &&
	    esc.detail == 2)
		return POOL_BROKEN;
	return POOL_REFUSED;
}

/* 503 to AUTH itself where another login was before: to the upstream that one is
 * not over, or it wants EHLO.  The credentials have not been looked at. */
static bool
is_spoilt(const struct auth_attempt *t)
{
	return t->x.event == EXCHANGE_REPLY && t->x.reply.code == 503 &&
	    !t->x.challenged && pool_was_reset(t->lease);
}

bool
attempt_is_over(struct auth_attempt *t)
{
	struct exchange *x = &t->x;
	enum pool_fate fate;

	if (is_spoilt(t) && !t->spoilt) {
		t->spoilt = true;
		(void)snprintf(t->answer.text, sizeof(t->answer.text),
		    "503 to AUTH after another login");
		give(t, POOL_SPOILT);
		next_host(t, true);
		return false;
	}
	if (x->sent)
		return true;
	if (x->event == EXCHANGE_REPLY && reply_is_closing(&x->reply)) {
		(void)snprintf(
		    t->answer.text, sizeof(t->answer.text), "421 to AUTH");
		fate = fate_of_421(&x->reply);
		give(t, fate);
		next_host(t, fate == POOL_BROKEN);
		return false;
	}
	if (x->event != EXCHANGE_BROKEN)
		return true;
	note(t, &x->fault);
	if (x->fault.origin == FAULT_FEATURE) {
		attempt_no_mech(t, "PLAIN or LOGIN");
		return false;
	}
	/* What is wrong with the credentials is wrong everywhere. */
	if (x->fault.origin == FAULT_LOCAL)
		return true;
	give(t, POOL_BROKEN);
	next_host(t, true);
	return false;
}

/* -- the last reply ----------------------------------------------------- */

static void
quote_reply(struct auth_attempt *t)
{
	const struct reply *reply = &t->x.reply;
	struct auth_answer *r = &t->answer;
	char text[REPLY_TEXT_MAX];
	struct esc esc;
	char *p;

	r->code = reply->code;
	if (esc_parse(reply->text, reply->code, &esc) > 0)
		(void)esc_format(&esc, r->esc, sizeof(r->esc));
	esc_strip(reply->text, reply->code, text, sizeof(text));
	for (p = text; (p = strchr(p, '\n')) != NULL;)
		*p = ' ';
	(void)snprintf(
	    r->text, sizeof(r->text), "%.*s", (int)sizeof(r->text) - 1, text);
	hide(t, r->text, sizeof(r->text));
}

/*
 * Has the upstream counted a failure?  One that was sent and not answered may
 * have been; so may another 5yz to the last response, from servers that do
 * not know 535.
 */
static enum shield_end
left_with(const struct exchange *x, enum verdict verdict)
{
	if (verdict == VERDICT_ACCEPT)
		return SHIELD_GOOD;
	if (verdict == VERDICT_REJECT)
		return SHIELD_BAD;
	if (x->event == EXCHANGE_BROKEN)
		return x->sent ? SHIELD_LOST : SHIELD_UNSURE;
	return x->final && x->reply.code >= 500 ? SHIELD_LOST : SHIELD_UNSURE;
}

static void
judge_reply(struct auth_attempt *t)
{
	struct auth_answer *r = &t->answer;
	struct auth_verdict v;

	quote_reply(t);
	v = auth_verdict_of(r->code, r->esc, t->x.final);
	r->verdict = v.verdict;
	(void)snprintf(r->reason, sizeof(r->reason), "%s", v.reason);
	attempt_explain(
	    t, "upstream %s: %d %s %s", r->upstream, r->code, r->esc, r->text);
	if (v.verdict == VERDICT_ACCEPT)
		t->end = AUTH_END_GOOD;
	else if (v.verdict == VERDICT_REJECT)
		t->end = v.policy ? AUTH_END_POLICY : AUTH_END_BAD;
	if (v.ours)
		auth_worry(t, AUTH_WORRY_REPLY, "upstream %s: %s: %d %s %s",
		    r->upstream, v.reason, r->code, r->esc, r->text);
}

void
attempt_judge(struct auth_attempt *t)
{
	enum pool_fate fate = POOL_CLOSE;

	if (t->x.event == EXCHANGE_REPLY) {
		judge_reply(t);
		if (t->answer.verdict == VERDICT_ACCEPT)
			fate = POOL_REUSE;
		else if (reply_is_closing(&t->x.reply))
			fate = fate_of_421(&t->x.reply);
		else if (is_spoilt(t))
			fate = POOL_SPOILT;
	} else {
		note(t, &t->x.fault);
		(void)attempt_defer(
		    t, t->x.sent ? "no answer to AUTH" : "not sent");
		if (!t->x.sent)
			fate = POOL_UNUSED;
	}
	t->left = left_with(&t->x, t->answer.verdict);
	give(t, fate);
}
