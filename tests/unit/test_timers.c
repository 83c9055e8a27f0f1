/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers, against the plainest way to find the first one. */
#include "saslauth-plugin/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 200

static struct timer all[COUNT];

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void
assert_first(const struct timers *t)
{
	const struct timer *first = timers_first(t);
	size_t n = 0;

	for (size_t i = 0; i < COUNT; i++) {
		if (all[i].place == 0)
			continue;
		n++;
		assert_non_null(first);
		assert_true(first->at_ms <= all[i].at_ms);
		assert_ptr_equal(t->heap[all[i].place - 1], &all[i]);
	}
	assert_int_equal(n, t->n);
	if (n == 0)
		assert_null(first);
}

static int64_t
backwards(void *arg, const struct timer *timer)
{
	(void)arg;
	return -timer->at_ms;
}

static void
test_random(void **state)
{
	uint32_t seed = 1;
	struct timers t;

	(void)state;
	timers_init(&t);
	assert_true(timers_reserve(&t, COUNT));
	for (int i = 0; i < 20000; i++) {
		struct timer *x = &all[next_random(&seed) % COUNT];
		uint32_t what = next_random(&seed) % 100;

		if (what < 60)
			timer_set(&t, x, next_random(&seed) % 1000);
		else if (what < 99)
			timer_clear(&t, x);
		else
			timers_change(&t, backwards, NULL);
		assert_first(&t);
	}
	while (timers_first(&t) != NULL) {
		timer_clear(&t, timers_first(&t));
		assert_first(&t);
	}
	timers_release(&t);
	timers_release(&t);
}

static void
test_grows(void **state)
{
	static struct timer many[1000];
	struct timers t;

	(void)state;
	timers_init(&t);
	for (size_t i = 0; i < 1000; i++) {
		assert_true(timers_reserve(&t, i + 1));
		timer_set(&t, &many[i], (int64_t)(1000 - i));
		assert_ptr_equal(timers_first(&t), &many[i]);
	}
	timers_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
