/* SPDX-License-Identifier: BSD-2-Clause */
/* Which upstream is asked, how often, and what it is told of the client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/strbuf.h"
#include "tests/unit/auth_rig.h"

static const struct login_params usual = { .mechs = "PLAIN LOGIN" };

/* What may go wrong with the first host, and who then has the last word. */
static void
test_failover(void **state)
{
	static const struct {
		struct login_params first;
		bool second;
		enum verdict verdict;
	} rows[] = {
		/* It cannot be had: nothing has been sent. */
		{ { .mechs = "PLAIN", .fail = MINI_GREETING, .how = MINI_421 },
		    true, VERDICT_ACCEPT },
		{ { .mechs = "PLAIN", .fail = MINI_GREETING, .how = MINI_554 },
		    true, VERDICT_ACCEPT },
		{ { .mechs = "PLAIN",
		      .fail = MINI_GREETING,
		      .how = MINI_CLOSE },
		    true, VERDICT_ACCEPT },
		{ { .mechs = "PLAIN", .fail = MINI_EHLO, .how = MINI_451 },
		    true, VERDICT_ACCEPT },
		{ { .mechs = NULL }, true, VERDICT_ACCEPT },
		{ { .mechs = "CRAM-MD5" }, true, VERDICT_ACCEPT },
		{ { .mechs = "LOGIN", .begin = "421 4.3.2 bye" }, true,
		    VERDICT_ACCEPT },
		/* It was told the credentials. */
		{ { .mechs = "PLAIN", .reply = "535 5.7.8 no" }, false,
		    VERDICT_REJECT },
		{ { .mechs = "PLAIN", .reply = "454 4.7.0 no" }, false,
		    VERDICT_DEFER },
		{ { .mechs = "PLAIN", .reply = "421 4.7.0 no" }, false,
		    VERDICT_DEFER },
		{ { .mechs = "LOGIN", .reply = "421 4.7.0 no" }, false,
		    VERDICT_DEFER },
		{ { .mechs = "PLAIN", .reply = "500 5.5.1 no" }, false,
		    VERDICT_DEFER },
		{ { .mechs = "PLAIN", .reply = "close" }, false,
		    VERDICT_DEFER },
		{ { .mechs = "LOGIN", .reply = "close" }, false,
		    VERDICT_DEFER },
		/* It refuses to begin: nobody is unavailable. */
		{ { .mechs = "LOGIN", .begin = "454 4.7.0 no" }, false,
		    VERDICT_DEFER },
		{ { .mechs = "LOGIN", .begin = "504 5.5.4 no" }, false,
		    VERDICT_DEFER },
	};
	const struct auth_answer *r;
	struct login_counts a, b;
	struct auth_rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auth_rig_two(&rig, &rows[i].first, &usual, "");
		r = check(&rig, "ann", "good");
		login_count(rig.up[0], &a);
		login_count(rig.up[1], &b);
		if (r->verdict != rows[i].verdict)
			print_error("row %zu: %s %s\n", i, r->reason, r->text);
		assert_int_equal(r->verdict, rows[i].verdict);
		assert_int_equal(b.auths, rows[i].second);
		assert_int_equal(
		    a.responses + b.responses > 0 ? a.auths + b.auths : 1,
		    rows[i].first.begin != NULL && rows[i].second ? 2 : 1);
		auth_rig_stop(&rig);
	}
}

/* A session that was found dead says little about its host: one more is tried
 * there, and no third. */
static void
test_stale(void **state)
{
	const struct login_params p = { .mechs = "LOGIN", .begin = "close" };
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	auth_rig_two(&rig, &p, &usual, "");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(auths(&rig, 0), 2);
	assert_int_equal(auths(&rig, 1), 1);
	auth_rig_stop(&rig);
	auth_rig_one(&rig, &p, "");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->reason, "no upstream can be asked");
	assert_int_equal(auths(&rig, 0), 2);
	auth_rig_stop(&rig);
}

/* A session that was idle for too long may be closed while AUTH is on its way:
 * that says nothing about the next one. */
static void
test_idle_421(void **state)
{
	const struct login_params plain = { .mechs = "PLAIN",
		.reply = "421 4.4.2 mini.test Error: timeout exceeded" };
	const struct login_params login = { .mechs = "LOGIN",
		.begin = "421 4.4.2 mini.test Error: timeout exceeded" };
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &plain, "");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_int_equal(r->code, 421);
	login_set_reply(rig.up[0], NULL);
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
	/* Nothing was said: another one is tried, and then another host. */
	auth_rig_two(&rig, &login, &usual, "");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(auths(&rig, 0), 2);
	auth_rig_stop(&rig);
}

