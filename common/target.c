/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/tls.h"

/* Of a queue whose first entries cannot be sent now, so many are looked
 * through for one that can: another identity, another sender. */
#define QUEUE_LOOK_AHEAD 64

static struct breaker *
breaker_get(struct engine *e, const char *label)
{
	struct endpoint_state *s = NULL;

	ENGINE_FIND(e, endpoints, label, strlen(label), s);
	if (s == NULL && (s = calloc(1, sizeof(*s))) != NULL) {
		snprintf(s->label, sizeof(s->label), "%s", label);
		ENGINE_ADD(e, endpoints, s->label, strlen(s->label), s);
		if (s->hh.tbl == NULL) {
			free(s);
			s = NULL;
		}
	}
	return s == NULL ? NULL : &s->breaker;
}

static const char *
text(const char *s)
{
	return s != NULL ? s : "";
}

/* The options that a session is opened with, as text: what differs in one of
 * them shares no session. */
static void
target_key(const struct engine *e, const struct probe *p, const char *label,
    char *key, size_t len)
{
	const struct route_host *h = &p->q.route->hosts[p->host];
	const struct conf_upstream *up = &p->q.route->options->up;
	const struct route *r = p->q.route;
	const char *pass = "";
	size_t pass_len = 0;

	if (r->auth_user != NULL && r->auth_pass != NULL)
		pass = secret_bytes(r->auth_pass, &pass_len);
	snprintf(key, len, "%s|%d|%u|%s|%s|%" PRIx64 "|%s|%s|%s|%s|%s|%d",
	    label, (int)h->tls, e->epoch,
	    r->auth_user != NULL ? r->auth_user : "",
	    r->auth_type != NULL ? r->auth_type : "",
	    siphash(&e->hash_key, pass, pass_len), text(up->tls_verify_name),
	    text(up->tls_ca_file), text(up->tls_ca_path),
	    text(up->tls_cert_file), text(up->tls_key_file),
	    up->tls_min_protocol);
}

/* What may change between two questions to the same target. */
static void
target_update(struct target *t, const struct probe *p)
{
	const struct route *r = p->q.route;

	if (t->conf != p->q.conf) {
		conf_unref(t->conf);
		t->conf = conf_ref(p->q.conf);
	}
	t->up = &r->options->up;
	t->batch = r->options->batch;
	t->max_probe_rate = r->options->max_probe_rate;
	t->auth_user = r->auth_user;
	t->auth_pass = r->auth_pass;
	t->auth_type = r->auth_type;
}

struct target *
target_get(struct engine *e, const struct probe *p)
{
	const struct route_host *h = &p->q.route->hosts[p->host];
	struct endpoint ep = h->endpoint;
	char label[300], key[1024];
	struct target *t = NULL;

	if (ep.port == 0 && ep.kind == ENDPOINT_INET)
		ep.port = (uint16_t)p->q.route->options->up.port;
	endpoint_format(&ep, label, sizeof(label));
	target_key(e, p, label, key, sizeof(key));
	ENGINE_FIND(e, targets, key, strlen(key), t);
	if (t == NULL) {
		if ((t = calloc(1, sizeof(*t))) == NULL)
			return NULL;
		if ((t->breaker = breaker_get(e, label)) == NULL) {
			free(t);
			return NULL;
		}
		t->engine = e;
		t->endpoint = ep;
		t->tls = (enum conf_tls)h->tls;
		t->epoch = e->epoch;
		t->rcpts_max = LINE_RCPTS_MAX;
		snprintf(t->key, sizeof(t->key), "%s", key);
		snprintf(t->label, sizeof(t->label), "%s", label);
		TAILQ_INIT(&t->queue);
		TAILQ_INIT(&t->lines);
		TAILQ_INIT(&t->openings);
		ENGINE_ADD(e, targets, t->key, strlen(t->key), t);
		if (t->hh.tbl == NULL) {
			free(t);
			return NULL;
		}
	}
	target_update(t, p);
	return t;
}

void
target_free(struct target *t)
{
	tls_client_unref(t->tls_client);
	conf_unref(t->conf);
	free(t);
}

void
target_touch(struct target *t)
{
	if (t->dirty)
		return;
	t->dirty = true;
	TAILQ_INSERT_TAIL(&t->engine->dirty, t, dirty_entry);
}

void
target_enqueue(struct target *t, struct probe *p, bool front)
{
	if (p->queued_at != NULL)
		return;
	probe_ref(p);
	p->queued_at = t;
	if (front)
		TAILQ_INSERT_HEAD(&t->queue, p, queue_entry);
	else
		TAILQ_INSERT_TAIL(&t->queue, p, queue_entry);
	t->n_queue++;
	target_touch(t);
}

void
target_dequeue(struct probe *p)
{
	struct target *t = p->queued_at;

	if (t == NULL)
		return;
	TAILQ_REMOVE(&t->queue, p, queue_entry);
	t->n_queue--;
	p->queued_at = NULL;
	probe_unref(p);
}

long
target_window(const struct target *t, int64_t now_ms)
{
	return now_ms < t->slow_until_ms ? 1 : t->batch;
}

