/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static const struct cache_lives lives = { 24 * HOUR, 2 * HOUR, 10 * MINUTE,
	60 * SECOND };

static struct cache_key
key(const char *domain, const char *local)
{
	struct cache_key k;

	assert_true(cache_key_set(&k, domain, local, "r1\0<>", 5));
	return k;
}

static struct answer
answer(enum verdict v, enum refusal kind, int code)
{
	struct answer a;

	memset(&a, 0, sizeof a);
	a.verdict = v;
	a.kind = kind;
	a.origin = ANSWER_PROBED;
	a.code = code;
	(void)snprintf(a.esc, sizeof a.esc, "%c.1.1", "?12345"[code / 100]);
	(void)snprintf(a.text, sizeof a.text, "text of %d", code);
	(void)snprintf(a.upstream, sizeof a.upstream, "mx1.example.net:25");
	(void)snprintf(a.reason, sizeof a.reason, "because");
	return a;
}

static struct answer
good(void)
{
	return answer(VERDICT_ACCEPT, REFUSAL_ACCEPTED, 250);
}

static struct answer
bad(void)
{
	return answer(VERDICT_REJECT, REFUSAL_NOUSER, 550);
}

static struct answer
full(void)
{
	return answer(VERDICT_REJECT, REFUSAL_MAILBOX, 552);
}

static struct answer
later(void)
{
	return answer(VERDICT_DEFER, REFUSAL_TEMPORARY, 451);
}

static void
put(struct cache *c, struct answer a, int64_t now)
{
	struct cache_key k = key("example.com", "ann");

	cache_put(c, &k, &a, &lives, now);
}

/* What is found, as a word: "miss", "fresh accept", "refresh accept", ... */
static const char *
get(struct cache *c, int64_t now)
{
	static char word[32];
	struct cache_key k = key("example.com", "ann");
	enum cache_found found;
	struct answer a;

	found = cache_get(c, &k, now, &a);
	if (found == CACHE_MISS)
		return "miss";
	(void)snprintf(word, sizeof word, "%s %s",
	    found == CACHE_FRESH ? "fresh" : "refresh",
	    verdict_name(a.verdict));
	return word;
}

static void
test_gives_back_what_was_put(void **state)
{
	struct cache *c = cache_new(10);
	struct cache_key k = key("example.com", "ann");
	struct answer in = full(), out;

	(void)state;
	assert_int_equal(cache_get(c, &k, 0, &out), CACHE_MISS);
	put(c, in, 1000);
	assert_int_equal(cache_get(c, &k, 1000, &out), CACHE_FRESH);
	assert_memory_equal(&in, &out, sizeof in);

	/* Words at their limits. */
	memset(in.text, 't', sizeof in.text - 1);
	memset(in.upstream, 'u', sizeof in.upstream - 1);
	memset(in.reason, 'r', sizeof in.reason - 1);
	(void)snprintf(in.esc, sizeof in.esc, "5.999.99999");
	put(c, in, 1000);
	assert_int_equal(cache_get(c, &k, 1000, &out), CACHE_FRESH);
	assert_string_equal(out.upstream, in.upstream);
	assert_string_equal(out.reason, in.reason);
	assert_string_equal(out.esc, in.esc);
	assert_memory_equal(out.text, in.text, strlen(out.text));
	assert_int_equal(strlen(out.text), 200);

	/* The text of an accept is all that is let go. */
	in = good();
	put(c, in, 1000);
	assert_int_equal(cache_get(c, &k, 1000, &out), CACHE_FRESH);
	assert_string_equal(out.text, "");
	assert_string_equal(out.esc, in.esc);
	assert_int_equal(out.code, 250);
	cache_free(c);
}

static void
test_each_kind_has_its_life(void **state)
{
	const struct {
		struct answer a;
		int64_t life;
	} rows[] = {
		{ good(), lives.positive },
		{ bad(), lives.negative },
		{ full(), lives.mailbox },
		{ later(), lives.temporary },
	};
	struct cache_key k = key("example.com", "ann");
	struct answer out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cache *c = cache_new(10);
		int64_t t = 77 * MINUTE;

		cache_put(c, &k, &rows[i].a, &lives, t);
		assert_int_not_equal(
		    cache_get(c, &k, t + rows[i].life - 100, &out), CACHE_MISS);
		assert_int_equal(out.verdict, rows[i].a.verdict);
		assert_int_equal(
		    cache_get(c, &k, t + rows[i].life, &out), CACHE_MISS);
		cache_free(c);
	}
}

