/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for attempts that are under way. */
#include "common/shield.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/shield_case.h"

/* Who waits for what is under way is not let in by time, and not kept. */
static void
test_wait(void **state)
{
	struct shield *s = make(100);
	struct shield_visit v = visit("ann", ""), other = visit("bob", "");
	struct shield_stats st;
	int64_t begin = clock_ms();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    shield_wait(s, &v, &limits, deadline_in(0)), SHIELD_PASS);
	assert_int_equal(
	    shield_wait(s, &v, &limits, deadline_in(60)), SHIELD_ACCOUNT);
	assert_true(clock_ms() - begin >= 60);
	assert_int_equal(
	    shield_wait(s, &other, &limits, deadline_in(0)), SHIELD_PASS);
	shield_stats(s, &st);
	assert_int_equal(st.held_accounts, 1);
	shield_stop(s);
	begin = clock_ms();
	assert_int_equal(
	    shield_wait(s, &v, &limits, deadline_in(60000)), SHIELD_ACCOUNT);
	/* Failures are not waited for. */
	for (int i = 0; i < 3; i++)
		shield_leave(s, &v, SHIELD_BAD, clock_ms());
	assert_int_equal(
	    shield_wait(s, &v, &limits, deadline_in(60000)), SHIELD_ACCOUNT);
	assert_true(clock_ms() - begin < 30000);
	shield_free(s);
}

struct waiter {
	struct shield *s;
	enum shield_answer answer;
	pthread_t thread;
};

static void *
waiter_main(void *arg)
{
	struct waiter *w = arg;
	struct shield_visit v = visit("ann", "");

	w->answer = shield_wait(w->s, &v, &limits, deadline_in(60000));
	return NULL;
}

/* What ends well makes room for one who waits, what ends badly for none. */
static void
test_woken(void **state)
{
	struct shield_visit v = visit("ann", "");
	struct waiter w;

	(void)state;
	for (int good = 0; good < 2; good++) {
		w.s = make(100);
		for (int i = 0; i < 3; i++)
			assert_int_equal(
			    shield_enter(w.s, &v, &limits, clock_ms()),
			    SHIELD_PASS);
		assert_int_equal(
		    pthread_create(&w.thread, NULL, waiter_main, &w), 0);
		for (int i = 0; i < (good ? 1 : 3); i++)
			shield_leave(w.s, &v, good ? SHIELD_GOOD : SHIELD_BAD,
			    clock_ms());
		pthread_join(w.thread, NULL);
		assert_int_equal(w.answer, good ? SHIELD_PASS : SHIELD_ACCOUNT);
		shield_free(w.s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
