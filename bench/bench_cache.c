/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_cache - memory and time of a cache full of verdicts
 *
 *	bench_cache [ENTRIES]
 *
 * Three of four recipients are known, the fourth is not; keys have some 55
 * octets, as they have with a route and a reverse-path in them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cache.h"
#include "common/clock.h"
#include "common/number.h"

static long
resident_kib(void)
{
	FILE *fp = fopen("/proc/self/status", "re");
	char line[128];
	long kib = -1;

	while (fp != NULL && fgets(line, sizeof line, fp) != NULL) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	}
	if (fp != NULL)
		(void)fclose(fp);
	return kib;
}

static void
set_key(struct cache_key *k, long i)
{
	char domain[32], local[32];

	(void)snprintf(domain, sizeof domain, "d%03ld.example.com", i % 1000);
	(void)snprintf(local, sizeof local, "first.last%07ld", i);
	(void)cache_key_set(k, domain, local, "0123456789abcdef", 17);
}

static void
set_answer(struct answer *a, long i)
{
	memset(a, 0, sizeof *a);
	a->origin = ANSWER_PROBED;
	if (i % 4 != 0) {
		a->verdict = VERDICT_ACCEPT;
		a->kind = REFUSAL_ACCEPTED;
		a->code = 250;
		(void)snprintf(a->esc, sizeof a->esc, "2.1.5");
		(void)snprintf(a->text, sizeof a->text, "Ok");
	} else {
		a->verdict = VERDICT_REJECT;
		a->kind = REFUSAL_NOUSER;
		a->code = 550;
		(void)snprintf(a->esc, sizeof a->esc, "5.1.1");
		(void)snprintf(a->text, sizeof a->text,
		    "<first.last%07ld@d%03ld.example.com>: Recipient address "
		    "rejected: User unknown in virtual mailbox table",
		    i, i % 1000);
	}
	(void)snprintf(
	    a->upstream, sizeof a->upstream, "mx%ld.example.net:25", i % 4);
	(void)snprintf(a->reason, sizeof a->reason, "%s",
	    a->verdict == VERDICT_ACCEPT ? "accepted" : "no such user");
}

int
main(int argc, char **argv)
{
	const struct cache_lives lives = { 86400000, 7200000, 600000, 60000 };
	long long entries = 1000000;
	struct cache_stats stats;
	struct cache_key k;
	struct answer a;
	struct cache *c;
	int64_t t0, t1, t2, t3;
	long i, before;

	if (argc > 1 && !number_parse(argv[1], 1, 100000000, &entries)) {
		(void)fprintf(stderr, "usage: bench_cache [ENTRIES]\n");
		return 64;
	}
	before = resident_kib();
	c = cache_new((size_t)entries);
	if (c == NULL)
		return 71;
	t0 = clock_us();
	for (i = 0; i < entries; i++) {
		set_key(&k, i);
		set_answer(&a, i);
		cache_put(c, &k, &a, &lives, 0);
	}
	t1 = clock_us();
	for (i = 0; i < entries; i++) {
		set_key(&k, i * 7919 % entries);
		(void)cache_get(c, &k, 1000, &a);
	}
	t2 = clock_us();
	cache_stats(c, &stats);
	(void)printf("entries=%zu key_octets=%zu hits=%lu counted_mb=%.1f "
		     "rss_mb=%.1f put_us=%.2f get_us=%.2f ",
	    stats.entries, k.len, stats.hits, (double)stats.bytes / 1e6,
	    (double)(resident_kib() - before) * 1024 / 1e6,
	    (double)(t1 - t0) / (double)entries,
	    (double)(t2 - t1) / (double)entries);
	{
		const struct cache_select which = { "d001.example.com", NULL };
		size_t n = cache_drop(c, &which);

		t3 = clock_us();
		(void)printf(
		    "dropped=%zu drop_ms=%.0f\n", n, (double)(t3 - t2) / 1000);
	}
	cache_free(c);
	return 0;
}