static void
test_life_of_zero_is_not_kept(void **state)
{
	const struct cache_lives none = { 0, 0, 0, 0 };
	struct cache *c = cache_new(10);
	struct cache_key k = key("example.com", "ann");
	struct answer a = good();
	struct cache_stats stats;

	(void)state;
	put(c, bad(), 0);
	cache_put(c, &k, &a, &none, MINUTE); /* overtakes, and is not kept */
	assert_string_equal(get(c, MINUTE), "miss");
	cache_stats(c, &stats);
	assert_int_equal(stats.entries, 0);
	assert_int_equal(stats.bytes, 0);
	cache_free(c);
}

static void
test_keys_differ_in_each_part(void **state)
{
	struct cache *c = cache_new(10);
	struct cache_key k;
	struct answer out;

	(void)state;
	put(c, good(), 0);
	assert_true(cache_key_set(&k, "example.com", "ann", "r1\0<>", 5));
	assert_int_equal(cache_get(c, &k, 0, &out), CACHE_FRESH);
	assert_true(cache_key_set(&k, "example.com", "ann", "r2\0<>", 5));
	assert_int_equal(cache_get(c, &k, 0, &out), CACHE_MISS);
	assert_true(cache_key_set(&k, "example.com", "Ann", "r1\0<>", 5));
	assert_int_equal(cache_get(c, &k, 0, &out), CACHE_MISS);
	assert_true(cache_key_set(&k, "example.co", "mann", "r1\0<>", 5));
	assert_int_equal(cache_get(c, &k, 0, &out), CACHE_MISS);
	cache_free(c);
}

static void
test_key_has_a_limit(void **state)
{
	char local[CACHE_KEY_MAX];
	struct cache_key k;

	(void)state;
	memset(local, 'x', sizeof local);
	local[CACHE_KEY_MAX - 4] = '\0';
	assert_true(cache_key_set(&k, "d", local, "r", 1)); /* exactly */
	assert_int_equal(k.len, CACHE_KEY_MAX);
	assert_false(cache_key_set(&k, "d", local, "rr", 2));
	assert_int_equal(k.len, 0);
	assert_false(cache_key_set(&k, "dd", local, "r", 1));
	assert_false(cache_key_set(&k, "d", local, local, SIZE_MAX));
}

static void
test_refresh_after_half_the_life_by_one_caller(void **state)
{
	struct cache *c = cache_new(10);
	const int64_t half = 12 * HOUR;

	(void)state;
	put(c, good(), 0);
	assert_string_equal(get(c, half - 100), "fresh accept");
	assert_string_equal(get(c, half), "refresh accept");
	assert_string_equal(get(c, half), "fresh accept");
	assert_string_equal(get(c, half + 59 * SECOND), "fresh accept");
	/* The one who was told has not come back. */
	assert_string_equal(get(c, half + 60 * SECOND), "refresh accept");
	/* Now it does, and the life starts anew. */
	put(c, good(), half + 70 * SECOND);
	assert_string_equal(get(c, half + 71 * SECOND), "fresh accept");
	assert_string_equal(get(c, 24 * HOUR), "fresh accept");
	assert_string_equal(get(c, 24 * HOUR + 70 * SECOND), "refresh accept");
	cache_free(c);
}

static void
test_only_positive_entries_are_refreshed(void **state)
{
	struct cache *c = cache_new(10);

	(void)state;
	put(c, bad(), 0);
	assert_string_equal(get(c, 2 * HOUR - SECOND), "fresh reject");
	put(c, later(), 3 * HOUR);
	assert_string_equal(get(c, 3 * HOUR + 59 * SECOND), "fresh defer");
	cache_free(c);
}

static void
test_temporary_never_replaces_a_fresh_verdict(void **state)
{
	struct cache *c = cache_new(10);
	const int64_t half = 12 * HOUR;

	(void)state;
	put(c, good(), 0);
	assert_string_equal(get(c, half), "refresh accept");
	put(c, later(), half + 10 * SECOND);
	/* Refreshing waits a while when the upstream cannot tell. */
	assert_string_equal(get(c, half + 65 * SECOND), "fresh accept");
	assert_string_equal(get(c, half + 70 * SECOND), "refresh accept");
	/* Past the end it does replace. */
	put(c, later(), 24 * HOUR);
	assert_string_equal(get(c, 24 * HOUR), "fresh defer");
	put(c, bad(), 24 * HOUR);
	put(c, later(), 24 * HOUR + SECOND);
	assert_string_equal(get(c, 24 * HOUR + SECOND), "fresh reject");
	cache_free(c);
}

static void
test_negative_turns_positive_at_once(void **state)
{
	struct cache *c = cache_new(10);

	(void)state;
	put(c, bad(), 0);
	put(c, good(), SECOND);
	assert_string_equal(get(c, SECOND), "fresh accept");
	cache_free(c);
}

