/* SPDX-License-Identifier: BSD-2-Clause */
/* Relayed dialogues, good ones and every way in which one goes wrong. */
#include "common/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/exchange_rig.h"

static void
test_cram(void **state)
{
	(void)state;
	OPEN("CRAM-MD5", "334 PDEyMzRAbXg+\r\n", "235 ok\r\n");
	assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_CHALLENGE);
	assert_string_equal(secret_bytes(&fx.x.challenge, NULL), "<1234@mx>");
	assert_false(fx.x.sent);
	assert_int_equal(step("ann 0123Sesame"), EXCHANGE_REPLY);
	assert_int_equal(fx.x.reply.code, 235);
	assert_true(fx.x.final);
	assert_true(fx.x.sent);
	assert_lines(2, "AUTH CRAM-MD5", "YW5uIDAxMjNTZXNhbWU=");
	assert_non_null(strstr(fx.sc.trace, "> ********\n"));
	assert_null(strstr(fx.sc.trace, "YW5u"));
	assert_true(session_alive(fx.s));
	close_it();

	/* Let in before anything was asked. */
	OPEN("CRAM-MD5", "235 ok\r\n");
	assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_REPLY);
	assert_false(fx.x.final);
	assert_false(fx.x.sent);
	close_it();
}

static void
test_scram(void **state)
{
	(void)state;
	OPEN("SCRAM-SHA-256", "334 cj1h\r\n", "334 dj1i\r\n", "235 ok\r\n");
	assert_int_equal(
	    start("SCRAM-SHA-256", "n,,n=ann"), EXCHANGE_CHALLENGE);
	assert_string_equal(secret_bytes(&fx.x.challenge, NULL), "r=a");
	assert_int_equal(step("c=biws"), EXCHANGE_CHALLENGE);
	assert_string_equal(secret_bytes(&fx.x.challenge, NULL), "v=b");
	/* Nothing is left to say: an empty line. */
	assert_int_equal(step(""), EXCHANGE_REPLY);
	assert_int_equal(fx.x.reply.code, 235);
	assert_true(fx.x.final);
	assert_lines(3, "AUTH SCRAM-SHA-256 biwsbj1hbm4=", "");
	close_it();
}

static void
test_empty(void **state)
{
	size_t len;

	(void)state;
	OPEN("XOAUTH2", "334 \r\n", "334\r\n", "535 no\r\n");
	assert_int_equal(start("XOAUTH2", ""), EXCHANGE_CHALLENGE);
	assert_true(fx.x.sent);
	(void)secret_bytes(&fx.x.challenge, &len);
	assert_int_equal(len, 0);
	assert_int_equal(step("a"), EXCHANGE_CHALLENGE);
	(void)secret_bytes(&fx.x.challenge, &len);
	assert_int_equal(len, 0);
	assert_int_equal(step(""), EXCHANGE_REPLY);
	assert_lines(3, "AUTH XOAUTH2 =", "");
	close_it();
}

/* What is no challenge after AUTH, and after a response. */
static void
test_bad_challenge(void **state)
{
	static const char *const replies[] = {
		"334 a\r\n",
		"334 ab=\r\n",
		"334 a===\r\n",
		"334 ====\r\n",
		"334 ab=c\r\n",
		"334 Zm9v Zm9v\r\n",
		"334  Zm9v\r\n",
		"334 Zm9v \r\n",
		"334 Zm9\xc3\xa4\r\n",
		"334 =\r\n",
		"334-Zm9v\r\n334 Zm9v\r\n",
		"334 Zm9v\r\n235 ok\r\n",
		"334 Zm9v\r\n421 bye\r\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		OPEN("CRAM-MD5", replies[i]);
		(void)start("CRAM-MD5", NULL);
		assert_dead(FAULT_PROTOCOL);
		assert_false(fx.x.sent);
		close_it();

		OPEN("CRAM-MD5", "334 Zm9v\r\n", replies[i]);
		assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_CHALLENGE);
		(void)step("ann 0123");
		assert_dead(FAULT_PROTOCOL);
		assert_true(fx.x.sent);
		close_it();
	}
}

