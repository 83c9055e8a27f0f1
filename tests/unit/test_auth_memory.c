/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/memory_case.h"

static void
test_bad(void **state)
{
	struct auth_memory *m = make(100);

	(void)state;
	told(m, "ann", "wrong", AUTH_END_BAD, 15 * MINUTE);
	assert_int_equal(look(m, "ann", "wrong"), AUTH_MEMORY_BAD);
	assert_int_equal(look(m, "ann", "right"), AUTH_MEMORY_ASK);
	assert_int_equal(look(m, "bob", "wrong"), AUTH_MEMORY_ASK);
	ahead_ms = 15 * MINUTE - 2000;
	assert_int_equal(look(m, "ann", "wrong"), AUTH_MEMORY_BAD);
	ahead_ms = 15 * MINUTE + 1;
	assert_int_equal(look(m, "ann", "wrong"), AUTH_MEMORY_ASK);
	/* And once more, in the place of what has run out. */
	told(m, "ann", "wrong", AUTH_END_BAD, 15 * MINUTE);
	assert_int_equal(look(m, "ann", "wrong"), AUTH_MEMORY_BAD);
	auth_memory_free(m);
}

static void
test_bad_not_kept(void **state)
{
	struct auth_memory *m = make(100);

	(void)state;
	told(m, "ann", "wrong", AUTH_END_BAD, 0);
	assert_int_equal(look(m, "ann", "wrong"), AUTH_MEMORY_ASK);
	auth_memory_free(m);
}

static void
test_life_without_end(void **state)
{
	struct auth_memory *m = make(100);

	(void)state;
	told(m, "ann", "wrong", AUTH_END_BAD, INT64_MAX);
	told(m, "bob", "right", AUTH_END_GOOD, INT64_MAX);
	ahead_ms = 1000000 * MINUTE;
	assert_int_equal(look(m, "ann", "wrong"), AUTH_MEMORY_BAD);
	assert_int_equal(look(m, "bob", "right"), AUTH_MEMORY_GOOD);
	auth_memory_free(m);
}

/* What is one pair, and what is not. */
static void
test_pairs(void **state)
{
	static const struct {
		const char *route, *account, *pass;
		enum auth_memory_answer want;
	} rows[] = {
		{ "global", "ann", "wrong", AUTH_MEMORY_BAD },
		{ "domain:x", "ann", "wrong", AUTH_MEMORY_ASK },
		{ "global", "Ann", "wrong", AUTH_MEMORY_ASK },
		{ "global", "ann", "Wrong", AUTH_MEMORY_ASK },
		{ "global", "ann", "wrong ", AUTH_MEMORY_ASK },
		{ "global", "ann", "", AUTH_MEMORY_ASK },
		/* Parts that run together to the same octets. */
		{ "globala", "nn", "wrong", AUTH_MEMORY_ASK },
		{ "global", "annw", "rong", AUTH_MEMORY_ASK },
		{ "globalann", "", "wrong", AUTH_MEMORY_ASK },
	};
	struct auth_memory *m = make(100);

	(void)state;
	told(m, "ann", "wrong", AUTH_END_BAD, MINUTE);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct auth_claim *c;
		enum auth_memory_answer got = begin_by(
		    m, rows[i].route, rows[i].account, rows[i].pass, 0, &c);

		auth_claim_end(c, AUTH_END_UNSURE, 0);
		if (got != rows[i].want)
			fail_msg("row %zu: got %d", i, (int)got);
	}
	auth_memory_free(m);
}

/* Octets of a password count to the last, NUL among them. */
static void
test_password_octets(void **state)
{
	struct auth_memory *m = make(100);
	struct secret a = { NULL, 0 }, b = { NULL, 0 };
	struct auth_pair p = { "global", "ann", &a };
	struct auth_claim *c;

	(void)state;
	assert_true(secret_set(&a, "pass\0word", 9));
	assert_true(secret_set(&b, "pass\0w0rd", 9));
	assert_int_equal(
	    auth_memory_begin(m, &p, deadline_in(0), &c), AUTH_MEMORY_ASK);
	auth_claim_end(c, AUTH_END_BAD, MINUTE);
	p.pass = &b;
	assert_int_equal(
	    auth_memory_begin(m, &p, deadline_in(0), &c), AUTH_MEMORY_ASK);
	auth_claim_end(c, AUTH_END_UNSURE, 0);
	p.pass = &a;
	assert_int_equal(
	    auth_memory_begin(m, &p, deadline_in(0), &c), AUTH_MEMORY_BAD);
	assert_null(c);
	secret_release(&a);
	secret_release(&b);
	auth_memory_free(m);
}

