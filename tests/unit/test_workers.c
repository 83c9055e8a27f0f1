/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that come with the work and go without. */
#include "saslauth-plugin/workers.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT_MS 20000

struct job {
	struct work work;
	atomic_bool *gate; /* waits for it, when there is one */
	pthread_t thread;
	atomic_bool done;
};

static void
run(struct work *work)
{
	struct job *job = (struct job *)work;

	job->thread = pthread_self();
	while (job->gate != NULL && !atomic_load(job->gate))
		(void)poll(NULL, 0, 1);
	atomic_store(&job->done, true);
}

static void
wait_done(struct job *jobs, size_t n)
{
	int left = LIMIT_MS;

	for (size_t i = 0; i < n; i++)
		while (!atomic_load(&jobs[i].done)) {
			assert_true(left-- > 0);
			(void)poll(NULL, 0, 1);
		}
}

static struct workers *
make(size_t threads, size_t queue, int64_t idle_ms)
{
	const struct workers_params p = {
		.max_threads = threads,
		.max_queue = queue,
		.stack = 256 * 1024,
		.idle_ms = idle_ms,
		.fn = run,
	};
	struct workers *w = workers_new(&p);

	assert_non_null(w);
	return w;
}

static void
test_limits(void **state)
{
	struct job jobs[6];
	atomic_bool gate = false;
	struct workers *w = make(3, 2, 10000);
	size_t threads, queued;

	(void)state;
	memset(jobs, 0, sizeof(jobs));
	for (size_t i = 0; i < 6; i++) {
		jobs[i].gate = &gate;
		assert_int_equal(workers_give(w, &jobs[i].work), i < 5);
	}
	for (int left = LIMIT_MS; left > 0; left--) {
		workers_count(w, &threads, &queued);
		if (queued == 2)
			break;
		(void)poll(NULL, 0, 1);
	}
	assert_int_equal(threads, 3);
	assert_int_equal(queued, 2);
	atomic_store(&gate, true);
	wait_done(jobs, 5);
	assert_false(atomic_load(&jobs[5].done));
	workers_free(w);
}

/* One after the other is the work of one thread. */
static void
test_reuse(void **state)
{
	struct job jobs[50];
	struct workers *w = make(50, 10, 10000);
	size_t threads, queued;

	(void)state;
	memset(jobs, 0, sizeof(jobs));
	for (size_t i = 0; i < 50; i++) {
		assert_true(workers_give(w, &jobs[i].work));
		wait_done(&jobs[i], 1);
		(void)poll(NULL, 0, 2);
	}
	workers_count(w, &threads, &queued);
	/* who is done may not be free yet when the next one comes */
	assert_true(threads <= 25);
	workers_free(w);
}

static void
test_idle_ones_end(void **state)
{
	struct job jobs[8];
	atomic_bool gate = false;
	struct workers *w = make(8, 8, 50);
	size_t threads = 0, queued;

	(void)state;
	memset(jobs, 0, sizeof(jobs));
	for (size_t i = 0; i < 8; i++) {
		jobs[i].gate = &gate;
		assert_true(workers_give(w, &jobs[i].work));
	}
	workers_count(w, &threads, &queued);
	assert_int_equal(threads, 8);
	atomic_store(&gate, true);
	wait_done(jobs, 8);
	for (int left = LIMIT_MS; left > 0 && threads > 0; left--) {
		(void)poll(NULL, 0, 1);
		workers_count(w, &threads, &queued);
	}
	assert_int_equal(threads, 0);
	/* and come back */
	memset(jobs, 0, sizeof(jobs));
	assert_true(workers_give(w, &jobs[0].work));
	wait_done(jobs, 1);
	workers_free(w);
}

/* What has been given is done before the end. */
static void
test_free_waits(void **state)
{
	struct job jobs[100];
	struct workers *w = make(4, 100, 10000);

	(void)state;
	memset(jobs, 0, sizeof(jobs));
	for (size_t i = 0; i < 100; i++)
		assert_true(workers_give(w, &jobs[i].work));
	workers_free(w);
	for (size_t i = 0; i < 100; i++)
		assert_true(atomic_load(&jobs[i].done));
	workers_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_idle_ones_end),
		cmocka_unit_test(test_free_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
