/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_grows_to_its_ceiling(void **state)
{
	struct strbuf sb;
	size_t i;

	(void)state;
	strbuf_init(&sb, 1000);
	assert_string_equal(strbuf_str(&sb), "");
	for (i = 0; i < 1000; i++)
		assert_true(strbuf_addch(&sb, (char)('a' + i % 26)));
	assert_int_equal(sb.len, 1000);
	assert_int_equal(strlen(strbuf_str(&sb)), 1000);
	assert_true(sb.size <= 1001);
	assert_true(strbuf_ok(&sb));
	assert_false(strbuf_addch(&sb, 'x'));
	assert_int_equal(sb.len, 1000);
	assert_false(strbuf_ok(&sb));
	strbuf_release(&sb);
	strbuf_release(&sb);
	assert_int_equal(sb.max, 1000);
}

/* Whoever checks only at the end must not find a hole in the middle. */
static void
test_failure_is_latched(void **state)
{
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, 5);
	assert_true(strbuf_adds(&sb, "abc"));
	assert_false(strbuf_adds(&sb, "def"));
	assert_false(strbuf_adds(&sb, "d"));
	assert_false(strbuf_addf(&sb, "%d", 1));
	assert_string_equal(strbuf_str(&sb), "abc");
	assert_false(strbuf_ok(&sb));
	strbuf_reset(&sb);
	assert_true(strbuf_ok(&sb));
	assert_string_equal(strbuf_str(&sb), "");
	assert_true(strbuf_addf(&sb, "%s-%d", "ab", 42));
	assert_string_equal(strbuf_str(&sb), "ab-42");
	assert_false(strbuf_addf(&sb, "%s", "x"));
	assert_string_equal(strbuf_str(&sb), "ab-42");
	strbuf_release(&sb);
}

static void
test_holds_any_octet(void **state)
{
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, SIZE_MAX);
	assert_true(strbuf_add(&sb, NULL, 0));
	assert_true(strbuf_add(&sb, "a\0b", 3));
	assert_int_equal(sb.len, 3);
	assert_memory_equal(strbuf_str(&sb), "a\0b", 4);
	/* An impossible length is refused, not computed with. */
	assert_false(strbuf_add(&sb, "x", SIZE_MAX - 1));
	assert_int_equal(sb.len, 3);
	strbuf_release(&sb);
}

static void
test_zero_ceiling(void **state)
{
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, 0);
	assert_true(strbuf_adds(&sb, ""));
	assert_false(strbuf_addch(&sb, 'a'));
	assert_string_equal(strbuf_str(&sb), "");
	strbuf_release(&sb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_to_its_ceiling),
		cmocka_unit_test(test_failure_is_latched),
		cmocka_unit_test(test_holds_any_octet),
		cmocka_unit_test(test_zero_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
