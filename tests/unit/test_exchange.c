/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins with a password, good ones and every way in which one goes wrong. */
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
test_plain(void **state)
{
	static const char *const replies[] = { "235 2.7.0 welcome\r\n",
		"535 5.7.8 no\r\n", "454 4.7.0 later\r\n", "250 ok\r\n",
		"354 go on\r\n", "299 what\r\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		OPEN("PLAIN LOGIN", replies[i]);
		assert_int_equal(
		    login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
		assert_int_equal(fx.x.reply.code, strtol(replies[i], NULL, 10));
		assert_true(fx.x.final);
		assert_true(fx.x.sent);
		assert_lines(1, "AUTH PLAIN AGFubgBTZXNhbWU0NzEx",
		    "AUTH PLAIN AGFubgBTZXNhbWU0NzEx");
		assert_no_secret();
		assert_true(session_alive(fx.s));
		close_it();
	}
}

static void
test_login(void **state)
{
	(void)state;
	OPEN("LOGIN", "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n",
	    "235 ok\r\n");
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
	assert_int_equal(fx.x.reply.code, 235);
	assert_true(fx.x.final);
	assert_lines(3, "AUTH LOGIN", "U2VzYW1lNDcxMQ==");
	assert_string_equal(fx.sc.lines[1], "YW5u");
	assert_no_secret();
	assert_true(session_alive(fx.s));
	close_it();

	/* Asked for, though PLAIN is there; challenges that are no base64. */
	OPEN("PLAIN LOGIN", "334\r\n", "334 Password:\r\n", "535 no\r\n");
	assert_int_equal(login("ann", "Sesame4711", "login"), EXCHANGE_REPLY);
	assert_int_equal(fx.x.reply.code, 535);
	assert_true(fx.x.final);
	close_it();
}

/* A refusal of the user name, and a success that did not want the password:
 * replies, but not to the last response. */
static void
test_login_early(void **state)
{
	static const char *const replies[] = { "535 5.7.8 no such user\r\n",
		"235 2.7.0 hello\r\n", "504 5.5.4 no\r\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		OPEN("LOGIN", "334 VXNlcm5hbWU6\r\n", replies[i]);
		assert_int_equal(
		    login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
		assert_false(fx.x.final);
		assert_true(fx.x.sent);
		assert_int_equal(fx.sc.n, 2);
		close_it();

		OPEN("LOGIN", replies[i]);
		assert_int_equal(
		    login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
		assert_false(fx.x.final);
		assert_false(fx.x.sent);
		close_it();
	}
}

static void
test_not_offered(void **state)
{
	(void)state;
	OPEN("CRAM-MD5", NULL);
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_BROKEN);
	assert_int_equal(fx.x.fault.origin, FAULT_FEATURE);
	assert_false(fx.x.sent);
	assert_int_equal(fx.sc.n, 0);
	assert_true(session_alive(fx.s));
	assert_int_equal(
	    login("ann", "Sesame4711", "CRAM-MD5"), EXCHANGE_BROKEN);
	assert_int_equal(fx.sc.n, 0);
	close_it();
}

/* The upstream goes away, or says what is no reply; nobody knows whether it
 * has looked at the password. */
static void
test_plain_broken(void **state)
{
	static const struct {
		const char *reply;
		enum fault_origin origin;
	} cases[] = {
		{ NULL, FAULT_CONNECTION },     /* silence */
		{ "", FAULT_CONNECTION },       /* closed */
		{ "235 ok", FAULT_CONNECTION }, /* closed within the line */
		{ "235 ok\n", FAULT_PROTOCOL },
		{ "235 ok\r\n250 more\r\n", FAULT_PROTOCOL },
		{ "535 no\r\nx", FAULT_PROTOCOL },
		{ "nonsense\r\n", FAULT_PROTOCOL },
		{ "235-a\r\n535 b\r\n", FAULT_PROTOCOL },
		{ "199 a\r\n", FAULT_PROTOCOL },
		{ "334 bW9yZQ==\r\n", FAULT_PROTOCOL }, /* still asking */
		{ "334-\r\n334 \r\n", FAULT_PROTOCOL },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		OPEN("PLAIN", cases[i].reply);
		(void)login("ann", "Sesame4711", NULL);
		assert_dead(cases[i].origin);
		assert_true(fx.x.sent);
		assert_no_secret();
		close_it();
	}
}

/* 421 is a reply like others, and the end of the session. */
static void
test_closing(void **state)
{
	(void)state;
	OPEN("PLAIN", "421 4.3.2 bye\r\n");
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
	assert_int_equal(fx.x.reply.code, 421);
	assert_false(session_alive(fx.s));
	close_it();

	OPEN("PLAIN", "535 5.7.8 no\r\n421 4.7.0 too many errors\r\n");
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
	assert_int_equal(fx.x.reply.code, 535);
	assert_true(fx.x.final);
	assert_false(session_alive(fx.s));
	close_it();
}

/* A session that died while it was idle has seen nothing of the client. */
static void
test_dead_before(void **state)
{
	(void)state;
	OPEN("PLAIN", NULL);
	fake_close(fx.fake);
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_BROKEN);
	assert_false(fx.x.sent);
	assert_int_equal(fx.sc.n, 0);
	close_it();

	OPEN("PLAIN", NULL);
	fake_say(fx.fake, "235 2.7.0 welcome\r\n");
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_BROKEN);
	assert_false(fx.x.sent);
	assert_int_equal(fx.sc.n, 0);
	close_it();
}

