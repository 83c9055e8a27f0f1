/* SPDX-License-Identifier: BSD-2-Clause */
/* Mechanisms that are relayed, response by response. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/auth_rig.h"

#define MECHS                                              \
 "mechanisms = {\"PLAIN\", \"CRAM-MD5\", \"SCRAM-SHA-1\"," \
 " \"SCRAM-SHA-256\", \"XOAUTH2\", \"OAUTHBEARER\"} "
#define OFFERED                                                           \
 {                                                                        \
  .mechs = "PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER" \
 }

#define CRAM_GOOD "ann@a.example 900d3ac5c5e6d1d1ef4a6d1cb1b1b1b1"
#define CRAM_BAD  "ann@a.example badd3ac5c5e6d1d1ef4a6d1cb1b1b1b1"
#define SCRAM     "n,,n=ann@a.example,r=clientnonce"
#define PROOF(p)  "c=biws,r=clientnonceservernonce,p=" p
#define XOAUTH2(t)        \
 "user=ann@a.example\x01" \
 "auth=Bearer " t "\x01\x01"
#define OAUTHBEARER(t)    \
 "n,a=ann@a.example,\x01" \
 "auth=Bearer " t "\x01\x01"

static const struct login_params usual = OFFERED;

static void
over(struct dialogue *d, enum verdict verdict, int code)
{
	assert_false(d->more);
	if (d->out.verdict != verdict)
		print_error("%s %s\n", d->out.reason, d->out.text);
	assert_int_equal(d->out.verdict, verdict);
	assert_int_equal(d->out.code, code);
	dialogue_end(d);
}

static void
test_cram(void **state)
{
	struct auth_rig rig;
	struct dialogue d;

	(void)state;
	auth_rig_one(&rig, &usual, MECHS);
	for (int good = 0; good < 2; good++) {
		dialogue_begin(&d, &rig, "CRAM-MD5", NULL);
		assert_true(d.more);
		assert_string_equal(d.challenge, "<1896.697170952@mini.test>");
		dialogue_step(&d, good ? CRAM_GOOD : CRAM_BAD);
		assert_string_equal(d.out.user, "ann@a.example");
		over(&d, good ? VERDICT_ACCEPT : VERDICT_REJECT,
		    good ? 235 : 535);
	}
	assert_non_null(strstr(logged(),
	    "info: auth: client=192.0.2.9 user=<ann@a.example> mech=CRAM-MD5 "
	    "upstream=127.0.0.1:"));
	assert_null(strstr(logged(), "cache="));
	/* What is no response of it is never sent. */
	dialogue_begin(&d, &rig, "CRAM-MD5", NULL);
	dialogue_step(&d, "ann");
	assert_string_equal(d.out.reason, "malformed");
	over(&d, VERDICT_REJECT, 0);
	dialogue_begin(&d, &rig, "CRAM-MD5", CRAM_GOOD);
	over(&d, VERDICT_REJECT, 0);
	assert_int_equal(auths(&rig, 0), 3);
	auth_rig_stop(&rig);
}

/* The upstream begins before the user is known: it must be the right one. */
static void
test_cram_elsewhere(void **state)
{
	struct login_counts n;
	struct auth_rig rig;
	struct dialogue d;

	(void)state;
	auth_rig_two(&rig, &usual, &usual,
	    MECHS "} domain \"a.example\" { smtp_auth_proxy { host = HOST1"
		  " tls = none }");
	dialogue_begin(&d, &rig, "CRAM-MD5", NULL);
	assert_true(d.more);
	dialogue_step(&d, CRAM_GOOD);
	over(&d, VERDICT_DEFER, 0);
	assert_int_equal(
	    logged_times(
		"warning: auth: user=<ann@a.example> reason=\"CRAM-MD5 "),
	    1);
	login_count(rig.up[0], &n);
	assert_int_equal(n.responses, 0);
	assert_int_equal(n.aborts, 1);
	assert_int_equal(auths(&rig, 1), 0);
	/* Others do work there. */
	dialogue_begin(&d, &rig, "SCRAM-SHA-256", SCRAM);
	assert_true(d.more);
	assert_int_equal(auths(&rig, 1), 1);
	dialogue_end(&d);
	rig.hosts[0] = '\0';
	assert_true(auth_rig_reload(&rig,
	    MECHS "} domain \"a.example\" { smtp_auth_proxy { host = HOST1"
		  " tls = none }"));
	dialogue_begin(&d, &rig, "CRAM-MD5", NULL);
	assert_string_equal(d.out.reason, "no global host");
	over(&d, VERDICT_DEFER, 0);
	auth_rig_stop(&rig);
}

/* The options of the user's domain apply when its name is known, unless they
 * should have applied before. */
