/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/memory_case.h"

/* Somebody who logs in with a pair that is being asked about. */
struct joiner {
	struct auth_memory *m;
	pthread_t thread;
	int64_t wait_ms;
	enum auth_end end; /* how it ends when it is his to ask */
	bool asked;
	enum auth_memory_answer answer;
	int64_t took_ms;
};

static void *
join(void *arg)
{
	struct joiner *j = arg;
	struct auth_claim *c;
	int64_t start = clock_us();

	j->answer = begin_by(j->m, "global", "ann", "pass", j->wait_ms, &c);
	j->took_ms = (clock_us() - start) / 1000;
	j->asked = c != NULL;
	auth_claim_end(c, j->end, MINUTE);
	return NULL;
}

/* cmocka's asserts are for the main thread alone: joiners only write down. */
static void
start(struct auth_memory *m, struct joiner *j, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		j[i].m = m;
		assert_int_equal(
		    pthread_create(&j[i].thread, NULL, join, &j[i]), 0);
	}
	usleep(50000);
}

static void
finish(struct joiner *j, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(pthread_join(j[i].thread, NULL), 0);
}

#define JOINERS 6

static void
joined(enum auth_end end, enum auth_memory_answer want)
{
	struct auth_memory *m = make(100);
	struct joiner j[JOINERS] = { 0 };
	struct auth_memory_stats st;
	struct auth_claim *c;

	for (size_t i = 0; i < JOINERS; i++)
		j[i].wait_ms = 30000;
	assert_int_equal(begin(m, "ann", "pass", &c), AUTH_MEMORY_ASK);
	start(m, j, JOINERS);
	/* Another pair does not wait. */
	assert_int_equal(look(m, "ann", "other"), AUTH_MEMORY_ASK);
	auth_claim_end(c, end, 0);
	finish(j, JOINERS);
	for (size_t i = 0; i < JOINERS; i++) {
		/* One that came late found nothing to join. */
		if (!j[i].asked)
			assert_int_equal(j[i].answer, want);
	}
	auth_memory_stats(m, &st);
	assert_in_range(st.joined, 1, JOINERS);
	auth_memory_free(m);
}

static void
test_joined(void **state)
{
	(void)state;
	joined(AUTH_END_GOOD, AUTH_MEMORY_GOOD);
	joined(AUTH_END_BAD, AUTH_MEMORY_BAD);
	joined(AUTH_END_POLICY, AUTH_MEMORY_BAD);
}

/* One cannot tell: the next asks, one at a time, until one knows. */
static void
test_next_asks(void **state)
{
	struct auth_memory *m = make(100);
	struct joiner j[JOINERS] = { 0 };
	struct auth_claim *c;
	size_t asked = 0, bad = 0;

	(void)state;
	for (size_t i = 0; i < JOINERS; i++) {
		j[i].wait_ms = 30000;
		j[i].end = i % 2 ? AUTH_END_UNSURE : AUTH_END_BAD;
	}
	assert_int_equal(begin(m, "ann", "pass", &c), AUTH_MEMORY_ASK);
	start(m, j, JOINERS);
	auth_claim_end(c, AUTH_END_UNSURE, 0);
	finish(j, JOINERS);
	for (size_t i = 0; i < JOINERS; i++) {
		asked += j[i].asked;
		bad += j[i].asked && j[i].end == AUTH_END_BAD;
		assert_int_equal(j[i].answer,
		    j[i].asked ? AUTH_MEMORY_ASK : AUTH_MEMORY_BAD);
		assert_in_range(j[i].took_ms, 0, 25000);
	}
	assert_int_equal(bad, 1);
	assert_in_range(asked, 1, 1 + JOINERS / 2);
	assert_int_equal(look(m, "ann", "pass"), AUTH_MEMORY_BAD);
	auth_memory_free(m);
}

static void
test_nobody_can_tell(void **state)
{
	struct auth_memory *m = make(100);
	struct joiner j[JOINERS] = { 0 };
	struct auth_claim *c;

	(void)state;
	for (size_t i = 0; i < JOINERS; i++)
		j[i].wait_ms = 30000;
	assert_int_equal(begin(m, "ann", "pass", &c), AUTH_MEMORY_ASK);
	start(m, j, JOINERS);
	auth_claim_end(c, AUTH_END_UNSURE, 0);
	finish(j, JOINERS);
	for (size_t i = 0; i < JOINERS; i++)
		assert_true(j[i].asked);
	auth_memory_free(m);
}

