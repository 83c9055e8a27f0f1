/* SPDX-License-Identifier: BSD-2-Clause */
/* PLAIN and LOGIN: what the client says, what the daemon is asked, and what
 * its three answers become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/login.h"

static const struct host_option options[] = {
	{ "postern_socket", "auth" },
	{ "postern_timeout", "5" },
	{ NULL, NULL },
};

static struct host host;
static struct fake_authd fake;

/* The fake says this to the first question of each connection. */
static void
begin(struct fake_reply reply)
{
	struct fake_plan plan = { .reply = { reply } };

	login_begin(&host, &fake, &plan);
}

#define GOOD(name) ((struct fake_reply){ .type = WIRE_GOOD, .user = (name) })
#define BAD        ((struct fake_reply){ .type = WIRE_BAD })
#define UNSURE(text) \
 ((struct fake_reply){ .type = WIRE_UNSURE, .reason = text })

static int
setup(void **state)
{
	(void)state;
	host_start(&host, options);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	login_end(&host, &fake);
	return 0;
}

static void
test_good(void **state)
{
	(void)state;
	begin(GOOD("ann@example.org"));
	assert_int_equal(
	    host_plain(&host, "ann@example.org", "wonder"), SASL_OK);
	assert_string_equal(host_user(&host), "ann@example.org");
	assert_int_equal(fake.questions, 1);
	assert_int_equal(fake.seen[0].m.type, WIRE_CHECK);
	assert_string_equal(fake_item(&fake, 0, WIRE_MECH), "PLAIN");
	assert_string_equal(fake_item(&fake, 0, WIRE_SERVICE), "smtp");
	assert_string_equal(fake_item(&fake, 0, WIRE_REALM), "");
	assert_string_equal(
	    fake_item(&fake, 0, WIRE_CLIENT), "192.0.2.1;49152");
	assert_string_equal(fake_item(&fake, 0, WIRE_USER), "ann@example.org");
	assert_string_equal(fake_item(&fake, 0, WIRE_PASS), "wonder");
	assert_string_equal(host.log, "");
	/* the connection stays, but not longer than the plug-in */
	host_disconnect(&host);
	assert_false(fake_hung_up(&fake, 1, 50));
	host_stop(&host);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	host_start(&host, options);
}

static void
test_bad(void **state)
{
	(void)state;
	begin(BAD);
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_BADAUTH);
	/* the MTA knows whom to log */
	assert_string_equal(host_user(&host), "ann");
}

static void
test_unsure(void **state)
{
	(void)state;
	begin(UNSURE("h:587: con\nnection re\001fused"));
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_UNAVAIL);
	assert_string_equal(host_user(&host), "ann");
	assert_non_null(strstr(host.log, "h:587: con?nection re?fused\n"));
	begin((struct fake_reply){ .type = WIRE_UNSURE });
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_UNAVAIL);
	assert_non_null(strstr(host.log, "no reason given"));
}

static void
test_realm(void **state)
{
	(void)state;
	begin(GOOD("ann"));
	host_connect(&host, "example.net");
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_OK);
	/* the daemon decides which name goes upstream, libsasl which one the
	 * MTA sees */
	assert_string_equal(fake_item(&fake, 0, WIRE_USER), "ann");
	assert_string_equal(fake_item(&fake, 0, WIRE_REALM), "example.net");
	assert_string_equal(host_user(&host), "ann@example.net");
}

static void
test_authzid(void **state)
{
	static const char same[] = "ann\0ann\0wonder";
	static const char other[] = "bob\0ann\0wonder";
	static const char longer[] = "anna\0ann\0wonder";

	(void)state;
	begin(GOOD("ann"));
	assert_int_equal(
	    host_auth(&host, "PLAIN", same, sizeof(same) - 1), SASL_OK);
	assert_int_equal(fake.questions, 1);
	begin(GOOD("ann"));
	assert_int_equal(
	    host_auth(&host, "PLAIN", other, sizeof(other) - 1), SASL_NOAUTHZ);
	assert_string_equal(host_user(&host), "ann");
	host_connect(&host, NULL);
	assert_int_equal(host_auth(&host, "PLAIN", longer, sizeof(longer) - 1),
	    SASL_NOAUTHZ);
	assert_int_equal(fake.connections, 0);
}

/* Not RFC 4616: refused here, for there is nothing to ask. */
static void
test_not_plain(void **state)
{
	static const struct {
		const char *in;
		size_t len;
	} rows[] = {
		{ "", 0 },
		{ "ann", 3 },
		{ "\0ann", 4 },
		{ "\0", 1 },
		{ "\0ann\0won\0der", 12 },
		{ "\0ann\0wonder\0", 12 },
		{ "\0a\0nn\0wonder", 12 },
	};

	size_t i;

	(void)state;
	begin(GOOD("ann"));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		host_connect(&host, NULL);
		if (host_auth(&host, "PLAIN", rows[i].in, rows[i].len) !=
		    SASL_BADPROT)
			fail_msg("row %zu", i);
	}
	assert_int_equal(fake.connections, 0);
}

/* The response may come in a line of its own. */
static void
test_plain_without_initial(void **state)
{
	(void)state;
	begin(GOOD("ann"));
	assert_int_equal(host_auth(&host, "PLAIN", NULL, 0), SASL_CONTINUE);
	assert_int_equal(host.outlen, 0);
	assert_int_equal(host_step(&host, "\0ann\0wonder", 11), SASL_OK);
}

