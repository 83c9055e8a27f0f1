/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/shield.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/shield_case.h"

static void
test_client_limit(void **state)
{
	struct shield *s = make(100);
	const char *thief = "192.0.2.1";

	(void)state;
	(void)attempt(s, visit("ann", thief), SHIELD_GOOD, 0);
	for (int64_t i = 0; i < 10; i++) {
		assert_int_equal(ask(s, "bob", thief, i), SHIELD_PASS);
		(void)shield_delay(s, thief, &limits, false, i);
	}
	assert_int_equal(ask(s, "bob", thief, 10), SHIELD_CLIENT);
	assert_int_equal(ask(s, "bob", "192.0.2.2", 10), SHIELD_PASS);
	assert_int_equal(ask(s, "bob", "", 10), SHIELD_PASS);
	/* An account it has logged in to is nothing new. */
	assert_int_equal(ask(s, "ann", thief, 10), SHIELD_PASS);
	assert_int_equal(ask(s, "bob", thief, 10 * MINUTE), SHIELD_CLIENT);
	assert_int_equal(ask(s, "bob", thief, 10 * MINUTE + 1), SHIELD_PASS);
	shield_free(s);
}

static void
test_delay(void **state)
{
	static const int64_t want[] = { 0, 0, 1000, 2000, 4000, 8000, 15000,
		15000, 15000 };
	struct shield *s = make(100);

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		int64_t got =
		    shield_delay(s, "192.0.2.1", &limits, false, (int64_t)i);

		if (got != want[i])
			fail_msg("failure %zu: got %" PRId64 ", want %" PRId64,
			    i + 1, got, want[i]);
	}
	assert_int_equal(shield_delay(s, "192.0.2.2", &limits, false, 9), 0);
	assert_int_equal(shield_delay(s, "", &limits, false, 9), 0);
	assert_int_equal(
	    shield_delay(s, "192.0.2.1", &limits, false, 20 * MINUTE), 0);
	shield_free(s);
}

/* A limit below the length of the curve leaves the curve as it is. */
static void
test_delay_of_small_limit(void **state)
{
	struct shield_limits l = limits;
	struct shield *s = make(100);
	int64_t delay = 0;

	(void)state;
	l.client_failures = 1;
	for (int64_t i = 0; i < 7; i++)
		delay = shield_delay(s, "192.0.2.1", &l, false, i);
	assert_int_equal(delay, SHIELD_DELAY_MAX_MS);
	shield_free(s);
}

static void
test_delay_of_repeated(void **state)
{
	struct shield *s = make(100);

	(void)state;
	for (int64_t i = 0; i < 50; i++)
		assert_int_equal(
		    shield_delay(s, "192.0.2.1", &limits, true, i), 1000);
	assert_int_equal(ask(s, "bob", "192.0.2.1", 50), SHIELD_PASS);
	for (int64_t i = 50; i < 55; i++)
		(void)shield_delay(s, "192.0.2.1", &limits, false, i);
	assert_int_equal(shield_delay(s, "192.0.2.1", &limits, true, 55), 4000);
	assert_int_equal(shield_delay(s, "", &limits, true, 55), 0);
	shield_free(s);
}

/* Which addresses are one client. */
static void
test_clients(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "192.0.2.1", "::ffff:c000:201", true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "192.0.2.1", "192.0.2.1;49152", true },
		{ "192.0.2.1;1", "192.0.2.1;2", true },
		{ "2001:db8:1:2::1", "2001:db8:1:2:ffff::1", true },
		{ "2001:db8:1:2::1", "2001:db8:1:3::1", false },
		{ "2001:db8:1:2::1", "IPv6:2001:DB8:1:2::2;25", true },
		{ "fe80::1%eth0", "fe80::2", true },
		{ "c000:201::", "192.0.2.1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct shield *s = make(100);
		bool same;

		for (int k = 0; k < 10; k++)
			(void)shield_delay(s, rows[i].a, &limits, false, 0);
		assert_int_equal(ask(s, "ann", rows[i].a, 0), SHIELD_CLIENT);
		same = ask(s, "ann", rows[i].b, 0) == SHIELD_CLIENT;
		if (same != rows[i].same)
			fail_msg(
			    "%s and %s: got %d", rows[i].a, rows[i].b, same);
		shield_free(s);
	}
}