/* Longer than a reply is kept: half of it is not passed on. */
static void
test_cut_challenge(void **state)
{
	static char reply[3100];

	(void)state;
	memset(reply, 'A', sizeof(reply));
	memcpy(reply, "334 ", 4);
	memcpy(reply + 4 + 3000, "\r\n", 3);
	OPEN("CRAM-MD5", reply);
	(void)start("CRAM-MD5", NULL);
	assert_dead(FAULT_PROTOCOL);
	close_it();
}

static void
test_step_broken(void **state)
{
	(void)state;
	OPEN("CRAM-MD5", "334 Zm9v\r\n", "");
	assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_CHALLENGE);
	(void)step("ann 0123");
	assert_dead(FAULT_CONNECTION);
	assert_true(fx.x.sent);
	/* Once broken it stays so, and nothing more is sent. */
	assert_int_equal(step("ann 0123"), EXCHANGE_BROKEN);
	assert_int_equal(
	    exchange_abort(&fx.x, deadline_in(1000)), EXCHANGE_BROKEN);
	assert_int_equal(fx.sc.n, 2);
	close_it();

	/* The upstream has gone before the response: it was not sent. */
	OPEN("CRAM-MD5", "334 Zm9v\r\n");
	assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_CHALLENGE);
	fake_close(fx.fake);
	(void)step("ann 0123");
	assert_dead(FAULT_CONNECTION);
	assert_false(fx.x.sent);
	close_it();

	OPEN("CRAM-MD5", "334 Zm9v\r\n", "421 4.3.2 bye\r\n");
	assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_CHALLENGE);
	assert_int_equal(step("ann 0123"), EXCHANGE_REPLY);
	assert_int_equal(fx.x.reply.code, 421);
	assert_false(session_alive(fx.s));
	close_it();
}

static void
test_mech_names(void **state)
{
	static const char *const names[] = { "", "PLAIN x", "PLAIN\r\nDATA",
		"cram-md5", "A23456789012345678901" };
	size_t i;

	(void)state;
	OPEN("A2345678901234567890", "334 Zm9v\r\n");
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(start(names[i], "x"), EXCHANGE_BROKEN);
		assert_int_equal(fx.x.fault.origin, FAULT_LOCAL);
		assert_int_equal(fx.sc.n, 0);
	}
	assert_int_equal(
	    start("A2345678901234567890", "x"), EXCHANGE_CHALLENGE);
	assert_non_null(
	    strstr(fx.sc.trace, "> AUTH A2345678901234567890 ********\n"));
	close_it();
}

static void
test_abort(void **state)
{
	static const char *const bad[] = { "235 ok\r\n", "334 Zm9v\r\n",
		"421 bye\r\n", "250 ok\r\n", "", "501 ok\r\n250 more\r\n" };
	size_t i;

	(void)state;
	OPEN("CRAM-MD5 PLAIN", "334 Zm9v\r\n", "501 5.7.0 aborted\r\n",
	    "235 ok\r\n");
	assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_CHALLENGE);
	assert_int_equal(
	    exchange_abort(&fx.x, deadline_in(1000)), EXCHANGE_REPLY);
	assert_false(fx.x.final);
	assert_string_equal(fx.sc.lines[1], "*");
	assert_true(session_alive(fx.s));
	exchange_release(&fx.x);
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
	close_it();

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		OPEN("CRAM-MD5", "334 Zm9v\r\n", bad[i]);
		assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_CHALLENGE);
		assert_int_equal(
		    exchange_abort(&fx.x, deadline_in(1000)), EXCHANGE_BROKEN);
		assert_false(session_alive(fx.s));
		close_it();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cram),
		cmocka_unit_test(test_scram),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_bad_challenge),
		cmocka_unit_test(test_cut_challenge),
		cmocka_unit_test(test_step_broken),
		cmocka_unit_test(test_mech_names),
		cmocka_unit_test(test_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
