/* SPDX-License-Identifier: BSD-2-Clause */
/* Relayed mechanisms: octets pass both ways unchanged, the daemon says when
 * it is over and who it was, and a client may leave at any point. */
#include <poll.h>
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
	{ "postern_timeout", "2" },
	{ "postern_mechs",
	    "CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER" },
	{ NULL, NULL },
};

static struct host host;
static struct fake_authd fake;

static void
begin(const struct fake_plan *plan)
{
	login_begin(&host, &fake, plan);
}

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

#define CHALLENGE(text)                \
 {                                     \
  .type = WIRE_CHALLENGE, .data = text \
 }

static void
test_cram_md5(void **state)
{
	static const struct fake_plan plan = { .reply = {
						   CHALLENGE(
						       "<1896.697170952@h>"),
						   { .type = WIRE_GOOD,
						       .user = "ann" },
					       } };

	(void)state;
	begin(&plan);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	assert_string_equal(host_challenge(&host), "<1896.697170952@h>");
	assert_int_equal(fake.seen[0].m.type, WIRE_START);
	assert_string_equal(fake_item(&fake, 0, WIRE_MECH), "CRAM-MD5");
	assert_string_equal(fake_item(&fake, 0, WIRE_SERVICE), "smtp");
	assert_string_equal(
	    fake_item(&fake, 0, WIRE_CLIENT), "192.0.2.1;49152");
	assert_string_equal(fake_item(&fake, 0, WIRE_DATA), "(none)");
	assert_int_equal(host_step(&host, "ann b913a602", 12), SASL_OK);
	assert_int_equal(fake.seen[1].m.type, WIRE_STEP);
	assert_string_equal(fake_item(&fake, 1, WIRE_DATA), "ann b913a602");
	assert_string_equal(host_user(&host), "ann");
	assert_int_equal(fake.connections, 1);
	assert_string_equal(host.log, "");

	/* the server is first: a client that cannot wait is refused */
	begin(&plan);
	assert_int_equal(
	    host_auth(&host, "CRAM-MD5", "ann x", 5), SASL_BADPROT);
	assert_int_equal(fake.connections, 0);
}

static void
test_scram(void **state)
{
	static const struct fake_plan
	    plan = { .reply = {
			 CHALLENGE("r=abcdef,s=QSXCR,i=4096"),
			 CHALLENGE("v=rmF9pqV8S7su"),
			 { .type = WIRE_GOOD, .user = "ann@example.org" },
		     } };
	int initial;

	(void)state;
	for (initial = 0; initial < 2; initial++) {
		begin(&plan);
		if (initial) {
			assert_int_equal(host_auth(&host, "SCRAM-SHA-256",
					     "n,,n=ann,r=abc", 14),
			    SASL_CONTINUE);
		} else {
			assert_int_equal(
			    host_auth(&host, "SCRAM-SHA-256", NULL, 0),
			    SASL_CONTINUE);
			assert_int_equal(host.outlen, 0);
			assert_int_equal(fake.connections, 0);
			assert_int_equal(host_step(&host, "n,,n=ann,r=abc", 14),
			    SASL_CONTINUE);
		}
		assert_string_equal(
		    host_challenge(&host), "r=abcdef,s=QSXCR,i=4096");
		assert_string_equal(
		    fake_item(&fake, 0, WIRE_DATA), "n,,n=ann,r=abc");
		assert_int_equal(
		    host_step(&host, "c=biws,r=abcdef,p=x", 19), SASL_CONTINUE);
		assert_string_equal(host_challenge(&host), "v=rmF9pqV8S7su");
		/* the empty response that ends it */
		assert_int_equal(host_step(&host, "", 0), SASL_OK);
		assert_string_equal(fake_item(&fake, 2, WIRE_DATA), "");
		assert_string_equal(host_user(&host), "ann@example.org");
	}
}

/* Octets are octets; and a failure has one more turn in OAuth. */
static void
test_xoauth2(void **state)
{
	static const char first[] = "user=ann\1auth=Bearer t\0k\1\1";
	static const struct fake_plan plan = { .reply = {
						   CHALLENGE(
						       "{\"status\":\"401\"}"),
						   { .type = WIRE_BAD,
						       .user = "ann" },
					       } };

	(void)state;
	begin(&plan);
	assert_int_equal(host_auth(&host, "XOAUTH2", first, sizeof(first) - 1),
	    SASL_CONTINUE);
	assert_string_equal(host_challenge(&host), "{\"status\":\"401\"}");
	assert_int_equal(fake.seen[0].m.item[WIRE_DATA].len, sizeof(first) - 1);
	assert_memory_equal(
	    fake.seen[0].m.item[WIRE_DATA].data, first, sizeof(first) - 1);
	assert_int_equal(host_step(&host, "", 0), SASL_BADAUTH);
	assert_string_equal(host_user(&host), "ann");
	assert_null(strstr(host.log, "Bearer"));
}