static void
test_two_contradictions_five_minutes_apart(void **state)
{
	struct cache *c = cache_new(10);
	const int64_t t = HOUR, five = 5 * MINUTE;

	(void)state;
	put(c, good(), 0);
	put(c, bad(), t);
	assert_string_equal(get(c, t), "fresh accept");
	/* Repeated soon, it is one opinion still. */
	put(c, bad(), t + MINUTE);
	put(c, full(), t + five - 100);
	assert_string_equal(get(c, t + five - 100), "fresh accept");
	/* Five minutes after the first somebody is to ask again. */
	assert_string_equal(get(c, t + five), "refresh accept");
	assert_string_equal(get(c, t + five), "fresh accept");
	put(c, bad(), t + five);
	assert_string_equal(get(c, t + five), "fresh reject");
	cache_free(c);
}

static void
test_accept_clears_a_contradiction(void **state)
{
	struct cache *c = cache_new(10);
	const int64_t t = HOUR, five = 5 * MINUTE;

	(void)state;
	put(c, good(), 0);
	put(c, bad(), t);
	put(c, good(), t + MINUTE);
	put(c, bad(), t + five);
	assert_string_equal(get(c, t + five), "fresh accept");
	put(c, bad(), t + 2 * five);
	assert_string_equal(get(c, t + 2 * five), "fresh reject");
	cache_free(c);
}

/* While a contradiction is noted, half-life refreshing pauses: an answer
 * that comes too soon could not count. */
static void
test_contradiction_past_half_life(void **state)
{
	struct cache *c = cache_new(10);
	const int64_t half = 12 * HOUR;

	(void)state;
	put(c, good(), 0);
	assert_string_equal(get(c, half), "refresh accept");
	put(c, bad(), half);
	assert_string_equal(get(c, half + 2 * MINUTE), "fresh accept");
	assert_string_equal(get(c, half + 5 * MINUTE), "refresh accept");
	/* A contradiction of an entry that has ended replaces it. */
	put(c, bad(), 24 * HOUR);
	assert_string_equal(get(c, 24 * HOUR), "fresh reject");
	cache_free(c);
}

static void
fill(struct cache *c, const char *domain, int n)
{
	char local[16];
	int i;

	for (i = 0; i < n; i++) {
		struct answer a = i % 2 == 0 ? good() : bad();
		struct cache_key k;

		(void)snprintf(local, sizeof local, "u%d", i);
		k = key(domain, local);
		cache_put(c, &k, &a, &lives, 0);
	}
}

static void
test_bounded_and_counted(void **state)
{
	struct cache *c = cache_new(100);
	struct cache_key k = key("example.com", "u0");
	struct cache_stats stats;
	struct answer out;

	(void)state;
	fill(c, "example.com", 100);
	assert_int_equal(cache_get(c, &k, 0, &out), CACHE_FRESH); /* used */
	fill(c, "example.org", 99);
	cache_stats(c, &stats);
	assert_int_equal(stats.entries, 100);
	assert_int_equal(stats.evictions, 99);
	assert_int_equal(cache_get(c, &k, 0, &out), CACHE_FRESH);
	k = key("example.com", "u1");
	assert_int_equal(cache_get(c, &k, 0, &out), CACHE_MISS);
	cache_stats(c, &stats);
	assert_int_equal(stats.hits, 2);
	assert_int_equal(stats.misses, 1);
	assert_int_equal(stats.refreshes, 0);
	assert_true(stats.bytes > 100 * 100);
	assert_true(stats.bytes < 100 * 300);
	cache_free(c);
	cache_free(NULL);
}

struct seen {
	struct cache *c;
	int n, stop;
	char last[64];
	const char *drop_domain;
};

static bool
see(void *arg, const struct cache_item *item)
{
	struct seen *s = arg;

	s->n++;
	(void)snprintf(s->last, sizeof s->last, "%s@%s %s %lld %lld",
	    item->local, item->domain, verdict_name(item->answer.verdict),
	    (long long)item->age_ms, (long long)item->left_ms);
	if (s->drop_domain != NULL) {
		const struct cache_select which = { s->drop_domain, NULL };

		cache_drop(s->c, &which);
	}
	return s->n != s->stop;
}

static int
count(struct cache *c, const char *domain, const char *local)
{
	const struct cache_select which = { domain, local };
	struct seen s = { c, 0, 0, "", NULL };

	cache_walk(c, &which, 0, see, &s);
	return s.n;
}

