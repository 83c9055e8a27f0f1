/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/shield.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/shield_case.h"

static void
test_account_limit(void **state)
{
	struct shield *s = make(100);

	(void)state;
	for (int64_t i = 0; i < 3; i++)
		assert_int_equal(guess(s, "ann", "", i), SHIELD_PASS);
	assert_int_equal(guess(s, "ann", "", 3), SHIELD_ACCOUNT);
	assert_int_equal(guess(s, "bob", "", 3), SHIELD_PASS);
	/* The first failure counts to the end of its window. */
	assert_int_equal(ask(s, "ann", "", 30 * MINUTE), SHIELD_ACCOUNT);
	assert_int_equal(guess(s, "ann", "", 30 * MINUTE + 1), SHIELD_PASS);
	assert_int_equal(ask(s, "ann", "", 30 * MINUTE + 1), SHIELD_ACCOUNT);
	assert_int_equal(ask(s, "ann", "", 30 * MINUTE + 2), SHIELD_PASS);
	shield_free(s);
}

static void
test_key(void **state)
{
	struct shield *s = make(100);
	struct shield_visit other = visit("ann", "");

	(void)state;
	other.route = "elsewhere";
	assert_int_equal(guess(s, "ann", "", 0), SHIELD_PASS);
	assert_int_equal(guess(s, "Ann", "", 0), SHIELD_PASS);
	assert_int_equal(guess(s, "ANN", "", 0), SHIELD_PASS);
	assert_int_equal(ask(s, "aNN", "", 0), SHIELD_ACCOUNT);
	assert_int_equal(attempt(s, other, SHIELD_BAD, 0), SHIELD_PASS);
	shield_free(s);
}

static void
test_long_names_differ(void **state)
{
	struct shield *s = make(100);
	char name[1200], twin[1200];

	(void)state;
	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	memcpy(twin, name, sizeof name);
	twin[sizeof twin - 2] = 'b';
	for (int i = 0; i < 3; i++)
		assert_int_equal(guess(s, name, "", 0), SHIELD_PASS);
	assert_int_equal(ask(s, name, "", 0), SHIELD_ACCOUNT);
	assert_int_equal(ask(s, twin, "", 0), SHIELD_PASS);
	shield_free(s);
}

/* Attempts under way are failures until they have ended otherwise. */
static void
test_under_way(void **state)
{
	struct shield *s = make(100);
	struct shield_visit v = visit("ann", "");

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(shield_enter(s, &v, &limits, 0), SHIELD_PASS);
	assert_int_equal(shield_enter(s, &v, &limits, 0), SHIELD_ACCOUNT);
	/* However long they last. */
	assert_int_equal(
	    shield_enter(s, &v, &limits, 90 * MINUTE), SHIELD_ACCOUNT);
	shield_leave(s, &v, SHIELD_UNSURE, 0);
	assert_int_equal(shield_enter(s, &v, &limits, 0), SHIELD_PASS);
	shield_leave(s, &v, SHIELD_BAD, 0);
	shield_leave(s, &v, SHIELD_GOOD, 0);
	shield_leave(s, &v, SHIELD_LOST, 0);
	/* Two of them count: refused, and never answered. */
	assert_int_equal(shield_enter(s, &v, &limits, 0), SHIELD_PASS);
	assert_int_equal(shield_enter(s, &v, &limits, 0), SHIELD_ACCOUNT);
	shield_leave(s, &v, SHIELD_UNSURE, 0);
	shield_free(s);
}

/* A failure counts from the end of the attempt, not from its beginning. */
static void
test_counts_from_the_end(void **state)
{
	struct shield *s = make(100);
	struct shield_visit v = visit("ann", "");

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(shield_enter(s, &v, &limits, 0), SHIELD_PASS);
	for (int i = 0; i < 3; i++)
		shield_leave(s, &v, SHIELD_BAD, 20000);
	assert_int_equal(
	    ask(s, "ann", "", 30 * MINUTE + 20000), SHIELD_ACCOUNT);
	assert_int_equal(ask(s, "ann", "", 30 * MINUTE + 20001), SHIELD_PASS);
	shield_free(s);
}