/* What cannot be sent uses no session up, and counts for nothing. */
static void
test_too_long(void **state)
{
	static char pass[16000];
	const struct auth_answer *r;
	struct login_counts n;
	struct auth_rig rig;

	(void)state;
	memset(pass, 'x', sizeof(pass) - 1);
	auth_rig_one(&rig, &usual, "warm_sessions = 0");
	for (int i = 0; i < 5; i++) {
		r = check(&rig, "ann", pass);
		assert_int_equal(r->verdict, VERDICT_DEFER);
		assert_string_equal(r->reason, "not sent");
	}
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	login_count(rig.up[0], &n);
	assert_int_equal(n.connections, 1);
	assert_int_equal(n.auths, 1);
	auth_rig_stop(&rig);
}

static void
test_all_down(void **state)
{
	const struct login_params down = { .fail = MINI_GREETING,
		.how = MINI_421 };
	const struct login_params none = { .mechs = NULL };
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	auth_rig_two(&rig, &down, &down, "warm_sessions = 0");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->reason, "no upstream can be asked");
	assert_int_equal(r->code, 421);
	assert_string_equal(r->esc, "4.3.2");
	auth_rig_stop(&rig);
	/* Nobody lets users log in: somebody should look. */
	auth_rig_two(&rig, &none, &none, "");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->text, "does not offer AUTH PLAIN or LOGIN");
	assert_int_equal(
	    logged_times("warning: auth: user=<ann> reason=\"upstream"), 1);
	auth_rig_stop(&rig);
	/* Nobody listens. */
	auth_rig_one(&rig, &usual, "");
	login_stop(rig.up[0]);
	rig.up[0] = NULL;
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_int_equal(r->code, 0);
	auth_rig_stop(&rig);
}

static void
test_deadline(void **state)
{
	const struct login_params hang = { .mechs = "PLAIN", .reply = "hang" };
	const struct login_params mute = { .fail = MINI_GREETING,
		.how = MINI_HANG };
	const struct auth_answer *r;
	struct auth_rig rig;
	int64_t begin;

	(void)state;
	auth_rig_two(&rig, &hang, &usual, "timeout = 500ms");
	begin = clock_ms();
	r = check(&rig, "ann", "good");
	assert_in_range(clock_ms() - begin, 450, 10000);
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->reason, "no answer to AUTH");
	assert_int_equal(auths(&rig, 1), 0);
	auth_rig_stop(&rig);
	/* One that says nothing leaves the other one its time. */
	auth_rig_two(&rig, &mute, &usual, "timeout = 6s");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
	auth_rig_one(&rig, &mute, "timeout = 500ms");
	begin = clock_ms();
	r = check(&rig, "ann", "good");
	assert_in_range(clock_ms() - begin, 450, 10000);
	assert_int_equal(r->verdict, VERDICT_DEFER);
	auth_rig_stop(&rig);
}

