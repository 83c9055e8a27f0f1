/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ds_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The parameters of text, with a blank behind each. */
static const char *
names(const char *text)
{
	static char all[200];
	struct ds_name name;
	size_t n = 0;

	all[0] = '\0';
	while (ds_text_next(&text, &name)) {
		assert_true(n + name.len + 2 < sizeof all);
		memcpy(all + n, name.at, name.len);
		n += name.len;
		all[n++] = ' ';
		all[n] = '\0';
	}
	assert_int_equal(*text, '\0');
	return all;
}

static void
test_names(void **state)
{
	const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ ":", "" },
		{ ":domain", "domain " },
		{ "SELECT host FROM r WHERE d = :domain AND l=:localpart;",
		    "domain localpart " },
		{ ":a:b", "a b " },
		{ ":a_1,:_x", "a_1 _x " },
		{ ":1 : x", "" },
		{ "':no' :yes", "yes " },
		{ "'it''s :no' :yes", "yes " },
		{ "\":no\" `:no` :yes", "yes " },
		{ "':no", "" },
		{ "-- :no\n:yes -- :no", "yes " },
		{ "/* :no\n */:yes /* :no", "yes " },
		{ ":a::int, x::text", "a " },
		{ "a-:b/:c", "b c " },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].text);
		assert_string_equal(names(rows[i].text), rows[i].want);
	}
}

static void
test_check(void **state)
{
	const char *const allowed[] = { "domain", "localpart", NULL };
	struct ds_name name;

	(void)state;
	assert_true(ds_text_check(":domain :localpart", allowed, &name));
	assert_true(ds_text_check("SELECT 1", allowed, &name));
	assert_false(ds_text_check(":domain :user", allowed, &name));
	assert_int_equal(name.len, 4);
	assert_memory_equal(name.at, "user", 4);
	assert_false(ds_text_check(":domai", allowed, &name));
	assert_false(ds_text_check(":domains", allowed, &name));
}

/* Whatever is cut off, nothing is read beyond the end. */
static void
test_every_prefix(void **state)
{
	const char text[] =
	    "SELECT 'a:b' \"c\" -- x\n, /* y */ z::int :d_1 `e` :f";
	char cut[sizeof text];
	struct ds_name name;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof text; i++) {
		const char *p = cut;

		memcpy(cut, text, i);
		cut[i] = '\0';
		while (ds_text_next(&p, &name)) {
			assert_true(name.len > 0);
			assert_true(name.at + name.len <= cut + i);
		}
		assert_ptr_equal(p, cut + i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_every_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
