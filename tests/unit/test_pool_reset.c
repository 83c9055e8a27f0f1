/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins that are reset: by upstreams that take their time over it, refuse it,
 * hang, or go meanwhile. */
#include "common/pool.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"

#include "tests/unit/pool_rig.h"

/* What becomes of an XCLIENT. */
enum how {
	AT_ONCE,
	LATER, /* after 100 ms */
	HANGS,
	REFUSED,
	CLOSED, /* with its reply */
};

static struct {
	_Atomic int how;
	atomic_int times; /* that it hangs or closes */
} script;

static enum mini_said
on_xclient(void *arg, struct mini_talk *t, const char *line)
{
	(void)arg;
	if (strncmp(line, "XCLIENT ", 8) != 0)
		return MINI_NOT_MINE;
	switch ((enum how)atomic_load(&script.how)) {
	case LATER:
		(void)poll(NULL, 0, 100);
		return MINI_NOT_MINE;
	case HANGS:
		if (atomic_fetch_sub(&script.times, 1) <= 0)
			return MINI_NOT_MINE;
		mini_hang(t);
		return MINI_END;
	case REFUSED:
		mini_say(t, "550 5.7.0 not you");
		return MINI_SAID;
	case CLOSED:
		if (atomic_fetch_sub(&script.times, 1) <= 0)
			return MINI_NOT_MINE;
		mini_say(t, "220 mini.test ESMTP");
		return MINI_END;
	case AT_ONCE:
	default:
		return MINI_NOT_MINE;
	}
}

static const struct mini_params trusting = {
	.auth = true, .xclient = true, .line = on_xclient
};

static void
login_and_give(struct pool_rig *rig)
{
	struct pool_lease *l = must_take(rig);

	assert_true(lease_login(l));
	pool_give(l, POOL_REUSE);
}

/* It takes a login after another one: only then a second one is reset. */
static void
prove(struct pool_rig *rig)
{
	int before = counts(rig).xclients;

	WAIT_FOR((login_and_give(rig), counts(rig).xclients >= before + 2));
}

static void
open_proven(struct pool_rig *rig, const char *more)
{
	atomic_store(&script.how, AT_ONCE);
	rig_open(rig, &trusting, more);
	prove(rig);
}

/* Whoever comes before the reply waits for that, not for another session. */
static void
test_waited_for(void **state)
{
	struct pool_rig rig;
	int i;

	(void)state;
	open_proven(&rig, "warm_sessions = 0 max_sessions = 1");
	atomic_store(&script.how, LATER);
	for (i = 0; i < 5; i++)
		login_and_give(&rig);
	assert_int_equal(counts(&rig).connections, 1);
	rig_close(&rig);
}

static void
test_crowd(void **state)
{
	struct pool_rig rig;
	struct taker t[8],
	    how = { .rig = &rig,
		    .rounds = 40,
		    .wait_ms = 60000,
		    .fate = POOL_REUSE };
	int before;

	(void)state;
	open_proven(&rig, "warm_sessions = 4 max_sessions = 4");
	before = counts(&rig).connections;
	takers_start(t, 8, &how);
	assert_int_equal(takers_join(t, 8), 8 * how.rounds);
	assert_true(counts(&rig).connections <= before + 4);
	rig_close(&rig);
}

/* One of them that never ends keeps nobody from the others. */
static void
test_one_hangs(void **state)
{
	struct pool_lease *a, *b;
	struct pool_rig rig;
	int i;

	(void)state;
	open_proven(&rig, "warm_sessions = 0 max_sessions = 2");
	a = must_take(&rig);
	b = must_take(&rig);
	assert_true(lease_login(a) && lease_login(b));
	atomic_store(&script.times, 1);
	atomic_store(&script.how, HANGS);
	pool_give(a, POOL_REUSE);
	WAIT_FOR(atomic_load(&script.times) == 0);
	pool_give(b, POOL_REUSE);
	for (i = 0; i < 5; i++)
		login_and_give(&rig);
	assert_int_equal(counts(&rig).connections, 2);
	rig_close(&rig);
}

