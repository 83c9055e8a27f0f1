/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said about a recipient, and who is asked. */
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

static void
test_three_answers(void **state)
{
	static const struct {
		const char *rcpt, *word;
		enum verdict verdict;
		int code;
		const char *esc;
	} cases[] = {
		{ "ann@example.org", "pass", VERDICT_ACCEPT, 250, "2.1.5" },
		{ "unknown@example.org", "fail", VERDICT_REJECT, 550, "5.1.1" },
		{ "full@example.org", "fail", VERDICT_REJECT, 552, "5.2.2" },
		{ "policy@example.org", "transient", VERDICT_DEFER, 550,
		    "5.7.1" },
		{ "temp@example.org", "transient", VERDICT_DEFER, 451,
		    "4.3.0" },
	};
	struct mini_params p = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			ask(&rig, cases[i].rcpt, &r);
			assert_int_equal(r.verdict, cases[i].verdict);
			assert_string_equal(r.word, cases[i].word);
			assert_int_equal(r.answer.code, cases[i].code);
			assert_string_equal(r.answer.esc, cases[i].esc);
			assert_string_equal(r.cache, again ? "hit" : "miss");
		}
	}
	rig_stop(&rig);
}

static void
test_sessions_are_shared(void **state)
{
	struct mini_params p = { 0 };
	struct mini_counts n;
	struct asker a[200];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "max_sessions = 3 catchall_life = 0");
	ask_many(&rig, a, 200, "user");
	for (int i = 0; i < 200; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_ACCEPT);
	mini_count(rig.up[0], &n);
	assert_in_range(n.most, 1, 3);
	assert_in_range(n.connections, 1, 3);
	assert_int_equal(n.rcpts, 200);
	/* MAIL once a session and again after 100 recipients. */
	assert_in_range(n.mails, 1, 6);
	rig_stop(&rig);
}

/* A command that is not answered yet is one command. */
static void
test_sessions_are_used_up(void **state)
{
	struct mini_params p = { .delay = 20 };
	struct mini_counts n;
	struct asker a[15];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p,
	    "max_sessions = 1 batch = 18 max_commands = 20 catchall_life = 0");
	ask_many(&rig, a, 15, "user");
	for (int i = 0; i < 15; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_ACCEPT);
	mini_count(rig.up[0], &n);
	/* EHLO, MAIL, 15 of RCPT; and two more are kept free. */
	assert_int_equal(n.connections, 1);
	rig_stop(&rig);
}

static void
test_same_question_once(void **state)
{
	struct mini_params p = { 0 };
	struct mini_counts n;
	struct asker a[20];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "catchall_life = 0");
	ask_many(&rig, a, 20, "slow@example.org");
	for (int i = 0; i < 20; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_ACCEPT);
	mini_count(rig.up[0], &n);
	assert_int_equal(n.rcpts, 1);
	rig_stop(&rig);
}

