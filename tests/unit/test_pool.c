/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions kept warm, taken, given back and taken leave of. */
#include "common/pool.h"

#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/pool_rig.h"

static const struct mini_params plain = { .auth = true };
static const struct mini_params trusting = { .auth = true, .xclient = true };

/* As many as asked for are ready before anybody asks; each that is taken is
 * replaced, and a login waits for nothing. */
static void
test_warm(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;
	struct fault f;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 4");
	pool_warm(rig.pool, rig.route, 0);
	WAIT_FOR((stats(&rig, &st), st.idle == 4));
	assert_int_equal(counts(&rig).connections, 4);
	/* No time at all is enough. */
	l = take(&rig, 0, &f);
	assert_non_null(l);
	assert_true(lease_login(l));
	WAIT_FOR((stats(&rig, &st), st.idle == 4));
	assert_int_equal(st.in_use, 1);
	assert_int_equal(counts(&rig).connections, 5);
	pool_give(l, POOL_CLOSE);
	WAIT_FOR((stats(&rig, &st), st.closing == 0));
	assert_int_equal(counts(&rig).quits, 1);
	assert_int_equal(counts(&rig).connections, 5);
	assert_int_equal(counts(&rig).auths, 1);
	assert_int_equal(st.opened, 5);
	assert_string_equal(st.breaker, "closed");
	rig_close(&rig);
}

/* Nothing is opened until somebody asks, and then no more than is needed. */
static void
test_cold(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0");
	pool_warm(rig.pool, rig.route, 0);
	l = must_take(&rig);
	assert_int_equal(counts(&rig).connections, 1);
	/* Unused, it is there for the next. */
	pool_give(l, POOL_UNUSED);
	stats(&rig, &st);
	assert_int_equal(st.idle, 1);
	l = must_take(&rig);
	assert_true(lease_login(l));
	pool_give(l, POOL_CLOSE);
	assert_int_equal(counts(&rig).connections, 1);
	rig_close(&rig);
}

static void
test_idle_expiry(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0 idle_timeout = \"300ms\"");
	pool_give(must_take(&rig), POOL_UNUSED);
	stats(&rig, &st);
	assert_int_equal(st.idle, 1);
	WAIT_FOR((stats(&rig, &st), st.idle + st.closing == 0));
	assert_int_equal(counts(&rig).quits, 1);
	assert_int_equal(counts(&rig).connections, 1);
	rig_close(&rig);

	/* What is to be warm is replaced. */
	rig_open(&rig, &plain, "warm_sessions = 2 idle_timeout = \"300ms\"");
	pool_warm(rig.pool, rig.route, 0);
	WAIT_FOR(counts(&rig).quits >= 4);
	WAIT_FOR((stats(&rig, &st), st.idle == 2));
	assert_int_equal(st.failed, 0);
	rig_close(&rig);
}

/* The upstream closes what is idle: nobody gets one of these. */
static void
test_turned_bad(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;
	int i;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 4");
	pool_warm(rig.pool, rig.route, 0);
	for (i = 0; i < 5; i++) {
		WAIT_FOR((stats(&rig, &st), st.idle == 4));
		mini_drop(rig.up);
		l = must_take(&rig);
		assert_true(lease_login(l));
		pool_give(l, POOL_CLOSE);
	}
	/* Nor do they stay, without anybody asking. */
	WAIT_FOR((stats(&rig, &st), st.idle == 4));
	i = counts(&rig).connections;
	mini_drop(rig.up);
	WAIT_FOR(counts(&rig).connections >= i + 4);
	WAIT_FOR((stats(&rig, &st), st.idle == 4));
	rig_close(&rig);
}

/* max_sessions holds at every moment, and all are served. */
static void
test_cap(void **state)
{
	const struct taker how = { .rounds = 10, .wait_ms = 20000 };
	struct taker takers[20], h = how;
	struct pool_rig rig;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 2 max_sessions = 3");
	h.rig = &rig;
	takers_start(takers, 20, &h);
	assert_int_equal(takers_join(takers, 20), 200);
	assert_true(counts(&rig).most <= 3);
	assert_int_equal(counts(&rig).auths, 200);
	rig_close(&rig);
}

/* Sections with different options share what one endpoint may have: an idle
 * session of the one makes place for who waits at the other. */
