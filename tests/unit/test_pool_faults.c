/* SPDX-License-Identifier: BSD-2-Clause */
/* Upstreams that are down, full or silent, and stopping in the midst of it. */
#include "common/pool.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "common/breaker.h"
#include "tests/unit/pool_rig.h"

static const struct mini_params plain = { .auth = true };

/* Nobody listens: known at once, and after five times not tried any more; the
 * pool itself finds out that it works again. */
static void
test_down(void **state)
{
	struct mini_params mp = plain;
	struct pool_rig rig;
	struct pool_stats st;
	struct fault f;
	int i;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0");
	mini_stop(rig.up);
	rig.up = NULL;
	for (i = 0; i < BREAKER_FAILURES; i++) {
		assert_null(take(&rig, 20000, &f));
		assert_int_equal(f.origin, FAULT_CONNECTION);
		assert_null(strstr(f.text, "not asked"));
	}
	stats(&rig, &st);
	assert_string_equal(st.breaker, "open");
	assert_int_equal(st.failed, BREAKER_FAILURES);
	assert_null(take(&rig, 20000, &f));
	assert_non_null(strstr(f.text, "not asked"));
	stats(&rig, &st);
	assert_int_equal(st.failed, BREAKER_FAILURES);

	mp.port = rig.port;
	rig.up = mini_start(&mp);
	rig_conf(&rig, "warm_sessions = 1");
	pool_warm(rig.pool, rig.route, 0);
	WAIT_FOR((stats(&rig, &st), st.idle == 1));
	rig_close(&rig);
}

static void
test_recovery(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct fault f;
	int tries;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 1");
	mini_set_fail(rig.up, MINI_GREETING, MINI_CLOSE);
	while (take(&rig, 20000, &f) == NULL &&
	    strstr(f.text, "not asked") == NULL)
		;
	stats(&rig, &st);
	assert_string_equal(st.breaker, "open");
	tries = counts(&rig).connections;
	assert_true(tries >= BREAKER_FAILURES);
	(void)poll(NULL, 0, 1500);
	assert_int_equal(counts(&rig).connections, tries);
	/* Its trial comes without anybody asking, and is one. */
	mini_set_fail(rig.up, MINI_NONE, MINI_CLOSE);
	WAIT_FOR((stats(&rig, &st), st.idle == 1));
	assert_string_equal(st.breaker, "closed");
	assert_int_equal(counts(&rig).connections, tries + 1);
	rig_close(&rig);
}

/* A trial that hangs holds nobody up. */
static void
test_trial(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct fault f;
	int64_t begin;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 1");
	mini_set_fail(rig.up, MINI_GREETING, MINI_CLOSE);
	while (take(&rig, 20000, &f) == NULL &&
	    strstr(f.text, "not asked") == NULL)
		;
	mini_set_fail(rig.up, MINI_GREETING, MINI_HANG);
	WAIT_FOR((stats(&rig, &st), strcmp(st.breaker, "half-open") == 0));
	assert_int_equal(st.opening, 1);
	begin = clock_ms();
	assert_null(take(&rig, 20000, &f));
	assert_non_null(strstr(f.text, "not asked"));
	assert_true(clock_ms() - begin < 10000);
	rig_close(&rig);
}

/* Accepted and never greeted: who waits does so until its own deadline, and
 * can turn elsewhere; stopping does not wait for it either. */
static void
test_silent(void **state)
{
	struct mini_params mp = { .fail = MINI_GREETING, .how = MINI_HANG };
	const struct taker how = { .rounds = 1, .wait_ms = 300 };
	struct taker takers[40], h = how;
	struct pool_rig rig;
	struct pool_stats st;
	int64_t begin = clock_ms();

	(void)state;
	rig_open(&rig, &mp, "warm_sessions = 4 max_sessions = 100");
	h.rig = &rig;
	takers_start(takers, 40, &h);
	assert_int_equal(takers_join(takers, 40), 0);
	assert_true(clock_ms() - begin < 10000);
	stats(&rig, &st);
	assert_int_equal(st.waiting, 0);
	/* It does not get all threads that open sessions. */
	assert_true(counts(&rig).connections <= 8);
	begin = clock_ms();
	rig_close(&rig);
	assert_true(clock_ms() - begin < 10000);
}

