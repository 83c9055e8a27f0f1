/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cache.h"
#include "common/catchall.h"
#include "common/conf.h"
#include "common/strbuf.h"
#include "common/verify_inquiry.h"

struct explain {
	const struct cache_key *key;
	FILE *fp;
	bool found;
};

static bool
explain_item(void *arg, const struct cache_item *i)
{
	struct explain *x = arg;

	if (i->left_ms <= 0 || i->key.len != x->key->len ||
	    memcmp(i->key.octets, x->key->octets, x->key->len) != 0)
		return true;
	fprintf(x->fp,
	    "memory: %s %d %s %s (from %s, %lld s ago, for %lld s more)\n",
	    verdict_name(i->answer.verdict), i->answer.code, i->answer.esc,
	    i->answer.text, i->answer.upstream, (long long)(i->age_ms / 1000),
	    (long long)(i->left_ms / 1000));
	x->found = true;
	return false;
}

static void
explain_memory(const struct inquiry *in, FILE *fp)
{
	struct explain x = { .key = &in->q->key, .fp = fp };
	struct cache_select which = {
		.domain = in->rq->to.domain,
		.local = in->rq->to.local,
	};
	int64_t now = clock_ms();

	if (catchall_marked(
		in->v->catchall, in->rq->to.domain, in->route->id, now))
		fprintf(fp, "catch-all: %s takes every local part\n",
		    in->rq->to.domain);
	/* Not cache_get(), which would count as a use. */
	cache_walk(in->v->cache, &which, now, explain_item, &x);
	if (!x.found)
		fprintf(fp, "memory: nothing\n");
}

void
verify_explain(struct verifier *v, const struct verify_request *rq, FILE *fp)
{
	struct verify_result result = { 0 };
	struct inquiry in = { .v = v, .rq = rq, .out = &result };
	struct strbuf sb;
	const char *label;

	in.setup = setup_holder_get(&v->setups);
	in.deadline = deadline_in(in.setup->conf->rcptto.up.timeout);
	strbuf_init(&sb, 16384);
	if (rq->to_result == ADDRESS_OK)
		route_explain(in.setup->router, &rq->to, in.deadline, &sb);
	fputs(strbuf_str(&sb), fp);
	strbuf_release(&sb);
	if (inquiry_skipped(&in) || !inquiry_route(&in)) {
		fprintf(fp, "not asked: %s %s\n", result.answer.reason,
		    result.answer.text);
	} else if ((in.q = question_new(&in)) != NULL) {
		for (size_t i = 0; i < in.route->n_hosts; i++) {
			label = in.route->hosts[i].label;
			fprintf(fp, "host %zu: %s\n", i + 1, label);
			prober_show(v->prober, label, fp);
		}
		explain_memory(&in, fp);
	}
	free(in.q);
	route_unref(in.route);
	setup_unref(in.setup);
}