static void
test_good(void **state)
{
	struct auth_memory *m = make(100);

	(void)state;
	told(m, "ann", "right", AUTH_END_GOOD, 5 * MINUTE);
	assert_int_equal(look(m, "ann", "right"), AUTH_MEMORY_GOOD);
	assert_int_equal(look(m, "Ann", "right"), AUTH_MEMORY_ASK);
	assert_int_equal(look(m, "ann", "wrong"), AUTH_MEMORY_ASK);
	/* Being asked for does not make it last longer. */
	ahead_ms = 4 * MINUTE;
	assert_int_equal(look(m, "ann", "right"), AUTH_MEMORY_GOOD);
	ahead_ms = 5 * MINUTE + 1;
	assert_true(known(m, "ann", "right"));
	/* Another password is the good one now. */
	told(m, "ann", "right", AUTH_END_GOOD, 5 * MINUTE);
	told(m, "ann", "newer", AUTH_END_GOOD, 5 * MINUTE);
	assert_int_equal(look(m, "ann", "newer"), AUTH_MEMORY_GOOD);
	assert_false(known(m, "ann", "right"));
	auth_memory_free(m);
}

/* Without a life a good pair is known, and never a login by itself. */
static void
test_known(void **state)
{
	struct auth_memory *m = make(100);

	(void)state;
	assert_false(auth_claim_known(NULL));
	assert_false(known(m, "ann", "right"));
	told(m, "ann", "right", AUTH_END_GOOD, 0);
	assert_true(known(m, "ann", "right"));
	assert_false(known(m, "ann", "wrong"));
	assert_false(known(m, "Ann", "right"));
	told(m, "ann", "wrong", AUTH_END_BAD, MINUTE);
	assert_true(known(m, "ann", "right"));
	ahead_ms = 100000 * MINUTE;
	assert_true(known(m, "ann", "right"));
	auth_memory_free(m);
}

static void
test_transitions(void **state)
{
	struct auth_memory *m = make(100);

	(void)state;
	/* Good, then bad: neither good nor known. */
	told(m, "ann", "pass", AUTH_END_GOOD, 0);
	told(m, "ann", "pass", AUTH_END_BAD, MINUTE);
	assert_int_equal(look(m, "ann", "pass"), AUTH_MEMORY_BAD);
	ahead_ms = MINUTE + 1;
	assert_false(known(m, "ann", "pass"));
	/* The same when the bad one is not kept. */
	told(m, "ann", "pass", AUTH_END_GOOD, 0);
	told(m, "ann", "pass", AUTH_END_BAD, 0);
	assert_false(known(m, "ann", "pass"));
	/* Bad, then good. */
	told(m, "ann", "pass", AUTH_END_BAD, MINUTE);
	ahead_ms = 2 * MINUTE + 2;
	told(m, "ann", "pass", AUTH_END_GOOD, MINUTE);
	ahead_ms = 0;
	assert_int_equal(look(m, "ann", "pass"), AUTH_MEMORY_GOOD);
	auth_memory_free(m);
}

static void
test_policy(void **state)
{
	struct auth_memory *m = make(100);
	struct auth_claim *c;

	(void)state;
	told(m, "ann", "pass", AUTH_END_GOOD, 0);
	told(m, "ann", "pass", AUTH_END_POLICY, MINUTE);
	assert_int_equal(look(m, "ann", "pass"), AUTH_MEMORY_ASK);
	assert_false(known(m, "ann", "pass"));
	/* Good until then, asked about before. */
	assert_int_equal(begin(m, "ann", "pass", &c), AUTH_MEMORY_ASK);
	auth_claim_end(c, AUTH_END_GOOD, MINUTE);
	ahead_ms = MINUTE + 1;
	told(m, "ann", "pass", AUTH_END_POLICY, MINUTE);
	ahead_ms = 0;
	assert_int_equal(look(m, "ann", "pass"), AUTH_MEMORY_ASK);
	assert_false(known(m, "ann", "pass"));
	auth_memory_free(m);
}

/* A flood of bad pairs costs old bad pairs, and nobody's known one. */
static void
test_flood(void **state)
{
	struct auth_memory *m = make(50);
	struct auth_memory_stats st;
	char pass[32];

	(void)state;
	told(m, "ann", "right", AUTH_END_GOOD, MINUTE);
	told(m, "bob", "right", AUTH_END_GOOD, 0);
	told(m, "bob", "stale", AUTH_END_BAD, MINUTE);
	told(m, "bob", "once", AUTH_END_BAD, MINUTE);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(pass, sizeof pass, "guess%d", i);
		told(m, i % 2 ? "ann" : "bob", pass, AUTH_END_BAD, MINUTE);
		/* One that is in use stays. */
		if (i % 40 == 0)
			assert_int_equal(
			    look(m, "bob", "stale"), AUTH_MEMORY_BAD);
	}
	assert_int_equal(look(m, "ann", "right"), AUTH_MEMORY_GOOD);
	assert_true(known(m, "bob", "right"));
	assert_int_equal(look(m, "bob", "once"), AUTH_MEMORY_ASK);
	assert_int_equal(look(m, "bob", "guess4998"), AUTH_MEMORY_BAD);
	auth_memory_stats(m, &st);
	assert_int_equal(st.bad, 50);
	assert_int_equal(st.known, 2);
	auth_memory_free(m);
}

