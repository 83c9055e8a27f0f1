/* SPDX-License-Identifier: BSD-2-Clause */
/* Upstreams that are slow, full, broken or gone. */
#include "config.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "tests/unit/verify_rig.h"

/* Unknown recipients by the dozen: a session is retired before it has cost
 * the upstream more than max_errors refusals. */
static void
test_retired_before_error_limit(void **state)
{
	struct mini_params p = { 0 };
	struct mini_counts n;
	struct asker a[60];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "max_errors = 5 max_sessions = 2");
	ask_many(&rig, a, 60, "unknown");
	for (int i = 0; i < 60; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_REJECT);
	mini_count(rig.up[0], &n);
	assert_true(n.connections >= 12);
	/* Their successors begin when those that end are gone. */
	assert_in_range(n.most, 1, 2);
	rig_stop(&rig);
}

static void
test_too_many_recipients(void **state)
{
	struct mini_params p = { .rcpt_limit = 3 };
	struct asker a[40];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "max_sessions = 1 max_errors = 100");
	ask_many(&rig, a, 40, "user");
	for (int i = 0; i < 40; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
}

static void
test_too_many_refused_recipients(void **state)
{
	struct mini_params p = { .rcpt_limit = 3, .limit_all = true };
	struct asker a[40];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "max_sessions = 1 max_errors = 100");
	ask_many(&rig, a, 40, "unknown");
	for (int i = 0; i < 40; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_REJECT);
	rig_stop(&rig);
}

/* A refusal that takes long keeps nobody else waiting. */
static void
test_tarpit_holds_nobody(void **state)
{
	struct mini_params p = { .long_ms = 4000 };
	struct asker bad, good[20];
	struct rig rig;
	int64_t longest = 0;

	(void)state;
	rig_one(&rig, &p, "max_sessions = 2 catchall_life = 0");
	ask(&rig, "first@example.org", &bad.r);
	asker_start(&bad, &rig, "tarpit@example.org");
	ask_many(&rig, good, 20, "user");
	for (int i = 0; i < 20; i++) {
		assert_int_equal(good[i].r.verdict, VERDICT_ACCEPT);
		if (good[i].r.delay_us > longest)
			longest = good[i].r.delay_us;
	}
	asker_join(&bad);
	assert_int_equal(bad.r.verdict, VERDICT_REJECT);
	assert_true(bad.r.delay_us >= 3900000);
	assert_true(longest < 3500000);
	rig_stop(&rig);
}

/* A recipient that breaks the session is deferred; the others are not. */
static void
test_one_breaks_the_session(void **state)
{
	struct mini_params p = { 0 };
	struct asker bad, good[20];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "max_sessions = 2");
	asker_start(&bad, &rig, "close@example.org");
	ask_many(&rig, good, 20, "user");
	for (int i = 0; i < 20; i++)
		assert_int_equal(good[i].r.verdict, VERDICT_ACCEPT);
	asker_join(&bad);
	assert_int_equal(bad.r.verdict, VERDICT_DEFER);
	rig_stop(&rig);
}

static void
test_deadline_and_afterlife(void **state)
{
	struct mini_params p = { .long_ms = 3000 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "timeout = 300ms catchall_life = 0");
	ask(&rig, "tarpit@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	assert_int_equal(r.answer.code, 0);
	assert_in_range(r.delay_us, 280000, 2500000);
	(void)poll(NULL, 0, 6000);
	ask(&rig, "tarpit@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_REJECT);
	assert_string_equal(r.cache, "hit");
	rig_stop(&rig);
}

static void
test_every_hang_keeps_the_deadline(void **state)
{
	static const enum mini_stage stages[] = { MINI_GREETING, MINI_EHLO,
		MINI_MAIL };
	struct verify_result r;
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		struct mini_params p = { .fail = stages[i], .how = MINI_HANG };

		rig_one(&rig, &p, "timeout = 300ms");
		ask(&rig, "ann@example.org", &r);
		assert_int_equal(r.verdict, VERDICT_DEFER);
		assert_in_range(r.delay_us, 280000, 10000000);
		rig_stop(&rig);
	}
}

static void
test_failover(void **state)
{
	static const struct {
		enum mini_stage stage;
		enum mini_how how;
	} cases[] = {
		{ MINI_GREETING, MINI_421 },
		{ MINI_GREETING, MINI_554 },
		{ MINI_GREETING, MINI_CLOSE },
		{ MINI_GREETING, MINI_HANG },
		{ MINI_EHLO, MINI_CLOSE },
		{ MINI_EHLO, MINI_451 },
		{ MINI_MAIL, MINI_421 },
		{ MINI_MAIL, MINI_451 },
		{ MINI_MAIL, MINI_CLOSE },
		{ MINI_MAIL, MINI_HANG },
	};
	struct mini_params good = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mini_params bad = { .fail = cases[i].stage,
			.how = cases[i].how };

		rig_two(&rig, &bad, &good, "timeout = 4s");
		ask(&rig, "ann@example.org", &r);
		assert_int_equal(r.verdict, VERDICT_ACCEPT);
		ask(&rig, "unknown@example.org", &r);
		assert_int_equal(r.verdict, VERDICT_REJECT);
		rig_stop(&rig);
	}
}

