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
#include "tests/unit/auth_rig.h"

#define PATIENCE_MS 10000

static const struct login_params usual = { .mechs = "PLAIN LOGIN" };
static const struct login_params silent = { .mechs = "PLAIN", .reply = "hang" };

/* -- helpers ------------------------------------------------------------ */

static struct auth_answer answer;

static enum auth_quick_said
quick_as(const struct auth_rig *r, const struct auth_asker *who,
    const char *user, const char *pass, struct auth_quick **q)
{
	struct secret s = { NULL, 0 };
	const struct auth_login l = { "PLAIN", user, strlen(user), &s };
	enum auth_quick_said said;

	assert_true(secret_set(&s, pass, strlen(pass)));
	memset(&answer, 0xa5, sizeof(answer));
	said = auth_quick(r->a, who, &l, deadline_in(20000), q, &answer);
	secret_release(&s);
	assert_true(*q != NULL || said != AUTH_QUICK_WAIT);
	assert_true(*q == NULL || said != AUTH_QUICK_SLOW);
	return said;
}

static enum auth_quick_said
quick(const struct auth_rig *r, const char *user, const char *pass,
    struct auth_quick **q)
{
	return quick_as(r, &usual_asker, user, pass, q);
}

/* The first line of status and stats that begins so; its number. */
static long
figure(const struct auth_rig *r, const char *name)
{
	struct strbuf sb;
	const char *at;
	long n;

	strbuf_init(&sb, 65536);
	auth_status(r->a, &sb);
	auth_stats(r->a, &sb);
	at = strstr(strbuf_str(&sb), name);
	/* Of an upstream that nobody has asked for there is none. */
	n = at == NULL ? 0 : strtol(at + strlen(name), NULL, 10);
	strbuf_release(&sb);
	return n;
}

static void
wait_until_warm(const struct auth_rig *r)
{
	struct deadline d = deadline_in(PATIENCE_MS);

	while (figure(r, " idle=") == 0) {
		assert_false(deadline_passed(d));
		(void)poll(NULL, 0, 5);
	}
}

static void
wait_for(const struct auth_quick *q)
{
	struct auth_quick_poll p;
	struct pollfd pfd;

	auth_quick_poll(q, &p);
	pfd = (struct pollfd){ .fd = p.fd, .events = p.events };
	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
}

/* What is to be done after the answer. */
static void
rest(struct auth_quick *q)
{
	struct auth_answer none;
	enum auth_quick_said said = AUTH_QUICK_OVER;

	while (q != NULL) {
		wait_for(q);
		said = auth_quick_step(&q, &none);
		assert_int_equal(
		    said, q != NULL ? AUTH_QUICK_WAIT : AUTH_QUICK_OVER);
	}
}

/* To its end, as an event loop would. */
static const struct auth_answer *
go_on(struct auth_quick *q)
{
	enum auth_quick_said said;

	memset(&answer, 0xa5, sizeof(answer));
	assert_non_null(q);
	do {
		wait_for(q);
	} while ((said = auth_quick_step(&q, &answer)) == AUTH_QUICK_WAIT);
	assert_int_equal(said, AUTH_QUICK_ANSWERED);
	rest(q);
	return &answer;
}

/* One that is put to the upstream. */
static struct auth_quick *
begin(const struct auth_rig *r, const char *user, const char *pass)
{
	struct auth_quick *q;

	wait_until_warm(r);
	assert_int_equal(quick(r, user, pass, &q), AUTH_QUICK_WAIT);
	return q;
}

/* The whole; a near upstream may have answered before it is polled for. */
static const struct auth_answer *
login(const struct auth_rig *r, const char *user, const char *pass)
{
	struct auth_quick *q;

	wait_until_warm(r);
	switch (quick(r, user, pass, &q)) {
	case AUTH_QUICK_WAIT:
		return go_on(q);
	case AUTH_QUICK_ANSWERED:
		rest(q);
		break;
	case AUTH_QUICK_SLOW:
	case AUTH_QUICK_OVER:
		fail_msg("%s", "slow");
	}
	return &answer;
}

/* It is slow, and has left no trace: nothing is open, asked or counted, and
 * the same login is answered at once by who may wait. */
