/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/breaker.h"

static void
test_opens_after_failures(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int i = 1; i < BREAKER_FAILURES; i++) {
		assert_false(breaker_bad(&b, 1000));
		assert_true(breaker_allows(&b, 1000));
	}
	assert_true(breaker_bad(&b, 1000));
	assert_false(breaker_allows(&b, 1000));
	assert_false(breaker_allows(&b, 1000 + BREAKER_PAUSE_MS - 1));
}

static void
test_good_resets_count(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int i = 1; i < BREAKER_FAILURES; i++)
		assert_false(breaker_bad(&b, 0));
	assert_false(breaker_good(&b));
	for (int i = 1; i < BREAKER_FAILURES; i++)
		assert_false(breaker_bad(&b, 0));
	assert_int_equal(b.state, BREAKER_CLOSED);
}

static void
test_one_trial_at_a_time(void **state)
{
	struct breaker b = { 0 };
	int64_t t;

	(void)state;
	assert_true(breaker_refused(&b, 0));
	assert_false(breaker_refused(&b, 1));
	t = BREAKER_REFUSED_MS;
	assert_false(breaker_allows(&b, t - 1));
	assert_true(breaker_allows(&b, t));
	assert_false(breaker_allows(&b, t));
	assert_true(breaker_good(&b));
	assert_true(breaker_allows(&b, t));
}

static void
test_failed_trial_pauses_longer(void **state)
{
	struct breaker b = { 0 };
	int64_t now = 0, before = 0;

	(void)state;
	for (int i = 0; i < BREAKER_FAILURES; i++)
		(void)breaker_bad(&b, now);
	for (int i = 0; i < 8; i++) {
		before = b.pause_ms;
		now = b.until_ms;
		assert_true(breaker_allows(&b, now));
		assert_true(breaker_bad(&b, now));
		assert_true(
		    b.pause_ms > before || b.pause_ms == BREAKER_PAUSE_MAX);
	}
	assert_int_equal(b.pause_ms, BREAKER_PAUSE_MAX);
}

static void
test_lost_trial_is_given_up(void **state)
{
	struct breaker b = { 0 };
	int64_t t = BREAKER_REFUSED_MS;

	(void)state;
	(void)breaker_refused(&b, 0);
	assert_true(breaker_allows(&b, t));
	assert_false(breaker_allows(&b, t + BREAKER_TRIAL_MS - 1));
	assert_true(breaker_allows(&b, t + BREAKER_TRIAL_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_after_failures),
		cmocka_unit_test(test_good_resets_count),
		cmocka_unit_test(test_one_trial_at_a_time),
		cmocka_unit_test(test_failed_trial_pauses_longer),
		cmocka_unit_test(test_lost_trial_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
