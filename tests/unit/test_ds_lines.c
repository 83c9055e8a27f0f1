/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ds_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ds_lines *
load(const char *text, size_t len, struct fault *f)
{
	char *data = malloc(len + 1);
	struct ds_lines *l;
	enum outcome oc;

	assert_non_null(data);
	memcpy(data, text, len);
	oc = ds_lines_new("routes", data, len, &l, f);
	if (oc != OUTCOME_OK) {
		assert_null(l);
		free(data);
	}
	return l;
}

static struct ds_lines *
good(const char *text)
{
	struct fault f;
	struct ds_lines *l;

	fault_clear(&f);
	l = load(text, strlen(text), &f);
	assert_string_equal(f.text, "");
	assert_non_null(l);
	return l;
}

/* The values of a key, with a bar behind each. */
static const char *
values(const struct ds_lines *l, const char *key)
{
	static char all[300];
	struct ds_line_value v;
	size_t i, n = 0;

	all[0] = '\0';
	for (i = ds_lines_find(l, key); ds_lines_value(l, i, key, &v); i++) {
		assert_true(n + v.len + 2 < sizeof all);
		memcpy(all + n, v.data, v.len);
		n += v.len;
		all[n++] = '|';
		all[n] = '\0';
	}
	return all;
}

static void
test_looks_up(void **state)
{
	struct ds_lines *l = good("# a comment\n"
				  "\n"
				  "b.example mx1:25\n"
				  "  a.example \t one  host \t\n"
				  "b.example mx2\n"
				  "\t# another\n"
				  "b.example mx0:26\n"
				  "b.exampl short\n"
				  "\xc3\xa9.example utf8\n"
				  "last end");

	(void)state;
	assert_int_equal(ds_lines_count(l), 7);
	assert_string_equal(values(l, "b.example"), "mx1:25|mx2|mx0:26|");
	assert_string_equal(values(l, "a.example"), "one  host|");
	assert_string_equal(values(l, "b.exampl"), "short|");
	assert_string_equal(values(l, "last"), "end|");
	assert_string_equal(values(l, "\xc3\xa9.example"), "utf8|");
	assert_string_equal(values(l, "B.example"), "");
	assert_string_equal(values(l, "b.examples"), "");
	assert_string_equal(values(l, "#"), "");
	assert_string_equal(values(l, ""), "");
	assert_string_equal(values(l, "zzz"), "");
	ds_lines_unref(ds_lines_ref(l));
	ds_lines_unref(l);
	ds_lines_unref(NULL);
}

static void
test_empty(void **state)
{
	struct ds_lines *l = good("");

	(void)state;
	assert_int_equal(ds_lines_count(l), 0);
	assert_string_equal(values(l, "x"), "");
	ds_lines_unref(l);
}

static void
test_refuses(void **state)
{
	const struct {
		const char *text;
		size_t len;
		const char *want;
	} rows[] = {
		{ "a b\nonly\n", 9, "routes:2: a key without a value" },
		{ "a b\n\nonly  \t", 12, "routes:3: a key without a value" },
		{ "a b\r\n", 5,
		    "routes:1: a carriage return: lines end with a newline" },
		{ "a b\0c\n", 6, "routes:1: a control character" },
		{ "# \x01\n", 4, "routes:1: a control character" },
		{ "a b\x7f\n", 5, "routes:1: a control character" },
		{ "a \xff\n", 4, "routes:1: octets that are not UTF-8" },
		{ "a \xc3", 3, "routes:1: octets that are not UTF-8" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fault f;

		fault_clear(&f);
		assert_null(load(rows[i].text, rows[i].len, &f));
		assert_string_equal(f.text, rows[i].want);
	}
}

static void
test_long_lines(void **state)
{
	char text[DS_LINES_LINE_MAX + 2];
	struct fault f;
	struct ds_lines *l;

	(void)state;
	memset(text, 'x', sizeof text);
	text[1] = ' ';
	fault_clear(&f);
	l = load(text, DS_LINES_LINE_MAX, &f);
	assert_non_null(l);
	ds_lines_unref(l);
	assert_null(load(text, DS_LINES_LINE_MAX + 1, &f));
	assert_string_equal(f.text, "routes:1: longer than 4096 octets");
}

/* Many keys, each with values in the file's order. */
static void
test_many(void **state)
{
	enum {
		KEYS = 500,
		EACH = 4
	};

	char *text = malloc(KEYS * EACH * 32);
	size_t n = 0;
	unsigned i, j;
	struct ds_lines *l;
	char key[16], want[64];

	(void)state;
	assert_non_null(text);
	for (j = 0; j < EACH; j++) {
		for (i = 0; i < KEYS; i++)
			n += (size_t)snprintf(
			    text + n, 32, "k%u h%u\n", i * 7919 % KEYS, j);
	}
	text[n] = '\0';
	l = good(text);
	assert_int_equal(ds_lines_count(l), KEYS * EACH);
	for (i = 0; i < KEYS; i++) {
		(void)snprintf(key, sizeof key, "k%u", i);
		(void)snprintf(want, sizeof want, "h0|h1|h2|h3|");
		assert_string_equal(values(l, key), want);
	}
	ds_lines_unref(l);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks_up),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
