/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A verdict made from memory that was only zeroed must be a deferral. */
static void
test_zero_is_temporary(void **state)
{
	struct {
		enum outcome oc;
	} zeroed;

	(void)state;
	memset(&zeroed, 0, sizeof zeroed);
	assert_int_equal(zeroed.oc, OUTCOME_TEMP);
	assert_int_not_equal(OUTCOME_OK, OUTCOME_TEMP);
	assert_int_not_equal(OUTCOME_PERM, OUTCOME_TEMP);
	assert_int_not_equal(OUTCOME_PERM, OUTCOME_OK);
}

/* Whoever wants no detail passes NULL. */
static void
test_null_is_accepted(void **state)
{
	(void)state;
	fault_clear(NULL);
	fault_set(NULL, FAULT_LOCAL, "%d", 1);
	fault_set_reply(NULL, 550, "5.1.1", "no");
}

static void
test_set_cleans_text(void **state)
{
	struct fault f;

	(void)state;
	memset(&f, 'x', sizeof(f));
	fault_set(&f, FAULT_CONNECTION, "mx1:25: %s", "a\r\nb\t\x7f\xc3\xa4");
	assert_int_equal(f.origin, FAULT_CONNECTION);
	assert_int_equal(f.code, 0);
	assert_string_equal(f.esc, "");
	assert_string_equal(f.text, "mx1:25: a??b????");
}

/* A local fault after a refusal must not keep the refusal's code. */
static void
test_local_fault_has_no_code(void **state)
{
	struct fault f;

	(void)state;
	fault_set_reply(&f, 550, "5.1.1", "User unknown\n<ann>");
	assert_int_equal(f.origin, FAULT_REPLY);
	assert_int_equal(f.code, 550);
	assert_string_equal(f.esc, "5.1.1");
	assert_string_equal(f.text, "User unknown?<ann>");
	fault_set(&f, FAULT_LOCAL, "after: %s", f.text);
	assert_int_equal(f.code, 0);
	assert_string_equal(f.esc, "");
	assert_string_equal(f.text, "after: User unknown?<ann>");
	fault_clear(&f);
	assert_int_equal(f.origin, FAULT_NONE);
	assert_string_equal(f.text, "");
}

static void
test_long_text_is_cut(void **state)
{
	char text[3 * FAULT_TEXT_MAX];
	struct fault f;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	fault_set_reply(&f, 451, "4.999.9999999", text);
	assert_int_equal(strlen(f.text), FAULT_TEXT_MAX - 1);
	assert_string_equal(f.esc, ""); /* did not fit */
	fault_set_reply(&f, 451, NULL, NULL);
	assert_string_equal(f.esc, "");
	assert_string_equal(f.text, "");
}

static void
test_names(void **state)
{
	static const struct {
		enum fault_origin origin;
		const char *name;
	} origins[] = {
		{ FAULT_NONE, "none" },
		{ FAULT_LOCAL, "local" },
		{ FAULT_CONNECTION, "connection" },
		{ FAULT_PROTOCOL, "protocol" },
		{ FAULT_FEATURE, "feature" },
		{ FAULT_REPLY, "reply" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++)
		assert_string_equal(
		    fault_origin_name(origins[i].origin), origins[i].name);
	assert_string_equal(outcome_name(OUTCOME_OK), "ok");
	assert_string_equal(outcome_name(OUTCOME_TEMP), "temp");
	assert_string_equal(outcome_name(OUTCOME_PERM), "perm");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_is_temporary),
		cmocka_unit_test(test_null_is_accepted),
		cmocka_unit_test(test_set_cleans_text),
		cmocka_unit_test(test_local_fault_has_no_code),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