/* It works, and is slow now: whoever can wait may. */
static void
test_slow(void **state)
{
	struct rusage before, after;
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;
	struct fault f;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0");
	l = must_take(&rig);
	mini_set_fail(rig.up, MINI_GREETING, MINI_HANG);
	assert_null(take(&rig, 3000, &f));
	assert_string_equal(f.text, "no session became free in time");
	stats(&rig, &st);
	assert_int_equal(st.failed, 0);
	assert_int_equal(st.opening, 1);
	/* Nor does anybody look for it all the time.  The upstream itself wakes
	 * a hundred times a second. */
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	(void)poll(NULL, 0, 1000);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	stats(&rig, &st);
	assert_int_equal(st.opening, 1);
	assert_true(after.ru_nvcsw - before.ru_nvcsw < 400);
	pool_give(l, POOL_CLOSE);
	rig_close(&rig);
}

/* An opening that fails speaks for those who waited when it began. */
static void
test_failed_opening(void **state)
{
	static const enum mini_how hows[] = { MINI_CLOSE, MINI_554, MINI_451 };
	struct mini_params mp = { .fail = MINI_GREETING };
	struct pool_rig rig;
	struct fault f;
	size_t i;
	int64_t begin;

	(void)state;
	for (i = 0; i < 3; i++) {
		mp.how = hows[i];
		rig_open(&rig, &mp, "warm_sessions = 0");
		begin = clock_ms();
		assert_null(take(&rig, 20000, &f));
		assert_true(clock_ms() - begin < 10000);
		assert_int_equal(counts(&rig).connections, 1);
		rig_close(&rig);
	}
}

/* 421 to the first that is opened: left alone. */
static void
test_refused(void **state)
{
	struct mini_params mp = { .fail = MINI_GREETING, .how = MINI_421 };
	struct pool_rig rig;
	struct pool_stats st;
	struct fault f;

	(void)state;
	rig_open(&rig, &mp, "warm_sessions = 3");
	assert_null(take(&rig, 20000, &f));
	assert_int_equal(f.code, 421);
	WAIT_FOR((stats(&rig, &st), st.opening == 0));
	assert_string_equal(st.breaker, "open");
	assert_null(take(&rig, 20000, &f));
	assert_non_null(strstr(f.text, "not asked"));
	rig_close(&rig);

	/* And likewise after a 421 during a login. */
	rig_open(&rig, &plain, "warm_sessions = 3");
	pool_give(must_take(&rig), POOL_REFUSED);
	WAIT_FOR((stats(&rig, &st), st.closing + st.opening == 0));
	assert_int_equal(st.idle, 0);
	assert_null(take(&rig, 20000, &f));
	assert_non_null(strstr(f.text, "not asked"));
	rig_close(&rig);
}

/* The upstream takes three sessions of us and no more: that is no failure,
 * everybody is served in turn. */
static void
test_crowded(void **state)
{
	const struct mini_params mp = { .auth = true, .most = 3 };
	const struct taker how = {
		.rounds = 3, .wait_ms = 20000, .hold_ms = 20
	};
	struct taker takers[12], h = how;
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;

	(void)state;
	rig_open(&rig, &mp, "warm_sessions = 0 max_sessions = 20");
	l = must_take(&rig); /* it is known to work */
	h.rig = &rig;
	takers_start(takers, 12, &h);
	assert_int_equal(takers_join(takers, 12), 36);
	assert_true(lease_login(l));
	pool_give(l, POOL_CLOSE);
	stats(&rig, &st);
	assert_string_equal(st.breaker, "closed");
	rig_close(&rig);
}

