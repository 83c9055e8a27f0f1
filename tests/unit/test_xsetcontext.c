/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/xsetcontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OCTETS(text) text, sizeof(text) - 1

static void
test_pairs(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want; /* name|value, a newline after each */
	} cases[] = {
		{ OCTETS("option1=value1 option2=value2"),
		    "option1|value1\noption2|value2\n" },
		{ OCTETS("  a=1 \t b=2  "), "a|1\nb|2\n" },
		{ OCTETS("a=1 a=2"), "a|1\na|2\n" },
		{ OCTETS("a="), "a|\n" },
		{ OCTETS("a=x+20y+2Bz+3D"), "a|x y+z=\n" },
		{ OCTETS("a=+C3+B6"), "a|\xc3\xb6\n" },
		{ OCTETS("a=+c3+b6"), "a|\xc3\xb6\n" },
		{ OCTETS("+61b=1"), "ab|1\n" },
		{ OCTETS("a.b-c_9=%$;:"), "a.b-c_9|%$;:\n" },
		{ OCTETS(""), "" },
		{ OCTETS("   "), "" },
	};
	struct xsetcontext_pair pair;
	enum xsetcontext_result r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text, *why = "x";
		size_t len = cases[i].len, used = 0;
		char got[256] = "";

		while ((r = xsetcontext_next(&text, &len, &pair, &why)) ==
		    XSETCONTEXT_PAIR) {
			assert_null(why);
			used += (size_t)snprintf(got + used, sizeof(got) - used,
			    "%s|%s\n", pair.name, pair.value);
		}
		assert_int_equal(r, XSETCONTEXT_END);
		assert_null(why);
		assert_int_equal(len, 0);
		assert_string_equal(got, cases[i].want);
	}
}

static void
test_refused(void **state)
{
	static const char not_pair[] = "not of the form name=value";
	static const char not_name[] =
	    "name is not 1 to 64 of letters, digits, _ . -";
	static const char not_xtext[] = "value is not xtext";
	static const char control[] = "control character in the value";

	static const struct {
		const char *text;
		size_t len;
		const char *bad, *why;
	} cases[] = {
		{ OCTETS(""), "", "no name=value" },
		{ OCTETS(" \t "), "", "no name=value" },
		{ OCTETS("a"), "", not_pair },
		{ OCTETS("a=1 b"), "", not_pair },
		{ OCTETS("=1"), "", "no name before the =" },
		{ OCTETS("="), "", "no name before the =" },
		{ OCTETS("a b=1"), "", not_pair },
		{ OCTETS("+00=1"), "", not_name },
		{ OCTETS("a+00=1"), "", not_name },
		{ OCTETS("a+=1"), "", not_name },
		{ OCTETS("a/b=1"), "", not_name },
		{ OCTETS("\xc3\xb6=1"), "", not_name },
		{ OCTETS("a=b=c"), "a", not_xtext },
		{ OCTETS("a=+"), "a", not_xtext },
		{ OCTETS("a=+4"), "a", not_xtext },
		{ OCTETS("a=+G0"), "a", not_xtext },
		{ OCTETS("a=\xc3\xb6"), "a", not_xtext },
		{ OCTETS("a=b\rc"), "a", not_xtext },
		{ OCTETS("a=b\0c"), "a", not_xtext },
		{ OCTETS("b=1 a=+00"), "a", control },
		{ OCTETS("a=x+0D+0Ay"), "a", control },
		{ OCTETS("a=+7F"), "a", control },
	};

	char bad[CONTEXT_NAME_MAX + 1];
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    xsetcontext_check(cases[i].text, cases[i].len, bad, &why),
		    0);
		assert_string_equal(why, cases[i].why);
		assert_string_equal(bad, cases[i].bad);
	}
}

static void
test_bounds(void **state)
{
	static char text[8192];
	char bad[CONTEXT_NAME_MAX + 1];
	const char *why;
	size_t n;

	(void)state;
	/* names */
	memset(text, 'n', CONTEXT_NAME_MAX + 1);
	memcpy(text + CONTEXT_NAME_MAX, "=1", 2);
	assert_int_equal(
	    xsetcontext_check(text, CONTEXT_NAME_MAX + 2, bad, &why), 1);
	memset(text, 'n', CONTEXT_NAME_MAX + 1);
	memcpy(text + CONTEXT_NAME_MAX + 1, "=1", 2);
	assert_int_equal(
	    xsetcontext_check(text, CONTEXT_NAME_MAX + 3, bad, &why), 0);
	/* values, as they are and with each octet as three */
	memcpy(text, "a=", 2);
	memset(text + 2, 'v', sizeof(text) - 2);
	assert_int_equal(
	    xsetcontext_check(text, 2 + CONTEXT_VALUE_MAX, bad, &why), 1);
	assert_int_equal(
	    xsetcontext_check(text, 3 + CONTEXT_VALUE_MAX, bad, &why), 0);
	assert_string_equal(why, "value longer than 1024 octets");
	for (n = 0; n <= CONTEXT_VALUE_MAX; n++)
		memcpy(text + 2 + 3 * n, "+76", 3);
	assert_int_equal(
	    xsetcontext_check(text, 2 + 3 * CONTEXT_VALUE_MAX, bad, &why), 1);
	assert_int_equal(
	    xsetcontext_check(text, 5 + 3 * CONTEXT_VALUE_MAX, bad, &why), 0);
	assert_string_equal(why, "value longer than 1024 octets");
	/* any number */
	for (n = 0; n < 1000; n++)
		memcpy(text + 4 * n, "a=1 ", 4);
	assert_int_equal(xsetcontext_check(text, 4000, bad, &why), 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
