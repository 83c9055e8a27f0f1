/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_set_and_bytes(void **state)
{
	struct secret s;
	size_t len = 99;

	(void)state;
	secret_init(&s);
	assert_string_equal(secret_bytes(&s, &len), "");
	assert_int_equal(len, 0);
	assert_true(secret_set(&s, "a\0b", 3));
	assert_memory_equal(secret_bytes(&s, &len), "a\0b", 4);
	assert_int_equal(len, 3);
	assert_true(secret_set(&s, NULL, 0));
	assert_string_equal(secret_bytes(&s, NULL), "");
	secret_release(&s);
	secret_release(&s);
	assert_null(s.data);
}

static void
test_ceiling(void **state)
{
	char *big = calloc(1, SECRET_MAX + 1);
	struct secret s;

	(void)state;
	assert_non_null(big);
	secret_init(&s);
	assert_true(secret_set(&s, big, SECRET_MAX));
	/* What was there before must be gone as well. */
	assert_false(secret_set(&s, big, SECRET_MAX + 1));
	assert_int_equal(s.len, 0);
	assert_null(s.data);
	free(big);
}

static void
test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool want;
	} rows[] = {
		{ "", "", true },
		{ "secret", "secret", true },
		{ "secret", "secreT", false },
		{ "Xecret", "secret", false },
		{ "secret", "secre", false },
		{ "secre", "secret", false },
		{ "", "x", false },
		{ "x", "", false },
	};
	struct secret a, b;
	size_t i;

	(void)state;
	secret_init(&a);
	secret_init(&b);
	assert_true(secret_equal(&a, &b));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(secret_set(&a, rows[i].a, strlen(rows[i].a)));
		assert_true(secret_set(&b, rows[i].b, strlen(rows[i].b)));
		if (secret_equal(&a, &b) != rows[i].want)
			fail_msg("'%s' and '%s': want %d", rows[i].a, rows[i].b,
			    rows[i].want);
	}
	secret_release(&a);
	secret_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_bytes),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
