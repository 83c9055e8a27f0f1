/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/catchall.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOUR ((int64_t)3600 * 1000)
#define DAY  (24 * HOUR)

static bool
result(struct catchall *c, const char *domain, enum verdict v, int64_t now)
{
	struct catchall_result r = {
		.domain = domain,
		.route = "r",
		.verdict = v,
		.now_ms = now,
		.life_ms = DAY,
	};

	return catchall_result(c, &r);
}

static void
test_one_test_at_a_time(void **state)
{
	struct catchall *c = catchall_new();

	(void)state;
	assert_false(catchall_marked(c, "a.test", "r", 0));
	assert_true(catchall_due(c, "a.test", "r", 0));
	assert_false(catchall_due(c, "a.test", "r", 0));
	assert_false(catchall_due(c, "a.test", "r", 60000));
	/* another domain, another route: tests of their own */
	assert_true(catchall_due(c, "b.test", "r", 0));
	assert_true(catchall_due(c, "a.test", "s", 0));
	/* one whose result never came is made again */
	assert_true(catchall_due(c, "a.test", "r", 120000));
	catchall_free(c);
}

static void
test_taken(void **state)
{
	struct catchall *c = catchall_new();

	(void)state;
	assert_true(catchall_due(c, "a.test", "r", 0));
	assert_true(result(c, "a.test", VERDICT_ACCEPT, 10));
	assert_true(catchall_marked(c, "a.test", "r", 10));
	assert_true(catchall_marked(c, "a.test", "r", DAY + 9));
	assert_false(catchall_marked(c, "a.test", "s", 10));
	assert_false(catchall_marked(c, "b.test", "r", 10));
	assert_false(catchall_due(c, "a.test", "r", DAY + 9));
	/* it ends, is tested again, and is news only when it was not so */
	assert_false(catchall_marked(c, "a.test", "r", DAY + 10));
	assert_true(catchall_due(c, "a.test", "r", DAY + 10));
	assert_false(catchall_marked(c, "a.test", "r", DAY + 10));
	assert_true(result(c, "a.test", VERDICT_ACCEPT, DAY + 20));
	assert_false(result(c, "a.test", VERDICT_ACCEPT, DAY + 30));
	assert_false(result(c, "a.test", VERDICT_REJECT, DAY + 40));
	assert_false(catchall_marked(c, "a.test", "r", DAY + 41));
	catchall_free(c);
}

static void
test_refused(void **state)
{
	struct catchall *c = catchall_new();

	(void)state;
	assert_true(catchall_due(c, "a.test", "r", 0));
	assert_false(result(c, "a.test", VERDICT_REJECT, 10));
	assert_false(catchall_marked(c, "a.test", "r", 11));
	assert_false(catchall_due(c, "a.test", "r", DAY + 9));
	assert_true(catchall_due(c, "a.test", "r", DAY + 10));
	catchall_free(c);
}

/* No answer: neither, and again after a tenth of the time. */
static void
test_deferred(void **state)
{
	struct catchall *c = catchall_new();

	(void)state;
	assert_true(catchall_due(c, "a.test", "r", 0));
	assert_false(result(c, "a.test", VERDICT_DEFER, 10));
	assert_false(catchall_marked(c, "a.test", "r", 11));
	assert_false(catchall_due(c, "a.test", "r", DAY / 10 + 9));
	assert_true(catchall_due(c, "a.test", "r", DAY / 10 + 10));
	catchall_free(c);
}

struct seen {
	int n;
	char domain[64];
	int64_t left_ms;
};

static void
see(void *arg, const char *domain, int64_t left_ms)
{
	struct seen *s = arg;

	s->n++;
	snprintf(s->domain, sizeof(s->domain), "%s", domain);
	s->left_ms = left_ms;
}

static void
test_walk_and_drop(void **state)
{
	struct catchall *c = catchall_new();
	struct seen s = { 0 };

	(void)state;
	(void)result(c, "a.test", VERDICT_ACCEPT, 0);
	(void)result(c, "b.test", VERDICT_REJECT, 0);
	(void)catchall_due(c, "c.test", "r", 0);
	catchall_walk(c, 1000, see, &s);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.domain, "a.test");
	assert_int_equal(s.left_ms, DAY - 1000);
	catchall_walk(c, DAY, see, &s);
	assert_int_equal(s.n, 1);

	(void)result(c, "d.test", VERDICT_ACCEPT, 0);
	catchall_drop(c, "a.tes");
	assert_true(catchall_marked(c, "a.test", "r", 1));
	catchall_drop(c, "a.test");
	assert_false(catchall_marked(c, "a.test", "r", 1));
	assert_true(catchall_due(c, "a.test", "r", 1));
	assert_true(catchall_marked(c, "d.test", "r", 1));
	catchall_drop(c, NULL);
	assert_false(catchall_marked(c, "d.test", "r", 1));
	assert_true(catchall_due(c, "b.test", "r", 1));
	catchall_free(c);
	catchall_free(NULL);
}

/* A domain too many pushes the least used one out. */
static void
test_bounded(void **state)
{
	struct catchall *c = catchall_new();
	char domain[32];

	(void)state;
	(void)result(c, "first.test", VERDICT_ACCEPT, 0);
	(void)result(c, "second.test", VERDICT_ACCEPT, 0);
	for (int i = 0; i < 99999; i++) {
		assert_true(catchall_marked(c, "first.test", "r", 1));
		snprintf(domain, sizeof(domain), "d%d.test", i);
		(void)result(c, domain, VERDICT_ACCEPT, 0);
	}
	assert_true(catchall_marked(c, "first.test", "r", 1));
	assert_false(catchall_marked(c, "second.test", "r", 1));
	assert_true(catchall_marked(c, "d0.test", "r", 1));
	catchall_free(c);
}

static void
test_local(void **state)
{
	char a[CATCHALL_LOCAL_LEN + 1], b[CATCHALL_LOCAL_LEN + 1];

	(void)state;
	assert_true(catchall_local(a));
	assert_true(catchall_local(b));
	assert_int_equal(strlen(a), CATCHALL_LOCAL_LEN);
	assert_int_equal(
	    strspn(a, "abcdefghijklmnopqrstuvwxyz"), CATCHALL_LOCAL_LEN);
	assert_string_not_equal(a, b);
}

static void *
busy(void *arg)
{
	struct catchall *c = arg;
	struct seen s = { 0 };
	char domain[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(domain, sizeof(domain), "d%d.test", i % 50);
		if (catchall_due(c, domain, "r", i))
			(void)result(c, domain,
			    i % 2 ? VERDICT_ACCEPT : VERDICT_REJECT, i);
		(void)catchall_marked(c, domain, "r", i);
		if (i % 100 == 0)
			catchall_walk(c, i, see, &s);
		if (i % 500 == 0)
			catchall_drop(c, i % 1000 ? NULL : domain);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct catchall *c = catchall_new();
	pthread_t t[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, busy, c), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	catchall_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_test_at_a_time),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_deferred),
		cmocka_unit_test(test_walk_and_drop),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
