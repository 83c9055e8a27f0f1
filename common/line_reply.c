/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/classify.h"
#include "common/conf.h"
#include "common/engine.h"
#include "common/esc.h"
#include "common/log.h"

/* For people: what the reply means, and which row of the table said so. */
static void
answer_reason(struct answer *a, const char *why)
{
	static const char *const meaning[] = {
		[REFUSAL_TEMPORARY] = "refused for now",
		[REFUSAL_ACCEPTED] = "taken",
		[REFUSAL_NOUSER] = "no such user",
		[REFUSAL_MAILBOX] = "mailbox full or disabled",
		[REFUSAL_US] = "we are refused",
	};
	size_t n = 0;

	if (a->kind == REFUSAL_ACCEPTED || a->kind == REFUSAL_TEMPORARY) {
		snprintf(a->reason, sizeof(a->reason), "%s", meaning[a->kind]);
		return;
	}
	n = (size_t)snprintf(
	    a->reason, sizeof(a->reason), "%s, by rule ", meaning[a->kind]);
	/* Rows of phrases are named by their source, which has quotes. */
	for (; *why != '\0' && n < sizeof(a->reason) - 1; why++)
		if (*why != '"')
			a->reason[n++] = *why;
	a->reason[n] = '\0';
}

/* The reply as an answer to p. */
static void
line_answer(const struct line *l, const struct probe *p, enum smtp_stage stage,
    const struct reply *r, struct answer *a)
{
	const struct classify_rules *rules = p->q.route->options->rules;
	const char *why = "";
	char text[REPLY_TEXT_MAX];
	struct esc esc;

	memset(a, 0, sizeof(*a));
	a->origin = ANSWER_PROBED;
	a->code = r->code;
	if (esc_parse(r->text, r->code, &esc) > 0)
		esc_format(&esc, a->esc, sizeof(a->esc));
	esc_strip(r->text, r->code, text, sizeof(text));
	a->kind = classify_reply(stage, r->code, a->esc, text, rules, &why);
	a->verdict = verdict_of(a->kind);
	snprintf(
	    a->text, sizeof(a->text), "%.*s", (int)sizeof(a->text) - 1, text);
	endpoint_format(&l->target->endpoint, a->upstream, sizeof(a->upstream));
	answer_reason(a, why);
	if (a->kind == REFUSAL_US &&
	    !log_limited(&l->target->refused_log, 10000))
		log_warning("upstream %s refuses us, at %s: %d %s %s (%s)",
		    l->target->label, stage_name(stage), r->code, a->esc, text,
		    why);
}

/* "Too many recipients" speaks of the transaction, not of the recipient
 * (RFC 5321 section 4.5.3.1.10, which makes 552 mean the same). */
static bool
too_many(const struct reply *r)
{
	struct esc esc;

	if (r->code != 452 && r->code != 552 && r->code != 451)
		return false;
	if (esc_parse(r->text, r->code, &esc) > 0 && esc.subject == 5 &&
	    esc.detail == 3)
		return true;
	return strcasestr(r->text, "too many recipients") != NULL;
}

/* A 4yz to MAIL says that this host does not serve now: the next one may. */
static bool
line_mail_failover(const struct line *l, struct probe *p)
{
	struct fault f = { 0 };

	if (l->mail_reply->code / 100 != 4 ||
	    p->host + 1 >= p->q.route->n_hosts)
		return false;
	fault_set_reply(&f, l->mail_reply->code, "", l->mail_reply->text);
	engine_next_host(l->target->engine, p, &f);
	return true;
}

static void
line_rcpt_reply(struct line *l, struct probe *p, const struct reply *r)
{
	struct target *t = l->target;
	struct answer a;
	/* Some servers count all recipients, some the ones they take. */
	bool full = l->rcpts_answered > 0 && too_many(r);

	if (!full)
		l->rcpts_answered++;
	if (r->code >= 400)
		l->errors++;
	if (p->finished)
		return; /* moved on, and answered there */
	if (l->mail_refused) {
		if (line_mail_failover(l, p))
			return;
		line_answer(l, p, STAGE_MAIL, l->mail_reply, &a);
	} else if (full && p->requeues++ < PROBE_REQUEUES_MAX) {
		t->rcpts_max = l->rcpts_answered;
		target_enqueue(t, p, true);
		return;
	} else {
		line_answer(l, p, STAGE_RCPT, r, &a);
	}
	if (a.verdict == VERDICT_ACCEPT) {
		t->accepts++;
	} else if (a.verdict == VERDICT_REJECT) {
		t->refusals++;
	} else {
		t->temps++;
	}
	probe_finish(t->engine, p, &a);
}

/* False without memory. */
static bool
line_mail_reply(struct line *l, const struct sent *s, const struct reply *r)
{
	free(l->mail_reply);
	l->mail_reply = NULL;
	l->mail_refused = r->code / 100 != 2;
	l->rcpts_answered = 0;
	if (!l->mail_refused)
		return true;
	l->errors++;
	if (l->last_mail == s)
		l->in_mail = false;
	if ((l->mail_reply = malloc(sizeof(*r))) == NULL)
		return false;
	*l->mail_reply = *r;
	return true;
}

/* How long good replies take, and whether slowness was the refusal's. */
static void
line_timing(struct line *l, const struct sent *s, int code, int64_t now_ms)
{
	struct target *t = l->target;

	if (code / 100 != 2)
		return;
	t->usual_ms += ((double)(now_ms - s->sent_ms) - t->usual_ms) / 8.0;
	if (l->slow) {
		/* A good one was as slow: this upstream is, always. */
		t->usual_ms = (double)(now_ms - s->sent_ms);
		t->slow_until_ms = 0;
		l->slow = false;
	}
}

/* Replies after which nothing more can be had on this session. */
static bool
ends_session(const struct sent *s, int code)
{
	return code == 421 || code / 100 == 3 ||
	    (s->kind == SENT_RSET && code / 100 != 2);
}

static void
line_broken(struct line *l, struct sent *s, const struct reply *r)
{
	struct engine *e = l->target->engine;
	struct fault f = { 0 };

	fault_set_reply(&f, r->code, "", r->text);
	if (r->code != 421) {
		line_end(l, &f, true);
		return;
	}
	/* Said of the client whose name we go by, it is not said of us. */
	if (l->id.of_client)
		target_bad(l->target, &f);
	else
		target_refused(l->target, &f);
	if (s->probe != NULL && s->probe->flights == 1)
		engine_next_host(e, s->probe, &f);
	sent_remove(l, s);
	line_end(l, &f, false);
}

/* A reply has come for the oldest command.  False when the line is gone. */
bool
line_reply(struct line *l, struct sent *s, const struct reply *r)
{
	int64_t now = clock_ms();
	struct fault f;

	l->head_ms = now;
	if (ends_session(s, r->code)) {
		line_broken(l, s, r);
		return false;
	}
	switch (s->kind) {
	case SENT_RSET:
		break;
	case SENT_MAIL:
		if (!line_mail_reply(l, s, r)) {
			fault_set(&f, FAULT_LOCAL, "out of memory");
			line_end(l, &f, false);
			return false;
		}
		break;
	case SENT_RCPT:
		line_timing(l, s, r->code, now);
		line_rcpt_reply(l, s->probe, r);
		break;
	}
	if (l->last_mail == s)
		l->last_mail = NULL;
	sent_remove(l, s);
	return true;
}