int64_t
target_reply_limit(const struct target *t, const struct probe *p)
{
	int64_t limit = t->up->timeout;

	/* With another host to turn to, half the time is left for it. */
	if (p != NULL && p->host + 1 < p->q.route->n_hosts)
		limit /= 2;
	return limit;
}

/* A token a probe; the bucket holds a tenth of a second's worth. */
static bool
target_rate_allows(struct target *t, int64_t now_ms)
{
	double rate = (double)t->max_probe_rate, most = rate / 10.0;

	if (t->max_probe_rate == 0)
		return true;
	if (most < 1.0)
		most = 1.0;
	if (t->tokens_ms == 0)
		t->tokens = most;
	else
		t->tokens += rate * (double)(now_ms - t->tokens_ms) / 1000.0;
	t->tokens_ms = now_ms;
	if (t->tokens > most)
		t->tokens = most;
	if (t->tokens < 1.0)
		return false;
	t->tokens -= 1.0;
	return true;
}

/* The session with the least to do that can take p; *busy tells whether each
 * fitting one already had something to do. */
static struct line *
target_pick(
    const struct target *t, const struct probe *p, int64_t now_ms, bool *busy)
{
	long window = target_window(t, now_ms);
	struct line *l, *best = NULL;

	*busy = true;
	TAILQ_FOREACH(l, &t->lines, entry) {
		long room = window;

		if (room > t->up->max_errors - l->errors)
			room = t->up->max_errors - l->errors;
		if ((long)l->outstanding >= room || !line_fits(l, p))
			continue;
		if (l->outstanding == 0)
			*busy = false;
		if (best == NULL || l->outstanding < best->outstanding)
			best = l;
	}
	return best;
}

static void
target_flush(struct target *t)
{
	struct line *l, *next;

	for (l = TAILQ_FIRST(&t->lines); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->dirty)
			line_pump(l);
	}
}

/* Put one waiting probe somewhere.  Returns false when it has to wait. */
static bool
target_serve(struct target *t, struct probe *p, int64_t now_ms)
{
	struct identity id;
	struct line *l;
	bool busy;

	if ((l = target_pick(t, p, now_ms, &busy)) == NULL) {
		identity_of(&p->q, &id);
		if (!target_wants_more(t, &id, now_ms))
			return false;
		if (!target_grow(t, p, &id, now_ms)) {
			fault_set(&p->last, FAULT_CONNECTION,
			    "%s is not asked for a while: it failed", t->label);
			engine_next_host(t->engine, p, NULL);
			return true;
		}
		return false;
	}
	if (!target_rate_allows(t, now_ms))
		return false;
	probe_ref(p); /* the queue's reference goes below */
	target_dequeue(p);
	if (!line_send(l, p)) {
		probe_fail(t->engine, p, "not to be asked about here");
		probe_unref(p);
		return true;
	}
	t->probes++;
	probe_unref(p);
	if (busy && t->n_opening == 0 &&
	    t->n_lines < target_lines_max(t, now_ms) &&
	    t->breaker->state == BREAKER_CLOSED &&
	    t->own.state == BREAKER_CLOSED)
		(void)opener_start(t, p);
	return true;
}

void
target_dispatch(struct target *t, int64_t now_ms)
{
	struct probe *p, *next;
	int passed = 0;

	t->used_ms = now_ms;
	for (p = TAILQ_FIRST(&t->queue); p != NULL; p = next) {
		next = TAILQ_NEXT(p, queue_entry);
		if (!target_serve(t, p, now_ms) && ++passed >= QUEUE_LOOK_AHEAD)
			break;
	}
	target_flush(t);
}

void
target_tick(struct target *t, int64_t now_ms)
{
	struct line *l, *lnext;
	struct probe *p, *pnext;

	for (l = TAILQ_FIRST(&t->lines); l != NULL; l = lnext) {
		lnext = TAILQ_NEXT(l, entry);
		line_tick(l, now_ms);
	}
	for (p = TAILQ_FIRST(&t->queue); p != NULL; p = pnext) {
		pnext = TAILQ_NEXT(p, queue_entry);
		if (now_ms >= p->end_ms) {
			fault_set(&p->last, FAULT_CONNECTION,
			    "no session with %s in time", t->label);
			probe_fail(t->engine, p, "upstream did not answer");
		}
	}
	if (t->n_queue > 0)
		target_touch(t);
}

void
target_down(struct target *t, const struct fault *f)
{
	struct probe_queue queue = TAILQ_HEAD_INITIALIZER(queue);
	struct probe *p;

	/* Take the queue away first: with the same endpoint twice in a route
	 * a probe comes back to it. */
	TAILQ_CONCAT(&queue, &t->queue, queue_entry);
	t->n_queue = 0;
	while ((p = TAILQ_FIRST(&queue)) != NULL) {
		TAILQ_REMOVE(&queue, p, queue_entry);
		p->queued_at = NULL;
		engine_next_host(t->engine, p, f);
		probe_unref(p);
	}
}

void
target_bad(struct target *t, const struct fault *f)
{
	if (breaker_bad(t->breaker, clock_ms()))
		log_warning("upstream %s: not asked for %lld s: %s", t->label,
		    (long long)(t->breaker->pause_ms / 1000), f->text);
}