static void
test_no_clients(void **state)
{
	static const char *const rows[] = { "", "unknown", "192.0.2.0/24",
		"192.0.2", ";25", "IPv6:", "%eth0", "-",
		"1111111111111111111111111111111111111111111111111111111111" };
	struct shield *s = make(100);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int k = 0; k < 20; k++)
			assert_int_equal(
			    shield_delay(s, rows[i], &limits, false, 0), 0);
		assert_int_equal(ask(s, "ann", rows[i], 0), SHIELD_PASS);
	}
	shield_free(s);
}

/* A flood of other names does not reset an account that is at its limit. */
static void
test_flood_of_names(void **state)
{
	struct shield *s = make(50);
	struct shield_stats st;
	char name[32];

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)guess(s, "ann", "", 0);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof name, "user%d", i);
		(void)guess(s, name, "", i);
		/* Twice, some of them: fewer than ann has. */
		if (i % 2 == 0)
			(void)guess(s, name, "", i);
		if (ask(s, "ann", "", i) != SHIELD_ACCOUNT)
			fail_msg("reset after %d names", i);
	}
	shield_stats(s, &st);
	assert_in_range(st.accounts, 1, 50);
	shield_free(s);
}

/* Neither does it make anybody's address forgotten. */
static void
test_flood_keeps_addresses(void **state)
{
	struct shield *s = make(50);
	char name[32];

	(void)state;
	(void)attempt(s, visit("ann", "198.51.100.7"), SHIELD_GOOD, 0);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof name, "user%d", i % 1000);
		(void)guess(s, name, "192.0.2.1", 1);
	}
	(void)guess(s, "ann", "192.0.2.1", 2);
	(void)guess(s, "ann", "192.0.2.1", 2);
	assert_int_equal(ask(s, "ann", "192.0.2.1", 2), SHIELD_ACCOUNT);
	assert_int_equal(ask(s, "ann", "198.51.100.7", 2), SHIELD_PASS);
	shield_free(s);
}

static void
test_flood_of_clients(void **state)
{
	struct shield *s = make(50);
	struct shield_stats st;
	char client[64];

	(void)state;
	for (int i = 0; i < 10; i++)
		(void)shield_delay(s, "192.0.2.1", &limits, false, 0);
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(
		    client, sizeof client, "2001:db8:%x:%x::1", i / 256, i);
		(void)shield_delay(s, client, &limits, false, i);
	}
	assert_int_equal(ask(s, "ann", "192.0.2.1", 5000), SHIELD_CLIENT);
	shield_stats(s, &st);
	assert_in_range(st.clients, 1, 50);
	shield_free(s);
}

/* Failures whose window is over do not keep their place. */
static void
test_old_ones_give_way(void **state)
{
	struct shield *s = make(50);
	struct shield_stats st;
	char name[32];

	(void)state;
	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof name, "user%d", i);
		for (int k = 0; k < 3; k++)
			(void)guess(s, name, "", 0);
	}
	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof name, "later%d", i);
		(void)guess(s, name, "", 40 * MINUTE);
	}
	/* All of the second wave are remembered. */
	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof name, "later%d", i);
		(void)guess(s, name, "", 40 * MINUTE);
		(void)guess(s, name, "", 40 * MINUTE);
		assert_int_equal(ask(s, name, "", 40 * MINUTE), SHIELD_ACCOUNT);
	}
	shield_stats(s, &st);
	assert_in_range(st.accounts, 50, 51);
	shield_free(s);
}

/* More under way than there is room for: all of them count. */
static void
test_more_under_way_than_room(void **state)
{
	struct shield *s = make(4);
	struct shield_stats st;
	char names[20][16];

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct shield_visit v = visit(names[i], "");

		(void)snprintf(names[i], sizeof names[i], "user%d", i);
		for (int k = 0; k < 3; k++)
			assert_int_equal(
			    shield_enter(s, &v, &limits, 0), SHIELD_PASS);
	}
	for (int i = 0; i < 20; i++) {
		struct shield_visit v = visit(names[i], "");

		assert_int_equal(
		    shield_enter(s, &v, &limits, 0), SHIELD_ACCOUNT);
		for (int k = 0; k < 3; k++)
			shield_leave(s, &v, SHIELD_UNSURE, 0);
	}
	shield_stats(s, &st);
	assert_int_equal(st.accounts, 0);
	shield_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_limit),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_delay_of_small_limit),
		cmocka_unit_test(test_delay_of_repeated),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_no_clients),
		cmocka_unit_test(test_flood_of_names),
		cmocka_unit_test(test_flood_keeps_addresses),
		cmocka_unit_test(test_flood_of_clients),
		cmocka_unit_test(test_old_ones_give_way),
		cmocka_unit_test(test_more_under_way_than_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
