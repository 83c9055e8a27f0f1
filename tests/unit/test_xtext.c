/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/xtext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *data;
	size_t len;
	const char *text;
} rows[] = {
	{ "", 0, "" },
	{ "ann@example.org", 15, "ann@example.org" },
	{ "a+b=c", 5, "a+2Bb+3Dc" },
	{ "a b\r\n", 5, "a+20b+0D+0A" },
	{ "\0\x7f\xff", 3, "+00+7F+FF" },
	{ "!~", 2, "!~" },
	{ "j\xc3\xb6rg", 5, "j+C3+B6rg" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_both_ways(void **state)
{
	char out[64];
	size_t i, len;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		const char *text = rows[i].text;

		assert_true(
		    xtext_encode(rows[i].data, rows[i].len, out, sizeof(out)));
		assert_string_equal(out, text);
		len = 99;
		assert_true(
		    xtext_decode(text, strlen(text), out, sizeof(out), &len));
		assert_int_equal(len, rows[i].len);
		assert_memory_equal(out, rows[i].data, len);
		assert_int_equal(out[len], '\0');
	}
	assert_true(xtext_decode("+2b+3d", 6, out, sizeof(out), NULL));
	assert_string_equal(out, "+=");
}

static void
test_bad(void **state)
{
	static const char *const bads[] = { "+", "a+", "+2", "a+2", "+G0",
		"+0G", "+ 0", "++20", "+-1", "a b", "a=b", "a\tb", "\x7f",
		"\xc3\xb6", "+2\n" };
	char out[64];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		len = 99;
		memset(out, 'x', sizeof(out));
		if (xtext_decode(
			bads[i], strlen(bads[i]), out, sizeof(out), &len))
			fail_msg("'%s': taken", bads[i]);
		assert_int_equal(len, 0);
		assert_string_equal(out, "");
	}
	assert_false(xtext_decode("a\0b", 3, out, sizeof(out), &len));
}

/* Cut inside "+XX" it is bad, elsewhere the decoded part is what it was. */
static void
test_truncations(void **state)
{
	static const char text[] = "a+2Bb+3Dc";
	static const int want[] = { 0, 1, -1, -1, 2, 3, -1, -1, 4, 5 };
	char out[16];
	size_t n, len;

	(void)state;
	for (n = 0; n < sizeof(text); n++) {
		bool ok = xtext_decode(text, n, out, sizeof(out), &len);

		assert_int_equal(ok, want[n] >= 0);
		assert_int_equal(len, want[n] >= 0 ? want[n] : 0);
		assert_memory_equal(out, "a+b=c", len);
	}
}

/* Exactly enough room will do, one octet less will not, and nothing behind
 * the room is touched. */
static void
test_room(void **state)
{
	char out[64];
	size_t i, size, len;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		size_t need = strlen(rows[i].text) + 1;

		assert_true(need <= XTEXT_ROOM(rows[i].len));
		for (size = 0; size <= need; size++) {
			memset(out, 'x', sizeof(out));
			assert_int_equal(
			    xtext_encode(rows[i].data, rows[i].len, out, size),
			    size == need);
			assert_int_equal(out[size], 'x');
			assert_true(
			    size == 0 || size == need || out[0] == '\0');
		}
		for (size = 0; size <= rows[i].len + 1; size++) {
			memset(out, 'x', sizeof(out));
			assert_int_equal(xtext_decode(rows[i].text, need - 1,
					     out, size, &len),
			    size == rows[i].len + 1);
			assert_int_equal(out[size], 'x');
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
