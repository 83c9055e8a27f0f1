/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the plug-in is there, what it offers, and that it comes before the
 * stock plug-ins; and that it is not there at all when it was not asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/fake_authd.h"
#include "tests/plugin/host.h"

static struct host host;
static struct fake_authd fake;

static const struct fake_plan good = {
	.reply = { { .type = WIRE_GOOD, .user = "ann" } },
};

/* How often the word stands in a list with blanks between. */
static int
times(const char *list, const char *word)
{
	size_t n = strlen(word);
	int found = 0;

	for (; *list != '\0'; list += strspn(list, " ")) {
		size_t len = strcspn(list, " ");

		if (len == n && memcmp(list, word, n) == 0)
			found++;
		list += len;
	}
	return found;
}

static int
setup(void **state)
{
	(void)state;
	fake_listen(&fake, "auth", 5);
	fake_serve(&fake, &good);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	host_stop(&host);
	fake_stop(&fake);
	return 0;
}

/* Stock PLAIN answers, and the list is the one of a machine without us. */
static void
as_if_not_there(const struct host_option *options)
{
	char without[256];

	host_start(&host, NULL);
	host_connect(&host, NULL);
	(void)snprintf(without, sizeof(without), "%s", host_mechs(&host));
	host_stop(&host);

	host_start(&host, options);
	host_connect(&host, NULL);
	assert_string_equal(host_mechs(&host), without);
	assert_int_equal(host_plain(&host, "ann", "stock"), SASL_OK);
	host_connect(&host, NULL);
	assert_int_not_equal(host_plain(&host, "ann", "wonder"), SASL_OK);
	assert_int_equal(host.stock_checks, 2);
	assert_int_equal(fake.connections, 0);
	assert_null(strstr(host.log, "postern"));
}

static void
test_unset(void **state)
{
	static const struct host_option options[] = {
		{ "postern_mechs", "PLAIN LOGIN" },
		{ "postern_timeout", "nonsense" },
		{ NULL, NULL },
	};

	(void)state;
	as_if_not_there(options);
}

static void
test_empty(void **state)
{
	static const struct host_option options[] = {
		{ "postern_socket", "" },
		{ NULL, NULL },
	};

	(void)state;
	as_if_not_there(options);
}

static void
test_default_mechs(void **state)
{
	static const struct host_option options[] = {
		{ "postern_socket", "auth" },
		{ NULL, NULL },
	};

	(void)state;
	host_start(&host, options);
	host_connect(&host, NULL);
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_OK);
	assert_string_equal(fake_item(&fake, 0, WIRE_MECH), "PLAIN");
	host_connect(&host, NULL);
	assert_int_equal(host_auth(&host, "LOGIN", "ann", 3), SASL_CONTINUE);
	assert_int_equal(host_step(&host, "wonder", 6), SASL_OK);
	assert_string_equal(fake_item(&fake, 1, WIRE_MECH), "LOGIN");
	assert_int_equal(host.stock_checks, 0);
	/* relays are there when asked for only */
	assert_int_equal(times(host_mechs(&host), "XOAUTH2"), 0);
	assert_string_equal(host.log, "");
}

/* The recipe of the manual: one of each in the EHLO line. */
static void
test_mech_list(void **state)
{
	static const struct host_option options[] = {
		{ "postern_socket", "auth" },
		{ "mech_list", "PLAIN LOGIN" },
		{ NULL, NULL },
	};
	const char *list;

	(void)state;
	host_start(&host, options);
	host_connect(&host, NULL);
	list = host_mechs(&host);
	if (times(list, "PLAIN") != 1 || times(list, "LOGIN") != 1 ||
	    strlen(list) != strlen("PLAIN LOGIN"))
		fail_msg("%s", list);
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_OK);
	assert_int_equal(host.stock_checks, 0);
}

