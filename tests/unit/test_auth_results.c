/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/auth_results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/strbuf.h"

#define HOST "edge.test"

static const struct {
	const char *value;
	enum auth_results_whose want;
} rows[] = {
	/* by the grammar */
	{ "edge.test; auth=pass", AUTH_RESULTS_OURS },
	{ "edge.test", AUTH_RESULTS_OURS },
	{ "edge.test;", AUTH_RESULTS_OURS },
	{ "edge.test 1; none", AUTH_RESULTS_OURS },
	{ "Edge.TEST; none", AUTH_RESULTS_OURS },
	{ " \r\n\tedge.test\n ; none", AUTH_RESULTS_OURS },
	{ "\"edge.test\"; none", AUTH_RESULTS_OURS },
	{ "\"ed\\ge\\.t\\est\" 1; none", AUTH_RESULTS_OURS },
	{ "\"edge\r\n.test\"; none", AUTH_RESULTS_OURS },
	{ "(a) (b (c \\) \\\\)) edge.test (d); none", AUTH_RESULTS_OURS },
	{ "(edge.test)edge.test; none", AUTH_RESULTS_OURS },
	{ "other.test; auth=pass", AUTH_RESULTS_OTHERS },
	{ "other.test (edge.test) 1; none", AUTH_RESULTS_OTHERS },
	{ "(edge.test) other.test; none", AUTH_RESULTS_OTHERS },
	{ "other.test; edge.test=pass", AUTH_RESULTS_OTHERS },
	{ "edge.test.other.test; none", AUTH_RESULTS_OTHERS },
	{ "my.edge.test; none", AUTH_RESULTS_OTHERS },
	{ "edge.tes; none", AUTH_RESULTS_OTHERS },
	{ "edge.tests; none", AUTH_RESULTS_OTHERS },
	{ "edge; none", AUTH_RESULTS_OTHERS },
	{ "\"edge.test \"; none", AUTH_RESULTS_OTHERS },
	{ "z\xc3\xb6"
	  "e.test; none",
	    AUTH_RESULTS_OTHERS },
	/* by a reader who is not strict */
	{ "edge.test.; none", AUTH_RESULTS_OURS },
	{ "edge.test/1; none", AUTH_RESULTS_OURS },
	{ "edge.test x y", AUTH_RESULTS_OURS },
	{ "edge.test (", AUTH_RESULTS_OURS },
	{ "edge (x) . (y) test; none", AUTH_RESULTS_OURS },
	{ "edge . test; none", AUTH_RESULTS_OURS },
	{ "\"edge\".test; none", AUTH_RESULTS_OURS },
	{ "edge.\"test\"/1; none", AUTH_RESULTS_OURS },
	{ "edge. test.:x", AUTH_RESULTS_OURS },
	{ "edge. test.other; none", AUTH_RESULTS_OTHERS },
	{ "edge. tests; none", AUTH_RESULTS_OTHERS },
	{ "edge. tes", AUTH_RESULTS_OTHERS },
	/* as some send it, without an identifier */
	{ "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=client.test;",
	    AUTH_RESULTS_OTHERS },
	{ "", AUTH_RESULTS_UNCLEAR },
	{ " \t", AUTH_RESULTS_UNCLEAR },
	{ "; edge.test", AUTH_RESULTS_UNCLEAR },
	{ "\"\"; none", AUTH_RESULTS_UNCLEAR },
	{ "@edge.test; none", AUTH_RESULTS_UNCLEAR },
	{ "=?utf-8?q?edge?=; none", AUTH_RESULTS_UNCLEAR },
	{ "(edge.test; none", AUTH_RESULTS_UNCLEAR },
	{ "(\\", AUTH_RESULTS_UNCLEAR },
	{ "\"edge.test; none", AUTH_RESULTS_UNCLEAR },
	{ "\"edge.test\\", AUTH_RESULTS_UNCLEAR },
	{ "other.test (x; none", AUTH_RESULTS_UNCLEAR },
	{ "other.test =\"x; none", AUTH_RESULTS_UNCLEAR },
	{ "other.test = (x; none", AUTH_RESULTS_UNCLEAR },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_whose(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ROWS; i++)
		if (auth_results_whose(rows[i].value, HOST) != rows[i].want)
			fail_msg("%s: got %d, want %d", rows[i].value,
			    (int)auth_results_whose(rows[i].value, HOST),
			    (int)rows[i].want);
}

