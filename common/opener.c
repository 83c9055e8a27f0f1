/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/dial.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/tls.h"

/* libcurl, getaddrinfo() and a TLS handshake fit well. */
#define OPENER_STACK ((size_t)512 * 1024)

#define CONNECT_LIMIT_MS 5000
#define REPLY_LIMIT_MS   10000

/* What a thread needs to open one session without looking at the target,
 * which belongs to the engine's thread. */
struct opening {
	struct engine *engine;
	struct opened *result;
	struct conf *conf; /* keeps the strings of params alive */
	const struct conf_upstream *up;
	struct session_params params;
	struct deadline deadline;
};

/* What a client says of itself is repeated when it could be a name or an
 * address literal (RFC 5321 section 4.1.1.1), loosely. */
static bool
helo_repeatable(const char *helo)
{
	return helo[0] != '\0' &&
	    helo[strspn(helo,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:[]")] == '\0';
}

void
identity_of(const struct probe_question *q, struct identity *out)
{
	const struct conf_rcptto *options = q->route->options;
	const char *helo = q->conf->hostname;

	memset(out, 0, sizeof(*out));
	if (options->helo == HELO_REPLAY && helo_repeatable(q->helo))
		helo = q->helo;
	snprintf(out->helo, sizeof(out->helo), "%s", helo);
	/* The question's options: another domain's may differ. */
	out->xclient = (enum conf_xclient)options->up.xclient;
	if (out->xclient != XCLIENT_NO)
		out->client = q->client;
	out->of_client =
	    out->xclient != XCLIENT_NO || strcmp(helo, q->conf->hostname) != 0;
}

bool
identity_equal(const struct identity *a, const struct identity *b)
{
	if (a->xclient != b->xclient || strcmp(a->helo, b->helo) != 0)
		return false;
	return a->xclient == XCLIENT_NO ||
	    (strcmp(a->client.addr, b->client.addr) == 0 &&
		strcmp(a->client.port, b->client.port) == 0 &&
		strcmp(a->client.name, b->client.name) == 0 &&
		strcmp(a->client.helo, b->client.helo) == 0 &&
		strcmp(a->client.proto, b->client.proto) == 0 &&
		strcmp(a->client.destaddr, b->client.destaddr) == 0);
}

/* The certificates are read here, since reading files may take its time. */
static enum outcome
opening_tls(struct opening *o)
{
	char why[512];

	if (o->params.tls == TLS_NONE || o->params.tls_client != NULL)
		return OUTCOME_OK;
	o->params.tls_client = tls_client_new(o->up, why, sizeof(why));
	if (o->params.tls_client == NULL) {
		fault_set(&o->result->fault, FAULT_LOCAL, "%s", why);
		o->result->stage = STAGE_STARTTLS;
		return OUTCOME_TEMP;
	}
	return OUTCOME_OK;
}

static void *
opener_main(void *arg)
{
	struct opening *o = arg;
	struct opened *r = o->result;
	struct engine *e = o->engine;
	pthread_t before;
	bool joins;

	r->outcome = opening_tls(o);
	if (r->outcome == OUTCOME_OK)
		r->outcome = session_open(
		    &o->params, o->deadline, &r->session, &r->fault, &r->stage);
	r->tls_client = o->params.tls_client;
	conf_unref(o->conf);
	free(o);

	pthread_mutex_lock(&e->lock);
	STAILQ_INSERT_TAIL(&e->arrivals, r, entry);
	e->n_openers--;
	joins = thread_chain_leave(&e->gone, &before);
	engine_wake(e);
	pthread_cond_broadcast(&e->cond);
	pthread_mutex_unlock(&e->lock);
	if (joins)
		(void)pthread_join(before, NULL);
	return NULL;
}

static void
opening_params(struct opening *o, const struct target *t, int64_t limit_ms)
{
	struct session_params *sp = &o->params;
	const struct prober_params *pp = &t->engine->params;

	sp->endpoint = t->endpoint;
	sp->port = (unsigned)t->up->port;
	sp->tls = t->tls;
	if (t->tls_client != NULL)
		sp->tls_client = tls_client_ref(t->tls_client);
	sp->tls_verify_name = t->up->tls_verify_name;
	sp->helo = o->result->id.helo;
	sp->xclient = o->result->id.xclient;
	sp->client = &o->result->id.client;
	sp->auth_user = t->auth_user;
	sp->auth_pass = t->auth_pass;
	sp->auth_type = t->auth_type;
	/* A mailstore on this very machine may well bear its name. */
	if (!t->endpoint.lmtp && !endpoint_is_loopback(&t->endpoint))
		sp->own_name = t->conf->hostname;
	sp->connect_ms =
	    limit_ms < CONNECT_LIMIT_MS ? limit_ms : CONNECT_LIMIT_MS;
	sp->reply_ms = limit_ms < REPLY_LIMIT_MS ? limit_ms : REPLY_LIMIT_MS;
	sp->dial = pp->dial;
	sp->dial_arg = pp->dial_arg;
	sp->trace = pp->trace;
	sp->trace_arg = pp->trace_arg;
	sp->trace_debug = pp->trace_debug;
}

static bool
opener_thread(struct opening *o)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	bool ok = false;

	if (pthread_attr_init(&attr) != 0)
		return false;
	if (pthread_attr_setstacksize(&attr, OPENER_STACK) == 0) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		ok = pthread_create(&thread, &attr, opener_main, o) == 0;
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	pthread_attr_destroy(&attr);
	return ok;
}

/* Take one of the places that limit how many are opened at once. */
static bool
opener_place(struct engine *e, bool take)
{
	bool ok = true;

	pthread_mutex_lock(&e->lock);
	if (!take)
		e->n_openers--;
	else if (e->n_openers >= ENGINE_OPENERS_MAX || e->stop)
		ok = false;
	else
		e->n_openers++;
	pthread_mutex_unlock(&e->lock);
	return ok;
}

enum opener_result
opener_start(struct target *t, const struct probe *p)
{
	int64_t limit = target_reply_limit(t, p);
	struct opening *o = NULL;
	struct opened *r = NULL;

	if (!opener_place(t->engine, true))
		return OPENER_FULL;
	if ((o = calloc(1, sizeof(*o))) == NULL ||
	    (r = calloc(1, sizeof(*r))) == NULL)
		goto fail;
	snprintf(r->key, sizeof(r->key), "%s", t->key);
	r->epoch = t->epoch;
	identity_of(&p->q, &r->id);
	o->engine = t->engine;
	o->result = r;
	o->up = t->up;
	o->conf = conf_ref(t->conf);
	o->deadline = deadline_in(limit);
	opening_params(o, t, limit);
	TAILQ_INSERT_TAIL(&t->openings, r, opening_entry);
	if (!opener_thread(o)) {
		TAILQ_REMOVE(&t->openings, r, opening_entry);
		tls_client_unref(o->params.tls_client);
		conf_unref(o->conf);
		goto fail;
	}
	t->n_opening++;
	return OPENER_STARTED;
fail:
	log_error("upstream %s: cannot begin a session: no thread or memory",
	    t->label);
	opener_place(t->engine, false);
	free(o);
	free(r);
	return OPENER_FAILED;
}
