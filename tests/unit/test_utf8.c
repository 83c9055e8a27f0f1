/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_sequences(void **state)
{
	static const struct {
		const char *text;
		size_t want;
	} rows[] = {
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		/* not UTF-8 */
		{ "\x80", 0 },
		{ "\xbf\x80", 0 },
		{ "\xc0\x80", 0 }, /* overlong */
		{ "\xc1\xbf", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xed\xa0\x80", 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 0 }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },
		{ "\xc2"
		  "a",
		    0 },
		{ "\xe2\x82"
		  "a",
		    0 },
		{ "\xf0\x9f\x92"
		  "a",
		    0 },
	};

	size_t i, n;

	(void)state;
	assert_int_equal(utf8_sequence("a", 0), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].text);
		size_t got = utf8_sequence(rows[i].text, len);

		if (got != rows[i].want)
			fail_msg(
			    "row %zu: got %zu, want %zu", i, got, rows[i].want);
		/* Cut short it is none, and nothing behind it is read. */
		for (n = 1; n < got; n++) {
			char *cut = malloc(n);

			assert_non_null(cut);
			memcpy(cut, rows[i].text, n);
			assert_int_equal(utf8_sequence(cut, n), 0);
			free(cut);
		}
	}
}

static void
test_clean(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "a\r\nb\tc\x1b[0m\x7f", "a??b?c?[0m?" },
		{ "J\xc3\xb6rg \xe2\x82\xac", "J\xc3\xb6rg \xe2\x82\xac" },
		{ "\xc2\x85next", "??next" },      /* NEL */
		{ "\xe2\x80\xa8line", "???line" }, /* U+2028 */
		{ "\xc0\xaf\xff z\xe2\x82", "??? z??" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *s = strdup(rows[i].text);

		assert_non_null(s);
		utf8_clean(s, strlen(s));
		assert_string_equal(s, rows[i].want);
		free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