/* Times that come out of order, as threads may give them. */
static void
test_time_out_of_order(void **state)
{
	struct shield *s = make(100);

	(void)state;
	assert_int_equal(guess(s, "ann", "", 1000), SHIELD_PASS);
	assert_int_equal(guess(s, "ann", "", 990), SHIELD_PASS);
	assert_int_equal(guess(s, "ann", "", 995), SHIELD_PASS);
	assert_int_equal(ask(s, "ann", "", 996), SHIELD_ACCOUNT);
	assert_int_equal(ask(s, "ann", "", 30 * MINUTE + 1000), SHIELD_ACCOUNT);
	assert_int_equal(ask(s, "ann", "", 30 * MINUTE + 1001), SHIELD_PASS);
	/* Another one comes, while the first of them still counts. */
	assert_int_equal(guess(s, "bob", "", 1000), SHIELD_PASS);
	for (int i = 0; i < 2; i++)
		assert_int_equal(guess(s, "bob", "", 990), SHIELD_PASS);
	assert_int_equal(guess(s, "cid", "", 30 * MINUTE + 995), SHIELD_PASS);
	assert_int_equal(ask(s, "bob", "", 30 * MINUTE + 995), SHIELD_ACCOUNT);
	shield_free(s);
}

/* The configuration is read again, with another limit. */
static void
test_limit_changes(void **state)
{
	struct shield_limits more = limits;
	struct shield_visit v = visit("ann", "");
	struct shield *s = make(100);

	(void)state;
	more.failures = 6;
	for (int64_t i = 1; i <= 3; i++)
		assert_int_equal(guess(s, "ann", "", i), SHIELD_PASS);
	for (int i = 0; i < 3; i++)
		assert_int_equal(shield_enter(s, &v, &more, 4), SHIELD_PASS);
	assert_int_equal(shield_enter(s, &v, &more, 4), SHIELD_ACCOUNT);
	for (int i = 0; i < 3; i++)
		shield_leave(s, &v, SHIELD_BAD, 5);
	more.failures = 8;
	for (int i = 0; i < 2; i++)
		assert_int_equal(shield_enter(s, &v, &more, 6), SHIELD_PASS);
	assert_int_equal(shield_enter(s, &v, &more, 6), SHIELD_ACCOUNT);
	for (int i = 0; i < 2; i++)
		shield_leave(s, &v, SHIELD_UNSURE, 6);
	more.failures = 6;
	/* The three from before are over, the three others are not. */
	assert_int_equal(
	    shield_enter(s, &v, &more, 30 * MINUTE + 4), SHIELD_PASS);
	shield_leave(s, &v, SHIELD_UNSURE, 30 * MINUTE + 4);
	assert_int_equal(ask(s, "ann", "", 30 * MINUTE + 4), SHIELD_ACCOUNT);
	shield_free(s);
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#define SLOTS    8
#define REFUSALS 100000

/*
 * An attacker with several connections and an upstream that refuses at any
 * moment of an attempt: whatever the order, no window holds more refusals
 * than are allowed.
 */
static void
any_window(long failures, uint64_t seed)
{
	static int64_t refused[REFUSALS];
	struct shield_limits l = { failures, 1000, 0, 0 };
	struct shield_visit v = visit("ann", "");
	struct shield *s = make(10);
	int64_t refused_at[SLOTS] = { 0 }, leaves_at[SLOTS] = { 0 };
	bool busy[SLOTS] = { false };
	size_t n = 0;

	for (int64_t now = 0; now < 200000 && n < REFUSALS; now++) {
		size_t i = next_random(&seed) % SLOTS;

		if (busy[i] && leaves_at[i] <= now) {
			shield_leave(s, &v, SHIELD_BAD, now);
			refused[n++] = refused_at[i];
			busy[i] = false;
		} else if (!busy[i] &&
		    shield_enter(s, &v, &l, now) == SHIELD_PASS) {
			refused_at[i] =
			    now + (int64_t)(next_random(&seed) % 300);
			leaves_at[i] =
			    refused_at[i] + (int64_t)(next_random(&seed) % 300);
			busy[i] = true;
		}
	}
	assert_true(n > 100);
	for (size_t i = 0; i < n; i++) {
		long inside = 0;

		for (size_t k = 0; k < n; k++)
			inside += refused[k] >= refused[i] &&
			    refused[k] <= refused[i] + l.window_ms;
		if (inside > failures)
			fail_msg("got %ld refusals in a window, want %ld",
			    inside, failures);
	}
	shield_free(s);
}

static void
test_any_window(void **state)
{
	(void)state;
	any_window(1, 1);
	any_window(2, 22);
	any_window(3, 333);
	any_window(5, 4444);
	any_window(20, 55555);
}

static void
test_no_limit(void **state)
{
	struct shield *s = make(100);
	struct shield_limits none = { 0, 0, 0, 0 };
	struct shield_visit v = visit("ann", "192.0.2.1");

	(void)state;
	for (int64_t i = 0; i < 100; i++) {
		assert_int_equal(shield_enter(s, &v, &none, i), SHIELD_PASS);
		assert_int_equal(shield_delay(s, v.client, &none, false, i), 0);
	}
	for (int64_t i = 0; i < 100; i++)
		shield_leave(s, &v, SHIELD_BAD, i);
	assert_int_equal(shield_enter(s, &v, &none, 100), SHIELD_PASS);
	shield_leave(s, &v, SHIELD_UNSURE, 100);
	shield_free(s);
}

/* The largest limit there is, reached with all of it under way. */
static void
test_large_limit(void **state)
{
	struct shield_limits l = { SHIELD_FAILURES_MAX, 1000, 0, 0 };
	struct shield_visit v = visit("ann", "");
	struct shield *s = make(100);

	(void)state;
	for (int i = 0; i < SHIELD_FAILURES_MAX; i++)
		assert_int_equal(shield_enter(s, &v, &l, 0), SHIELD_PASS);
	assert_int_equal(shield_enter(s, &v, &l, 0), SHIELD_ACCOUNT);
	for (int64_t i = 0; i < SHIELD_FAILURES_MAX; i++)
		shield_leave(s, &v, SHIELD_BAD, i);
	assert_int_equal(shield_enter(s, &v, &l, 1000), SHIELD_ACCOUNT);
	assert_int_equal(shield_enter(s, &v, &l, 1001), SHIELD_PASS);
	assert_int_equal(shield_enter(s, &v, &l, 1001), SHIELD_ACCOUNT);
	shield_leave(s, &v, SHIELD_UNSURE, 1001);
	shield_free(s);
}

static void
test_known_passes(void **state)
{
	struct shield *s = make(100);
	struct shield_visit known = visit("ann", "198.51.100.7");

	(void)state;
	known.known = true;
	for (int64_t i = 0; i < 20; i++)
		(void)guess(s, "ann", "192.0.2.1", i);
	for (int i = 0; i < 10; i++)
		(void)shield_delay(s, "198.51.100.7", &limits, false, 30);
	assert_int_equal(ask(s, "bob", "198.51.100.7", 31), SHIELD_CLIENT);
	assert_int_equal(attempt(s, known, SHIELD_GOOD, 31), SHIELD_PASS);
	/* It counts all the same when the upstream refuses it. */
	assert_int_equal(
	    attempt(s, known, SHIELD_BAD, 10 * MINUTE), SHIELD_PASS);
	assert_int_equal(ask(s, "ann", "192.0.2.9", 31 * MINUTE), SHIELD_PASS);
	assert_int_equal(
	    guess(s, "ann", "192.0.2.9", 31 * MINUTE), SHIELD_PASS);
	assert_int_equal(
	    guess(s, "ann", "192.0.2.9", 31 * MINUTE), SHIELD_ACCOUNT);
	shield_free(s);
}

static void
test_reserve(void **state)
{
	struct shield *s = make(100);
	const char *home = "198.51.100.7", *thief = "192.0.2.1";

	(void)state;
	assert_int_equal(
	    attempt(s, visit("ann", home), SHIELD_GOOD, 0), SHIELD_PASS);
	assert_int_equal(guess(s, "ann", thief, 1), SHIELD_PASS);
	assert_int_equal(guess(s, "ann", thief, 2), SHIELD_PASS);
	assert_int_equal(guess(s, "ann", thief, 3), SHIELD_ACCOUNT);
	/* No address is not a familiar one. */
	assert_int_equal(guess(s, "ann", "", 3), SHIELD_ACCOUNT);
	assert_int_equal(guess(s, "ann", home, 4), SHIELD_PASS);
	assert_int_equal(guess(s, "ann", home, 5), SHIELD_ACCOUNT);
	/* Another account, and one nobody logged in to, keep nothing. */
	for (int64_t i = 0; i < 3; i++)
		assert_int_equal(guess(s, "bob", thief, i), SHIELD_PASS);
	shield_free(s);
}

static void
test_reserve_ends(void **state)
{
	struct shield *s = make(100);
	int64_t late = SHIELD_LATELY_MS + 1;

	(void)state;
	(void)attempt(s, visit("ann", "198.51.100.7"), SHIELD_GOOD, 0);
	assert_int_equal(guess(s, "ann", "192.0.2.1", late - 1), SHIELD_PASS);
	assert_int_equal(guess(s, "ann", "192.0.2.1", late - 1), SHIELD_PASS);
	assert_int_equal(
	    guess(s, "ann", "192.0.2.1", late - 1), SHIELD_ACCOUNT);
	assert_int_equal(guess(s, "ann", "192.0.2.1", late), SHIELD_PASS);
	shield_free(s);
}

/* Of one failure none can be kept. */
static void
test_no_reserve_of_one(void **state)
{
	struct shield_limits one = { 1, 1000, 0, 0 };
	struct shield_visit home = visit("ann", "198.51.100.7");
	struct shield_visit thief = visit("ann", "192.0.2.1");
	struct shield *s = make(100);

	(void)state;
	assert_int_equal(shield_enter(s, &home, &one, 0), SHIELD_PASS);
	shield_leave(s, &home, SHIELD_GOOD, 0);
	assert_int_equal(shield_enter(s, &thief, &one, 0), SHIELD_PASS);
	shield_leave(s, &thief, SHIELD_BAD, 0);
	assert_int_equal(shield_enter(s, &home, &one, 0), SHIELD_ACCOUNT);
	shield_free(s);
}

/* The last few addresses of an account, whatever came before. */
static void
test_addresses_of_an_account(void **state)
{
	struct shield *s = make(100);
	char client[32];

	(void)state;
	for (int i = 0; i <= SHIELD_ADDRESSES; i++) {
		(void)snprintf(client, sizeof client, "192.0.2.%d", i);
		(void)attempt(s, visit("ann", client), SHIELD_GOOD, i);
		/* One that comes back is not counted twice. */
		(void)attempt(s, visit("ann", client), SHIELD_GOOD, i);
	}
	(void)guess(s, "ann", "203.0.113.1", 100);
	(void)guess(s, "ann", "203.0.113.1", 100);
	assert_int_equal(ask(s, "ann", "192.0.2.0", 100), SHIELD_ACCOUNT);
	for (int i = 1; i <= SHIELD_ADDRESSES; i++) {
		(void)snprintf(client, sizeof client, "192.0.2.%d", i);
		assert_int_equal(ask(s, "ann", client, 100), SHIELD_PASS);
	}
	shield_free(s);
}

/* The one that was used longest ago makes room, whenever it first came. */
static void
test_addresses_in_use_stay(void **state)
{
	struct shield *s = make(100);
	char client[32];

	(void)state;
	for (int i = 0; i < SHIELD_ADDRESSES; i++) {
		(void)snprintf(client, sizeof client, "192.0.2.%d", i);
		(void)attempt(s, visit("ann", client), SHIELD_GOOD, i);
	}
	(void)attempt(s, visit("ann", "192.0.2.0"), SHIELD_GOOD, 50);
	(void)attempt(s, visit("ann", "198.51.100.7"), SHIELD_GOOD, 51);
	(void)guess(s, "ann", "203.0.113.1", 100);
	(void)guess(s, "ann", "203.0.113.1", 100);
	assert_int_equal(ask(s, "ann", "192.0.2.0", 100), SHIELD_PASS);
	assert_int_equal(ask(s, "ann", "198.51.100.7", 100), SHIELD_PASS);
	assert_int_equal(ask(s, "ann", "192.0.2.1", 100), SHIELD_ACCOUNT);
	shield_free(s);
}

static void
test_accounts_in_use_stay(void **state)
{
	struct shield *s = make(2);
	const char *home = "198.51.100.7";

	(void)state;
	(void)attempt(s, visit("ann", home), SHIELD_GOOD, 0);
	(void)attempt(s, visit("bob", home), SHIELD_GOOD, 1);
	(void)attempt(s, visit("ann", home), SHIELD_GOOD, 2);
	(void)attempt(s, visit("cid", home), SHIELD_GOOD, 3);
	for (int i = 0; i < 2; i++) {
		(void)guess(s, "ann", "192.0.2.1", 4);
		(void)guess(s, "bob", "192.0.2.1", 4);
	}
	assert_int_equal(ask(s, "ann", "192.0.2.1", 5), SHIELD_ACCOUNT);
	assert_int_equal(ask(s, "bob", "192.0.2.1", 5), SHIELD_PASS);
	shield_free(s);
}

static void
test_drop(void **state)
{
	struct shield *s = make(100);
	struct shield_visit other = visit("ann", "");
	struct shield_stats st;

	(void)state;
	other.route = "elsewhere";
	for (int64_t i = 0; i < 3; i++) {
		(void)guess(s, "ann", "", i);
		(void)guess(s, "bob", "", i);
		(void)attempt(s, other, SHIELD_BAD, i);
	}
	(void)attempt(s, visit("cid", "192.0.2.1"), SHIELD_GOOD, 3);
	(void)shield_delay(s, "192.0.2.1", &limits, false, 3);
	assert_int_equal(ask(s, "ann", "", 3), SHIELD_ACCOUNT);
	assert_int_equal(shield_drop(s, "Ann"), 2);
	assert_int_equal(shield_drop(s, "ann"), 0);
	assert_int_equal(ask(s, "ann", "", 3), SHIELD_PASS);
	assert_int_equal(attempt(s, other, SHIELD_BAD, 3), SHIELD_PASS);
	assert_int_equal(ask(s, "bob", "", 3), SHIELD_ACCOUNT);
	/* One with failures and addresses is one. */
	(void)guess(s, "cid", "", 3);
	assert_int_equal(shield_drop(s, NULL), 3);
	assert_int_equal(ask(s, "bob", "", 3), SHIELD_PASS);
	shield_stats(s, &st);
	assert_int_equal(st.accounts, 0);
	assert_int_equal(st.clients, 0);
	shield_free(s);
}

/* What is under way when an account is dropped still counts, and ends in
 * order. */
static void
test_drop_under_way(void **state)
{
	struct shield *s = make(100);
	struct shield_visit v = visit("ann", "");
	struct shield_stats st;

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)shield_enter(s, &v, &limits, 0);
	(void)shield_drop(s, "ann");
	assert_int_equal(shield_enter(s, &v, &limits, 0), SHIELD_ACCOUNT);
	for (int i = 0; i < 3; i++)
		shield_leave(s, &v, SHIELD_UNSURE, 0);
	shield_stats(s, &st);
	assert_int_equal(st.accounts, 0);
	shield_free(s);
}

