/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said about a login, and what is logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/auth_client.h"
#include "common/strbuf.h"
#include "tests/unit/auth_rig.h"

#define PLAIN_LOGIN      \
 {                       \
  .mechs = "PLAIN LOGIN" \
 }

/* No limits, no memory: each login is asked about. */
#define ALWAYS "bad_memory = 0 shield_failures = 0 client_failures = 0"

static void
test_verdicts(void **state)
{
	static const struct {
		const char *reply;
		enum verdict verdict;
		int code;
		const char *esc, *reason;
		bool warned;
	} rows[] = {
		{ "235 2.7.0 yes", VERDICT_ACCEPT, 235, "2.7.0", "", false },
		{ "235 yes", VERDICT_ACCEPT, 235, "", "", false },
		{ "535 5.7.8 no", VERDICT_REJECT, 535, "5.7.8", "refused",
		    false },
		{ "535 no", VERDICT_REJECT, 535, "", "refused", false },
		{ "535 5.7.0 no", VERDICT_REJECT, 535, "5.7.0",
		    "refused by policy", false },
		{ "535 5.7.3 no", VERDICT_REJECT, 535, "5.7.3",
		    "refused by policy", false },
		{ "454 4.7.0 later", VERDICT_DEFER, 454, "4.7.0",
		    "temporary refusal", false },
		{ "421 4.3.2 bye", VERDICT_DEFER, 421, "4.3.2",
		    "upstream closes", false },
		{ "432 4.7.12 change it", VERDICT_DEFER, 432, "4.7.12",
		    "temporary refusal", false },
		{ "500 5.5.1 what?", VERDICT_DEFER, 500, "5.5.1",
		    "AUTH not known upstream", true },
		{ "501 5.5.2 what?", VERDICT_DEFER, 501, "5.5.2",
		    "AUTH not understood upstream", true },
		{ "502 no", VERDICT_DEFER, 502, "",
		    "AUTH not available upstream", true },
		{ "503 5.5.1 no", VERDICT_DEFER, 503, "5.5.1",
		    "AUTH out of place upstream", true },
		{ "504 5.5.4 no", VERDICT_DEFER, 504, "5.5.4",
		    "mechanism not available upstream", true },
		{ "530 5.7.0 TLS", VERDICT_DEFER, 530, "5.7.0",
		    "upstream wants TLS first", true },
		{ "534 5.7.9 weak", VERDICT_DEFER, 534, "5.7.9",
		    "upstream wants a stronger mechanism", true },
		{ "538 5.7.11 TLS", VERDICT_DEFER, 538, "5.7.11",
		    "upstream wants encryption", true },
		{ "554 5.7.1 blocked", VERDICT_DEFER, 554, "5.7.1",
		    "refusal of another kind", false },
		{ "250 2.0.0 ok", VERDICT_DEFER, 250, "2.0.0",
		    "unexpected reply", false },
		{ "334 bW9yZQ==", VERDICT_DEFER, 0, "", "no answer to AUTH",
		    false },
		{ "9 no reply", VERDICT_DEFER, 0, "", "no answer to AUTH",
		    false },
		{ "close", VERDICT_DEFER, 0, "", "no answer to AUTH", false },
	};
	const struct login_params p = PLAIN_LOGIN;
	const struct auth_answer *r;
	struct auth_rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auth_rig_one(&rig, &p, ALWAYS);
		login_set_reply(rig.up[0], rows[i].reply);
		r = check(&rig, "ann@example.org", "good");
		if (r->verdict != rows[i].verdict)
			print_error("%s: %s\n", rows[i].reply, r->reason);
		assert_int_equal(r->verdict, rows[i].verdict);
		assert_int_equal(r->code, rows[i].code);
		assert_string_equal(r->esc, rows[i].esc);
		assert_string_equal(r->reason, rows[i].reason);
		assert_string_equal(r->user, "ann@example.org");
		assert_false(r->cached);
		assert_int_equal(auths(&rig, 0), 1);
		assert_int_equal(
		    logged_times("warning: auth: user=<ann@example.org>"),
		    rows[i].warned);
		auth_rig_stop(&rig);
	}
}

