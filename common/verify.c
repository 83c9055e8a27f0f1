/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cache.h"
#include "common/catchall.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/verify_inquiry.h"

void
verify_request_set(struct verify_request *rq, const char *from, const char *to)
{
	rq->from_text = from;
	rq->from_result = address_parse(from, strlen(from), &rq->from, NULL);
	rq->to_text = to;
	rq->to_result = address_parse(to, strlen(to), &rq->to, NULL);
}

/* Whatever the answer depends on: the route with its hosts, and what of the
 * session is told upstream. */
static bool
question_key(struct probe_question *q, const struct conf_rcptto *o)
{
	struct strbuf rest;
	bool ok;

	strbuf_init(&rest, CACHE_KEY_MAX);
	strbuf_addf(&rest, "%s", q->route->id);
	strbuf_addch(&rest, '\0');
	strbuf_add(&rest, q->sender.path, q->sender.path_len);
	strbuf_addch(&rest, '\0');
	if (o->helo == HELO_REPLAY || o->up.xclient != XCLIENT_NO)
		strbuf_addf(&rest, "%s", q->helo);
	strbuf_addch(&rest, '\0');
	if (o->up.xclient != XCLIENT_NO)
		strbuf_addf(&rest, "%s", q->client.addr);
	if (q->direct)
		strbuf_addf(&rest, "direct");
	ok = strbuf_ok(&rest) &&
	    cache_key_set(&q->key, q->rcpt.domain, q->rcpt.local,
		strbuf_str(&rest), rest.len);
	strbuf_release(&rest);
	return ok;
}

/* The reverse-path of a probe: option mailfrom. */
static bool
probe_sender(
    const struct verify_request *rq, const char *mailfrom, struct address *out)
{
	if (strcasecmp(mailfrom, "original") == 0) {
		*out = rq->from;
		return rq->from_result != ADDRESS_BAD;
	}
	if (mailfrom[0] == '\0')
		mailfrom = "<>";
	return address_parse(mailfrom, strlen(mailfrom), out, NULL) !=
	    ADDRESS_BAD;
}

static void
inquiry_local(struct inquiry *in, const char *reason)
{
	struct answer *a = &in->out->answer;

	memset(a, 0, sizeof(*a));
	snprintf(a->reason, sizeof(a->reason), "%s", reason);
}

struct probe_question *
question_new(struct inquiry *in)
{
	const struct conf_rcptto *o = in->route->options;
	struct probe_question *q = calloc(1, sizeof(*q));

	if (q == NULL) {
		inquiry_local(in, "out of memory");
		return NULL;
	}
	q->conf = in->setup->conf;
	q->route = in->route;
	q->rcpt = in->rq->to;
	q->client = in->rq->client;
	q->direct = in->rq->direct;
	snprintf(q->helo, sizeof(q->helo), "%s", in->rq->client.helo);
	if (!probe_sender(in->rq, o->mailfrom, &q->sender))
		inquiry_local(in, "sender not usable upstream");
	else if (!question_key(q, o))
		inquiry_local(in, "addresses too long together");
	else
		return q;
	free(q);
	return NULL;
}

/* After the first recipient that was taken: would anything be? */
static void
catchall_test(const struct inquiry *in)
{
	const struct conf_rcptto *o = in->route->options;
	struct verifier *v = in->v;
	char path[ADDRESS_MAX + 1], local[CATCHALL_LOCAL_LEN + 1];
	struct probe_question *q;
	int len;

	if (o->catchall_life == 0 || in->rq->direct ||
	    !catchall_due(
		v->catchall, in->rq->to.domain, in->route->id, clock_ms()))
		return;
	if ((q = calloc(1, sizeof(*q))) == NULL || !catchall_local(local)) {
		free(q);
		return;
	}
	*q = *in->q;
	q->catchall = true;
	len = snprintf(path, sizeof(path), "%s@%s", local, in->rq->to.domain);
	if (len > 0 && (size_t)len < sizeof(path) &&
	    address_parse(path, (size_t)len, &q->rcpt, NULL) == ADDRESS_OK &&
	    question_key(q, o))
		probe_start(v->prober, q);
	free(q);
}