static void
test_login(void **state)
{
	(void)state;
	begin(GOOD("ann"));
	assert_int_equal(host_auth(&host, "LOGIN", NULL, 0), SASL_CONTINUE);
	assert_string_equal(host_challenge(&host), "Username:");
	assert_int_equal(host_step(&host, "ann", 3), SASL_CONTINUE);
	assert_string_equal(host_challenge(&host), "Password:");
	assert_int_equal(host_step(&host, "wonder", 6), SASL_OK);
	assert_string_equal(host_user(&host), "ann");
	assert_string_equal(fake_item(&fake, 0, WIRE_MECH), "LOGIN");
	assert_string_equal(fake_item(&fake, 0, WIRE_PASS), "wonder");

	begin(BAD);
	assert_int_equal(host_auth(&host, "LOGIN", "ann", 3), SASL_CONTINUE);
	assert_string_equal(host_challenge(&host), "Password:");
	assert_int_equal(host_step(&host, "wonder", 6), SASL_BADAUTH);
	assert_string_equal(host_user(&host), "ann");

	/* given up, and begun again on the same connection */
	begin(GOOD("bob"));
	assert_int_equal(host_auth(&host, "LOGIN", "ann", 3), SASL_CONTINUE);
	assert_int_equal(host_auth(&host, "LOGIN", NULL, 0), SASL_CONTINUE);
	assert_string_equal(host_challenge(&host), "Username:");
	assert_int_equal(host_step(&host, "bob", 3), SASL_CONTINUE);
	assert_int_equal(host_step(&host, "wonder", 6), SASL_OK);
	assert_string_equal(host_user(&host), "bob");
}

/* Empty ones are for the daemon to refuse, NUL and all: whatever it says,
 * libsasl never takes one for a user that it would hold by another name. */
static void
test_names(void **state)
{
	static char long_name[1025];

	static const struct {
		const char *name;
		size_t len;
		int good; /* what becomes of a daemon that says "good" */
	} rows[] = {
		{ "", 0, SASL_BADAUTH },
		{ "ann\0bob", 7, SASL_UNAVAIL },
		{ " ann", 4, SASL_BADAUTH },
		{ "ann\n", 4, SASL_BADAUTH },
		{ "ann\r\nQUIT", 9, SASL_BADAUTH },
		{ "a\177n", 3, SASL_BADAUTH },
		{ "\303\244nn", 4, SASL_OK },
		{ "\344nn", 3, SASL_OK },
		{ "a nn", 4, SASL_OK },
		{ long_name, 1023, SASL_OK },
		{ long_name, 1024, SASL_BADAUTH },
	};

	char copy[1025];
	size_t i;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(copy, rows[i].name, rows[i].len);
		copy[rows[i].len] = '\0';
		/* the fake answers with a C string: the second row's is
		 * another name than the one asked about */
		begin(rows[i].len > 0
			? GOOD(copy)
			: (struct fake_reply){
			      .raw = "PA\1\100\0\0\0\3\5\0\0", .raw_len = 11 });
		assert_int_equal(
		    host_auth(&host, "LOGIN", rows[i].name, rows[i].len),
		    SASL_CONTINUE);
		if (host_step(&host, "wonder", 6) != rows[i].good)
			fail_msg("row %zu: %s", i, host.log);
		assert_int_equal(fake.questions, 1);
		assert_int_equal(
		    fake.seen[0].m.item[WIRE_USER].len, rows[i].len);
		begin(BAD);
		assert_int_equal(
		    host_auth(&host, "LOGIN", rows[i].name, rows[i].len),
		    SASL_CONTINUE);
		assert_int_equal(host_step(&host, "wonder", 6), SASL_BADAUTH);
	}
}

/* libsasl appends the realm: both must fit. */
static void
test_long_realm(void **state)
{
	static char realm[512], name[513];

	(void)state;
	memset(realm, 'r', sizeof(realm) - 1);
	memset(name, 'n', sizeof(name) - 1);
	begin(GOOD(name));
	host_connect(&host, realm);
	assert_int_equal(host_plain(&host, name, "wonder"), SASL_BADAUTH);
	assert_null(host_user(&host));
	name[511] = '\0';
	begin(GOOD(name));
	host_connect(&host, realm);
	assert_int_equal(host_plain(&host, name, "wonder"), SASL_OK);
	assert_int_equal(strlen(host_user(&host)), 1023);
}

static void
test_empty_password(void **state)
{
	(void)state;
	begin(BAD);
	assert_int_equal(host_plain(&host, "ann", ""), SASL_BADAUTH);
	assert_string_equal(fake_item(&fake, 0, WIRE_PASS), "");
	begin(BAD);
	assert_int_equal(host_auth(&host, "LOGIN", "ann", 3), SASL_CONTINUE);
	assert_int_equal(host_step(&host, "", 0), SASL_BADAUTH);
	assert_string_equal(fake_item(&fake, 0, WIRE_PASS), "");
}

/* 12288 octets of base64 are 9216; beyond RESPONSE_MAX is no response. */
static void
test_sizes(void **state)
{
	static char in[16386] = "\0ann\0";

	(void)state;
	memset(in + 5, 'p', sizeof(in) - 5);
	begin(GOOD("ann"));
	assert_int_equal(host_auth(&host, "PLAIN", in, 9216), SASL_OK);
	assert_int_equal(fake.seen[0].m.item[WIRE_PASS].len, 9216 - 5);
	begin(GOOD("ann"));
	assert_int_equal(host_auth(&host, "PLAIN", in, 16384), SASL_OK);
	begin(GOOD("ann"));
	assert_int_equal(host_auth(&host, "PLAIN", in, 16385), SASL_BADPROT);
	assert_int_equal(fake.connections, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_realm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_authzid, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_not_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_plain_without_initial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_login, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_long_realm, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_empty_password, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, host_begin, host_end);
}