/* Every mechanism named is ours, although the stock plug-ins have some. */
static void
test_all_mechs(void **state)
{
	static const char *const names[] = { "CRAM-MD5", "SCRAM-SHA-1",
		"SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER" };
	static const struct host_option options[] = {
		{ "postern_socket", "auth" },
		{ "postern_mechs",
		    " plain,LOGIN\tcram-md5 SCRAM-SHA-1, Scram-Sha-256 "
		    "XOAUTH2 OAUTHBEARER PLAIN XOAUTH2 " },
		{ NULL, NULL },
	};
	int i;

	(void)state;
	host_start(&host, options);
	for (i = 0; i < 5; i++) {
		host_connect(&host, NULL);
		assert_int_equal(host_auth(&host, names[i],
				     i == 0 ? NULL : "hello", i == 0 ? 0 : 5),
		    SASL_OK);
		assert_int_equal(fake.seen[i].m.type, WIRE_START);
		assert_string_equal(fake_item(&fake, i, WIRE_MECH), names[i]);
	}
	/* named twice, offered once: no stock plug-in has this one */
	assert_int_equal(times(host_mechs(&host), "XOAUTH2"), 1);
	assert_string_equal(host.log, "");
}

static void
test_one_mech(void **state)
{
	static const struct host_option options[] = {
		{ "postern_socket", "auth" },
		{ "postern_mechs", "LOGIN" },
		{ NULL, NULL },
	};

	(void)state;
	host_start(&host, options);
	host_connect(&host, NULL);
	assert_int_equal(host_plain(&host, "ann", "stock"), SASL_OK);
	assert_int_equal(host.stock_checks, 1);
	assert_int_equal(fake.connections, 0);
	host_connect(&host, NULL);
	assert_int_equal(host_auth(&host, "LOGIN", "ann", 3), SASL_CONTINUE);
	assert_int_equal(host_step(&host, "wonder", 6), SASL_OK);
	assert_int_equal(fake.connections, 1);
}

/* A slip in the set-up is no reason to say 535 to everybody. */
static void
test_wrong_values(void **state)
{
	static const char long_path[] =
	    "/a/path/that/is/longer/than/the/address/of/a/unix/socket/may/"
	    "be/which/is/one/hundred/and/seven/octets/long/at/most";

	static const struct {
		const char *name, *value, *message;
	} rows[] = {
		{ "postern_timeout", "nonsense", "1 to 600 seconds" },
		{ "postern_timeout", "0", "1 to 600 seconds" },
		{ "postern_timeout", "-5", "1 to 600 seconds" },
		{ "postern_timeout", "601", "1 to 600 seconds" },
		{ "postern_timeout", "25s", "1 to 600 seconds" },
		{ "postern_mechs", "PLAIN DIGEST-MD5", "are known" },
		{ "postern_mechs", "SCRAM-SHA-256-PLUS", "are known" },
		{ "postern_mechs", "PLAI", "are known" },
		{ "postern_mechs", " , ", "none is named" },
		{ "postern_socket", "unix:auth", "without unix:" },
		{ "postern_socket", long_path, "longer than" },
	};
	struct host_option options[3] = { { "postern_socket", "auth" } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		options[1].name = rows[i].name;
		options[1].value = rows[i].value;
		host_start(&host, options);
		host_connect(&host, NULL);
		assert_int_equal(
		    host_plain(&host, "ann", "wonder"), SASL_UNAVAIL);
		/* at start, libsasl hands the same line to syslog */
		if (strstr(host.log, rows[i].message) == NULL ||
		    strstr(host.log, rows[i].name) == NULL)
			fail_msg("%s = %s: %s", rows[i].name, rows[i].value,
			    host.log);
		assert_null(strstr(host.log, "wonder"));
		assert_int_equal(host.stock_checks, 0);
		host_stop(&host);
	}
	assert_int_equal(fake.connections, 0);
	host_start(&host, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_default_mechs, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_mech_list, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_all_mechs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_mech, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_wrong_values, setup, teardown),
	};

	return cmocka_run_group_tests(tests, host_begin, host_end);
}