/* A refusal of the name alone is not one of the credentials. */
static void
test_refused_early(void **state)
{
	const struct login_params p = { .mechs = "LOGIN",
		.begin = "535 5.7.8 no" };
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->reason, "535 before the credentials");
	auth_rig_stop(&rig);
	/* LOGIN to its end, where only that is offered. */
	for (int good = 0; good < 2; good++) {
		const struct login_params login = { .mechs = "LOGIN" };

		auth_rig_one(&rig, &login, "");
		r = check(&rig, "ann", good ? "good" : "wrong");
		assert_int_equal(
		    r->verdict, good ? VERDICT_ACCEPT : VERDICT_REJECT);
		auth_rig_stop(&rig);
	}
}

static void
test_malformed(void **state)
{
	static const struct {
		const char *user;
		size_t ulen;
		const char *pass;
		size_t plen;
		const char *text;
	} rows[] = {
		{ "ann", 3, "", 0, "empty password" },
		{ "", 0, "good", 4, "empty user name" },
		{ "a\0b", 3, "good", 4, "control character in user name" },
		{ "ann\r\nRSET", 9, "good", 4,
		    "control character in user name" },
		{ "ann", 3, "go\0od", 5, "NUL in the password" },
		{ "bob@example.org", 3, "go\0od", 5, "NUL in the password" },
	};
	const struct login_params p = PLAIN_LOGIN;
	struct auth_answer out;
	struct secret pass = { NULL, 0 };
	struct auth_rig rig;
	char longest[LOGIN_NAME_OCTETS + 1];
	struct strbuf sb;
	size_t i;

	(void)state;
	auth_rig_one(&rig, &p, "");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct auth_login l = { "PLAIN", rows[i].user,
			rows[i].ulen, &pass };

		assert_true(secret_set(&pass, rows[i].pass, rows[i].plen));
		auth_check(rig.a, &usual_asker, &l, deadline_in(5000), &out);
		assert_int_equal(out.verdict, VERDICT_REJECT);
		assert_string_equal(out.reason, "malformed");
		assert_string_equal(out.text, rows[i].text);
		assert_int_equal(out.code, 0);
	}
	/* A name ends where it is said to, not at a NUL. */
	assert_string_equal(out.user, "bob");
	/* The third in a row is held back already. */
	assert_true(out.hold_ms >= 1000);
	memset(longest, 'x', sizeof(longest));
	for (i = LOGIN_NAME_OCTETS; i <= LOGIN_NAME_OCTETS + 1; i++) {
		const struct auth_login l = { "PLAIN", longest, i, &pass };

		auth_check(rig.a, &usual_asker, &l, deadline_in(5000), &out);
		assert_int_equal(out.verdict, VERDICT_REJECT);
	}
	assert_string_equal(out.text, "user name too long");
	assert_int_equal(auths(&rig, 0), 0);
	assert_non_null(strstr(logged(), "user=<a?b> "));
	assert_non_null(strstr(logged(), "user=<ann??RSET> "));
	strbuf_init(&sb, 65536);
	auth_stats(rig.a, &sb);
	assert_non_null(strstr(strbuf_str(&sb), "\nrejected=8\n"));
	assert_non_null(strstr(strbuf_str(&sb), "\nmalformed=8\n"));
	strbuf_release(&sb);
	secret_release(&pass);
	auth_rig_stop(&rig);
}