/* A domain's own upstream and options. */
static void
test_domain(void **state)
{
	struct auth_rig rig;

	(void)state;
	auth_rig_two(&rig, &usual, &usual,
	    "} domain \"a.example\" { smtp_auth_proxy { host = HOST1 tls = none"
	    " canon = localpart } ");
	assert_int_equal(
	    check(&rig, "ann@A.example", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(auths(&rig, 0), 0);
	assert_int_equal(auths(&rig, 1), 1);
	assert_int_equal(
	    check(&rig, "ann@b.example", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(auths(&rig, 0), 1);
	auth_rig_stop(&rig);
}

static void
test_xclient(void **state)
{
	static const struct {
		const char *option, *offered, *client, *told;
		enum verdict verdict;
	} rows[] = {
		{ "no", "NAME ADDR PORT", "192.0.2.9;1025", "",
		    VERDICT_ACCEPT },
		{ "ifavailable", NULL, "192.0.2.9;1025", "", VERDICT_ACCEPT },
		{ "ifavailable", "NAME ADDR PORT", "192.0.2.9;1025",
		    "NAME=[UNAVAILABLE] ADDR=192.0.2.9 PORT=1025",
		    VERDICT_ACCEPT },
		{ "required", "NAME ADDR PORT", "2001:db8::9;1025",
		    "NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::9 PORT=1025",
		    VERDICT_ACCEPT },
		{ "required", "NAME ADDR", "",
		    "NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]", VERDICT_ACCEPT },
		{ "ifavailable", "NAME ADDR", "", "", VERDICT_ACCEPT },
		{ "required", NULL, "192.0.2.9;1025", "", VERDICT_DEFER },
		{ "required", "NAME PORT", "192.0.2.9;1025", "",
		    VERDICT_DEFER },
	};
	const struct auth_answer *r;
	struct login_counts n;
	struct auth_rig rig;
	char more[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct login_params p = { .mechs = "PLAIN",
			.xclient = rows[i].offered };
		const struct auth_asker who = { "smtp", "", rows[i].client,
			false, NULL };

		(void)snprintf(
		    more, sizeof(more), "xclient = %s", rows[i].option);
		auth_rig_one(&rig, &p, more);
		r = check_as(&rig, &who, "ann", "good");
		login_count(rig.up[0], &n);
		if (r->verdict != rows[i].verdict)
			print_error("row %zu: %s %s\n", i, r->reason, r->text);
		assert_int_equal(r->verdict, rows[i].verdict);
		assert_string_equal(n.xclient, rows[i].told);
		assert_int_equal(n.auths, rows[i].verdict == VERDICT_ACCEPT);
		assert_int_equal(logged_times("warning: auth: "),
		    rows[i].verdict == VERDICT_DEFER);
		auth_rig_stop(&rig);
	}
}

/* A session that ends while it is told of the client says as little about its
 * host as one that ends at AUTH; one that says nothing leaves time for others.
 */
static void
test_xclient_stale(void **state)
{
	const struct login_params closes = {
		.mechs = "PLAIN", .xclient = "NAME ADDR", .announced = "close"
	};
	const struct login_params hangs = {
		.mechs = "PLAIN", .xclient = "NAME ADDR", .announced = "hang"
	};
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &closes, "xclient = required");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
	auth_rig_two(&rig, &hangs, &usual, "xclient = ifavailable timeout = 2");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(auths(&rig, 0) + auths(&rig, 1), 1);
	auth_rig_stop(&rig);
}

/* A session that was told of one client serves no other. */
static void
test_xclient_not_reused(void **state)
{
	const struct login_params p = { .mechs = "PLAIN",
		.xclient = "NAME ADDR LOGIN" };
	struct login_counts n;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "xclient = required warm_sessions = 0");
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	login_count(rig.up[0], &n);
	assert_int_equal(n.connections, 3);
	assert_null(strstr(n.xclient, "LOGIN"));
	auth_rig_stop(&rig);
}

/* Where XCLIENT LOGIN is for us, one session serves many logins. */
static void
test_reused(void **state)
{
	const struct login_params p = { .mechs = "PLAIN",
		.xclient = "NAME ADDR PROTO HELO LOGIN" };
	struct login_counts n;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "warm_sessions = 0 max_sessions = 1");
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	login_count(rig.up[0], &n);
	assert_int_equal(n.connections, 1);
	assert_int_equal(n.auths, 5);
	assert_string_equal(
	    n.xclient, "LOGIN=[UNAVAILABLE] HELO=edge.test PROTO=ESMTP");
	auth_rig_stop(&rig);
}

/* One that wants EHLO all the same: nobody's login fails for it, and it is
 * tried once. */
static void
test_spoilt(void **state)
{
	const struct login_params p = { .mechs = "PLAIN",
		.xclient = "NAME ADDR PROTO HELO LOGIN",
		.wants_ehlo = true };
	struct login_counts n;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "warm_sessions = 1 max_sessions = 2");
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	login_count(rig.up[0], &n);
	assert_int_equal(n.auths, 6);
	assert_true(n.connections >= 5);
	assert_non_null(strstr(logged(), "takes no login back"));
	auth_rig_stop(&rig);
}

/* TLS where there is none, and the other way round. */
static void
test_tls(void **state)
{
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &usual, "tls = may");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
	auth_rig_one(&rig, &usual, "tls = implicit timeout = 2s");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_int_equal(auths(&rig, 0), 0);
	auth_rig_stop(&rig);
}

static void
test_reload(void **state)
{
	const struct login_params none = { .mechs = NULL };
	struct auth_rig rig;
	struct strbuf sb;

	(void)state;
	auth_rig_two(&rig, &usual, &none, "");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	(void)snprintf(rig.hosts, sizeof(rig.hosts), "\"127.0.0.1:%d\"",
	    login_port(rig.up[1]));
	assert_true(auth_rig_reload(&rig, ""));
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_DEFER);
	assert_int_equal(auths(&rig, 0), 1);
	(void)snprintf(rig.hosts, sizeof(rig.hosts), "\"127.0.0.1:%d\"",
	    login_port(rig.up[0]));
	assert_true(auth_rig_reload(&rig, ""));
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	strbuf_init(&sb, 65536);
	auth_status(rig.a, &sb);
	assert_non_null(strstr(strbuf_str(&sb), "logins_open=0\n"));
	assert_non_null(strstr(strbuf_str(&sb), "upstream=127.0.0.1:"));
	strbuf_release(&sb);
	/* Once stopped, everybody is told to come again. */
	auth_stop(rig.a);
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_DEFER);
	assert_int_equal(auths(&rig, 0), 2);
	auth_rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_idle_421),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_all_down),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_xclient),
		cmocka_unit_test(test_xclient_stale),
		cmocka_unit_test(test_xclient_not_reused),
		cmocka_unit_test(test_reused),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_reload),
	};

	return cmocka_run_group_tests(tests, auth_rig_setup, NULL);
}
