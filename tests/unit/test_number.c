/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/number.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_number_good(void **state)
{
	static const struct {
		const char *text;
		long long want;
	} rows[] = {
		{ "0", 0 },
		{ "25", 25 },
		{ "007", 7 },
		{ "-1", -1 },
		{ "-0", 0 },
		{ "9223372036854775807", LLONG_MAX },
		{ "-9223372036854775808", LLONG_MIN },
	};

	long long got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		got = 99;
		if (!number_parse(rows[i].text, LLONG_MIN, LLONG_MAX, &got) ||
		    got != rows[i].want)
			fail_msg("%s: got %lld, want %lld", rows[i].text, got,
			    rows[i].want);
	}
}

static void
test_number_bad(void **state)
{
	static const char *const rows[] = { "", "-", "+1", " 1", "1 ", "1\n",
		"1x", "x", "0x10", "1.0", "1e3", "--1", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999999", "\xd9\xa1" };
	long long got = 99;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (number_parse(rows[i], LLONG_MIN, LLONG_MAX, &got))
			fail_msg("'%s': taken", rows[i]);
	}
	assert_int_equal(got, 99);
}

static void
test_number_range(void **state)
{
	long long got = 99;

	(void)state;
	assert_true(number_parse("1", 1, 65535, &got));
	assert_true(number_parse("65535", 1, 65535, &got));
	assert_int_equal(got, 65535);
	assert_false(number_parse("0", 1, 65535, &got));
	assert_false(number_parse("65536", 1, 65535, &got));
	assert_false(number_parse("-1", 0, 10, &got));
	assert_int_equal(got, 65535);
}

static void
test_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *written;
	} rows[] = {
		{ "0", 0, "0s" },
		{ "0d", 0, "0s" },
		{ "20", 20000, "20s" },
		{ "500ms", 500, "500ms" },
		{ "1500ms", 1500, "1500ms" },
		{ "2000ms", 2000, "2s" },
		{ "20s", 20000, "20s" },
		{ "5m", 300000, "5m" },
		{ "90m", 5400000, "90m" },
		{ "24h", 86400000, "1d" },
		{ "36h", 129600000, "36h" },
		{ "7d", 604800000, "7d" },
		{ "9223372036854775807ms", INT64_MAX, "9223372036854775807ms" },
	};

	char buf[DURATION_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t got = -1, again = -1;

		if (!duration_parse(rows[i].text, &got) || got != rows[i].ms)
			fail_msg("%s: got %lld", rows[i].text, (long long)got);
		assert_string_equal(
		    duration_format(got, buf, sizeof(buf)), rows[i].written);
		assert_true(duration_parse(buf, &again));
		assert_int_equal(again, got);
	}
}

static void
test_duration_bad(void **state)
{
	static const char *const rows[] = { "", "s", "ms", "-1", "-1s", "+1",
		"1 s", " 1", "1S", "1w", "1sec", "1mss", "1.5s", "1s ", "1h30m",
		"9223372036854775807", "9223372036854775808ms",
		"106751991168d" };
	int64_t got = 99;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (duration_parse(rows[i], &got))
			fail_msg("'%s': taken", rows[i]);
	}
	assert_int_equal(got, 99);
}

static void
test_duration_format_room(void **state)
{
	char buf[4] = "xxx";

	(void)state;
	assert_string_equal(duration_format(20000, buf, sizeof(buf)), "20s");
	assert_string_equal(duration_format(200000, buf, sizeof(buf)), "");
	assert_string_equal(duration_format(-5, buf, sizeof(buf)), "0s");
	buf[0] = 'x';
	(void)duration_format(1000, buf, 0);
	assert_int_equal(buf[0], 'x');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number_good),
		cmocka_unit_test(test_number_bad),
		cmocka_unit_test(test_number_range),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_duration_bad),
		cmocka_unit_test(test_duration_format_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