static void
inquiry_skip(struct inquiry *in, const char *reason)
{
	inquiry_local(in, reason);
	in->out->answer.verdict = VERDICT_ACCEPT;
	in->out->word = "skip";
}

/*
 * Is this one asked about at all?  A probe of our own that has come back is
 * known by its socket, or by our name and the sender of a probe.
 */
static bool
inquiry_is_loop(const struct inquiry *in, const struct conf_rcptto *o)
{
	const struct session_client *c = &in->rq->client;
	const struct conf *conf = in->setup->conf;
	struct address sender;

	if (prober_owns(in->v->prober, c->addr,
		(unsigned)strtoul(c->port, NULL, 10), &in->rq->to))
		return true;
	if (strcasecmp(c->helo, conf->hostname) != 0)
		return false;
	if (strcasecmp(o->mailfrom, "original") == 0 ||
	    !probe_sender(in->rq, o->mailfrom, &sender))
		return false;
	return in->rq->from_result != ADDRESS_BAD &&
	    sender.path_len == in->rq->from.path_len &&
	    memcmp(sender.path, in->rq->from.path, sender.path_len) == 0;
}

/* Of one that is not asked about, for those who want to know all the same. */
static void
inquiry_find_route(struct inquiry *in)
{
	struct route *route = NULL;
	struct fault f = { 0 };

	if (in->rq->to_result == ADDRESS_NO_DOMAIN)
		in->out->route = VERIFY_ROUTE_NONE;
	else if (in->rq->find_route && in->rq->to_result == ADDRESS_OK &&
	    route_rcpt(in->setup->router, &in->rq->to, in->deadline, &route,
		&f) == OUTCOME_OK)
		in->out->route =
		    route != NULL ? VERIFY_ROUTE_FOUND : VERIFY_ROUTE_NONE;
	route_unref(route);
}

bool
inquiry_skipped(struct inquiry *in)
{
	const struct verify_request *rq = in->rq;

	if (rq->direct)
		return false;
	if (rq->bypass)
		inquiry_skip(in, "bypassed by context");
	else if (rq->client.addr[0] != '\0' &&
	    conf_is_relay_host(in->setup->conf, rq->client.addr))
		inquiry_skip(in, "client is in relay_hosts");
	else if (rq->to_result == ADDRESS_NO_DOMAIN)
		inquiry_skip(in, "no domain");
	else
		return false;
	inquiry_find_route(in);
	return true;
}

/* The route; false when the answer is already known. */
bool
inquiry_route(struct inquiry *in)
{
	struct fault f = { 0 };

	if (in->rq->to_result != ADDRESS_OK) {
		inquiry_local(in, "not an address that can be asked about");
		return false;
	}
	if (route_rcpt(in->setup->router, &in->rq->to, in->deadline, &in->route,
		&f) != OUTCOME_OK) {
		inquiry_local(in, "route not known now");
		snprintf(in->out->answer.text, sizeof(in->out->answer.text),
		    "%s", f.text);
		return false;
	}
	if (in->route == NULL) {
		in->out->route = VERIFY_ROUTE_NONE;
		inquiry_skip(in, "no route");
		return false;
	}
	in->out->route = VERIFY_ROUTE_FOUND;
	if (in->rq->authenticated && in->route->options->skip_authenticated &&
	    !in->rq->direct) {
		inquiry_skip(in, "client is authenticated");
		return false;
	}
	if (!in->rq->direct && inquiry_is_loop(in, in->route->options)) {
		inquiry_local(in, "a probe of our own came back");
		in->out->answer.origin = ANSWER_LOOP;
		return false;
	}
	return true;
}

