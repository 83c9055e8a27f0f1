/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/clock.h"

#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_clock_advances(void **state)
{
	int64_t ms = clock_ms(), us = clock_us();

	(void)state;
	(void)poll(NULL, 0, 5);
	assert_true(clock_us() - us >= 4000);
	assert_true(clock_ms() - ms >= 4);
}

static void
test_deadline_comes(void **state)
{
	struct deadline d = deadline_in(20);

	(void)state;
	assert_true(deadline_left_ms(d) <= 20);
	while (!deadline_passed(d))
		(void)poll(NULL, 0, deadline_left_poll(d));
	assert_true(clock_ms() >= d.at_ms);
	assert_int_equal(deadline_left_ms(d), 0);
	assert_int_equal(deadline_left_poll(d), 0);
}

static void
test_deadline_bounds(void **state)
{
	(void)state;
	assert_true(deadline_passed(deadline_in(0)));
	assert_true(deadline_passed(deadline_in(-1)));
	assert_true(deadline_passed(deadline_in(INT64_MIN)));
	assert_int_equal(deadline_in(INT64_MAX).at_ms, INT64_MAX);
	assert_false(deadline_passed(deadline_in(INT64_MAX)));
	assert_int_equal(deadline_left_poll(deadline_in(INT64_MAX)), INT_MAX);
	assert_true(deadline_passed((struct deadline){ INT64_MIN }));
}

static void
test_deadline_sooner(void **state)
{
	struct deadline a = { 5 }, b = { 7 };

	(void)state;
	assert_int_equal(deadline_sooner(a, b).at_ms, 5);
	assert_int_equal(deadline_sooner(b, a).at_ms, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_advances),
		cmocka_unit_test(test_deadline_comes),
		cmocka_unit_test(test_deadline_bounds),
		cmocka_unit_test(test_deadline_sooner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
