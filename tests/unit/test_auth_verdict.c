/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	int code;
	const char *esc;
	bool final;
	enum verdict verdict;
	bool policy, ours;
} rows[] = {
	{ 235, "2.7.0", true, VERDICT_ACCEPT, false, false },
	{ 235, "", true, VERDICT_ACCEPT, false, false },
	{ 235, "2.7.0", false, VERDICT_DEFER, false, true },
	{ 535, "5.7.8", true, VERDICT_REJECT, false, false },
	{ 535, "", true, VERDICT_REJECT, false, false },
	{ 535, "5.7.9", true, VERDICT_REJECT, false, false },
	{ 535, "5.7.0", true, VERDICT_REJECT, true, false },
	{ 535, "5.7.3", true, VERDICT_REJECT, true, false },
	{ 535, "5.7.30", true, VERDICT_REJECT, false, false },
	{ 535, "5.7.8", false, VERDICT_DEFER, false, false },
	{ 500, "5.5.1", true, VERDICT_DEFER, false, true },
	{ 501, "5.5.2", true, VERDICT_DEFER, false, true },
	{ 502, "", true, VERDICT_DEFER, false, true },
	{ 503, "5.5.1", false, VERDICT_DEFER, false, true },
	{ 504, "5.5.4", false, VERDICT_DEFER, false, true },
	{ 530, "5.7.0", false, VERDICT_DEFER, false, true },
	{ 534, "5.7.9", true, VERDICT_DEFER, false, true },
	{ 538, "5.7.11", true, VERDICT_DEFER, false, true },
	{ 550, "5.7.1", true, VERDICT_DEFER, false, false },
	{ 554, "5.7.8", true, VERDICT_DEFER, false, false },
	{ 536, "5.7.8", true, VERDICT_DEFER, false, false },
	{ 421, "4.3.2", true, VERDICT_DEFER, false, false },
	{ 432, "4.7.12", true, VERDICT_DEFER, false, false },
	{ 454, "4.7.0", true, VERDICT_DEFER, false, false },
	{ 250, "2.0.0", true, VERDICT_DEFER, false, false },
	{ 220, "", true, VERDICT_DEFER, false, false },
	{ 334, "", true, VERDICT_DEFER, false, false },
	{ 0, "", true, VERDICT_DEFER, false, false },
};

static void
test_rows(void **state)
{
	struct auth_verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		v = auth_verdict_of(rows[i].code, rows[i].esc, rows[i].final);
		if (v.verdict != rows[i].verdict || v.ours != rows[i].ours)
			print_error("%d %s\n", rows[i].code, rows[i].esc);
		assert_int_equal(v.verdict, rows[i].verdict);
		assert_int_equal(v.policy, rows[i].policy);
		assert_int_equal(v.ours, rows[i].ours);
		assert_int_equal(
		    v.reason[0] == '\0', v.verdict == VERDICT_ACCEPT);
	}
}

/* Of all replies there are, one accepts and one rejects. */
static void
test_all_codes(void **state)
{
	int code;

	(void)state;
	for (code = -1; code < 1000; code++) {
		enum verdict v = auth_verdict_of(code, "", true).verdict;

		assert_int_equal(v,
		    code == 235       ? VERDICT_ACCEPT
			: code == 535 ? VERDICT_REJECT
				      : VERDICT_DEFER);
		assert_int_equal(
		    auth_verdict_of(code, "", false).verdict, VERDICT_DEFER);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_all_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