/* The first host's own answer is final, whatever the second would say. */
static void
test_no_failover_after_an_answer(void **state)
{
	static const char *const rcpts[] = { "unknown@example.org",
		"policy@example.org", "temp@example.org" };
	struct mini_params good = { 0 };
	struct mini_counts n;
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_two(&rig, &good, &good, "");
	for (size_t i = 0; i < 3; i++) {
		ask(&rig, rcpts[i], &r);
		assert_int_not_equal(r.verdict, VERDICT_ACCEPT);
	}
	mini_count(rig.up[1], &n);
	assert_int_equal(n.connections, 0);
	rig_stop(&rig);
}

static void
test_refused_at_mail_defers(void **state)
{
	struct mini_params p = { .fail = MINI_MAIL, .how = MINI_554 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	ask(&rig, "ann@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	assert_int_equal(r.answer.kind, REFUSAL_US);
	rig_stop(&rig);
}

static void
test_down_and_back(void **state)
{
	struct mini_params p = { 0 };
	struct verify_result r;
	struct rig rig;
	int port;

	(void)state;
	rig_one(&rig, &p, "");
	port = mini_port(rig.up[0]);
	mini_stop(rig.up[0]);
	rig.up[0] = NULL;
	for (int i = 0; i < 8; i++) {
		char rcpt[64];

		snprintf(rcpt, sizeof(rcpt), "user%d@example.org", i);
		ask(&rig, rcpt, &r);
		assert_int_equal(r.verdict, VERDICT_DEFER);
		assert_int_equal(r.answer.origin, ANSWER_DOWN);
		assert_string_equal(r.word, "transient");
	}
	p.port = port;
	rig.up[0] = mini_start(&p);
	for (int i = 0; i < 600; i++) {
		ask(&rig, "back@example.org", &r);
		if (r.verdict == VERDICT_ACCEPT)
			break;
		(void)poll(NULL, 0, 100);
	}
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
}

static void
test_on_down_accept(void **state)
{
	struct mini_params p = { .fail = MINI_GREETING, .how = MINI_421 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "on_down = accept");
	ask(&rig, "ann@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	assert_int_equal(r.answer.origin, ANSWER_ON_DOWN);
	rig_stop(&rig);
}

/* Who refuses us is not down: on_down does not let everything in. */
static void
test_refused_in_greeting_defers(void **state)
{
	struct mini_params p = { .fail = MINI_GREETING, .how = MINI_554 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "on_down = accept");
	ask(&rig, "ann@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	assert_int_equal(r.answer.kind, REFUSAL_US);
	rig_stop(&rig);
}

/* With helo = replay a client that is refused by its name harms nobody else,
 * and what is no name is not repeated. */
static void
test_refused_helo_is_its_own(void **state)
{
	struct mini_params p = { 0 };
	struct verify_request rq = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "helo = replay");
	snprintf(rq.client.addr, sizeof(rq.client.addr), "192.0.2.9");
	for (int i = 0; i < 8; i++) {
		char rcpt[64];

		snprintf(rcpt, sizeof(rcpt), "user%d@example.org", i);
		snprintf(rq.client.helo, sizeof(rq.client.helo), "bad%d", i);
		verify_request_set(&rq, "<>", rcpt);
		verify_rcpt(rig.v, &rq, &r);
		assert_int_equal(r.verdict, VERDICT_DEFER);
		assert_int_equal(r.answer.kind, REFUSAL_US);
	}
	snprintf(rq.client.helo, sizeof(rq.client.helo), "good.test");
	verify_rcpt(rig.v, &rq, &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	snprintf(rq.client.helo, sizeof(rq.client.helo), "bad name");
	verify_rcpt(rig.v, &rq, &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
}

/* The host that did not answer is named. */
static void
test_late_host_is_named(void **state)
{
	struct mini_params p = { .fail = MINI_EHLO, .how = MINI_HANG };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "timeout = 200ms");
	ask(&rig, "ann@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	assert_non_null(strstr(r.answer.upstream, "127.0.0.1:"));
	rig_stop(&rig);
}

static void
test_probe_rate(void **state)
{
	struct mini_params p = { 0 };
	struct asker a[30];
	struct rig rig;
	int64_t begin;

	(void)state;
	rig_one(&rig, &p, "max_probe_rate = 20 catchall_life = 0");
	begin = clock_ms();
	ask_many(&rig, a, 30, "user");
	/* 2 at once, then 20 a second. */
	assert_true(clock_ms() - begin >= 1300);
	for (int i = 0; i < 30; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retired_before_error_limit),
		cmocka_unit_test(test_too_many_recipients),
		cmocka_unit_test(test_too_many_refused_recipients),
		cmocka_unit_test(test_tarpit_holds_nobody),
		cmocka_unit_test(test_one_breaks_the_session),
		cmocka_unit_test(test_deadline_and_afterlife),
		cmocka_unit_test(test_every_hang_keeps_the_deadline),
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_no_failover_after_an_answer),
		cmocka_unit_test(test_refused_at_mail_defers),
		cmocka_unit_test(test_down_and_back),
		cmocka_unit_test(test_on_down_accept),
		cmocka_unit_test(test_refused_in_greeting_defers),
		cmocka_unit_test(test_refused_helo_is_its_own),
		cmocka_unit_test(test_late_host_is_named),
		cmocka_unit_test(test_probe_rate),
	};

	return cmocka_run_group_tests(tests, rig_setup, NULL);
}