/* Sessions that break count, too. */
static void
test_broken(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l[BREAKER_FAILURES];
	int i;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0");
	for (i = 0; i < BREAKER_FAILURES; i++)
		l[i] = must_take(&rig);
	for (i = 0; i < BREAKER_FAILURES; i++) {
		stats(&rig, &st);
		assert_string_equal(st.breaker, "closed");
		pool_give(l[i], POOL_BROKEN);
	}
	stats(&rig, &st);
	assert_string_equal(st.breaker, "open");
	assert_int_equal(st.in_use + st.closing, 0);
	rig_close(&rig);
}

/* A session counts for a second when the upstream does not close it. */
static void
test_mute_quit(void **state)
{
	const struct mini_params mp = { .auth = true, .mute_quit = true };
	struct pool_lease *l;
	struct pool_rig rig;
	struct pool_stats st;
	struct fault f;
	int64_t begin;
	int tries = 0;

	(void)state;
	rig_open(&rig, &mp, "warm_sessions = 0 max_sessions = 1");
	/* Who has not seen it for half of that second looks again. */
	do {
		l = must_take(&rig);
		begin = clock_ms();
		pool_give(l, POOL_CLOSE);
		stats(&rig, &st);
		l = take(&rig, 200, &f);
		if (l != NULL)
			pool_give(l, POOL_UNUSED);
	} while (clock_ms() - begin > 900 && tries++ < 20);
	assert_int_equal(st.closing, 1);
	assert_null(l);
	assert_int_equal(f.origin, FAULT_CONNECTION);
	pool_give(must_take(&rig), POOL_UNUSED);
	assert_true(clock_ms() - begin >= 900);
	assert_true(clock_ms() - begin < 20000);
	rig_close(&rig);
}

/* All in use: that is said at the deadline, and no sooner. */
static void
test_deadline(void **state)
{
	struct pool_rig rig;
	struct pool_lease *l;
	struct fault f;
	int64_t begin;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0 max_sessions = 1");
	l = must_take(&rig);
	begin = clock_ms();
	assert_null(take(&rig, 150, &f));
	assert_true(clock_ms() - begin >= 150);
	assert_true(clock_ms() - begin < 20000);
	pool_give(l, POOL_CLOSE);
	rig_close(&rig);
}

/* Certificates that cannot be read are ours to mend: said at once, to all,
 * and no fault of the upstream's. */
static void
test_certificates(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct fault f;
	int i;

	(void)state;
	rig_open(&rig, &plain,
	    "tls = verify tls_ca_file = \"/dev/null\" warm_sessions = 2");
	for (i = 0; i < 2 * BREAKER_FAILURES; i++) {
		assert_null(take(&rig, 20000, &f));
		assert_int_equal(f.origin, FAULT_LOCAL);
		assert_non_null(strstr(f.text, "/dev/null"));
	}
	stats(&rig, &st);
	assert_string_equal(st.breaker, "closed");
	assert_int_equal(counts(&rig).connections, 0);
	/* Without STARTTLS, as loopback may do. */
	rig_conf(&rig, "tls = verify warm_sessions = 2");
	pool_give(must_take(&rig), POOL_UNUSED);
	rig_close(&rig);
}

/* Those who wait, those in a dialogue and those who come are all told. */
static void
test_stop(void **state)
{
	const struct taker how = { .rounds = 100000, .wait_ms = 20000 };
	struct taker takers[24], h = how;
	struct pool_rig rig;
	struct pool_lease *l;
	struct fault f;
	int64_t begin;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 4 max_sessions = 6");
	l = must_take(&rig);
	h.rig = &rig;
	takers_start(takers, 24, &h);
	WAIT_FOR(counts(&rig).auths > 50);
	begin = clock_ms();
	pool_stop(rig.pool);
	assert_null(take(&rig, 20000, &f));
	assert_int_equal(f.origin, FAULT_LOCAL);
	/* What is in a dialogue is broken off. */
	assert_false(lease_login(l));
	pool_give(l, POOL_BROKEN);
	assert_true(takers_join(takers, 24) > 0);
	assert_true(clock_ms() - begin < 30000);
	rig_close(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_trial),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_failed_opening),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_crowded),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_mute_quit),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