static void
assert_slow(const struct auth_rig *r, const struct auth_asker *who,
    const char *user, const char *pass, int asked)
{
	long open = figure(r, "logins_open="), in_use = figure(r, " in_use=");
	long accounts = figure(r, "shield_accounts=");
	struct deadline d = deadline_in(PATIENCE_MS);
	struct auth_quick *q;
	int i;

	/* What is on its way. */
	while (auths(r, 0) < asked && !deadline_passed(d))
		(void)poll(NULL, 0, 1);
	for (i = 0; i < 5; i++)
		assert_int_equal(
		    quick_as(r, who, user, pass, &q), AUTH_QUICK_SLOW);
	assert_int_equal(auths(r, 0), asked);
	assert_int_equal(figure(r, "logins_open="), open);
	assert_int_equal(figure(r, " in_use="), in_use);
	assert_int_equal(figure(r, "shield_accounts="), accounts);
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
		r = login(&rig, "ann@example.org", "good");
		assert_int_equal(r->verdict, rows[i].verdict);
		assert_int_equal(r->code, rows[i].code);
		assert_string_equal(r->reason, rows[i].reason);
		assert_string_equal(r->user, "ann@example.org");
		assert_int_equal(auths(&rig, 0), 1);
		assert_int_equal(logged_times("verdict="), 1);
		assert_int_equal(figure(&rig, "logins_open="), 0);
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
	assert_int_equal(quick(&rig, "ann", "", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(answer.verdict, VERDICT_REJECT);
	assert_string_equal(answer.reason, "malformed");
	assert_int_equal(figure(&rig, "malformed="), 1);

	assert_int_equal(login(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(quick(&rig, "ann", "good", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(answer.verdict, VERDICT_ACCEPT);
	assert_true(answer.cached);

	assert_int_equal(login(&rig, "bob", "bad")->verdict, VERDICT_REJECT);
	assert_int_equal(quick(&rig, "bob", "bad", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(answer.verdict, VERDICT_REJECT);
	assert_true(answer.cached);
	/* Its failure was bob's last for now. */
	assert_int_equal(quick(&rig, "bob", "worse", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(answer.verdict, VERDICT_DEFER);
	assert_string_equal(answer.reason, "shield: failures of the account");
	assert_int_equal(figure(&rig, "shield_held_accounts="), 1);

	assert_int_equal(auths(&rig, 0), 2);
	auth_stop(rig.a);
	assert_int_equal(quick(&rig, "ann", "good", &q), AUTH_QUICK_ANSWERED);
	assert_string_equal(answer.reason, "stopping");
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
	wait_until_warm(&rig);
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
			wait_until_warm(&rig);
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
	wait_until_warm(&rig);
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
	struct deadline d = deadline_in(PATIENCE_MS);

	while (figure(r, name) != n) {
		assert_false(deadline_passed(d));
		(void)poll(NULL, 0, 5);
	}
}

/* The same pair: one question, whoever asks it. */
static void
test_join(void **state)
{
	const struct login_params p = { .mechs = "PLAIN", .delay = 300 };
	struct auth_quick *q;
	struct auth_rig rig;
	struct other o;

	(void)state;
	auth_rig_one(&rig, &p, "");
	q = begin(&rig, "ann", "good");
	wait_until_warm(&rig);
	assert_slow(&rig, &usual_asker, "ann", "good", 1);
	other_begin(&o, &rig, "good");
	wait_for_figure(&rig, "logins_open=", 2);
	assert_int_equal(go_on(q)->verdict, VERDICT_ACCEPT);
	assert_int_equal(other_end(&o)->verdict, VERDICT_ACCEPT);
	assert_int_equal(auths(&rig, 0), 1);
	assert_int_equal(figure(&rig, "memory_joined="), 1);

	/* The other way about. */
	logged_forget();
	other_begin(&o, &rig, "bad");
	wait_for_figure(&rig, "logins_open=", 1);
	while (auths(&rig, 0) < 2)
		(void)poll(NULL, 0, 1);
	wait_until_warm(&rig);
	assert_slow(&rig, &usual_asker, "ann", "bad", 2);
	assert_int_equal(other_end(&o)->verdict, VERDICT_REJECT);
	assert_int_equal(quick(&rig, "ann", "bad", &q), AUTH_QUICK_ANSWERED);
	assert_int_equal(answer.verdict, VERDICT_REJECT);
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
	q = begin(&rig, "ann", "good");
	other_begin(&o, &rig, "good");
	wait_for_figure(&rig, "logins_open=", 2);
	(void)poll(NULL, 0, 20);
	assert_int_equal(go_on(q)->verdict, VERDICT_DEFER);
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
	q = begin(&rig, "ann", "good one");
	wait_until_warm(&rig);
	assert_slow(&rig, &usual_asker, "ann", "good two", 1);
	assert_int_equal(figure(&rig, "shield_held_accounts="), 0);
	assert_int_equal(go_on(q)->verdict, VERDICT_ACCEPT);
	/* Neither the claim nor the visit has been kept. */
	assert_int_equal(
	    login(&rig, "ann", "good two")->verdict, VERDICT_ACCEPT);
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
	q = begin(&rig, "ann", "good");
	assert_int_equal(auth_quick_late(&q, &answer), AUTH_QUICK_ANSWERED);
	assert_null(q);
	assert_int_equal(answer.verdict, VERDICT_DEFER);
	assert_string_equal(answer.reason, "no answer to AUTH");
	assert_non_null(strstr(answer.text, "timed out"));
	assert_int_equal(figure(&rig, "logins_open="), 0);
	/* It may have been counted upstream. */
	assert_int_equal(quick(&rig, "ann", "other", &q), AUTH_QUICK_ANSWERED);
	assert_string_equal(answer.reason, "shield: failures of the account");
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
	auth_rig_one(&rig, &silent, "timeout = 2s");
	q = begin(&rig, "ann", "good");
	auth_quick_poll(q, &p);
	assert_true(p.fd >= 0);
	assert_int_equal(p.events, POLLIN);
	assert_in_range(deadline_left_ms(p.until), 1000, 2000);
	assert_int_equal(auth_quick_late(&q, &answer), AUTH_QUICK_ANSWERED);
	assert_null(q);
	auth_rig_stop(&rig);
}

static void
test_upstream_dies(void **state)
{
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &silent, "");
	q = begin(&rig, "ann", "good");
	login_stop(rig.up[0]);
	rig.up[0] = NULL;
	assert_int_equal(go_on(q)->verdict, VERDICT_DEFER);
	assert_string_equal(answer.reason, "no answer to AUTH");
	assert_int_equal(figure(&rig, "logins_open="), 0);
	auth_rig_stop(&rig);
}

static void
test_stop(void **state)
{
	struct auth_quick *q;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &silent, "");
	q = begin(&rig, "ann", "good");
	auth_stop(rig.a);
	assert_int_equal(go_on(q)->verdict, VERDICT_DEFER);
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
	q = begin(&rig, "ann", "good");
	assert_true(auth_rig_reload(&rig, "good_memory = 1h"));
	assert_int_equal(go_on(q)->verdict, VERDICT_ACCEPT);
	assert_int_equal(login(&rig, "bob", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(figure(&rig, "logins_open="), 0);
	auth_rig_stop(&rig);
}

/* -- sessions that are used again ---------------------------------------- */

static const struct login_params trusting = { .mechs = "PLAIN",
	.xclient = "LOGIN" };

static void
test_again(void **state)
{
	struct login_counts n;
	struct auth_rig rig;
	char name[16];
	int i;

	(void)state;
	auth_rig_one(&rig, &trusting, "warm_sessions = 1 max_sessions = 1");
	for (i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		assert_int_equal(
		    login(&rig, name, "good")->verdict, VERDICT_ACCEPT);
		assert_int_equal(figure(&rig, "logins_open="), 0);
		assert_int_equal(figure(&rig, " reused="), i + 1);
	}
	login_count(rig.up[0], &n);
	assert_int_equal(n.connections, 1);
	assert_int_equal(n.auths, 20);
	assert_string_equal(n.user, "user19");
	/* A refusal ends it. */
	assert_int_equal(login(&rig, "ann", "bad")->verdict, VERDICT_REJECT);
	assert_int_equal(figure(&rig, " reused="), 20);
	auth_rig_stop(&rig);
}

/* The answer is there before the session is ready: one that has not been
 * given back in time, or when all ends, is closed. */
static void
test_again_late(void **state)
{
	struct auth_quick_poll p;
	struct auth_quick *q;
	struct auth_rig rig;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		auth_rig_one(&rig, &trusting, "warm_sessions = 1");
		wait_until_warm(&rig);
		if (quick(&rig, "ann", "good", &q) == AUTH_QUICK_WAIT) {
			wait_for(q);
			assert_int_equal(
			    auth_quick_step(&q, &answer), AUTH_QUICK_ANSWERED);
		}
		assert_int_equal(answer.verdict, VERDICT_ACCEPT);
		assert_int_equal(figure(&rig, "logins_open="), 0);
		if (q != NULL) {
			auth_quick_poll(q, &p);
			assert_in_range(deadline_left_ms(p.until), 1, 10000);
			if (i == 1)
				auth_stop(rig.a);
			assert_int_equal(
			    auth_quick_late(&q, &answer), AUTH_QUICK_OVER);
			assert_null(q);
			assert_int_equal(figure(&rig, " reused="), 0);
		}
		auth_rig_stop(&rig);
	}
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
	    login(&rig, "ann", "badSesame")->verdict, VERDICT_REJECT);
	assert_null(strstr(answer.text, "badSesame"));
	assert_null(strstr(logged(), "badSesame"));
	assert_non_null(strstr(answer.text, "left out"));
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
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_again_late),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, auth_rig_setup, NULL);
}