static void
test_whose_host(void **state)
{
	char value[2000];

	(void)state;
	assert_int_equal(
	    auth_results_whose("\"[192.0.2.1]\"; none", "[192.0.2.1]"),
	    AUTH_RESULTS_OURS);
	assert_int_equal(auth_results_whose("edge.test; none", "EDGE.test."),
	    AUTH_RESULTS_OURS);
	/* the same name in two forms */
	assert_int_equal(auth_results_whose("z\xc3\xb6"
					    "e.test; none",
			     "xn--ze-fka.test"),
	    AUTH_RESULTS_OURS);
	assert_int_equal(
	    auth_results_whose("other.test; none", "xn--ze-fka.test"),
	    AUTH_RESULTS_OTHERS);
	/* longer than any name */
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(auth_results_whose(value, HOST), AUTH_RESULTS_OTHERS);
	memcpy(value, HOST, strlen(HOST));
	assert_int_equal(auth_results_whose(value, HOST), AUTH_RESULTS_OTHERS);
	value[400] = '=';
	assert_int_equal(auth_results_whose(value, HOST), AUTH_RESULTS_OTHERS);
	memset(value, '(', sizeof(value) - 1);
	assert_int_equal(auth_results_whose(value, HOST), AUTH_RESULTS_UNCLEAR);
}

static const struct {
	const char *user, *mechanism, *want;
} written[] = {
	{ NULL, NULL, "auth=none" },
	{ NULL, "PLAIN", "auth=none" },
	{ "ann", "PLAIN", "auth=pass (PLAIN)\n\tsmtp.auth=ann" },
	{ "ann", NULL, "auth=pass\n\tsmtp.auth=ann" },
	{ "ann", "", "auth=pass\n\tsmtp.auth=ann" },
	{ "ann", "SCRAM-SHA-256",
	    "auth=pass (SCRAM-SHA-256)\n\tsmtp.auth=ann" },
	{ "ann", "PLAIN) x", "auth=pass\n\tsmtp.auth=ann" },
	{ "ann@example.org", "LOGIN",
	    "auth=pass (LOGIN)\n\tsmtp.auth=ann@example.org" },
	{ "a.n+n@example.org", NULL,
	    "auth=pass\n\tsmtp.auth=a.n+n@example.org" },
	{ ".ann@example.org", NULL,
	    "auth=pass\n\tsmtp.auth=\".ann@example.org\"" },
	{ "a..n@example.org", NULL,
	    "auth=pass\n\tsmtp.auth=\"a..n@example.org\"" },
	{ "ann.@example.org", NULL,
	    "auth=pass\n\tsmtp.auth=\"ann.@example.org\"" },
	{ "ann@exa_mple.org", NULL,
	    "auth=pass\n\tsmtp.auth=\"ann@exa_mple.org\"" },
	{ "ann@example..org", NULL,
	    "auth=pass\n\tsmtp.auth=\"ann@example..org\"" },
	{ "ann@-x", NULL, "auth=pass\n\tsmtp.auth=\"ann@-x\"" },
	{ "ann@", NULL, "auth=pass\n\tsmtp.auth=\"ann@\"" },
	{ "@x", NULL, "auth=pass\n\tsmtp.auth=\"@x\"" },
	{ "a@b@c", NULL, "auth=pass\n\tsmtp.auth=\"a@b@c\"" },
	{ "ann; spf=pass", NULL, "auth=pass\n\tsmtp.auth=\"ann; spf=pass\"" },
	{ "a\"b\\c (d", NULL, "auth=pass\n\tsmtp.auth=\"a\\\"b\\\\c (d\"" },
	{ "zo\xc3\xab", "PLAIN",
	    "auth=pass (PLAIN)\n\t(=?utf-8?Q?zo=C3=AB?=)" },
	{ "a\r\nX: b", NULL, "auth=pass\n\t(=?utf-8?Q?a=3F=3FX=3A_b?=)" },
};

static void
test_write(void **state)
{
	char want[300];
	struct strbuf out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		strbuf_init(&out, 1000);
		assert_true(auth_results_write(
		    HOST, written[i].user, written[i].mechanism, &out));
		snprintf(want, sizeof(want), HOST "; %s", written[i].want);
		assert_string_equal(strbuf_str(&out), want);
		assert_int_equal(
		    auth_results_whose(want, HOST), AUTH_RESULTS_OURS);
		strbuf_release(&out);
	}
}

static void
test_write_limits(void **state)
{
	char user[514];
	struct strbuf out;

	(void)state;
	memset(user, 'x', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	strbuf_init(&out, 1000);
	assert_true(auth_results_write("[192.0.2.1]", user, NULL, &out));
	assert_string_equal(strbuf_str(&out), "\"[192.0.2.1]\"; auth=pass");
	strbuf_reset(&out);
	user[512] = '\0';
	assert_true(auth_results_write(HOST, user, NULL, &out));
	assert_non_null(strstr(strbuf_str(&out), user));
	strbuf_release(&out);
	strbuf_init(&out, 20);
	assert_false(auth_results_write(HOST, "ann", NULL, &out));
	strbuf_reset(&out);
	assert_false(
	    auth_results_write("a.longer.edge.test", NULL, NULL, &out));
	strbuf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_whose_host),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