static void
test_cram_domain(void **state)
{
	static const struct {
		const char *more, *reason;
	} rows[] = {
		{ "mechanisms = {\"PLAIN\"}", "mechanism not in mechanisms" },
		{ "xclient = \"required\"", "another upstream has begun" },
		{ "tls = \"encrypt\"", "another upstream has begun" },
		{ "tls_verify_name = \"mx.a.example\"",
		    "another upstream has begun" },
		{ "canon = \"lower\"", "" },
	};

	char more[512];
	struct auth_rig rig;
	struct dialogue d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(more, sizeof(more),
		    MECHS "} domain \"a.example\" { smtp_auth_proxy { %s }",
		    rows[i].more);
		auth_rig_one(&rig, &usual, more);
		dialogue_begin(&d, &rig, "CRAM-MD5", NULL);
		assert_true(d.more);
		dialogue_step(&d, CRAM_GOOD);
		assert_string_equal(d.out.reason, rows[i].reason);
		if (rows[i].reason[0] != '\0')
			over(&d, VERDICT_DEFER, 0);
		else
			over(&d, VERDICT_ACCEPT, 235);
		auth_rig_stop(&rig);
	}
}

static void
test_scram(void **state)
{
	static const char *const mechs[] = { "SCRAM-SHA-1", "SCRAM-SHA-256" };
	struct auth_rig rig;
	struct dialogue d;

	(void)state;
	auth_rig_one(&rig, &usual, MECHS);
	for (int i = 0; i < 2; i++) {
		/* With an initial response, and without. */
		dialogue_begin(&d, &rig, mechs[i], i == 0 ? SCRAM : NULL);
		assert_true(d.more);
		if (i == 1) {
			assert_string_equal(d.challenge, "");
			assert_int_equal(auths(&rig, 0), 2);
			dialogue_step(&d, SCRAM);
		}
		assert_true(d.more);
		assert_non_null(strstr(d.challenge, "r=clientnonceserver"));
		dialogue_step(&d, PROOF("good"));
		assert_true(d.more);
		assert_string_equal(
		    d.challenge, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
		dialogue_step(&d, "");
		assert_string_equal(d.out.user, "ann@a.example");
		over(&d, VERDICT_ACCEPT, 235);
		dialogue_begin(&d, &rig, mechs[i], SCRAM);
		dialogue_step(&d, PROOF("wrong"));
		over(&d, VERDICT_REJECT, 535);
	}
	auth_rig_stop(&rig);
}

static void
test_oauth(void **state)
{
	struct auth_rig rig;
	struct dialogue d;

	(void)state;
	auth_rig_one(&rig, &usual, MECHS);
	dialogue_begin(&d, &rig, "XOAUTH2", XOAUTH2("good"));
	assert_string_equal(d.out.user, "ann@a.example");
	over(&d, VERDICT_ACCEPT, 235);
	dialogue_begin(&d, &rig, "XOAUTH2", XOAUTH2("stale"));
	assert_true(d.more);
	assert_string_equal(
	    d.challenge, "{\"status\":\"401\",\"schemes\":\"bearer\"}");
	dialogue_step(&d, "");
	over(&d, VERDICT_REJECT, 535);
	dialogue_begin(&d, &rig, "oauthbearer", NULL);
	assert_true(d.more);
	dialogue_step(&d, OAUTHBEARER("good"));
	over(&d, VERDICT_ACCEPT, 235);
	dialogue_begin(&d, &rig, "OAUTHBEARER", OAUTHBEARER("stale"));
	assert_true(d.more);
	dialogue_step(&d, "\x01");
	over(&d, VERDICT_REJECT, 535);
	auth_rig_stop(&rig);
}

/* Dialogues that are given up, and what the shield makes of them. */
static void
test_given_up(void **state)
{
	struct login_params p = OFFERED;
	struct login_counts n;
	struct auth_rig rig;
	struct dialogue d;
	int i;

	(void)state;
	p.tell = true;
	auth_rig_one(&rig, &p, MECHS "shield_failures = 2 client_failures = 0");
	/* Nothing was proved, nothing was refused. */
	for (i = 0; i < 4; i++) {
		dialogue_begin(&d, &rig, "SCRAM-SHA-256", SCRAM);
		assert_true(d.more);
		dialogue_end(&d);
	}
	assert_int_equal(logged_times(" verdict=defer delay=0."), 4);
	assert_int_equal(logged_times(" reason=\"given up by the client\""), 4);
	login_count(rig.up[0], &n);
	assert_int_equal(n.aborts, 4);
	/* A challenge that tells of the refusal does not hide it. */
	for (i = 0; i < 2; i++) {
		dialogue_begin(&d, &rig, "SCRAM-SHA-256", SCRAM);
		dialogue_step(&d, PROOF("wrong"));
		assert_string_equal(d.challenge, "e=invalid-proof");
		dialogue_end(&d);
	}
	dialogue_begin(&d, &rig, "SCRAM-SHA-256", SCRAM);
	assert_string_equal(d.out.reason, "shield: failures of the account");
	over(&d, VERDICT_DEFER, 0);
	/* The same of a password. */
	assert_int_equal(
	    check(&rig, "ann@a.example", "good")->verdict, VERDICT_DEFER);
	(void)auth_drop(rig.a, NULL);
	for (i = 0; i < 2; i++) {
		dialogue_begin(&d, &rig, "XOAUTH2", XOAUTH2("stale"));
		assert_true(d.more);
		dialogue_end(&d);
	}
	assert_int_equal(
	    check(&rig, "ann@a.example", "good")->verdict, VERDICT_DEFER);
	auth_rig_stop(&rig);
}

static void
test_refused_here(void **state)
{
	static const struct {
		const char *mech, *initial, *reason;
		enum verdict verdict;
	} rows[] = {
		{ "SCRAM-SHA-256", "n,,n=ann", "malformed", VERDICT_REJECT },
		{ "SCRAM-SHA-256", "p=tls-unique,,n=ann,r=x", "malformed",
		    VERDICT_REJECT },
		{ "SCRAM-SHA-256", "n,a=root,n=ann,r=x", "malformed",
		    VERDICT_REJECT },
		{ "XOAUTH2", "user=ann\x01\x01", "malformed", VERDICT_REJECT },
		{ "SCRAM-SHA-256-PLUS", SCRAM, "mechanism cannot be relayed",
		    VERDICT_DEFER },
		{ "DIGEST-MD5", NULL, "mechanism cannot be relayed",
		    VERDICT_DEFER },
		{ "PLAIN", NULL, "mechanism cannot be relayed", VERDICT_DEFER },
	};
	struct auth_rig rig;
	struct dialogue d;

	(void)state;
	auth_rig_one(&rig, &usual, MECHS);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dialogue_begin(&d, &rig, rows[i].mech, rows[i].initial);
		assert_string_equal(d.out.reason, rows[i].reason);
		over(&d, rows[i].verdict, 0);
	}
	assert_int_equal(auths(&rig, 0), 0);
	/* What is over is over. */
	dialogue_begin(&d, &rig, "XOAUTH2", "x");
	dialogue_step(&d, "y");
	over(&d, VERDICT_DEFER, 0);
	/* What was not announced here. */
	assert_true(auth_rig_reload(&rig, ""));
	dialogue_begin(&d, &rig, "SCRAM-SHA-256", SCRAM);
	assert_string_equal(d.out.reason, "mechanism not in mechanisms");
	over(&d, VERDICT_DEFER, 0);
	auth_rig_stop(&rig);
}