/*
 * An MTA may route by the local part, as in "a%b@here", when it is at home in
 * the domain: what could be taken so is no recipient with a route.
 */
static bool
is_plain_mailbox(const struct verify_request *rq)
{
	return rq->to_result == ADDRESS_OK &&
	    strpbrk(rq->to.local, "%!@:[]\"\\") == NULL &&
	    rq->to_text[strspn(rq->to_text, "< \t")] != '@';
}

/* Before everything else that might let the recipient pass. */
static bool
inquiry_barred(struct inquiry *in)
{
	const struct verify_request *rq = in->rq;
	struct route *route = NULL;
	struct fault f = { 0 };

	if (!rq->routed_only || rq->authenticated)
		return false;
	in->out->barred = true;
	if (rq->to_result == ADDRESS_NO_DOMAIN &&
	    strcasecmp(rq->to.local, "postmaster") == 0)
		in->out->barred = false;
	else if (!is_plain_mailbox(rq) ||
	    (route_rcpt(in->setup->router, &rq->to, in->deadline, &route, &f) ==
		    OUTCOME_OK &&
		(route == NULL ||
		    router_is_for_all(
			in->setup->router, route, rq->to.domain)))) {
		inquiry_local(in, "no route, and no relaying for this client");
		in->out->answer.verdict = VERDICT_REJECT;
		in->out->answer.origin = ANSWER_NO_RELAY;
	} else if (route == NULL)
		inquiry_local(in, "route not known now");
	else
		in->out->barred = false;
	route_unref(route);
	return in->out->barred;
}

/* What is said while nobody can be asked. */
static void
inquiry_down(struct inquiry *in)
{
	struct answer *a = &in->out->answer;

	if (a->verdict != VERDICT_DEFER || a->origin != ANSWER_DOWN ||
	    in->route->options->on_down != ON_DOWN_ACCEPT)
		return;
	a->verdict = VERDICT_ACCEPT;
	a->origin = ANSWER_ON_DOWN;
	snprintf(a->reason, sizeof(a->reason), "%s",
	    "upstream down, on_down = accept");
}

static void
inquiry_ask(struct inquiry *in)
{
	struct verify_result *out = in->out;
	struct verifier *v = in->v;

	switch (in->rq->direct
		? CACHE_MISS
		: cache_get(v->cache, &in->q->key, clock_ms(), &out->answer)) {
	case CACHE_FRESH:
		out->cache = "hit";
		return;
	case CACHE_REFRESH:
		out->cache = "refresh";
		if (!catchall_marked(v->catchall, in->rq->to.domain,
			in->route->id, clock_ms()))
			probe_start(v->prober, in->q);
		return;
	case CACHE_MISS:
		break;
	}
	out->cache = "miss";
	if (!in->rq->direct &&
	    catchall_marked(
		v->catchall, in->rq->to.domain, in->route->id, clock_ms())) {
		out->answer = (struct answer){ .verdict = VERDICT_ACCEPT,
			.kind = REFUSAL_ACCEPTED,
			.origin = ANSWER_CATCHALL,
			.reason = "upstream takes every local part" };
		return;
	}
	(void)probe_ask(v->prober, in->q, in->deadline, &out->answer);
	if (out->answer.verdict == VERDICT_ACCEPT)
		catchall_test(in);
	inquiry_down(in);
}

static void
inquiry_count(const struct inquiry *in)
{
	struct verifier *v = in->v;

	if (strcmp(in->out->word, "skip") == 0)
		atomic_fetch_add(&v->skipped, 1);
	else if (in->out->would == VERDICT_ACCEPT)
		atomic_fetch_add(&v->accepted, 1);
	else if (in->out->would == VERDICT_REJECT)
		atomic_fetch_add(&v->rejected, 1);
	else
		atomic_fetch_add(&v->deferred, 1);
	if (in->out->observed)
		atomic_fetch_add(&v->observed, 1);
}