static void
test_log_line(void **state)
{
	const struct login_params p = PLAIN_LOGIN;
	struct auth_rig rig;
	char want[200];

	(void)state;
	auth_rig_one(&rig, &p, "");
	(void)check(&rig, "ann@example.org", "good");
	(void)snprintf(want, sizeof(want),
	    "info: auth: client=192.0.2.9 user=<ann@example.org> mech=PLAIN "
	    "upstream=127.0.0.1:%d cache=miss code=235 dsn=2.7.0 "
	    "verdict=accept delay=0.",
	    login_port(rig.up[0]));
	assert_non_null(strstr(logged(), want));
	logged_forget();
	(void)check(&rig, "ann@example.org", "wrong");
	(void)check(&rig, "ann@example.org", "wrong");
	assert_non_null(strstr(
	    logged(), "cache=miss code=535 dsn=5.7.8 verdict=reject delay=0."));
	assert_non_null(
	    strstr(logged(), " reason=refused text=\"bad credentials\"\n"));
	assert_non_null(strstr(logged(),
	    "user=<ann@example.org> mech=PLAIN cache=hit verdict=reject"));
	assert_non_null(strstr(logged(), " reason=\"refused before\"\n"));
	/* Names of one's own making change nothing about the line. */
	logged_forget();
	(void)check(&rig, "x> verdict=accept y=<\"", "wrong");
	assert_non_null(strstr(
	    logged(), " user=\"<x> verdict=accept y=<\\\">\" mech=PLAIN "));
	auth_rig_stop(&rig);
	auth_rig_one(&rig, &p, "log_authentication = false");
	(void)check(&rig, "ann@example.org", "good");
	(void)check(&rig, "ann@example.org", "wrong");
	assert_int_equal(logged_times("auth: client"), 0);
	assert_int_equal(auths(&rig, 0), 2);
	auth_rig_stop(&rig);
}

/* What goes upstream. */
static void
test_canon(void **state)
{
	static const struct {
		const char *canon, *typed, *upstream;
	} rows[] = {
		{ "none", "Ann@Example.ORG", "Ann@Example.ORG" },
		{ "lower", "Ann@Example.ORG", "ann@example.org" },
		{ "localpart", "Ann@Example.ORG", "Ann" },
		{ ":localpart+:domain@:realm", "Ann@Example.ORG",
		    "Ann+example.org@r.example" },
	};
	const struct auth_asker who = { "smtp", "r.example", "", false, NULL };
	const struct login_params p = PLAIN_LOGIN;
	const struct auth_answer *r;
	struct login_counts n;
	struct auth_rig rig;
	char more[100];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(
		    more, sizeof(more), "canon = \"%s\"", rows[i].canon);
		auth_rig_one(&rig, &p, more);
		r = check_as(&rig, &who, rows[i].typed, "good");
		assert_int_equal(r->verdict, VERDICT_ACCEPT);
		assert_string_equal(r->user, rows[i].typed);
		login_count(rig.up[0], &n);
		assert_string_equal(n.user, rows[i].upstream);
		auth_rig_stop(&rig);
	}
	auth_rig_one(&rig, &p, "canon = localpart");
	r = check(&rig, "@example.org", "good");
	assert_int_equal(r->verdict, VERDICT_REJECT);
	assert_string_equal(r->text, "no local part");
	assert_int_equal(auths(&rig, 0), 0);
	auth_rig_stop(&rig);
	/* An MTA without the realm that it should have. */
	auth_rig_one(&rig, &p, "canon = \":localpart@:realm\"");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->reason, "no name to send upstream");
	assert_int_equal(logged_times("makes no name of it"), 1);
	assert_int_equal(auths(&rig, 0), 0);
	auth_rig_stop(&rig);
}

/* Where nobody can be asked the answer is neither yes nor no. */
static void
test_no_route(void **state)
{
	const struct login_params p = PLAIN_LOGIN;
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "");
	rig.hosts[0] = '\0';
	assert_true(auth_rig_reload(
	    &rig, "} domain \"a.example\" { smtp_auth_proxy { host = HOST0 }"));
	r = check(&rig, "ann@b.example", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->reason, "no route");
	r = check(&rig, "ann@a.example", "good");
	assert_int_equal(r->reason[0], '\0');
	assert_int_equal(r->verdict, VERDICT_ACCEPT);
	/* A database that is down. */
	assert_true(auth_rig_reload(&rig,
	    "ds_cache = \"d\" query = \"SELECT h FROM r WHERE u = :username\""
	    " } datasource \"d\" { uri = \"sqlite:/nonexistent/db\""));
	r = check(&rig, "ann@a.example", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->reason, "route not known now");
	assert_non_null(strstr(r->text, "/nonexistent/db"));
	assert_int_equal(
	    logged_times(
		"warning: auth: user=<ann@a.example> reason=\"route not"),
	    1);
	(void)check(&rig, "bob@a.example", "good");
	assert_int_equal(logged_times("> reason=\"route not known now:"), 1);
	auth_rig_stop(&rig);
}