static void
test_shared_cap(void **state)
{
	struct pool_rig rig;
	struct route *first;
	struct conf *conf;
	struct pool_stats st;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0 max_sessions = 1");
	pool_give(must_take(&rig), POOL_UNUSED);
	first = route_ref(rig.route);
	conf = conf_ref(rig.conf);
	rig_conf(&rig, "warm_sessions = 0 max_sessions = 1");
	pool_give(must_take(&rig), POOL_UNUSED);
	assert_int_equal(counts(&rig).connections, 2);
	assert_int_equal(counts(&rig).most, 1);
	stats(&rig, &st);
	assert_int_equal(st.idle, 1);
	route_unref(first);
	conf_unref(conf);
	rig_close(&rig);
}

/* Whoever asks first is served first. */
struct queued {
	pthread_t thread;
	struct pool_rig *rig;
	int turn;
};

static int turns;

static void *
queued_main(void *arg)
{
	struct queued *q = arg;
	struct fault f;
	struct pool_lease *l = take(q->rig, 20000, &f);

	if (l != NULL) {
		q->turn = ++turns; /* one session: one thread at a time */
		pool_give(l, POOL_UNUSED);
	}
	return NULL;
}

static void
test_order(void **state)
{
	struct queued q[8];
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;
	size_t i;

	(void)state;
	turns = 0;
	rig_open(&rig, &plain, "warm_sessions = 0 max_sessions = 1");
	l = must_take(&rig);
	for (i = 0; i < 8; i++) {
		q[i].rig = &rig;
		q[i].turn = 0;
		assert_int_equal(
		    pthread_create(&q[i].thread, NULL, queued_main, &q[i]), 0);
		WAIT_FOR((stats(&rig, &st), st.waiting == i + 1));
	}
	pool_give(l, POOL_UNUSED);
	for (i = 0; i < 8; i++) {
		pthread_join(q[i].thread, NULL);
		assert_int_equal(q[i].turn, i + 1);
	}
	assert_int_equal(counts(&rig).connections, 1);
	rig_close(&rig);
}

static void
test_reuse(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;
	int i;

	(void)state;
	rig_open(&rig, &trusting, "warm_sessions = 0");
	for (i = 0; i < 5; i++) {
		l = must_take(&rig);
		assert_true(lease_login(l));
		pool_give(l, POOL_REUSE);
		WAIT_FOR((stats(&rig, &st), st.idle == 1));
	}
	/* The last one is looked at in passing. */
	WAIT_FOR((stats(&rig, &st), st.reused == 5));
	assert_int_equal(counts(&rig).connections, 1);
	assert_int_equal(counts(&rig).xclients, 5);
	/* A refusal ends it. */
	l = must_take(&rig);
	pool_give(l, POOL_CLOSE);
	stats(&rig, &st);
	assert_int_equal(st.idle, 0);
	rig_close(&rig);

	/* EHLO, then two commands a login: a third login might be too many. */
	rig_open(&rig, &trusting, "warm_sessions = 0 max_commands = 8");
	for (i = 0; i < 6; i++) {
		l = must_take(&rig);
		assert_true(lease_login(l));
		pool_give(l, POOL_REUSE);
		WAIT_FOR((stats(&rig, &st), st.in_use + st.closing == 0));
	}
	assert_true(counts(&rig).connections >= 3);
	assert_true(st.reused > 0);
	rig_close(&rig);
}

/* Where the upstream does not offer it, or the client is told. */
static void
test_no_reuse(void **state)
{
	static const struct {
		const struct mini_params *up;
		const char *more;
	} cases[] = { { &plain, "warm_sessions = 0" },
		{ &trusting, "warm_sessions = 0 xclient = ifavailable" } };
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < 2; i++) {
		rig_open(&rig, cases[i].up, cases[i].more);
		for (j = 0; j < 3; j++) {
			l = must_take(&rig);
			assert_true(lease_login(l));
			pool_give(l, POOL_REUSE);
		}
		stats(&rig, &st);
		assert_int_equal(st.reused, 0);
		assert_int_equal(counts(&rig).connections, 3);
		assert_int_equal(counts(&rig).xclients, 0);
		rig_close(&rig);
	}
}