void
target_refused(struct target *t, const struct fault *f)
{
	if (breaker_refused(t->breaker, clock_ms()))
		log_warning("upstream %s: not asked for %lld s: %s", t->label,
		    (long long)(t->breaker->pause_ms / 1000), f->text);
}

void
target_good(struct target *t)
{
	if (breaker_good(t->breaker))
		log_info("upstream %s: works again", t->label);
}

/* Wrong credentials or certificates are not everybody's at that endpoint. */
static void
target_blame(struct target *t, enum smtp_stage stage, const struct fault *f)
{
	if (f->code == 421) {
		target_refused(t, f);
	} else if (stage == STAGE_STARTTLS || stage == STAGE_AUTH) {
		target_good(t); /* it answers */
		if (breaker_bad(&t->own, clock_ms()))
			log_warning("upstream %s: not asked for %lld s: %s",
			    t->label, (long long)(t->own.pause_ms / 1000),
			    f->text);
	} else {
		target_bad(t, f);
	}
}

/*
 * Whether it may have failed for the client whose HELO name or address was
 * told, by a refusal or by the time that looking them up takes: any client
 * could have others deferred otherwise.
 */
static bool
failed_for_client(const struct opened *o)
{
	return o->id.of_client &&
	    (o->stage == STAGE_EHLO || o->stage == STAGE_XCLIENT);
}

/* A 421 to a session beside others: as many as there are is enough. */
static bool
target_has_enough(struct target *t, const struct opened *o)
{
	if (o->stage != STAGE_GREETING || o->fault.code != 421 ||
	    t->n_lines == 0)
		return false;
	t->lines_max = t->n_lines;
	t->lines_max_ms = clock_ms() + TARGET_ENOUGH_MS;
	return true;
}

/* Only those who wait for a session of this identity turn elsewhere. */
static void
target_refuses_client(
    struct target *t, const struct opened *o, const struct fault *f)
{
	struct probe *p, *next;
	struct identity id;

	for (p = TAILQ_FIRST(&t->queue); p != NULL; p = next) {
		next = TAILQ_NEXT(p, queue_entry);
		identity_of(&p->q, &id);
		if (identity_equal(&id, &o->id))
			engine_next_host(t->engine, p, f);
	}
	target_touch(t);
}

/* A session that could not be opened: whoever waits turns to the next host,
 * unless another session is there or on its way. */
static void
target_open_failed(struct target *t, const struct opened *o)
{
	struct fault f = { 0 };

	f = o->fault;
	fault_set(&f, f.origin, "%s: %s: %s", t->label, stage_name(o->stage),
	    o->fault.text);
	f.code = o->fault.code;
	snprintf(f.esc, sizeof(f.esc), "%s", o->fault.esc);
	atomic_fetch_add(&t->engine->failed, 1);
	log_debug("upstream %s", f.text);
	if (f.origin == FAULT_REPLY && f.code / 100 == 5 &&
	    !log_limited(&t->refused_log, 10000))
		log_warning("upstream %s refuses us, at %s: %d %s %s", t->label,
		    stage_name(o->stage), o->fault.code, o->fault.esc,
		    o->fault.text);
	if (failed_for_client(o)) {
		/* A trial that it was has told nothing. */
		breaker_untried(t->breaker, clock_ms());
		breaker_untried(&t->own, clock_ms());
		target_refuses_client(t, o, &f);
		return;
	}
	if (target_has_enough(t, o))
		target_good(t);
	else
		target_blame(t, o->stage, &f);
	if (t->n_lines == 0 && t->n_opening == 0)
		target_down(t, &f);
	else
		target_touch(t);
}

void
target_arrived(struct target *t, struct opened *o)
{
	t->n_opening--;
	TAILQ_REMOVE(&t->openings, o, opening_entry);
	if (t->tls_client == NULL) {
		t->tls_client = o->tls_client;
		o->tls_client = NULL;
	}
	tls_client_unref(o->tls_client);
	if (o->session == NULL) {
		target_open_failed(t, o);
	} else {
		(void)breaker_good(&t->own);
		target_good(t);
		if (line_new(t, o) == NULL)
			log_error("upstream %s: out of memory", t->label);
		target_touch(t);
	}
	free(o);
}

void
target_print(const struct target *t, int64_t now_ms, FILE *fp)
{
	size_t outstanding = 0;
	const struct line *l;

	TAILQ_FOREACH(l, &t->lines, entry)
		outstanding += l->outstanding;
	fprintf(fp,
	    "upstream=%s breaker=%s sessions=%zu opening=%zu queue=%zu "
	    "outstanding=%zu batch=%ld probes=%llu accepted=%llu "
	    "refused=%llu temporary=%llu usual=%.1fms\n",
	    t->label,
	    breaker_name(t->own.state != BREAKER_CLOSED ? &t->own : t->breaker),
	    t->n_lines, t->n_opening, t->n_queue, outstanding,
	    target_window(t, now_ms), t->probes, t->accepts, t->refusals,
	    t->temps, t->usual_ms);
}
