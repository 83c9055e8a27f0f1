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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_is_temporary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