/* Who waits goes at his own deadline, and is not in the others' way. */
static void
test_deadlines(void **state)
{
	struct auth_memory *m = make(100);
	struct joiner j[3] = { 0 };
	struct auth_claim *c;

	(void)state;
	j[0].wait_ms = 150;
	j[1].wait_ms = 300;
	j[2].wait_ms = 30000;
	assert_int_equal(begin(m, "ann", "pass", &c), AUTH_MEMORY_ASK);
	start(m, j, 3);
	finish(j, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(j[i].answer, AUTH_MEMORY_LATE);
		assert_in_range(j[i].took_ms, j[i].wait_ms - 2, 20000);
	}
	auth_claim_end(c, AUTH_END_GOOD, 0);
	finish(j + 2, 1);
	assert_int_equal(j[2].answer, AUTH_MEMORY_GOOD);
	/* A deadline in the past does not wait at all. */
	assert_int_equal(begin(m, "ann", "pass", &c), AUTH_MEMORY_ASK);
	j[0].wait_ms = -1;
	start(m, j, 1);
	finish(j, 1);
	assert_int_equal(j[0].answer, AUTH_MEMORY_LATE);
	auth_claim_end(c, AUTH_END_UNSURE, 0);
	auth_memory_free(m);
}

/* Dropped while somebody waits: he still gets his answer. */
static void
test_drop_while_joined(void **state)
{
	struct auth_memory *m = make(100);
	struct joiner j[JOINERS] = { 0 };
	struct auth_claim *c;

	(void)state;
	for (size_t i = 0; i < JOINERS; i++) {
		j[i].wait_ms = 30000;
		j[i].end = AUTH_END_BAD;
	}
	assert_int_equal(begin(m, "ann", "pass", &c), AUTH_MEMORY_ASK);
	start(m, j, JOINERS);
	(void)auth_memory_drop(m, NULL);
	auth_claim_end(c, AUTH_END_UNSURE, 0);
	finish(j, JOINERS);
	for (size_t i = 0; i < JOINERS; i++)
		assert_int_equal(j[i].answer,
		    j[i].asked ? AUTH_MEMORY_ASK : AUTH_MEMORY_BAD);
	auth_memory_free(m);
}

/* Many threads, few pairs, all ends, and drops among them. */
struct crowd {
	struct auth_memory *m;
	_Atomic int asking[4];
	_Atomic int together; /* two asked about one pair at once */
	_Atomic bool wrong;   /* an answer nobody gave */
};

static void *
one_of_many(void *arg)
{
	static const char *const pass[] = { "p0", "p1", "p2", "p3" };

	static const enum auth_end ends[] = { AUTH_END_GOOD, AUTH_END_BAD,
		AUTH_END_UNSURE, AUTH_END_UNSURE };
	struct crowd *w = arg;
	struct auth_claim *c;

	for (unsigned i = 0; i < 4000; i++) {
		unsigned k = i % 4;
		enum auth_memory_answer a =
		    begin_by(w->m, "global", "ann", pass[k], 5, &c);

		if (a == AUTH_MEMORY_ASK) {
			if (atomic_fetch_add(&w->asking[k], 1) > 0)
				atomic_fetch_add(&w->together, 1);
			atomic_fetch_sub(&w->asking[k], 1);
			auth_claim_end(c, ends[k], i % 3);
		} else if (a != AUTH_MEMORY_LATE &&
		    a != (k == 0 ? AUTH_MEMORY_GOOD : AUTH_MEMORY_BAD)) {
			w->wrong = true;
		} else if (a != AUTH_MEMORY_LATE && k > 1) {
			w->wrong = true;
		}
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct crowd w = { .m = make(3) };
	struct auth_memory_stats st;
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, one_of_many, &w), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(w.together, 0);
	assert_false(w.wrong);
	auth_memory_stats(w.m, &st);
	assert_in_range(st.bad, 0, 3);
	auth_memory_free(w.m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_next_asks),
		cmocka_unit_test(test_nobody_can_tell),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_drop_while_joined),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