static void
test_mechanisms(void **state)
{
	const struct login_params p = PLAIN_LOGIN;
	struct secret pass = { NULL, 0 };
	struct auth_login l = { "LOGIN", "ann", 3, &pass };
	struct auth_asker direct = usual_asker;
	struct auth_answer out;
	struct auth_rig rig;

	(void)state;
	direct.direct = true;
	assert_true(secret_set(&pass, "good", 4));
	auth_rig_one(&rig, &p, "mechanisms = PLAIN");
	auth_check(rig.a, &usual_asker, &l, deadline_in(5000), &out);
	assert_int_equal(out.verdict, VERDICT_DEFER);
	assert_string_equal(out.reason, "mechanism not in mechanisms");
	assert_int_equal(
	    logged_times("warning: auth: user=<ann> reason=\"LOGIN was "), 1);
	assert_int_equal(auths(&rig, 0), 0);
	auth_check(rig.a, &direct, &l, deadline_in(5000), &out);
	assert_int_equal(out.verdict, VERDICT_ACCEPT);
	l.mech = "";
	auth_check(rig.a, &usual_asker, &l, deadline_in(5000), &out);
	assert_int_equal(out.verdict, VERDICT_ACCEPT);
	l.mech = "plain";
	auth_check(rig.a, &usual_asker, &l, deadline_in(5000), &out);
	assert_int_equal(out.verdict, VERDICT_ACCEPT);
	secret_release(&pass);
	auth_rig_stop(&rig);
}

/* By hand: neither memory nor shield, and each step is told. */
static void
test_explain(void **state)
{
	const struct login_params p = PLAIN_LOGIN;
	struct auth_asker who = usual_asker;
	struct auth_rig rig;
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, 65536);
	who.direct = true;
	who.explain = &sb;
	auth_rig_one(&rig, &p, "shield_failures = 1");
	for (int i = 0; i < 3; i++) {
		strbuf_reset(&sb);
		assert_int_equal(
		    check_as(&rig, &who, "ann@a.example", "wrong")->verdict,
		    VERDICT_REJECT);
	}
	assert_int_equal(auths(&rig, 0), 3);
	assert_non_null(strstr(strbuf_str(&sb), "user: ann@a.example\n"));
	assert_non_null(strstr(strbuf_str(&sb), "\nroute: from global, id "));
	assert_non_null(strstr(
	    strbuf_str(&sb), "\ncanon: none: upstream the name is ann@a"));
	assert_non_null(strstr(strbuf_str(&sb), "\nmemory: not asked\n"));
	assert_non_null(strstr(strbuf_str(&sb), "\nshield: not asked\n"));
	assert_non_null(strstr(strbuf_str(&sb), ": session ready\n"));
	assert_non_null(strstr(strbuf_str(&sb), ": 535 5.7.8 bad cred"));
	assert_non_null(
	    strstr(strbuf_str(&sb), "\nverdict: reject, refused\n"));
	strbuf_release(&sb);
	auth_rig_stop(&rig);
}

static void
test_client(void **state)
{
	static const struct {
		const char *text, *addr, *port;
	} rows[] = {
		{ "192.0.2.1;49152", "192.0.2.1", "49152" },
		{ "192.0.2.1", "192.0.2.1", "" },
		{ "2001:DB8::1;25", "2001:db8::1", "25" },
		{ "fe80::1%eth0;25", "fe80::1", "25" },
		{ "::ffff:192.0.2.1;25", "192.0.2.1", "25" },
		{ "192.0.2.1;0", "192.0.2.1", "" },
		{ "192.0.2.1;x", "192.0.2.1", "" },
		{ "", "", "" },
		{ ";25", "", "" },
		{ "mail.example;25", "", "" },
		{ "192.0.2.1 x;25", "", "" },
		{ "111111111111111111111111111111111111111111111111;1", "",
		    "" },
	};
	struct session_client c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(auth_client_parse(rows[i].text, &c),
		    rows[i].addr[0] != '\0');
		assert_string_equal(c.addr, rows[i].addr);
		assert_string_equal(c.port, rows[i].port);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_refused_early),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_log_line),
		cmocka_unit_test(test_canon),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_mechanisms),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_client),
	};

	return cmocka_run_group_tests(tests, auth_rig_setup, NULL);
}