/* Hosts are tried until one has the mechanism; one that was told something
 * is the last. */
static void
test_hosts(void **state)
{
	const struct login_params plain = { .mechs = "PLAIN" };
	const struct login_params busy = { .mechs = "CRAM-MD5",
		.begin = "421 4.3.2 bye" };
	struct login_params strange = OFFERED;
	struct auth_rig rig;
	struct dialogue d;

	(void)state;
	auth_rig_two(&rig, &plain, &usual, MECHS);
	dialogue_begin(&d, &rig, "XOAUTH2", XOAUTH2("good"));
	over(&d, VERDICT_ACCEPT, 235);
	assert_int_equal(auths(&rig, 0), 0);
	auth_rig_stop(&rig);
	auth_rig_two(&rig, &busy, &usual, MECHS);
	dialogue_begin(&d, &rig, "CRAM-MD5", NULL);
	assert_true(d.more);
	dialogue_step(&d, CRAM_GOOD);
	over(&d, VERDICT_ACCEPT, 235);
	auth_rig_stop(&rig);
	strange.reply = "454 4.7.0 later";
	auth_rig_two(&rig, &strange, &usual, MECHS);
	dialogue_begin(&d, &rig, "XOAUTH2", XOAUTH2("good"));
	over(&d, VERDICT_DEFER, 454);
	assert_int_equal(auths(&rig, 1), 0);
	auth_rig_stop(&rig);
	auth_rig_one(&rig, &plain, MECHS);
	dialogue_begin(&d, &rig, "XOAUTH2", XOAUTH2("good"));
	assert_string_equal(d.out.text, "does not offer AUTH XOAUTH2");
	over(&d, VERDICT_DEFER, 0);
	assert_int_equal(logged_times("warning: auth: "), 1);
	auth_rig_stop(&rig);
}

static void
test_broken(void **state)
{
	struct login_params p = OFFERED;
	struct auth_rig rig;
	struct dialogue d;

	(void)state;
	p.reply = "close";
	auth_rig_one(&rig, &p, MECHS);
	dialogue_begin(&d, &rig, "CRAM-MD5", NULL);
	dialogue_step(&d, CRAM_GOOD);
	assert_string_equal(d.out.reason, "no answer to AUTH");
	over(&d, VERDICT_DEFER, 0);
	auth_rig_stop(&rig);
	/* A dialogue has one deadline. */
	p.reply = "hang";
	auth_rig_one(&rig, &p, MECHS "timeout = 500ms");
	dialogue_begin(&d, &rig, "XOAUTH2", XOAUTH2("good"));
	assert_string_equal(d.out.reason, "no answer to AUTH");
	over(&d, VERDICT_DEFER, 0);
	auth_rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cram),
		cmocka_unit_test(test_cram_elsewhere),
		cmocka_unit_test(test_cram_domain),
		cmocka_unit_test(test_scram),
		cmocka_unit_test(test_oauth),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_refused_here),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, auth_rig_setup, NULL);
}
