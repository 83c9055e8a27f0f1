/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins on a thread that does not wait. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/strbuf.h"
#include "tests/unit/quick_rig.h"

static const struct login_params usual = { .mechs = "PLAIN LOGIN" };
static const struct login_params silent = { .mechs = "PLAIN", .reply = "hang" };

/* It is slow, and has left no trace: nothing is open, asked or counted, and
 * the same login is answered at once by who may wait. */
static void
assert_slow(const struct auth_rig *r, const struct auth_asker *who,
    const char *user, const char *pass, int asked)
{
	long open = quick_figure(r, "logins_open="),
	     in_use = quick_figure(r, " in_use=");
	long accounts = quick_figure(r, "shield_accounts=");
	struct deadline d = deadline_in(QUICK_PATIENCE_MS);
	struct auth_quick *q;
	int i;

	/* What is on its way. */
	while (auths(r, 0) < asked && !deadline_passed(d))
		(void)poll(NULL, 0, 1);
	for (i = 0; i < 5; i++)
		assert_int_equal(
		    quick_try_as(r, who, user, pass, &q), AUTH_QUICK_SLOW);
	assert_int_equal(auths(r, 0), asked);
	assert_int_equal(quick_figure(r, "logins_open="), open);
	assert_int_equal(quick_figure(r, " in_use="), in_use);
	assert_int_equal(quick_figure(r, "shield_accounts="), accounts);
	assert_null(strstr(logged(), "verdict="));
}

/* -- answers ------------------------------------------------------------ */

static void
test_verdicts(void **state)
{
	static const struct {
		const char *reply;
		enum verdict verdict;
		int code;
		const char *reason;
	} rows[] = {
		{ "235 2.7.0 yes", VERDICT_ACCEPT, 235, "" },
		{ "535 5.7.8 no", VERDICT_REJECT, 535, "refused" },
		{ "535 5.7.3 no", VERDICT_REJECT, 535, "refused by policy" },
		{ "454 4.7.0 later", VERDICT_DEFER, 454, "temporary refusal" },
		{ "421 4.3.2 bye", VERDICT_DEFER, 421, "upstream closes" },
		{ "504 5.5.4 no", VERDICT_DEFER, 504,
		    "mechanism not available upstream" },
		{ "334 bW9yZQ==", VERDICT_DEFER, 0, "no answer to AUTH" },
		{ "9 no reply", VERDICT_DEFER, 0, "no answer to AUTH" },
		{ "close", VERDICT_DEFER, 0, "no answer to AUTH" },
	};
	const struct auth_answer *r;
	struct auth_rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auth_rig_one(&rig, &usual,
		    "bad_memory = 0 shield_failures = 0 client_failures = 0");
		login_set_reply(rig.up[0], rows[i].reply);
		r = quick_login(&rig, "ann@example.org", "good");
		assert_int_equal(r->verdict, rows[i].verdict);
		assert_int_equal(r->code, rows[i].code);
		assert_string_equal(r->reason, rows[i].reason);
		assert_string_equal(r->user, "ann@example.org");
		assert_int_equal(auths(&rig, 0), 1);
		assert_int_equal(logged_times("verdict="), 1);
		assert_int_equal(quick_figure(&rig, "logins_open="), 0);
		auth_rig_stop(&rig);
	}
}

