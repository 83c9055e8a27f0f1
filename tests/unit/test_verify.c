/* SPDX-License-Identifier: BSD-2-Clause */
/* The use case as a whole, against upstreams on loopback. */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/conf.h"
#include "common/dial.h"
#include "common/log.h"
#include "common/probe.h"
#include "common/verify.h"
#include "tests/unit/mini_upstream.h"

/* A verifier with a configuration of its own and up to two upstreams. */
struct rig {
	struct mini_upstream *up[2];
	struct conf *conf;
	struct verifier *v;
};

static void
quiet(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)line;
	(void)arg;
}

static void
say(void *arg, bool error, const char *line)
{
	(void)arg;
	if (error)
		fprintf(stderr, "%s\n", line);
}

static struct conf *
load(const char *text)
{
	char path[] = "/tmp/postern-test-XXXXXX";
	struct conf *c = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(conf_load(path, say, NULL, &c), 0);
	unlink(path);
	return c;
}

static void
rig_start(struct rig *r, const char *hosts, const char *more)
{
	struct prober_params pp = { 0 };
	char text[2048], why[512];

	snprintf(text, sizeof(text),
	    "hostname = \"edge.test\"\nsmtp_rcptto_proxy { host = {%s}\n"
	    "domains = {\"*\"} tls = none %s }\n",
	    hosts, more);
	r->conf = load(text);
	r->v = verifier_new(r->conf, &pp, why, sizeof(why));
	assert_non_null(r->v);
}

/* One upstream that behaves as p says. */
static void
rig_one(struct rig *r, const struct mini_params *p, const char *more)
{
	char hosts[64];

	memset(r, 0, sizeof(*r));
	r->up[0] = mini_start(p);
	snprintf(hosts, sizeof(hosts), "\"127.0.0.1:%d\"", mini_port(r->up[0]));
	rig_start(r, hosts, more);
}

static void
rig_two(struct rig *r, const struct mini_params *a, const struct mini_params *b,
    const char *more)
{
	char hosts[64];

	memset(r, 0, sizeof(*r));
	r->up[0] = mini_start(a);
	r->up[1] = mini_start(b);
	snprintf(hosts, sizeof(hosts), "\"127.0.0.1:%d\", \"127.0.0.1:%d\"",
	    mini_port(r->up[0]), mini_port(r->up[1]));
	rig_start(r, hosts, more);
}

static void
rig_stop(struct rig *r)
{
	for (int i = 0; i < 2; i++)
		if (r->up[i] != NULL)
			mini_stop(r->up[i]);
	verifier_free(r->v);
	conf_unref(r->conf);
}

static void
ask_as(const struct rig *r, const char *rcpt, const char *sender,
    const char *addr, struct verify_result *out)
{
	struct verify_request rq = { .rcpt = rcpt };

	rq.to_result = address_parse(rcpt, strlen(rcpt), &rq.to, NULL);
	(void)address_parse(sender, strlen(sender), &rq.sender, NULL);
	snprintf(rq.client.addr, sizeof(rq.client.addr), "%s", addr);
	snprintf(rq.client.helo, sizeof(rq.client.helo), "client.test");
	verify_rcpt(r->v, &rq, out);
}

static void
ask(const struct rig *r, const char *rcpt, struct verify_result *out)
{
	ask_as(r, rcpt, "<>", "192.0.2.9", out);
}

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

struct asker {
	const struct rig *rig;
	char rcpt[64];
	struct verify_result r;
	pthread_t thread;
};

static void *
asker_main(void *arg)
{
	struct asker *a = arg;

	ask(a->rig, a->rcpt, &a->r);
	return NULL;
}