/* Nothing is said on a session that has gone after its reply. */
static void
test_closed(void **state)
{
	struct pool_rig rig;
	int i;

	(void)state;
	open_proven(&rig, "warm_sessions = 0 max_sessions = 1");
	atomic_store(&script.times, 3);
	atomic_store(&script.how, CLOSED);
	for (i = 0; i < 6; i++) {
		login_and_give(&rig);
		(void)poll(NULL, 0, 50 * patience());
	}
	assert_int_equal(counts(&rig).connections, 4);
	rig_close(&rig);
}

static void
test_refused(void **state)
{
	struct pool_stats st;
	struct pool_rig rig;
	int i, xclients;

	(void)state;
	open_proven(&rig, "warm_sessions = 0 max_sessions = 1");
	xclients = counts(&rig).xclients;
	atomic_store(&script.how, REFUSED);
	for (i = 0; i < 5; i++)
		login_and_give(&rig);
	assert_true(counts(&rig).connections >= 4);
	/* Refused once: it is not asked for again. */
	assert_in_range(counts(&rig).xclients, xclients, xclients + 2);
	stats(&rig, &st);
	assert_string_equal(st.breaker, "closed");
	rig_close(&rig);
}

/* Two sections with the same host.  What the first one has to spare, now or
 * when it is given back, the second gets at once: not in the janitor's next
 * pass. */
struct second {
	struct pool_rig *rig;
	pthread_t thread;
	int64_t ms; /* -1: it got none */
};

static void *
take_second(void *arg)
{
	struct second *s = arg;
	int64_t begun = clock_ms();
	struct pool_lease *l;
	struct fault f;

	l = take(s->rig, 10000 * patience(), &f);
	s->ms = l == NULL ? -1 : clock_ms() - begun;
	if (l != NULL)
		pool_give(l, POOL_UNUSED);
	return NULL;
}

static void
one_for_two(bool first_is_older, bool waits, enum pool_fate fate)
{
	static const char one[] = "warm_sessions = 0 max_sessions = 1";
	struct pool_lease *l;
	struct pool_stats st;
	struct pool_rig rig, other;
	struct second s = { .rig = &other };

	atomic_store(&script.how, AT_ONCE);
	rig_open(&rig, &trusting, one);
	other = rig;
	other.route = NULL;
	other.conf = NULL;
	rig_conf(&other, one);
	if (!first_is_older)
		pool_give(must_take(&other), POOL_CLOSE);
	prove(&rig);
	l = must_take(&rig);
	assert_true(lease_login(l));
	if (!waits)
		pool_give(l, fate);
	assert_int_equal(pthread_create(&s.thread, NULL, take_second, &s), 0);
	if (waits) {
		WAIT_FOR((stats(&rig, &st), st.waiting == 1));
		pool_give(l, fate);
	}
	assert_int_equal(pthread_join(s.thread, NULL), 0);
	assert_in_range(s.ms, 0, 300 * patience());
	route_unref(other.route);
	conf_unref(other.conf);
	rig_close(&rig);
}

static void
test_shared_cap(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		one_for_two(i % 2 == 0, i / 2 == 0, POOL_REUSE);
		one_for_two(i % 2 == 0, i / 2 == 0, POOL_UNUSED);
	}
}

/* Sessions that are to be reset, or are being, when all ends. */
static void
test_stop(void **state)
{
	struct pool_lease *l[4];
	struct pool_rig rig;
	int i, n;

	(void)state;
	for (n = 0; n < 5; n++) {
		open_proven(&rig, "warm_sessions = 4 max_sessions = 8");
		for (i = 0; i < 4; i++) {
			l[i] = must_take(&rig);
			assert_true(lease_login(l[i]));
		}
		atomic_store(&script.how, n % 2 == 0 ? LATER : AT_ONCE);
		for (i = 0; i < 4; i++)
			pool_give(l[i], POOL_REUSE);
		if (n == 3)
			pool_renew(rig.pool);
		rig_close(&rig);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waited_for),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_one_hangs),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_shared_cap),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