/* What is known already is told at once. */
static void
test_without_asking(void **state)
{
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &usual, "good_memory = 1h shield_failures = 1");
	assert_int_equal(quick_try(&rig, "ann", "", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(quick_answer.verdict, VERDICT_REJECT);
	assert_string_equal(quick_answer.reason, "malformed");
	assert_int_equal(quick_figure(&rig, "malformed="), 1);

	assert_int_equal(
	    quick_login(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(
	    quick_try(&rig, "ann", "good", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(quick_answer.verdict, VERDICT_ACCEPT);
	assert_true(quick_answer.cached);

	assert_int_equal(
	    quick_login(&rig, "bob", "bad")->verdict, VERDICT_REJECT);
	assert_int_equal(
	    quick_try(&rig, "bob", "bad", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(quick_answer.verdict, VERDICT_REJECT);
	assert_true(quick_answer.cached);
	/* Its failure was bob's last for now. */
	assert_int_equal(
	    quick_try(&rig, "bob", "worse", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(quick_answer.verdict, VERDICT_DEFER);
	assert_string_equal(
	    quick_answer.reason, "shield: failures of the account");
	assert_int_equal(quick_figure(&rig, "shield_held_accounts="), 1);

	assert_int_equal(auths(&rig, 0), 2);
	auth_stop(rig.a);
	assert_int_equal(
	    quick_try(&rig, "ann", "good", &q), AUTH_QUICK_ANSWERED);
	assert_string_equal(quick_answer.reason, "stopping");
	auth_rig_stop(&rig);
}

/* -- slow --------------------------------------------------------------- */

static void
test_slow_askers(void **state)
{
	struct auth_asker who = usual_asker;
	struct auth_rig rig;
	struct strbuf sb;

	(void)state;
	auth_rig_one(&rig, &usual, "");
	quick_warm(&rig);
	who.direct = true;
	assert_slow(&rig, &who, "ann", "good", 0);
	who.direct = false;
	strbuf_init(&sb, 65536);
	who.explain = &sb;
	assert_slow(&rig, &who, "ann", "good", 0);
	assert_string_equal(strbuf_str(&sb), "");
	strbuf_release(&sb);
	auth_rig_stop(&rig);
}

/* No session, or none for this. */
static void
test_slow_sessions(void **state)
{
	static const struct {
		struct login_params up;
		const char *options;
		bool warm;
	} rows[] = {
		{ { .mechs = "PLAIN" }, "warm_sessions = 0", false },
		{ { .mechs = "LOGIN" }, "", true },
		{ { .mechs = "PLAIN", .xclient = "NAME ADDR" },
		    "xclient = ifavailable", true },
	};
	struct auth_rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auth_rig_one(&rig, &rows[i].up, rows[i].options);
		if (rows[i].warm)
			quick_warm(&rig);
		assert_slow(&rig, &usual_asker, "ann", "good", 0);
		assert_int_equal(
		    check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
		assert_int_equal(auths(&rig, 0), 1);
		auth_rig_stop(&rig);
	}
}

static void
test_slow_length(void **state)
{
	struct auth_rig rig;
	char pass[500];

	(void)state;
	memset(pass, 'x', sizeof(pass) - 1);
	memcpy(pass, "good", 4);
	pass[sizeof(pass) - 1] = '\0';
	auth_rig_one(&rig, &usual, "");
	quick_warm(&rig);
	assert_slow(&rig, &usual_asker, "ann", pass, 0);
	assert_int_equal(check(&rig, "ann", pass)->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
}

static void
test_slow_query(void **state)
{
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &usual,
	    "ds_cache = \"d\" query = \"SELECT h FROM r WHERE u = :username\""
	    " } datasource \"d\" { uri = \"sqlite:/nonexistent/db\"");
	assert_slow(&rig, &usual_asker, "ann", "good", 0);
	auth_rig_stop(&rig);
}

/* -- with others -------------------------------------------------------- */

struct other {
	const struct auth_rig *rig;
	const char *pass;
	struct auth_answer out;
	pthread_t thread;
};

static void *
other_main(void *arg)
{
	struct other *o = arg;
	struct secret s = { NULL, 0 };
	const struct auth_login l = { "PLAIN", "ann", 3, &s };

	(void)secret_set(&s, o->pass, strlen(o->pass));
	auth_check(o->rig->a, &usual_asker, &l, deadline_in(20000), &o->out);
	secret_release(&s);
	return NULL;
}

static void
other_begin(struct other *o, const struct auth_rig *rig, const char *pass)
{
	o->rig = rig;
	o->pass = pass;
	assert_int_equal(pthread_create(&o->thread, NULL, other_main, o), 0);
}

static const struct auth_answer *
other_end(struct other *o)
{
	assert_int_equal(pthread_join(o->thread, NULL), 0);
	return &o->out;
}

static void
wait_for_figure(const struct auth_rig *r, const char *name, long n)
{
	struct deadline d = deadline_in(QUICK_PATIENCE_MS);

	while (quick_figure(r, name) != n) {
		assert_false(deadline_passed(d));
		(void)poll(NULL, 0, 5);
	}
}

/* The same pair: one question, whoever asks it. */
static void
test_join(void **state)
{
	const struct login_params p = { .mechs = "PLAIN", .delay = 2000 };
	struct auth_quick *q;
	struct auth_rig rig;
	struct other o;

	(void)state;
	auth_rig_one(&rig, &p, "");
	q = quick_begin(&rig, "ann", "good");
	quick_warm(&rig);
	assert_slow(&rig, &usual_asker, "ann", "good", 1);
	other_begin(&o, &rig, "good");
	wait_for_figure(&rig, "logins_open=", 2);
	assert_int_equal(quick_go_on(q)->verdict, VERDICT_ACCEPT);
	assert_int_equal(other_end(&o)->verdict, VERDICT_ACCEPT);
	assert_int_equal(auths(&rig, 0), 1);
	assert_int_equal(quick_figure(&rig, "memory_joined="), 1);

	/* The other way about. */
	logged_forget();
	other_begin(&o, &rig, "bad");
	wait_for_figure(&rig, "logins_open=", 1);
	quick_warm(&rig);
	assert_slow(&rig, &usual_asker, "ann", "bad", 2);
	assert_int_equal(other_end(&o)->verdict, VERDICT_REJECT);
	assert_int_equal(
	    quick_try(&rig, "ann", "bad", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(quick_answer.verdict, VERDICT_REJECT);
	assert_int_equal(auths(&rig, 0), 2);
	auth_rig_stop(&rig);
}

/* The one who joined asks when the first could not tell. */
static void
test_join_unsure(void **state)
{
	const struct login_params p = { .mechs = "PLAIN", .delay = 200 };
	struct auth_quick *q;
	struct auth_rig rig;
	struct other o;

	(void)state;
	auth_rig_one(&rig, &p, "");
	login_set_reply(rig.up[0], "454 4.7.0 later");
	q = quick_begin(&rig, "ann", "good");
	other_begin(&o, &rig, "good");
	wait_for_figure(&rig, "logins_open=", 2);
	(void)poll(NULL, 0, 20);
	assert_int_equal(quick_go_on(q)->verdict, VERDICT_DEFER);
	login_set_reply(rig.up[0], NULL);
	assert_int_equal(other_end(&o)->verdict, VERDICT_ACCEPT);
	assert_int_equal(auths(&rig, 0), 2);
	auth_rig_stop(&rig);
}

/* One failure is allowed, and may be under way: others wait for that. */
static void
test_shield(void **state)
{
	const struct login_params p = { .mechs = "PLAIN", .delay = 300 };
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "shield_failures = 1");
	q = quick_begin(&rig, "ann", "good one");
	quick_warm(&rig);
	assert_slow(&rig, &usual_asker, "ann", "good two", 1);
	assert_int_equal(quick_figure(&rig, "shield_held_accounts="), 0);
	assert_int_equal(quick_go_on(q)->verdict, VERDICT_ACCEPT);
	/* Neither the claim nor the visit has been kept. */
	assert_int_equal(
	    quick_login(&rig, "ann", "good two")->verdict, VERDICT_ACCEPT);
	assert_int_equal(
	    check(&rig, "ann", "good three")->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
}

/* -- ends --------------------------------------------------------------- */

static void
test_late(void **state)
{
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &silent, "shield_failures = 1");
	q = quick_begin(&rig, "ann", "good");
	auth_quick_late(q, &quick_answer);
	assert_int_equal(quick_answer.verdict, VERDICT_DEFER);
	assert_string_equal(quick_answer.reason, "no answer to AUTH");
	assert_non_null(strstr(quick_answer.text, "timed out"));
	assert_int_equal(quick_figure(&rig, "logins_open="), 0);
	/* It may have been counted upstream. */
	assert_int_equal(
	    quick_try(&rig, "ann", "other", &q), AUTH_QUICK_ANSWERED);
	assert_string_equal(
	    quick_answer.reason, "shield: failures of the account");
	auth_rig_stop(&rig);
}

/* The deadline to poll for is the login's own. */
static void
test_until(void **state)
{
	struct auth_quick_poll p;
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &silent, "timeout = 20s");
	q = quick_begin(&rig, "ann", "good");
	auth_quick_poll(q, &p);
	assert_true(p.fd >= 0);
	assert_int_equal(p.events, POLLIN);
	assert_in_range(deadline_left_ms(p.until), 5000, 20000);
	auth_quick_late(q, &quick_answer);
	auth_rig_stop(&rig);
}

static void
test_upstream_dies(void **state)
{
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &silent, "");
	q = quick_begin(&rig, "ann", "good");
	login_stop(rig.up[0]);
	rig.up[0] = NULL;
	assert_int_equal(quick_go_on(q)->verdict, VERDICT_DEFER);
	assert_string_equal(quick_answer.reason, "no answer to AUTH");
	assert_int_equal(quick_figure(&rig, "logins_open="), 0);
	auth_rig_stop(&rig);
}

static void
test_stop(void **state)
{
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &silent, "");
	q = quick_begin(&rig, "ann", "good");
	auth_stop(rig.a);
	assert_int_equal(quick_go_on(q)->verdict, VERDICT_DEFER);
	auth_rig_stop(&rig);
}

static void
test_reload(void **state)
{
	const struct login_params p = { .mechs = "PLAIN", .delay = 200 };
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "good_memory = 1h");
	q = quick_begin(&rig, "ann", "good");
	assert_true(auth_rig_reload(&rig, "good_memory = 1h"));
	assert_int_equal(quick_go_on(q)->verdict, VERDICT_ACCEPT);
	assert_int_equal(
	    quick_login(&rig, "bob", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(quick_figure(&rig, "logins_open="), 0);
	auth_rig_stop(&rig);
}

/* -- sessions that are used again ---------------------------------------- */

static const struct login_params trusting = { .mechs = "PLAIN",
	.xclient = "PROTO HELO LOGIN" };

/* The first session to be used again is none for a thread that could not make
 * the login again. */
static void
test_trial(void **state)
{
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &trusting, "warm_sessions = 1 max_sessions = 1");
	assert_int_equal(
	    quick_login(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(quick_try(&rig, "bob", "good", &q), AUTH_QUICK_SLOW);
	assert_int_equal(check(&rig, "bob", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(
	    quick_login(&rig, "cid", "good")->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
}

static void
test_again(void **state)
{
	struct login_counts n;
	struct auth_rig rig;
	char name[16];
	int i;

	(void)state;
	auth_rig_one(&rig, &trusting, "warm_sessions = 1 max_sessions = 1");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	for (i = 2; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		assert_int_equal(
		    quick_login(&rig, name, "good")->verdict, VERDICT_ACCEPT);
		assert_int_equal(quick_figure(&rig, "logins_open="), 0);
	}
	/* A refusal ends it. */
	assert_int_equal(
	    quick_login(&rig, "ann", "bad")->verdict, VERDICT_REJECT);
	assert_int_equal(quick_figure(&rig, " reused="), 20);
	login_count(rig.up[0], &n);
	assert_int_equal(n.connections, 1);
	assert_int_equal(n.auths, 21);
	assert_string_equal(n.user, "ann");
	auth_rig_stop(&rig);
}

/* What is in flight is nobody's to read. */
static void
test_secrets(void **state)
{
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &usual, "");
	login_set_reply(rig.up[0], "repeat");
	assert_int_equal(
	    quick_login(&rig, "ann", "badSesame")->verdict, VERDICT_REJECT);
	assert_null(strstr(quick_answer.text, "badSesame"));
	assert_null(strstr(logged(), "badSesame"));
	assert_non_null(strstr(quick_answer.text, "left out"));
	auth_rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_without_asking),
		cmocka_unit_test(test_slow_askers),
		cmocka_unit_test(test_slow_sessions),
		cmocka_unit_test(test_slow_length),
		cmocka_unit_test(test_slow_query),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_join_unsure),
		cmocka_unit_test(test_shield),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_upstream_dies),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_trial),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, auth_rig_setup, NULL);
}
