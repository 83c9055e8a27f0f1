/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES_MAX 4

/* Feed one line from a block of its own size. */
static enum reply_state
feed(struct reply *r, const char *line, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum reply_state got;

	assert_non_null(copy);
	memcpy(copy, line, len);
	got = reply_line(r, copy, len);
	free(copy);
	return got;
}

static const struct {
	const char *lines[LINES_MAX];
	int code;
	const char *text;
} goods[] = {
	{ { "250 Ok" }, 250, "Ok" },
	{ { "250" }, 250, "" },
	{ { "250 " }, 250, "" },
	{ { "250-", "250" }, 250, "\n" },
	{ { "250-one", "250-two", "250 three" }, 250, "one\ntwo\nthree" },
	{ { "550-5.1.1 no", "550 5.1.1 such user" }, 550,
	    "5.1.1 no\n5.1.1 such user" },
	{ { "334 " }, 334, "" },
	{ { "599 x" }, 599, "x" },
	{ { "250  two spaces - and 250-more" }, 250,
	    " two spaces - and 250-more" },
	{ { "220 mx\t\x01\x7f\xff \r" }, 220, "mx???? ?" },
	{ { "550 Empf\xc3\xa4nger unbekannt" }, 550,
	    "Empf\xc3\xa4nger unbekannt" },
	{ { "550 \xe7\x94\xa8\xe6\x88 \xc2\x85" }, 550, "\xe7\x94\xa8?? ??" },
};

static void
test_good(void **state)
{
	struct reply r;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		enum reply_state got = REPLY_MORE;

		reply_init(&r);
		assert_int_equal(r.code, 0);
		for (k = 0; k < LINES_MAX && goods[i].lines[k] != NULL; k++) {
			assert_int_equal(got, REPLY_MORE);
			got = feed(
			    &r, goods[i].lines[k], strlen(goods[i].lines[k]));
		}
		assert_int_equal(got, REPLY_DONE);
		assert_int_equal(r.code, goods[i].code);
		assert_string_equal(r.text, goods[i].text);
		assert_int_equal(r.text_len, strlen(goods[i].text));
		assert_int_equal(r.lines, k);
		assert_false(r.cut);
	}
}

static void
check_bad(struct reply *r)
{
	assert_int_equal(r->state, REPLY_BAD);
	assert_int_equal(r->code, 0);
	assert_string_equal(r->text, "");
	/* and bad it stays */
	assert_int_equal(feed(r, "250 Ok", 6), REPLY_BAD);
	assert_int_equal(r->code, 0);
}

static void
test_bad(void **state)
{
	static const char *const rows[] = { "", "2", "25", "250Ok", "250_Ok",
		"250\tOk", " 250 Ok", "150 x", "099 x", "600 x", "999 x",
		"2x0 x", "25x x", "-250 x", "Ok", "HTTP/1.1 200 OK", "2500 x",
		"250\r" };
	struct reply r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reply_init(&r);
		if (feed(&r, rows[i], strlen(rows[i])) != REPLY_BAD)
			fail_msg("'%s': taken", rows[i]);
		check_bad(&r);
	}
	reply_init(&r);
	assert_int_equal(feed(&r, "250\0Ok", 6), REPLY_BAD);
}

/* After the first line only the same code will do. */
static void
test_bad_later(void **state)
{
	static const char *const rows[] = { "551 x", "250 x", "", "garbage",
		"25" };
	struct reply r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reply_init(&r);
		assert_int_equal(feed(&r, "550-5.1.1 x", 11), REPLY_MORE);
		assert_int_equal(feed(&r, rows[i], strlen(rows[i])), REPLY_BAD);
		check_bad(&r);
	}
	reply_init(&r);
	assert_int_equal(feed(&r, "250 x", 5), REPLY_DONE);
	assert_int_equal(feed(&r, "250 x", 5), REPLY_BAD);
	check_bad(&r);
}

/* A line cut anywhere is bad below three octets, whole from there on, and
 * never a reply when its '-' said that more follows. */
static void
test_truncations(void **state)
{
	static const char line[] = "550-5.1.1 unknown";
	struct reply r;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(line); n++) {
		enum reply_state want = n < 3 ? REPLY_BAD
		    : n == 3                  ? REPLY_DONE
					      : REPLY_MORE;

		reply_init(&r);
		assert_int_equal(feed(&r, line, n), want);
		assert_int_equal(r.code, n < 3 ? 0 : 550);
	}
}

static void
test_text_is_cut(void **state)
{
	char line[REPLY_LINE_MAX + 1];
	struct reply r;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "250-", 4);
	reply_init(&r);
	assert_int_equal(feed(&r, line, 4 + REPLY_TEXT_MAX - 1), REPLY_MORE);
	assert_int_equal(r.text_len, REPLY_TEXT_MAX - 1);
	assert_false(r.cut);
	assert_int_equal(feed(&r, line, REPLY_LINE_MAX), REPLY_MORE);
	assert_true(r.cut);
	assert_int_equal(r.text_len, REPLY_TEXT_MAX - 1);
	assert_int_equal(strlen(r.text), r.text_len);
	assert_int_equal(feed(&r, "250 ok", 6), REPLY_DONE);
	reply_init(&r);
	assert_int_equal(feed(&r, line, REPLY_LINE_MAX + 1), REPLY_BAD);
	check_bad(&r);
}

static void
test_lines_are_bounded(void **state)
{
	struct reply r;
	int i;

	(void)state;
	reply_init(&r);
	for (i = 0; i < REPLY_LINES_MAX; i++)
		assert_int_equal(feed(&r, "250-x", 5), REPLY_MORE);
	assert_int_equal(feed(&r, "250 x", 5), REPLY_BAD);
	check_bad(&r);
	reply_init(&r);
	for (i = 0; i < REPLY_LINES_MAX - 1; i++)
		assert_int_equal(feed(&r, "250-x", 5), REPLY_MORE);
	assert_int_equal(feed(&r, "250 x", 5), REPLY_DONE);
}

static void
test_first_line(void **state)
{
	char buf[8] = "xxxxxxx";
	struct reply r;

	(void)state;
	reply_init(&r);
	assert_int_equal(reply_first_line(&r, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	(void)feed(&r, "421-closing", 11);
	(void)feed(&r, "421 bye", 7);
	assert_int_equal(reply_first_line(&r, buf, sizeof(buf)), 7);
	assert_string_equal(buf, "closing");
	assert_int_equal(reply_first_line(&r, buf, 4), 3);
	assert_string_equal(buf, "clo");
	assert_int_equal(reply_first_line(&r, buf, 0), 0);
	assert_true(reply_is_closing(&r));
	reply_init(&r);
	(void)feed(&r, "420 x", 5);
	assert_false(reply_is_closing(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_later),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_text_is_cut),
		cmocka_unit_test(test_lines_are_bounded),
		cmocka_unit_test(test_first_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