static void
test_without_pipelining(void **state)
{
	struct mini_params p = { .no_pipelining = true };
	struct asker a[20];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	ask_many(&rig, a, 20, "user");
	for (int i = 0; i < 20; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
}

static void
test_catchall_is_marked(void **state)
{
	struct mini_params p = { 0 };
	struct mini_counts before, after;
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	ask(&rig, "unknown1@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_REJECT);
	mini_set_catchall(rig.up[0], true);
	ask(&rig, "ann@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	for (int i = 0; i < 600; i++) { /* the test goes on behind it */
		char rcpt[64];

		snprintf(rcpt, sizeof(rcpt), "bob%d@example.org", i);
		ask(&rig, rcpt, &r);
		if (r.answer.origin == ANSWER_CATCHALL)
			break;
		(void)poll(NULL, 0, 100);
	}
	mini_count(rig.up[0], &before);
	ask(&rig, "carl@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	assert_int_equal(r.answer.origin, ANSWER_CATCHALL);
	mini_count(rig.up[0], &after);
	assert_int_equal(before.rcpts, after.rcpts);
	/* What was refused before stays refused. */
	ask(&rig, "unknown1@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_REJECT);
	rig_stop(&rig);
}

static void
test_selective_upstream_is_not_marked(void **state)
{
	struct mini_params p = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	ask(&rig, "ann@example.org", &r);
	(void)poll(NULL, 0, 200);
	ask(&rig, "unknown@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_REJECT);
	rig_stop(&rig);
}

static void
test_observe_refuses_nothing(void **state)
{
	struct mini_params p = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "mode = observe");
	ask(&rig, "unknown@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	assert_int_equal(r.would, VERDICT_REJECT);
	assert_true(r.observed);
	rig_stop(&rig);
}

/* Nobody is refused for what cannot be asked about, either. */
static void
test_observe_covers_bad_addresses(void **state)
{
	struct mini_params p = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "mode = observe");
	ask(&rig, "a b@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	assert_int_equal(r.would, VERDICT_DEFER);
	rig_stop(&rig);
}

/* A sender that we would not repeat matters only where it is repeated. */
static void
test_odd_sender(void **state)
{
	struct mini_params p = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	ask_as(&rig, "ann@example.org", "<a@-b.test>", "192.0.2.9", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
	rig_one(&rig, &p, "mailfrom = original");
	ask_as(&rig, "ann@example.org", "<a@-b.test>", "192.0.2.9", &r);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	rig_stop(&rig);
}

static void
test_skips(void **state)
{
	struct mini_params p = { 0 };
	struct mini_counts n;
	struct verify_request rq;
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	ask_as(&rig, "unknown@example.org", "<>", "127.0.0.1", &r);
	assert_string_equal(r.word, "skip");
	ask(&rig, "postmaster", &r);
	assert_string_equal(r.word, "skip");
	for (int i = 0; i < 2; i++) {
		memset(&rq, 0, sizeof(rq));
		verify_request_set(&rq, "<>", "unknown@example.org");
		snprintf(rq.client.addr, sizeof(rq.client.addr), "192.0.2.1");
		rq.authenticated = i == 0;
		rq.bypass = i == 1;
		verify_rcpt(rig.v, &rq, &r);
		assert_string_equal(r.word, "skip");
		assert_int_equal(r.verdict, VERDICT_ACCEPT);
	}
	mini_count(rig.up[0], &n);
	assert_int_equal(n.rcpts, 0);
	rig_stop(&rig);
}

static void
test_bad_addresses_defer(void **state)
{
	static const char *const bad[] = { "a b@example.org",
		"a\rb@example.org", "a@b@example.org", "@example.org",
		"a\x80@example.org" };
	struct mini_params p = { 0 };
	struct mini_counts n;
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ask(&rig, bad[i], &r);
		assert_int_equal(r.verdict, VERDICT_DEFER);
	}
	mini_count(rig.up[0], &n);
	assert_int_equal(n.rcpts, 0);
	rig_stop(&rig);
}

static void
test_original_sender(void **state)
{
	struct mini_params p = { 0 };
	struct mini_counts n;
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(
	    &rig, &p, "mailfrom = original max_sessions = 1 catchall_life = 0");
	ask_as(&rig, "ann@example.org", "<a@x.test>", "192.0.2.1", &r);
	ask_as(&rig, "ann@example.org", "<b@x.test>", "192.0.2.1", &r);
	assert_string_equal(r.cache, "miss");
	ask_as(&rig, "ann@example.org", "<b@x.test>", "192.0.2.1", &r);
	assert_string_equal(r.cache, "hit");
	mini_count(rig.up[0], &n);
	assert_int_equal(n.mails, 2);
	assert_int_equal(n.rsets, 1);
	rig_stop(&rig);
}

static void
test_our_own_probe_is_known(void **state)
{
	struct mini_params p = { 0 };
	struct verify_request rq = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	verify_request_set(&rq, "<>", "eve@example.org");
	snprintf(rq.client.addr, sizeof(rq.client.addr), "192.0.2.1");
	snprintf(rq.client.helo, sizeof(rq.client.helo), "EDGE.test");
	verify_rcpt(rig.v, &rq, &r);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	assert_int_equal(r.answer.origin, ANSWER_LOOP);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_answers),
		cmocka_unit_test(test_sessions_are_shared),
		cmocka_unit_test(test_sessions_are_used_up),
		cmocka_unit_test(test_same_question_once),
		cmocka_unit_test(test_without_pipelining),
		cmocka_unit_test(test_catchall_is_marked),
		cmocka_unit_test(test_selective_upstream_is_not_marked),
		cmocka_unit_test(test_observe_refuses_nothing),
		cmocka_unit_test(test_observe_covers_bad_addresses),
		cmocka_unit_test(test_odd_sender),
		cmocka_unit_test(test_skips),
		cmocka_unit_test(test_bad_addresses_defer),
		cmocka_unit_test(test_original_sender),
		cmocka_unit_test(test_our_own_probe_is_known),
	};

	return cmocka_run_group_tests(tests, rig_setup, NULL);
}
