/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_attempt.h"
#include "common/strbuf.h"

static void
add_pool(void *arg, const struct pool_stats *s)
{
	strbuf_addf(arg,
	    "upstream=%s breaker=%s idle=%zu in_use=%zu opening=%zu "
	    "closing=%zu waiting=%zu opened=%lu failed=%lu reused=%lu\n",
	    s->upstream, s->breaker, s->idle, s->in_use, s->opening, s->closing,
	    s->waiting, s->opened, s->failed, s->reused);
}

void
auth_status(struct auth *a, struct strbuf *sb)
{
	strbuf_addf(sb, "logins_open=%lld\n", (long long)atomic_load(&a->open));
	pool_each(a->pool, add_pool, sb);
}

void
auth_stats(struct auth *a, struct strbuf *sb)
{
	struct auth_memory_stats m;
	struct shield_stats s;

	auth_memory_stats(a->memory, &m);
	shield_stats(a->shield, &s);
	strbuf_addf(sb, "accepted=%llu\nrejected=%llu\ndeferred=%llu\n",
	    atomic_load(&a->accepted), atomic_load(&a->rejected),
	    atomic_load(&a->deferred));
	strbuf_addf(sb,
	    "malformed=%llu\nremembered=%llu\nrelayed=%llu\ngiven_up=%llu\n",
	    atomic_load(&a->malformed), atomic_load(&a->remembered),
	    atomic_load(&a->relayed), atomic_load(&a->given_up));
	strbuf_addf(sb,
	    "memory_good=%zu\nmemory_bad=%zu\nmemory_known=%zu\n"
	    "memory_hits_good=%lu\nmemory_hits_bad=%lu\nmemory_joined=%lu\n",
	    m.good, m.bad, m.known, m.hits_good, m.hits_bad, m.joined);
	strbuf_addf(sb,
	    "shield_accounts=%zu\nshield_clients=%zu\n"
	    "shield_held_accounts=%lu\nshield_held_clients=%lu\n",
	    s.accounts, s.clients, s.held_accounts, s.held_clients);
}