/* The verdict from the answer, and its name in the context. */
static void
inquiry_conclude(struct inquiry *in)
{
	struct verify_result *out = in->out;
	/* Without a route, because there is no saying which: the global ones. */
	const struct conf_rcptto *o =
	    in->route != NULL ? in->route->options : &in->setup->conf->rcptto;

	out->would = out->answer.verdict;
	out->verdict = out->would;
	if (out->word == NULL)
		out->word = out->would == VERDICT_ACCEPT ? "pass"
		    : out->would == VERDICT_REJECT       ? "fail"
							 : "transient";
	out->reveal = o->reveal_upstream_text;
	if (o->mode == MODE_OBSERVE && out->would != VERDICT_ACCEPT &&
	    !out->barred) {
		out->verdict = VERDICT_ACCEPT;
		out->observed = true;
	}
}

static void
log_envelope(struct log_line *l, const char *key, enum address_result result,
    const struct address *a, const char *text)
{
	if (result == ADDRESS_BAD)
		log_line_add(l, key, "%s", text);
	else
		log_line_add(l, key, "<%s>", a->path);
}

/*
 * Keys in the order of what a script needs most.  The reply code is the
 * upstream's: a local failure has none.
 */
static void
inquiry_log(const struct inquiry *in)
{
	const struct verify_result *out = in->out;
	const struct verify_request *rq = in->rq;
	const struct answer *a = &out->answer;
	struct log_line l;

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	log_line_begin(&l, "verify");
	if (rq->id != NULL && rq->id[0] != '\0')
		log_line_add(&l, "id", "%s", rq->id);
	log_line_add(&l, "client", "%s",
	    rq->client.addr[0] != '\0' ? rq->client.addr : "unknown");
	log_line_add(&l, "helo", "%s", rq->client.helo);
	log_envelope(&l, "from", rq->from_result, &rq->from, rq->from_text);
	log_envelope(&l, "to", rq->to_result, &rq->to, rq->to_text);
	log_line_add(&l, "upstream", "%s",
	    a->upstream[0] != '\0' ? a->upstream : "none");
	log_line_add(&l, "cache", "%s", out->cache);
	if (a->code != 0)
		log_line_add(&l, "code", "%d", a->code);
	if (a->esc[0] != '\0')
		log_line_add(&l, "dsn", "%s", a->esc);
	log_line_add(&l, "verdict", "%s", verdict_name(out->would));
	if (out->observed)
		log_line_add(&l, "mode", "observe");
	log_line_add(&l, "delay", "%.3f", (double)out->delay_us / 1e6);
	log_line_add(&l, "reason", "%s", a->reason);
	if (a->text[0] != '\0')
		log_line_add(&l, "text", "%s", a->text);
	log_line_emit(&l, LOG_LEVEL_INFO);
}

void
verify_rcpt(struct verifier *v, const struct verify_request *rq,
    struct verify_result *out)
{
	int64_t begin = clock_us();
	struct inquiry in = { .v = v, .rq = rq, .out = out };

	memset(out, 0, sizeof(*out));
	out->cache = "none";
	in.setup = setup_holder_get(&v->setups);
	/* A domain's own timeout is known only with its route. */
	in.deadline = deadline_in(in.setup->conf->rcptto.up.timeout);
	if (!inquiry_barred(&in) && !inquiry_skipped(&in) &&
	    inquiry_route(&in)) {
		in.deadline = deadline_in(in.route->options->up.timeout -
		    (clock_us() - begin) / 1000);
		if ((in.q = question_new(&in)) != NULL)
			inquiry_ask(&in);
	}
	out->delay_us = clock_us() - begin;
	inquiry_conclude(&in);
	inquiry_count(&in);
	inquiry_log(&in);
	free(in.q);
	route_unref(in.route);
	setup_unref(in.setup);
}
