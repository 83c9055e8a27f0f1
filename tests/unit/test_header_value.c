/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/header_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/strbuf.h"
#include "tests/unit/header_reader.h"

#define ROOM 16384

#define TWENTY "twenty-octets-of-it."

static const struct {
	const char *text, *want; /* after "X-Tenant: " */
} rows[] = {
	{ "", "" },
	{ "acme", "acme" },
	{ "two words, \"quoted\" (and) <so> on", NULL },
	{ "a=?b", "=?utf-8?Q?a=3D=3Fb?=" },
	{ "=?utf-8?q?=0D=0AX-Other:_x?=",
	    "=?utf-8?Q?=3D=3Futf-8=3Fq=3F=3D0D=3D0AX-Other=3A=5Fx=3F=3D?=" },
	{ "zo\xc3\xab", "=?utf-8?Q?zo=C3=AB?=" },
	{ "zo\xc3 x", "=?utf-8?Q?zo=3F_x?=" },
	{ "a\xc2\x80z\xe2\x80\xa8", "=?utf-8?Q?a=3Fz=3F?=" },
	{ "a\r\nX-Other: b", "=?utf-8?Q?a=3F=3FX-Other=3A_b?=" },
	{ " a", "=?utf-8?Q?_a?=" },
	{ "a ", "=?utf-8?Q?a_?=" },
	{ "a  b", "=?utf-8?Q?a__b?=" },
	{ " ", "=?utf-8?Q?_?=" },
	/* folded at blanks, and only there */
	{ TWENTY TWENTY TWENTY " 1234567 " TWENTY
			       " " TWENTY TWENTY TWENTY TWENTY,
	    TWENTY TWENTY TWENTY " 1234567\n " TWENTY
				 "\n " TWENTY TWENTY TWENTY TWENTY },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_rows(void **state)
{
	struct strbuf out;
	size_t i;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		strbuf_init(&out, ROOM);
		assert_true(header_value_encode(10, rows[i].text, &out));
		assert_string_equal(strbuf_str(&out),
		    rows[i].want != NULL ? rows[i].want : rows[i].text);
		strbuf_release(&out);
	}
}

/* What is read is what was written, in lines that may be sent. */
static void
check_text(size_t column, const char *text)
{
	char back[ROOM];
	struct strbuf out;

	strbuf_init(&out, ROOM);
	assert_true(header_value_encode(column, text, &out));
	header_reader_lines(column, strbuf_str(&out));
	header_reader_decode(strbuf_str(&out), back, sizeof(back));
	assert_string_equal(back, text);
	strbuf_reset(&out);
	assert_true(header_words_encode(column, text, &out));
	header_reader_lines(column, strbuf_str(&out));
	header_reader_decode(strbuf_str(&out), back, sizeof(back));
	assert_string_equal(back, text);
	strbuf_release(&out);
}

static void
test_long(void **state)
{
	static const char *const parts[] = { "x", "word ", "\xc3\xab",
		"\xe6\x97\xa5\xe6\x9c\xac ", "\xf0\x9f\x93\xac", "a=?b",
		"eight or more letters " };
	static const size_t columns[] = { 0, 2, 10, 52, 54, 66 };
	char text[1025];
	size_t i, j, len, max;

	(void)state;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (j = 0; j < 6 * 40; j++) {
			max = j % 40 < 38 ? j % 40 * 4 + 1 : j % 40 * 26;
			for (len = 0; len + strlen(parts[i]) <= max;
			     len += strlen(parts[i]))
				memcpy(text + len, parts[i], strlen(parts[i]));
			if (len > 0 && text[len - 1] == ' ')
				text[len - 1] = 'e';
			text[len] = '\0';
			check_text(columns[j / 40], text);
		}
}

/* A character is never parted, whatever stands before it. */
static void
test_characters_whole(void **state)
{
	char text[200];
	size_t i;

	(void)state;
	for (i = 0; i < 80; i++) {
		memset(text, 'x', i);
		snprintf(text + i, sizeof(text) - i,
		    "\xf0\x9f\x93\xac\xc3\xab\xe6\x97\xa5 \xf0\x9f\x93\xac");
		check_text(10, text);
	}
}

static void
test_no_room(void **state)
{
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 10);
	assert_false(header_value_encode(10, "zo\xc3\xab", &out));
	strbuf_reset(&out);
	assert_false(header_value_encode(10, "eleven-more", &out));
	strbuf_reset(&out);
	assert_true(header_value_encode(10, "ten-octets", &out));
	strbuf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_characters_whole),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