static void
test_renew(void **state)
{
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 3");
	pool_warm(rig.pool, rig.route, 0);
	WAIT_FOR((stats(&rig, &st), st.idle == 3));
	l = must_take(&rig);
	WAIT_FOR((stats(&rig, &st), st.idle == 3));
	rig_conf(&rig, "warm_sessions = 1");
	pool_renew(rig.pool);
	pool_warm(rig.pool, rig.route, 0);
	WAIT_FOR((stats(&rig, &st), st.idle == 1 && st.closing == 0));
	/* It still works, and is closed afterwards. */
	assert_int_equal(st.in_use, 1);
	assert_true(lease_login(l));
	pool_give(l, POOL_UNUSED);
	WAIT_FOR((stats(&rig, &st), st.in_use + st.closing == 0));
	assert_int_equal(st.idle, 1);
	assert_int_equal(counts(&rig).quits, 4);
	pool_give(must_take(&rig), POOL_UNUSED);
	rig_close(&rig);
}

/* How many threads this process has. */
static int
threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2; /* "." and ".." */
}

/* Once it is known where the upstream is, sessions are opened without a
 * thread for each: here nobody answers, and all are being opened. */
static void
test_no_threads(void **state)
{
	const struct taker how = { .rounds = 1, .wait_ms = 20000 };
	struct taker takers[60], h = how;
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;
	int before;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0 max_sessions = 100");
	l = must_take(&rig);
	mini_set_fail(rig.up, MINI_GREETING, MINI_HANG);
	before = threads();
	h.rig = &rig;
	takers_start(takers, 60, &h);
	WAIT_FOR((stats(&rig, &st), st.opening == 60));
	WAIT_FOR(counts(&rig).connections == 61);
	/* The takers' own, and the upstream's, one for each connection. */
	assert_true(threads() <= before + 2 * 60);
	/* None of them is held up when the pool stops. */
	pool_stop(rig.pool);
	assert_int_equal(takers_join(takers, 60), 0);
	pool_give(l, POOL_CLOSE);
	rig_close(&rig);
}

static enum mini_said
knows_helo(void *arg, struct mini_talk *t, const char *line)
{
	(void)arg;
	if (strncmp(line, "EHLO ", 5) == 0)
		mini_say(t, "502 5.5.1 what?");
	else if (strncmp(line, "HELO ", 5) == 0)
		mini_say(t, "250 mini.test");
	else
		return MINI_NOT_MINE;
	return MINI_SAID;
}

/* What takes more than a greeting and EHLO is not tried without a thread
 * first, each time: HELO; STARTTLS that is offered and refused. */
static void
test_one_each(void **state)
{
	static const struct {
		struct mini_params up;
		const char *more;
	} cases[] = {
		{ { .line = knows_helo }, "warm_sessions = 0" },
		{ { .keywords = { "STARTTLS" } },
		    "tls = may warm_sessions = 0" },
	};
	struct pool_rig rig;
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_open(&rig, &cases[i].up, cases[i].more);
		for (j = 0; j < 3; j++)
			pool_give(must_take(&rig), POOL_CLOSE);
		assert_int_equal(counts(&rig).connections, 3);
		rig_close(&rig);
	}
}

/* It goes, comes back elsewhere, as it were, and is found again. */
static void
test_moves(void **state)
{
	struct mini_params mp = plain;
	struct pool_rig rig;
	struct pool_stats st;
	struct fault f;
	int i;

	(void)state;
	rig_open(&rig, &plain, "warm_sessions = 0");
	for (i = 0; i < 3; i++)
		pool_give(must_take(&rig), POOL_CLOSE);
	mini_stop(rig.up);
	rig.up = NULL;
	/* One failure each: libcurl says what it is. */
	assert_null(take(&rig, 20000, &f));
	assert_int_equal(f.origin, FAULT_CONNECTION);
	assert_non_null(strstr(f.text, "connect to 127.0.0.1:"));
	stats(&rig, &st);
	assert_int_equal(st.failed, 1);
	assert_null(take(&rig, 20000, &f));
	stats(&rig, &st);
	assert_int_equal(st.failed, 2);
	mp.port = rig.port;
	rig.up = mini_start(&mp);
	for (i = 0; i < 3; i++) {
		struct pool_lease *l = must_take(&rig);

		assert_true(lease_login(l));
		pool_give(l, POOL_CLOSE);
	}
	rig_close(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warm),
		cmocka_unit_test(test_cold),
		cmocka_unit_test(test_idle_expiry),
		cmocka_unit_test(test_turned_bad),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_shared_cap),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_no_reuse),
		cmocka_unit_test(test_renew),
		cmocka_unit_test(test_no_threads),
		cmocka_unit_test(test_one_each),
		cmocka_unit_test(test_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
