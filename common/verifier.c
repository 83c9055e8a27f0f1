/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cache.h"
#include "common/catchall.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/verify_inquiry.h"

/* On the prober's thread: remember what came. */
static void
verify_answered(
    void *arg, const struct probe_question *q, const struct answer *a)
{
	struct verifier *v = arg;
	const struct conf_rcptto *o = q->route->options;
	struct cache_lives lives = {
		.positive = o->positive_life,
		.negative = o->negative_life,
		.mailbox = o->mailbox_life,
		.temporary = o->temporary_life,
	};

	if (q->direct)
		return;
	if (q->catchall) {
		struct catchall_result r = {
			.domain = q->rcpt.domain,
			.route = q->route->id,
			.verdict = a->verdict,
			.now_ms = clock_ms(),
			.life_ms = o->catchall_life,
		};

		if (catchall_result(v->catchall, &r))
			log_warning(
			    "domain %s: %s takes every local part: "
			    "its recipients are not asked about for %lld s",
			    q->rcpt.domain, a->upstream,
			    (long long)(o->catchall_life / 1000));
		return;
	}
	/* That nobody could be asked says nothing about the recipient. */
	if (a->origin == ANSWER_PROBED)
		cache_put(v->cache, &q->key, a, &lives, clock_ms());
}

struct verifier *
verifier_new(
    struct conf *conf, const struct prober_params *pp, char *why, size_t len)
{
	struct verifier *v = calloc(1, sizeof(*v));
	struct prober_params params = *pp;
	struct setup *s;

	snprintf(why, len, "out of memory");
	if (v == NULL)
		return NULL;
	s = setup_new(conf, ROUTE_FOR_RCPT, why, len);
	setup_holder_init(&v->setups, s);
	params.answered = verify_answered;
	params.answered_arg = v;
	if (s == NULL ||
	    (v->cache = cache_new((size_t)conf->rcptto.cache_size)) == NULL ||
	    (v->catchall = catchall_new()) == NULL ||
	    (v->prober = prober_new(&params)) == NULL) {
		verifier_free(v);
		return NULL;
	}
	why[0] = '\0';
	return v;
}

void
verifier_free(struct verifier *v)
{
	if (v == NULL)
		return;
	prober_free(v->prober); /* first: it calls verify_answered() */
	catchall_free(v->catchall);
	cache_free(v->cache);
	setup_holder_release(&v->setups);
	free(v);
}

void
verifier_stop(struct verifier *v)
{
	prober_stop(v->prober);
}

int
verifier_reload(struct verifier *v, struct conf *conf, char *why, size_t len)
{
	struct setup *s = setup_new(conf, ROUTE_FOR_RCPT, why, len);

	if (s == NULL)
		return -1;
	setup_holder_set(&v->setups, s);
	prober_reloaded(v->prober);
	return 0;
}

struct cache *
verifier_cache(struct verifier *v)
{
	return v->cache;
}

struct catchall *
verifier_catchall(struct verifier *v)
{
	return v->catchall;
}

struct prober *
verifier_prober(struct verifier *v)
{
	return v->prober;
}

void
verifier_count(struct verifier *v, struct verify_counters *out)
{
	out->accepted = atomic_load(&v->accepted);
	out->rejected = atomic_load(&v->rejected);
	out->deferred = atomic_load(&v->deferred);
	out->skipped = atomic_load(&v->skipped);
	out->observed = atomic_load(&v->observed);
}
