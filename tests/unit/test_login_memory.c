/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The login memory and the shield when memory is out: each allocation fails
 * in turn, and so do all.  What is not remembered is asked; what cannot be
 * counted is not let through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/auth_memory.h"
#include "common/shield.h"

/* Allocations that still succeed; below 0: all of them do. */
static long left = -1;
/* After one that failed the next ones succeed. */
static bool once;
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool
out(void)
{
	if (left < 0)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	failed = true;
	if (once)
		left = -1;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return out() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return out() ? NULL : __real_calloc(n, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return out() ? NULL : __real_reallocarray(p, n, size);
}

/* A login; false when it could not be remembered at all. */
static bool
ask(struct auth_memory *m, const char *name, enum auth_end end)
{
	struct secret s = { (unsigned char[]){ "pass" }, 4 };
	struct auth_pair p = { "global", name, &s };
	enum auth_memory_answer a;
	struct auth_claim *c;
	bool claimed;

	a = auth_memory_begin(m, &p, deadline_in(0), &c);
	assert_true(a == AUTH_MEMORY_ASK ||
	    a == (end == AUTH_END_GOOD ? AUTH_MEMORY_GOOD : AUTH_MEMORY_BAD));
	claimed = c != NULL;
	auth_claim_end(c, end, 60000);
	return claimed || a != AUTH_MEMORY_ASK;
}

static void
use_memory(void)
{
	struct auth_memory *m = auth_memory_new(10);
	struct auth_memory_stats st;

	if (m == NULL) {
		assert_true(failed);
		return;
	}
	(void)ask(m, "ann", AUTH_END_BAD);
	(void)ask(m, "bob", AUTH_END_GOOD);
	(void)ask(m, "ann", AUTH_END_BAD);
	auth_memory_stats(m, &st);
	assert_true(failed || (st.bad == 1 && st.good == 1));
	/* Without memory for long, and then with some. */
	left = -1;
	assert_true(ask(m, "ann", AUTH_END_BAD));
	assert_true(ask(m, "bob", AUTH_END_GOOD));
	auth_memory_stats(m, &st);
	assert_int_equal(st.bad, 1);
	assert_int_equal(st.good, 1);
	auth_memory_free(m);
}

/* Attempts that are refused; returns how many passed. */
static int
guess(struct shield *s, const struct shield_limits *l, int n)
{
	struct shield_visit v = { "global", "ann", "192.0.2.1", false };
	int passed = 0;

	for (int i = 0; i < n; i++) {
		if (shield_enter(s, &v, l, 0) != SHIELD_PASS)
			continue;
		shield_leave(s, &v, SHIELD_BAD, 0);
		passed++;
	}
	return passed;
}

static void
use_shield(void)
{
	const struct shield_limits l = { 6, 60000, 100, 60000 };
	struct shield_visit v = { "global", "bob", "192.0.2.1", true };
	struct shield *s = shield_new(10, 10);
	int passed;

	if (s == NULL) {
		assert_true(failed);
		return;
	}
	passed = guess(s, &l, 10);
	assert_in_range(passed, failed ? 0 : 6, 6);
	for (int i = 0; i < 10; i++)
		(void)shield_delay(s, "192.0.2.1", &l, false, 0);
	if (shield_enter(s, &v, &l, 0) == SHIELD_PASS)
		shield_leave(s, &v, SHIELD_GOOD, 0);
	left = -1;
	/* None that passed was forgotten. */
	assert_int_equal(passed + guess(s, &l, 10), 6);
	assert_int_equal(shield_enter(s, &v, &l, 0), SHIELD_PASS);
	shield_leave(s, &v, SHIELD_GOOD, 0);
	shield_free(s);
}

static void
torture(void (*use)(void))
{
	for (int mode = 0; mode < 2; mode++) {
		long n = 0;

		once = mode == 0;
		do {
			assert_true(n < 1000);
			failed = false;
			left = n++;
			use();
			left = -1;
		} while (failed);
		assert_true(n > 5);
	}
}

static void
test_memory(void **state)
{
	(void)state;
	torture(use_memory);
}

static void
test_shield(void **state)
{
	(void)state;
	torture(use_shield);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_shield),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