static void
test_accounts_are_bounded(void **state)
{
	struct auth_memory *m = make(10);
	struct auth_memory_stats st;
	char name[32];

	(void)state;
	told(m, "user0", "right", AUTH_END_GOOD, 0);
	for (int i = 1; i < 30; i++) {
		(void)snprintf(name, sizeof name, "user%d", i);
		told(m, name, "right", AUTH_END_GOOD, 0);
		assert_true(known(m, "user0", "right"));
		told(m, "user0", "right", AUTH_END_GOOD, 0);
	}
	auth_memory_stats(m, &st);
	assert_int_equal(st.known, 10);
	assert_true(known(m, "user0", "right"));
	assert_true(known(m, "user29", "right"));
	assert_false(known(m, "user1", "right"));
	auth_memory_free(m);
}

static void
test_drop(void **state)
{
	struct auth_memory *m = make(100);
	struct auth_claim *c;

	(void)state;
	told(m, "ann", "wrong", AUTH_END_BAD, MINUTE);
	told(m, "Ann", "wrong", AUTH_END_BAD, MINUTE);
	told(m, "ann", "right", AUTH_END_GOOD, MINUTE);
	told(m, "bob", "wrong", AUTH_END_BAD, MINUTE);
	assert_int_equal(
	    begin_by(m, "elsewhere", "ann", "right", 0, &c), AUTH_MEMORY_ASK);
	auth_claim_end(c, AUTH_END_GOOD, MINUTE);
	assert_int_equal(auth_memory_drop(m, "ANN"), 4);
	assert_int_equal(auth_memory_drop(m, "ann"), 0);
	assert_int_equal(look(m, "ann", "wrong"), AUTH_MEMORY_ASK);
	assert_false(known(m, "ann", "right"));
	assert_int_equal(look(m, "bob", "wrong"), AUTH_MEMORY_BAD);
	told(m, "ann", "right", AUTH_END_GOOD, MINUTE);
	assert_int_equal(auth_memory_drop(m, NULL), 2);
	assert_int_equal(look(m, "bob", "wrong"), AUTH_MEMORY_ASK);
	auth_memory_free(m);
}

/* An answer to what was asked before the drop is out of date. */
static void
test_drop_while_asked(void **state)
{
	struct auth_memory *m = make(100);
	struct auth_claim *first, *second;

	(void)state;
	assert_int_equal(begin(m, "ann", "pass", &first), AUTH_MEMORY_ASK);
	assert_int_equal(auth_memory_drop(m, "ann"), 0);
	/* Who comes now does not wait for it. */
	assert_int_equal(begin(m, "ann", "pass", &second), AUTH_MEMORY_ASK);
	auth_claim_end(second, AUTH_END_BAD, MINUTE);
	auth_claim_end(first, AUTH_END_GOOD, MINUTE);
	assert_int_equal(look(m, "ann", "pass"), AUTH_MEMORY_BAD);
	/* The account of another name is not concerned. */
	assert_int_equal(begin(m, "bob", "pass", &first), AUTH_MEMORY_ASK);
	(void)auth_memory_drop(m, "ann");
	auth_claim_end(first, AUTH_END_BAD, MINUTE);
	assert_int_equal(look(m, "bob", "pass"), AUTH_MEMORY_BAD);
	auth_memory_free(m);
}

static void
test_stats(void **state)
{
	struct auth_memory *m = make(100);
	struct auth_memory_stats st;

	(void)state;
	told(m, "ann", "wrong", AUTH_END_BAD, MINUTE);
	told(m, "ann", "worse", AUTH_END_BAD, 3 * MINUTE);
	told(m, "ann", "right", AUTH_END_GOOD, MINUTE);
	told(m, "bob", "right", AUTH_END_GOOD, 0);
	(void)look(m, "ann", "wrong");
	(void)look(m, "ann", "wrong");
	(void)look(m, "ann", "right");
	(void)look(m, "cid", "right");
	auth_memory_stats(m, &st);
	assert_int_equal(st.bad, 2);
	assert_int_equal(st.good, 1);
	assert_int_equal(st.known, 2);
	assert_int_equal(st.hits_bad, 2);
	assert_int_equal(st.hits_good, 1);
	assert_int_equal(st.joined, 0);
	ahead_ms = 2 * MINUTE;
	auth_memory_stats(m, &st);
	assert_int_equal(st.bad, 1);
	assert_int_equal(st.good, 0);
	assert_int_equal(st.known, 2);
	auth_memory_free(m);
}

static void
test_nothing(void **state)
{
	(void)state;
	auth_memory_free(NULL);
	auth_claim_end(NULL, AUTH_END_GOOD, MINUTE);
}

#define test(name) cmocka_unit_test_teardown(name, rewind_clock)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_bad),
		test(test_bad_not_kept),
		test(test_life_without_end),
		test(test_pairs),
		test(test_password_octets),
		test(test_good),
		test(test_known),
		test(test_transitions),
		test(test_policy),
		test(test_flood),
		test(test_accounts_are_bounded),
		test(test_drop),
		test(test_drop_while_asked),
		test(test_stats),
		test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