/* A token fills the longest line that an MTA takes. */
static void
test_long_token(void **state)
{
	static char token[9216];
	static const struct fake_plan plan = { .reply = {
						   { .type = WIRE_GOOD,
						       .user = "ann" },
					       } };

	(void)state;
	memset(token, 't', sizeof(token));
	begin(&plan);
	assert_int_equal(
	    host_auth(&host, "OAUTHBEARER", token, sizeof(token)), SASL_OK);
	assert_int_equal(fake.seen[0].m.item[WIRE_DATA].len, sizeof(token));
}

static void
test_unsure(void **state)
{
	static const struct fake_plan plan = { .reply = {
						   CHALLENGE("<1@h>"),
						   { .type = WIRE_UNSURE,
						       .user = "ann",
						       .reason = "h is down" },
					       } };
	static const struct fake_plan at_once = { .reply = {
						      { .type = WIRE_UNSURE,
							  .reason =
							      "no route" },
						  } };

	(void)state;
	begin(&plan);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	assert_int_equal(host_step(&host, "ann x", 5), SASL_UNAVAIL);
	assert_string_equal(host_user(&host), "ann");
	assert_non_null(strstr(host.log, "h is down"));
	begin(&at_once);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_UNAVAIL);
	assert_null(host_user(&host));
}

/* The daemon says who it was; libsasl must know him under that name. */
static void
test_odd_names(void **state)
{
	static char long_name[1025];

	static const struct {
		const char *name;
		int code;
	} rows[] = {
		{ "ann", SASL_OK },
		{ " ann", SASL_BADAUTH },
		{ "ann\t", SASL_BADAUTH },
		{ long_name, SASL_BADAUTH },
	};
	struct fake_plan plan = { 0 };
	size_t i;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		plan.reply[0].type = WIRE_GOOD;
		plan.reply[0].user = rows[i].name;
		begin(&plan);
		assert_int_equal(
		    host_auth(&host, "XOAUTH2", "x", 1), rows[i].code);
	}
	/* with a NUL within, and none at all */
	memset(&plan, 0, sizeof(plan));
	plan.reply[0].raw = "PA\1\100\0\0\0\012\5\0\007ann\0bob";
	plan.reply[0].raw_len = 18;
	begin(&plan);
	assert_int_equal(host_auth(&host, "XOAUTH2", "x", 1), SASL_BADAUTH);
	plan.reply[0].raw = "PA\1\100\0\0\0\3\5\0\0";
	plan.reply[0].raw_len = 11;
	begin(&plan);
	assert_int_equal(host_auth(&host, "XOAUTH2", "x", 1), SASL_BADAUTH);
}

/* "*", or the client is gone: the daemon sees it by the connection. */
static void
test_abort(void **state)
{
	static const struct fake_plan plan = { .reply = {
						   CHALLENGE("<1@h>"),
						   { .type = WIRE_GOOD,
						       .user = "ann" },
					       } };

	(void)state;
	begin(&plan);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	assert_int_equal(fake.hung_up, 0);
	host_disconnect(&host);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));

	/* the next AUTH of the same client ends the one before */
	begin(&plan);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	assert_int_equal(host_step(&host, "ann x", 5), SASL_OK);
	assert_int_equal(fake.connections, 2);
}

/* The daemon ends between two steps: no SIGPIPE, no answer. */
static void
test_daemon_leaves(void **state)
{
	static const struct fake_plan plan = { .reply = {
						   CHALLENGE("<1@h>") } };

	(void)state;
	begin(&plan);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	fake_stop(&fake);
	assert_int_equal(host_step(&host, "ann x", 5), SASL_UNAVAIL);
	assert_non_null(strstr(host.log, "cannot tell"));
}

/* What the client takes for thinking is not the daemon's time. */
static void
test_client_may_think(void **state)
{
	static const struct fake_plan plan = { .reply = {
						   CHALLENGE("<1@h>"),
						   { .type = WIRE_GOOD,
						       .user = "ann" },
					       } };

	(void)state;
	begin(&plan);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	(void)poll(NULL, 0, 2500);
	assert_int_equal(host_step(&host, "ann x", 5), SASL_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cram_md5, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xoauth2, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_long_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsure, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_odd_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_daemon_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_client_may_think, setup, teardown),
	};

	return cmocka_run_group_tests(tests, host_begin, host_end);
}
