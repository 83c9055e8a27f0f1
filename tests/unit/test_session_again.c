/* SPDX-License-Identifier: BSD-2-Clause */
/* XCLIENT on a session that is open: telling the client, taking a login
 * back. */
#include "common/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/exchange_rig.h"

#define TRUSTS  "PLAIN\r\n250-XCLIENT NAME ADDR"
#define OFFERED TRUSTS " PROTO HELO LOGIN"
#define HELO    "edge.example.org"

static const struct session_client client = { .addr = "192.0.2.7" };

static enum outcome
tell(enum conf_xclient xclient, struct fault *f)
{
	struct session_again a = { HELO, xclient, &client };

	return session_tell_client(fx.s, &a, deadline_in(1000), f);
}

/* A script has its replies ready, or never. */
static enum outcome
reset(struct fault *f)
{
	enum outcome oc = OUTCOME_TEMP;
	int i;

	if (!session_reset_begin(fx.s, HELO, f))
		return f->origin == FAULT_FEATURE ? OUTCOME_PERM : OUTCOME_TEMP;
	for (i = 0; i < 100; i++) {
		if (session_reset_step(fx.s, &oc, f))
			return oc;
	}
	session_reset_late(fx.s, f);
	return OUTCOME_TEMP;
}

static void
test_tell(void **state)
{
	struct fault f;

	(void)state;
	OPEN(TRUSTS, "220 mx.example.org\r\n", "235 ok\r\n");
	/* What it offers this client may be something else. */
	fx.sc.mechs = "LOGIN PLAIN";
	assert_int_equal(tell(XCLIENT_REQUIRED, &f), OUTCOME_OK);
	assert_int_equal(f.origin, FAULT_NONE);
	assert_int_equal(
	    session_ehlo(fx.s)->mechs, EHLO_MECH_PLAIN | EHLO_MECH_LOGIN);
	assert_false(session_can_reset_login(fx.s));
	assert_true(session_alive(fx.s));
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
	assert_lines(2, "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.7",
	    "AUTH PLAIN AGFubgBTZXNhbWU0NzEx");
	assert_non_null(strstr(fx.sc.trace,
	    "> XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.7\n"
	    "< 220 mx.example.org\n"
	    "* state xclient -> ehlo\n> EHLO " HELO "\n"));
	close_it();
}

/* Where it is offered to nobody, or not to us. */
static void
test_tell_without(void **state)
{
	struct fault f;

	(void)state;
	OPEN("PLAIN", NULL);
	assert_int_equal(tell(XCLIENT_NO, &f), OUTCOME_OK);
	assert_int_equal(tell(XCLIENT_IFAVAILABLE, &f), OUTCOME_OK);
	assert_int_equal(fx.sc.n, 0);
	assert_true(session_alive(fx.s));
	assert_int_equal(tell(XCLIENT_REQUIRED, &f), OUTCOME_PERM);
	assert_int_equal(f.origin, FAULT_FEATURE);
	assert_false(session_alive(fx.s));
	assert_int_equal(tell(XCLIENT_NO, &f), OUTCOME_TEMP);
	close_it();

	OPEN(OFFERED, "550 5.7.0 not you\r\n");
	assert_int_equal(tell(XCLIENT_IFAVAILABLE, &f), OUTCOME_OK);
	assert_int_equal(f.origin, FAULT_NONE);
	assert_true(session_alive(fx.s));
	close_it();

	OPEN(OFFERED, "550 5.7.0 not you\r\n");
	assert_int_equal(tell(XCLIENT_REQUIRED, &f), OUTCOME_PERM);
	assert_int_equal(f.code, 550);
	assert_false(session_alive(fx.s));
	close_it();
}

static void
test_reset(void **state)
{
	struct fault f;

	(void)state;
	OPEN(OFFERED, "235 ok\r\n", "220 mx.example.org\r\n", "235 ok\r\n");
	assert_true(session_can_reset_login(fx.s));
	assert_int_equal(login("ann", "Sesame4711", NULL), EXCHANGE_REPLY);
	assert_int_equal(reset(&f), OUTCOME_OK);
	assert_string_equal(fx.sc.lines[1],
	    "XCLIENT LOGIN=[UNAVAILABLE] HELO=" HELO " PROTO=ESMTP");
	assert_true(session_alive(fx.s));
	exchange_release(&fx.x);
	assert_int_equal(login("bob", "Sesame4711", NULL), EXCHANGE_REPLY);
	assert_int_equal(fx.x.reply.code, 235);
	close_it();

	OPEN("PLAIN\r\n250-XCLIENT NAME ADDR LOGIN HELO", NULL);
	assert_false(session_can_reset_login(fx.s));
	assert_int_equal(reset(&f), OUTCOME_PERM);
	assert_int_equal(f.origin, FAULT_FEATURE);
	assert_int_equal(fx.sc.n, 0);
	assert_false(session_alive(fx.s));
	close_it();
}

/* Whatever else comes: nobody knows whose session it is now. */
static void
test_unexpected(void **state)
{
	static const char *const replies[] = { NULL, "", "250 ok\r\n",
		"235 ok\r\n", "421 4.3.2 bye\r\n", "220 mx\r\n250 more\r\n",
		"nonsense\r\n" };
	struct fault f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		OPEN(OFFERED, replies[i]);
		assert_int_not_equal(tell(XCLIENT_IFAVAILABLE, &f), OUTCOME_OK);
		assert_int_not_equal(f.origin, FAULT_NONE);
		assert_false(session_alive(fx.s));
		close_it();

		OPEN(OFFERED, replies[i]);
		assert_int_not_equal(reset(&f), OUTCOME_OK);
		assert_false(session_alive(fx.s));
		close_it();
	}
	OPEN(OFFERED, "501 5.5.4 no\r\n");
	assert_int_equal(reset(&f), OUTCOME_PERM);
	assert_int_equal(f.code, 501);
	assert_false(session_alive(fx.s));
	close_it();
}

/* Every step of the two fails in every way. */
static void
test_torture(void **state)
{
	static const enum fake_fault kinds[] = { FAKE_ERROR, FAKE_EOF,
		FAKE_HANG, FAKE_GARBAGE, FAKE_EARLY };

	bool told, was_reset, over = false;
	struct fault f;
	unsigned int n;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		for (n = 1, over = false; !over; n++) {
			OPEN(OFFERED, "220 mx\r\n", "220 mx\r\n");
			fake_fail_at(fx.fake, n, kinds[k]);
			told = tell(XCLIENT_REQUIRED, NULL) == OUTCOME_OK;
			was_reset = reset(&f) == OUTCOME_OK;
			assert_true(told || !was_reset);
			if (!was_reset)
				assert_false(session_alive(fx.s));
			over = fake_steps(fx.fake) < n;
			if (over)
				assert_true(told && was_reset);
			close_it();
		}
		assert_true(n > 6);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tell),
		cmocka_unit_test(test_tell_without),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_unexpected),
		cmocka_unit_test(test_torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