static void
test_stats(void **state)
{
	struct shield *s = make(100);
	struct shield_stats st;

	(void)state;
	for (int64_t i = 0; i < 5; i++)
		(void)guess(s, "ann", "192.0.2.1", i);
	for (int64_t i = 0; i < 10; i++)
		(void)shield_delay(s, "192.0.2.1", &limits, false, i);
	(void)guess(s, "bob", "192.0.2.1", 11);
	(void)attempt(s, visit("cid", "192.0.2.9"), SHIELD_GOOD, 11);
	shield_stats(s, &st);
	assert_int_equal(st.accounts, 1);
	assert_int_equal(st.clients, 1);
	assert_int_equal(st.held_accounts, 2);
	assert_int_equal(st.held_clients, 1);
	shield_free(s);
}

struct crowd {
	struct shield *s;
	_Atomic long under_way, most;
	_Atomic int64_t clock;
	_Atomic long refusals;
};

static void *
guesser(void *arg)
{
	struct crowd *c = arg;
	struct shield_visit v = visit("ann", "192.0.2.1");

	for (int i = 0; i < 3000; i++) {
		int64_t now = atomic_fetch_add(&c->clock, 1);
		long n, most;

		(void)shield_delay(c->s, v.client, &limits, false, now);
		if (shield_enter(c->s, &v,
			&(struct shield_limits){ 3, 1000, 0, 0 },
			now) != SHIELD_PASS)
			continue;
		n = atomic_fetch_add(&c->under_way, 1) + 1;
		most = atomic_load(&c->most);
		while (n > most &&
		    !atomic_compare_exchange_weak(&c->most, &most, n))
			;
		atomic_fetch_add(&c->refusals, 1);
		atomic_fetch_sub(&c->under_way, 1);
		shield_leave(c->s, &v, SHIELD_BAD, atomic_load(&c->clock));
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct crowd c = { .s = make(100) };
	pthread_t threads[4];
	int64_t windows;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, guesser, &c), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	windows = c.clock / 1000 + 1;
	assert_in_range(c.most, 1, 3);
	assert_in_range(c.refusals, 3, 3 * windows);
	shield_free(c.s);
}

static void
test_nothing(void **state)
{
	(void)state;
	shield_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account_limit),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_long_names_differ),
		cmocka_unit_test(test_under_way),
		cmocka_unit_test(test_counts_from_the_end),
		cmocka_unit_test(test_time_out_of_order),
		cmocka_unit_test(test_limit_changes),
		cmocka_unit_test(test_any_window),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_large_limit),
		cmocka_unit_test(test_known_passes),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_reserve_ends),
		cmocka_unit_test(test_no_reserve_of_one),
		cmocka_unit_test(test_addresses_of_an_account),
		cmocka_unit_test(test_addresses_in_use_stay),
		cmocka_unit_test(test_accounts_in_use_stay),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_drop_under_way),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