/* All at once: local0@..., local1@..., or, with a domain, the same one. */
static void
ask_many(const struct rig *rig, struct asker *a, int n, const char *local)
{
	bool same = strchr(local, '@') != NULL;

	for (int i = 0; i < n; i++) {
		a[i].rig = rig;
		if (same)
			snprintf(a[i].rcpt, sizeof(a[i].rcpt), "%s", local);
		else
			snprintf(a[i].rcpt, sizeof(a[i].rcpt),
			    "%s%d@example.org", local, i);
		assert_int_equal(
		    pthread_create(&a[i].thread, NULL, asker_main, &a[i]), 0);
	}
	for (int i = 0; i < n; i++)
		pthread_join(a[i].thread, NULL);
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
	assert_in_range(n.most, 1, 3);
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

/* A refusal that takes a second keeps nobody else waiting that long. */
static void
test_tarpit_holds_nobody(void **state)
{
	struct mini_params p = { 0 };
	struct asker bad, good[20];
	struct rig rig;
	int64_t longest = 0;

	(void)state;
	rig_one(&rig, &p, "max_sessions = 2 catchall_life = 0");
	ask(&rig, "first@example.org", &bad.r);
	bad.rig = &rig;
	snprintf(bad.rcpt, sizeof(bad.rcpt), "tarpit@example.org");
	assert_int_equal(
	    pthread_create(&bad.thread, NULL, asker_main, &bad), 0);
	ask_many(&rig, good, 20, "user");
	for (int i = 0; i < 20; i++) {
		assert_int_equal(good[i].r.verdict, VERDICT_ACCEPT);
		if (good[i].r.delay_us > longest)
			longest = good[i].r.delay_us;
	}
	pthread_join(bad.thread, NULL);
	assert_int_equal(bad.r.verdict, VERDICT_REJECT);
	assert_true(bad.r.delay_us >= 1000000);
	assert_true(longest < 700000);
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
	bad.rig = &rig;
	snprintf(bad.rcpt, sizeof(bad.rcpt), "close@example.org");
	assert_int_equal(
	    pthread_create(&bad.thread, NULL, asker_main, &bad), 0);
	ask_many(&rig, good, 20, "user");
	for (int i = 0; i < 20; i++)
		assert_int_equal(good[i].r.verdict, VERDICT_ACCEPT);
	pthread_join(bad.thread, NULL);
	assert_int_equal(bad.r.verdict, VERDICT_DEFER);
	rig_stop(&rig);
}

static void
test_deadline_and_afterlife(void **state)
{
	struct mini_params p = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "timeout = 300ms catchall_life = 0");
	ask(&rig, "tarpit@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	assert_int_equal(r.answer.code, 0);
	assert_in_range(r.delay_us, 280000, 600000);
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
		assert_in_range(r.delay_us, 0, 600000);
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

		rig_two(&rig, &bad, &good, "timeout = 1s");
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
	for (int i = 0; i < 70; i++) {
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
	for (int i = 0; i < 100; i++) { /* the test goes on behind it */
		mini_count(rig.up[0], &before);
		if (before.rcpts >= 3)
			break;
		(void)poll(NULL, 0, 20);
	}
	(void)poll(NULL, 0, 100);
	mini_count(rig.up[0], &before);
	ask(&rig, "bob@example.org", &r);
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
		rq.rcpt = "unknown@example.org";
		rq.to_result =
		    address_parse(rq.rcpt, strlen(rq.rcpt), &rq.to, NULL);
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
	struct verify_request rq = { .rcpt = "eve@example.org" };
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "");
	rq.to_result = address_parse(rq.rcpt, strlen(rq.rcpt), &rq.to, NULL);
	snprintf(rq.client.addr, sizeof(rq.client.addr), "192.0.2.1");
	snprintf(rq.client.helo, sizeof(rq.client.helo), "EDGE.test");
	rq.sender.null = true;
	verify_rcpt(rig.v, &rq, &r);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	assert_int_equal(r.answer.origin, ANSWER_LOOP);
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

static int
group_setup(void **state)
{
	(void)state;
	log_set_sink(quiet, NULL);
	return dial_global_init();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_answers),
		cmocka_unit_test(test_sessions_are_shared),
		cmocka_unit_test(test_same_question_once),
		cmocka_unit_test(test_without_pipelining),
		cmocka_unit_test(test_retired_before_error_limit),
		cmocka_unit_test(test_too_many_recipients),
		cmocka_unit_test(test_tarpit_holds_nobody),
		cmocka_unit_test(test_one_breaks_the_session),
		cmocka_unit_test(test_deadline_and_afterlife),
		cmocka_unit_test(test_every_hang_keeps_the_deadline),
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_no_failover_after_an_answer),
		cmocka_unit_test(test_refused_at_mail_defers),
		cmocka_unit_test(test_down_and_back),
		cmocka_unit_test(test_on_down_accept),
		cmocka_unit_test(test_catchall_is_marked),
		cmocka_unit_test(test_selective_upstream_is_not_marked),
		cmocka_unit_test(test_observe_refuses_nothing),
		cmocka_unit_test(test_skips),
		cmocka_unit_test(test_bad_addresses_defer),
		cmocka_unit_test(test_original_sender),
		cmocka_unit_test(test_our_own_probe_is_known),
		cmocka_unit_test(test_probe_rate),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