static void
test_walk_selects(void **state)
{
	struct cache *c = cache_new(10000);
	const struct cache_select one = { "example.org", "u1" };
	const struct cache_select all = { NULL, NULL };
	struct seen s = { c, 0, 0, "", NULL };
	struct cache_key other;
	struct answer a = good();

	(void)state;
	assert_int_equal(count(c, NULL, NULL), 0);
	fill(c, "example.com", 3000);
	fill(c, "example.org", 20);
	assert_true(cache_key_set(&other, "example.org", "u1", "r9", 2));
	cache_put(c, &other, &a, &lives, 0);
	assert_int_equal(count(c, NULL, NULL), 3021);
	assert_int_equal(count(c, "example.com", NULL), 3000);
	assert_int_equal(count(c, "example.org", NULL), 21);
	assert_int_equal(count(c, "example.org", "u1"), 2);
	assert_int_equal(count(c, "example.or", NULL), 0);
	assert_int_equal(count(c, "example.org", "u"), 0);
	s.stop = 1;
	cache_walk(c, &one, 60 * SECOND, see, &s);
	assert_string_equal(s.last, "u1@example.org reject 60000 7140000");
	assert_int_equal(s.n, 1);
	s.n = 0;
	s.stop = 10;
	cache_walk(c, &all, 0, see, &s);
	assert_int_equal(s.n, 10);
	cache_free(c);
}

static void
test_drop_selects(void **state)
{
	struct cache *c = cache_new(10000);
	struct cache_select which = { "example.org", "u1" };
	struct cache_stats stats;

	(void)state;
	fill(c, "example.com", 3000);
	fill(c, "example.org", 20);
	assert_int_equal(cache_drop(c, &which), 1);
	assert_int_equal(count(c, "example.org", "u1"), 0);
	assert_int_equal(count(c, NULL, NULL), 3019);
	which.local = NULL;
	assert_int_equal(cache_drop(c, &which), 19);
	assert_int_equal(cache_drop(c, &which), 0);
	which.domain = NULL;
	assert_int_equal(cache_drop(c, &which), 3000);
	cache_stats(c, &stats);
	assert_int_equal(stats.entries, 0);
	assert_int_equal(stats.bytes, 0);
	cache_free(c);
}

/* The entry that the walk would come to next goes away under it. */
static void
test_walk_while_entries_go(void **state)
{
	struct cache *c = cache_new(100);
	const struct cache_select all = { NULL, NULL };
	struct seen s = { c, 0, 0, "", "example.org" };

	(void)state;
	fill(c, "example.com", 1);
	fill(c, "example.org", 50);
	fill(c, "example.net", 10);
	cache_walk(c, &all, 0, see, &s);
	assert_int_equal(s.n, 11);
	cache_free(c);
}

static void *
hammer(void *arg)
{
	struct cache *c = arg;
	const struct cache_select which = { "example.com", NULL };
	struct answer a = good(), out;
	char local[16];
	int i;

	for (i = 0; i < 20000; i++) {
		struct cache_key k;

		(void)snprintf(local, sizeof local, "u%d", i * 7919 % 700);
		k = key("example.com", local);
		if (cache_get(c, &k, i, &out) == CACHE_MISS)
			cache_put(c, &k, &a, &lives, i);
		else if (out.verdict != VERDICT_ACCEPT ||
		    strcmp(out.upstream, "mx1.example.net:25") != 0)
			return arg;
		if (i % 1000 == 0)
			(void)count(c, "example.com", NULL);
		if (i % 5000 == 0)
			(void)cache_drop(c, &which);
	}
	return NULL;
}

static void
test_many_threads(void **state)
{
	struct cache *c = cache_new(500);
	struct cache_stats stats;
	pthread_t thread[4];
	void *failed;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_int_equal(
		    pthread_create(&thread[i], NULL, hammer, c), 0);
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
	cache_stats(c, &stats);
	assert_int_equal(stats.hits + stats.misses, 80000);
	assert_true(stats.entries <= 500);
	cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_back_what_was_put),
		cmocka_unit_test(test_each_kind_has_its_life),
		cmocka_unit_test(test_life_of_zero_is_not_kept),
		cmocka_unit_test(test_keys_differ_in_each_part),
		cmocka_unit_test(test_key_has_a_limit),
		cmocka_unit_test(
		    test_refresh_after_half_the_life_by_one_caller),
		cmocka_unit_test(test_only_positive_entries_are_refreshed),
		cmocka_unit_test(test_temporary_never_replaces_a_fresh_verdict),
		cmocka_unit_test(test_negative_turns_positive_at_once),
		cmocka_unit_test(test_two_contradictions_five_minutes_apart),
		cmocka_unit_test(test_accept_clears_a_contradiction),
		cmocka_unit_test(test_contradiction_past_half_life),
		cmocka_unit_test(test_bounded_and_counted),
		cmocka_unit_test(test_walk_selects),
		cmocka_unit_test(test_drop_selects),
		cmocka_unit_test(test_walk_while_entries_go),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