/* 372 octets are the last whose line keeps to 512. */
static void
test_long_initial(void **state)
{
	char pass[8 * 1024];

	(void)state;
	memset(pass, 'x', sizeof(pass));
	pass[372 - 5] = '\0'; /* NUL ann NUL */
	OPEN("PLAIN", "235 ok\r\n");
	assert_int_equal(login("ann", pass, NULL), EXCHANGE_REPLY);
	assert_int_equal(fx.sc.n, 1);
	assert_int_equal(strlen(fx.sc.lines[0]), 11 + 496);
	assert_memory_equal(fx.sc.lines[0], "AUTH PLAIN AGFubgB4", 19);
	close_it();

	pass[372 - 5] = 'x';
	pass[373 - 5] = '\0';
	OPEN("PLAIN", "334 \r\n", "235 ok\r\n");
	assert_int_equal(login("ann", pass, NULL), EXCHANGE_REPLY);
	assert_true(fx.x.final);
	assert_int_equal(fx.sc.n, 2);
	assert_string_equal(fx.sc.lines[0], "AUTH PLAIN");
	assert_int_equal(strlen(fx.sc.lines[1]), 500);
	assert_memory_equal(fx.sc.lines[1], "AGFubgB4", 8);
	assert_non_null(strstr(fx.sc.trace, "> ********\n"));
	assert_null(strstr(fx.sc.trace, "AGFubg"));
	close_it();

	/* The upstream decides without having asked for it. */
	OPEN("PLAIN", "235 ok\r\n");
	assert_int_equal(login("ann", pass, NULL), EXCHANGE_REPLY);
	assert_false(fx.x.final);
	assert_false(fx.x.sent);
	close_it();
}

/* A line of AUTH has 12288 octets with its CRLF: 9213 are the last to fit. */
static void
test_longest(void **state)
{
	static char text[9300];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[9213] = '\0';
	OPEN("XOAUTH2", "334 \r\n", "235 ok\r\n");
	assert_int_equal(start("XOAUTH2", text), EXCHANGE_REPLY);
	assert_int_equal(strlen(fx.sc.lines[1]), 12284);
	close_it();

	text[9213] = 'x';
	text[9214] = '\0';
	OPEN("XOAUTH2 PLAIN LOGIN", NULL);
	assert_int_equal(start("XOAUTH2", text), EXCHANGE_BROKEN);
	assert_int_equal(fx.x.fault.origin, FAULT_LOCAL);
	assert_int_equal(login("ann", text, "PLAIN"), EXCHANGE_BROKEN);
	assert_int_equal(login("ann", text, "LOGIN"), EXCHANGE_BROKEN);
	assert_int_equal(login(text, "Sesame4711", "LOGIN"), EXCHANGE_BROKEN);
	assert_false(fx.x.sent);
	assert_int_equal(fx.sc.n, 0);
	assert_true(session_alive(fx.s));
	close_it();

	/* In the middle of a dialogue there is no way on. */
	OPEN("CRAM-MD5", "334 Zm9v\r\n");
	assert_int_equal(start("CRAM-MD5", NULL), EXCHANGE_CHALLENGE);
	(void)step(text);
	assert_dead(FAULT_LOCAL);
	assert_false(fx.x.sent);
	close_it();
}

static void
test_nul(void **state)
{
	struct secret pass = { NULL, 0 };
	struct exchange_login l = { "ann", &pass, NULL };

	(void)state;
	assert_true(secret_set(&pass, "a\0b", 3));
	OPEN("PLAIN LOGIN", NULL);
	assert_int_equal(exchange_password(&fx.x, fx.s, &l, deadline_in(1000)),
	    EXCHANGE_BROKEN);
	assert_int_equal(fx.x.fault.origin, FAULT_LOCAL);
	assert_int_equal(fx.sc.n, 0);
	secret_release(&pass);
	close_it();
}

/* Whatever step goes wrong, in whatever way: no success comes of it but the
 * upstream's own, and nothing is left behind. */
static void
test_torture(void **state)
{
	static const enum fake_fault kinds[] = { FAKE_ERROR, FAKE_EOF,
		FAKE_HANG, FAKE_GARBAGE, FAKE_EARLY };

	unsigned int n;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		for (n = 1;; n++) {
			OPEN("LOGIN", "334 VXNlcm5hbWU6\r\n",
			    "334 UGFzc3dvcmQ6\r\n", "535 5.7.8 no\r\n");
			fake_fail_at(fx.fake, n, kinds[k]);
			(void)login("ann", "Sesame4711", NULL);
			assert_false(fx.x.event == EXCHANGE_CHALLENGE);
			if (fx.x.event == EXCHANGE_REPLY)
				assert_int_equal(fx.x.reply.code, 535);
			if (fx.x.event == EXCHANGE_BROKEN)
				assert_false(session_alive(fx.s));
			if (fx.sc.n > 1)
				assert_true(fx.x.sent);
			assert_no_secret();
			if (fake_steps(fx.fake) < n) {
				close_it();
				break;
			}
			close_it();
		}
		assert_true(n > 6);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_login_early),
		cmocka_unit_test(test_not_offered),
		cmocka_unit_test(test_plain_broken),
		cmocka_unit_test(test_closing),
		cmocka_unit_test(test_dead_before),
		cmocka_unit_test(test_long_initial),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
