/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/classify_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_fits(void **state)
{
	static const char *const v[] = {
		"550 5.7.1 \"mailbox not HERE\" = nouser",
		" 554\t= refused_us ",
		"5x1=mailbox",
		"5xx 5.4.x = temporary",
		"553 \"say \\\"no\\\" \\\\\" = nouser",
	};
	struct classify_rules *r = NULL;
	char err[128] = "";
	const char *why = NULL;

	(void)state;
	assert_true(classify_rules_parse(
	    v, sizeof(v) / sizeof(v[0]), &r, err, sizeof(err)));
	assert_int_equal(classify_reply(STAGE_RCPT, 550, "5.7.1",
			     "Mailbox not here, policy", r, &why),
	    REFUSAL_NOUSER);
	assert_string_equal(why, "reply_class");
	assert_int_equal(
	    classify_reply(STAGE_RCPT, 550, "5.7.1", "other", r, NULL),
	    REFUSAL_US);
	assert_int_equal(
	    classify_reply(STAGE_RCPT, 554, "", "user unknown", r, NULL),
	    REFUSAL_US);
	assert_int_equal(
	    classify_reply(STAGE_RCPT, 521, "", "", r, NULL), REFUSAL_MAILBOX);
	assert_int_equal(classify_reply(STAGE_RCPT, 550, "5.4.14", "", r, NULL),
	    REFUSAL_TEMPORARY);
	assert_int_equal(
	    classify_reply(STAGE_RCPT, 550, "5.41.1", "", r, NULL), REFUSAL_US);
	assert_int_equal(
	    classify_reply(STAGE_RCPT, 553, "", "I say \"No\" \\", r, NULL),
	    REFUSAL_NOUSER);
	assert_int_equal(classify_line("553 say no", r, NULL), REFUSAL_US);
	/* Neither temporary replies nor other stages are for rules. */
	assert_int_equal(classify_reply(STAGE_RCPT, 450, "5.7.1",
			     "mailbox not here", r, NULL),
	    REFUSAL_TEMPORARY);
	assert_int_equal(
	    classify_reply(STAGE_MAIL, 521, "", "", r, NULL), REFUSAL_US);
	classify_rules_free(r);
}

static void
test_wrong(void **state)
{
	static const char *const wrong[] = { "", "= nouser", "450 = nouser",
		"4xx = temporary", "250 = nouser", "55 = nouser",
		"5500 = nouser", "55y = nouser", "550",
		"550 =", "550 = accepted", "550 = nouser now", "550 nouser",
		"550 4.1.1 = nouser", "550 5.1 = nouser", "550 5..1 = nouser",
		"550 5.1.1.1 = nouser", "550 5.1x.1 = nouser",
		"550 5.xx.1 = nouser", "550 x.1.1 = nouser",
		"550 5.1.1. = nouser", "550 5.11111.11111111 = nouser",
		"550 \"open = nouser", "550 \"\" = nouser",
		"550 \"a\" \"b\" = nouser", "550 \"a\\" };
	const char *pair[2] = { "550 = nouser", "551 = nothing" };
	struct classify_rules *r = NULL;
	char err[256] = "";
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err[0] = '\0';
		if (classify_rules_parse(&wrong[i], 1, &r, err, sizeof(err)))
			fail_msg("taken: %s", wrong[i]);
		assert_null(r);
		assert_non_null(strstr(err, wrong[i]));
	}
	assert_false(classify_rules_parse(pair, 2, &r, err, sizeof(err)));
	assert_null(r);
	assert_non_null(strstr(err, "551 = nothing"));
	assert_true(classify_rules_parse(NULL, 0, &r, err, sizeof(err)));
	assert_null(r);
	classify_rules_free(NULL);
}

static void
test_long_substring(void **state)
{
	char rule[600] = "550 \"";
	const char *v = rule;
	struct classify_rules *r = NULL;
	char err[256] = "";

	(void)state;
	memset(rule + 5, 'a', 300);
	memcpy(rule + 305, "\" = nouser", 11);
	assert_false(classify_rules_parse(&v, 1, &r, err, sizeof(err)));
	assert_non_null(strstr(err, "too long"));
	memcpy(rule + 5 + 255, "\" = nouser", 11);
	assert_true(classify_rules_parse(&v, 1, &r, err, sizeof(err)));
	classify_rules_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_long_substring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
