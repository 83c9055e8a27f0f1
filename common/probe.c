/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/conf.h"
#include "common/engine.h"
#include "common/probe.h"

/* The engine's struct under the name that the outside knows. */
struct prober {
	struct engine *engine;
};

/* How long a probe goes on after the one who asked has been answered with a
 * deferral: its answer is worth having when the client comes back. */
#define PROBE_AFTERLIFE_MS 20000

struct prober *
prober_new(const struct prober_params *params)
{
	struct prober *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	if ((p->engine = engine_new(params)) == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void
prober_stop(struct prober *p)
{
	engine_stop(p->engine);
}

void
prober_free(struct prober *p)
{
	if (p == NULL)
		return;
	engine_stop(p->engine);
	engine_free(p->engine);
	free(p);
}

void
probe_ref(struct probe *p)
{
	atomic_fetch_add(&p->refs, 1);
}

void
probe_unref(struct probe *p)
{
	if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	pthread_cond_destroy(&p->cond);
	route_unref(p->q.route);
	conf_unref(p->q.conf);
	free(p);
}

static struct probe *
probe_new(const struct probe_question *q)
{
	struct probe *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;
	bool made = false;

	if (p == NULL)
		return NULL;
	if (pthread_condattr_init(&attr) == 0) {
		made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
		    pthread_cond_init(&p->cond, &attr) == 0;
		pthread_condattr_destroy(&attr);
	}
	if (!made) {
		free(p);
		return NULL;
	}
	p->q = *q;
	p->q.conf = conf_ref(q->conf);
	p->q.route = route_ref(q->route);
	p->end_ms =
	    clock_ms() + q->route->options->up.timeout + PROBE_AFTERLIFE_MS;
	atomic_init(&p->refs, 1); /* the engine's, until probe_finish() */
	return p;
}

/*
 * Find the open question or make it; with the lock held.  The result carries
 * a reference for the caller.
 */
static struct probe *
probe_join(struct engine *e, const struct probe_question *q)
{
	struct probe *p = NULL;

	ENGINE_FIND(e, open, q->key.octets, q->key.len, p);
	if (p != NULL) {
		atomic_fetch_add(&e->joined, 1);
		probe_ref(p);
		return p;
	}
	if (e->stop || (p = probe_new(q)) == NULL)
		return NULL;
	ENGINE_ADD(e, open, p->q.key.octets, p->q.key.len, p);
	if (p->hh.tbl == NULL) {
		probe_unref(p);
		return NULL;
	}
	probe_ref(p);
	atomic_fetch_add(&e->questions, 1);
	atomic_fetch_add(&e->waiting, 1);
	STAILQ_INSERT_TAIL(&e->inbox, p, inbox_entry);
	engine_wake(e);
	return p;
}

static void
answer_local(struct answer *a, const char *reason)
{
	memset(a, 0, sizeof(*a));
	snprintf(a->reason, sizeof(a->reason), "%s", reason);
}

/* The deadline has passed; the host that is being asked is worth naming. */
static void
answer_late(struct answer *a, struct probe *p)
{
	size_t host = atomic_load(&p->host);

	answer_local(a, "no answer in time");
	if (host < p->q.route->n_hosts)
		snprintf(a->upstream, sizeof(a->upstream), "%s",
		    p->q.route->hosts[host].label);
}

bool
probe_ask(struct prober *prober, const struct probe_question *q,
    struct deadline d, struct answer *out)
{
	struct engine *e = prober->engine;
	struct timespec ts = {
		.tv_sec = (time_t)(d.at_ms / 1000),
		.tv_nsec = (long)(d.at_ms % 1000) * 1000000L,
	};
	struct probe *p;
	bool done = false;

	answer_local(out, "out of memory");
	pthread_mutex_lock(&e->lock);
	p = probe_join(e, q);
	if (p != NULL) {
		while (!p->done &&
		    pthread_cond_timedwait(&p->cond, &e->lock, &ts) !=
			ETIMEDOUT)
			;
		done = p->done;
		if (done)
			*out = p->answer;
		else
			answer_late(out, p);
	}
	pthread_mutex_unlock(&e->lock);
	probe_unref(p);
	return done;
}

void
probe_start(struct prober *prober, const struct probe_question *q)
{
	struct engine *e = prober->engine;
	struct probe *p;

	pthread_mutex_lock(&e->lock);
	p = probe_join(e, q);
	pthread_mutex_unlock(&e->lock);
	probe_unref(p);
}

void
probe_finish(struct engine *e, struct probe *p, const struct answer *a)
{
	if (p->finished)
		return;
	p->finished = true;
	target_dequeue(p);
	/* Before the question is closed: who asks next finds the memory. */
	if (e->params.answered != NULL)
		e->params.answered(e->params.answered_arg, &p->q, a);
	pthread_mutex_lock(&e->lock);
	p->answer = *a;
	p->done = true;
	HASH_DELETE(hh, e->open, p);
	pthread_cond_broadcast(&p->cond);
	pthread_mutex_unlock(&e->lock);
	atomic_fetch_sub(&e->waiting, 1);
	probe_unref(p);
}

void
probe_fail(struct engine *e, struct probe *p, const char *reason)
{
	const struct fault *f = &p->last;
	struct answer a = { .origin = ANSWER_DOWN };
	size_t last = p->host;

	/* Who refuses us in the greeting, at EHLO or AUTH is not down. */
	if (f->origin == FAULT_REPLY && f->code / 100 == 5) {
		a.origin = ANSWER_PROBED;
		a.kind = REFUSAL_US;
		reason = "upstream refuses us";
	}
	a.code = f->code;
	snprintf(a.esc, sizeof(a.esc), "%s", f->esc);
	snprintf(a.text, sizeof(a.text), "%s", f->text);
	snprintf(a.reason, sizeof(a.reason), "%s", reason);
	if (last >= p->q.route->n_hosts)
		last = p->q.route->n_hosts - 1;
	snprintf(a.upstream, sizeof(a.upstream), "%s",
	    p->q.route->hosts[last].label);
	probe_finish(e, p, &a);
}

static bool
owns_socket(const struct engine *e, const char *addr, unsigned port)
{
	for (size_t i = 0; i < e->n_owned; i++)
		if (e->owned[i]->local_port == port &&
		    strcmp(e->owned[i]->local, addr) == 0)
			return true;
	return false;
}

/* A port number alone proves nothing: the kernel gives the same one to
 * connections that go to different places.  So the recipient must be one
 * that we are asking about, too. */
bool
prober_owns(struct prober *prober, const char *addr, unsigned port,
    const struct address *rcpt)
{
	struct engine *e = prober->engine;
	struct probe *p, *next;
	bool found = false;

	if (addr == NULL || addr[0] == '\0' || port == 0)
		return false;
	pthread_mutex_lock(&e->lock);
	if (owns_socket(e, addr, port))
		HASH_ITER(hh, e->open, p, next)
		{
			if (strcmp(p->q.rcpt.path, rcpt->path) == 0) {
				found = true;
				break;
			}
		}
	pthread_mutex_unlock(&e->lock);
	return found;
}

static void
reload_call(struct engine *e, void *arg)
{
	(void)arg;
	e->epoch++;
}

void
prober_reloaded(struct prober *p)
{
	engine_call(p->engine, reload_call, NULL);
}

void
prober_count(struct prober *p, struct prober_counters *out)
{
	struct engine *e = p->engine;

	out->questions = atomic_load(&e->questions);
	out->joined = atomic_load(&e->joined);
	out->opened = atomic_load(&e->opened);
	out->failed = atomic_load(&e->failed);
	out->commands = atomic_load(&e->commands);
	out->moved = atomic_load(&e->moved);
	out->waiting = atomic_load(&e->waiting);
	out->sessions = atomic_load(&e->sessions);
}

struct show {
	const char *host;
	FILE *fp;
};

static void
show_call(struct engine *e, void *arg)
{
	const struct show *s = arg;
	int64_t now = clock_ms();
	struct target *t, *next;

	HASH_ITER(hh, e->targets, t, next)
	{
		if (s->host == NULL || strcmp(s->host, t->label) == 0)
			target_print(t, now, s->fp);
	}
}

void
prober_show(struct prober *p, const char *host, FILE *fp)
{
	struct show s = { .host = host, .fp = fp };

	engine_call(p->engine, show_call, &s);
}
