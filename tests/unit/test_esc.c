/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/esc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	int code;
	size_t taken;
	const char *want;
} goods[] = {
	{ "5.1.1 User unknown", 550, 6, "5.1.1" },
	{ "2.0.0", 250, 5, "2.0.0" },
	{ "4.7.0\n4.7.0 more", 451, 5, "4.7.0" },
	{ "5.7.606 Access denied", 550, 8, "5.7.606" },
	{ "5.999.999 x", 599, 10, "5.999.999" },
	{ "5.1.10  two spaces", 550, 7, "5.1.10" },
};

#define GOODS (sizeof(goods) / sizeof(goods[0]))

static void
test_good(void **state)
{
	char buf[ESC_TEXT_MAX];
	struct esc e;
	size_t i;

	(void)state;
	for (i = 0; i < GOODS; i++) {
		size_t got = esc_parse(goods[i].text, goods[i].code, &e);

		if (got != goods[i].taken)
			fail_msg("%s: got %zu, want %zu", goods[i].text, got,
			    goods[i].taken);
		assert_string_equal(
		    esc_format(&e, buf, sizeof(buf)), goods[i].want);
		assert_true(esc_parse_exact(buf, &e));
		assert_int_equal(e.class, goods[i].code / 100);
	}
}

static void
test_strip(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *want;
	} cases[] = {
		{ "5.1.1 no such\n5.1.1 user\n5.1.1 here", 550,
		    "no such\nuser\nhere" },
		{ "5.1.1 no such\nuser 5.1.1 x", 550, "no such\nuser 5.1.1 x" },
		{ "no such\n4.1.1 user", 550, "no such\n4.1.1 user" },
		{ "5.1.1\n5.1.1\n5.1.1", 550, "\n\n" },
		{ "", 550, "" },
	};

	char buf[64], small[9];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		esc_strip(cases[i].text, cases[i].code, buf, sizeof(buf));
		assert_string_equal(buf, cases[i].want);
	}
	esc_strip("5.1.1 user unknown", 550, small, sizeof(small));
	assert_string_equal(small, "user unk");
}

static void
check_none(const char *text, int code)
{
	struct esc e = { 9, 9, 9 };

	if (esc_parse(text, code, &e) != 0)
		fail_msg("%d %s: taken", code, text);
	assert_int_equal(e.class, 0);
	assert_int_equal(e.subject, 0);
	assert_int_equal(e.detail, 0);
}

static void
test_bad(void **state)
{
	static const char *const rows[] = { "", "5", "5.", "5.1", "5.1.",
		"5.1.x", "5..1", "5.1.1.", "5.1.1.1 x", "5.1.1x", "5.1.1-x",
		"5.1.1:", "5.1.1000 x", "5.1000.1 x", "5.01.1 x", "5.1.01 x",
		"5.00.0 x", "6.1.1 x", "3.1.1 x", "0.1.1 x", "55.1.1 x",
		" 5.1.1 x", "#5.1.1 x", "-5.1.1", "5 .1.1", "5.1 .1",
		"5.-1.1 x", "x 5.1.1", "5.1.1\t" };
	struct esc e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_none(rows[i], 550);
		if (esc_parse_exact(rows[i], &e))
			fail_msg("%s: taken", rows[i]);
	}
	/* the class must be that of the reply: RFC 2034 section 4 */
	check_none("4.1.1 x", 550);
	check_none("2.1.5 x", 550);
	check_none("5.1.1 x", 250);
	check_none("3.1.1 x", 354);
	assert_false(esc_parse_exact("5.1.1 ", &e));
	assert_false(esc_parse_exact("5.1.1\n", &e));
}

/* Cut short it is none, or a shorter one when a digit of the last goes. */
static void
test_truncations(void **state)
{
	char text[16];
	struct esc e;
	size_t n;

	(void)state;
	for (n = 0; n < 8; n++) {
		memcpy(text, "5.70.123", n);
		text[n] = '\0';
		assert_int_equal(esc_parse(text, 550, &e), n < 6 ? 0 : n);
	}
}

static void
test_format(void **state)
{
	static const struct esc bad[] = { { 0, 0, 0 }, { 3, 1, 1 },
		{ 5, 1000, 1 }, { 5, 1, 1000 }, { 5, -1, 1 }, { 5, 1, -1 },
		{ 50, 1, 1 } };
	struct esc e = { 5, 1, 10 };
	char buf[ESC_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(esc_format(&bad[i], buf, sizeof(buf)), "");
	assert_string_equal(esc_format(&e, buf, 7), "5.1.10");
	assert_string_equal(esc_format(&e, buf, 6), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
