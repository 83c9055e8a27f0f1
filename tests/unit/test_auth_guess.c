/* SPDX-License-Identifier: BSD-2-Clause */
/* Guesses: what is remembered, and how many reach the upstream. */
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

static const struct login_params usual = { .mechs = "PLAIN" };

static const struct auth_asker other = { "smtp", "", "198.51.100.7;1", false,
	NULL };
static const struct auth_asker unknown = { "smtp", "", "", false, NULL };

static void
test_bad_pair(void **state)
{
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &usual, "");
	r = check(&rig, "ann", "wrong");
	assert_int_equal(r->verdict, VERDICT_REJECT);
	assert_false(r->cached);
	for (int i = 0; i < 5; i++) {
		r = check_as(&rig, &other, "ann", "wrong");
		assert_int_equal(r->verdict, VERDICT_REJECT);
		assert_true(r->cached);
		assert_int_equal(r->code, 0);
	}
	assert_int_equal(auths(&rig, 0), 1);
	/* Another password or user is another pair. */
	(void)check(&rig, "ann", "wrong2");
	(void)check(&rig, "bob", "wrong");
	assert_int_equal(auths(&rig, 0), 3);
	/* Forgotten on demand. */
	assert_true(auth_drop(rig.a, "ann") >= 2);
	assert_false(check_as(&rig, &other, "ann", "wrong")->cached);
	assert_int_equal(auths(&rig, 0), 4);
	auth_rig_stop(&rig);
	auth_rig_one(&rig, &usual, "bad_memory = 0");
	(void)check_as(&rig, &unknown, "ann", "wrong");
	(void)check_as(&rig, &unknown, "ann", "wrong");
	assert_int_equal(auths(&rig, 0), 2);
	auth_rig_stop(&rig);
}

/* A refusal that is not the password's is given, and asked about again. */
static void
test_policy(void **state)
{
	const struct login_params p = { .mechs = "PLAIN",
		.reply = "535 5.7.0 no" };
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "");
	(void)check(&rig, "ann", "good");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_REJECT);
	assert_false(r->cached);
	assert_int_equal(auths(&rig, 0), 2);
	login_set_reply(rig.up[0], NULL);
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
}

/* There are upstreams that say 5.7.3 of every wrong password: what was the
 * last good pair before it was changed must not lock the account. */
static void
test_policy_for_all(void **state)
{
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &usual, "shield_failures = 3 client_failures = 0");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	login_set_reply(rig.up[0], "535 5.7.3 Authentication unsuccessful");
	for (int i = 0; i < 10; i++)
		(void)check_as(&rig, &other, "ann", "good");
	/* One beyond the two that are for strangers. */
	assert_in_range(auths(&rig, 0), 1, 1 + 3);
	auth_rig_stop(&rig);
}

static void
test_good_pair(void **state)
{
	const struct auth_answer *r;
	struct auth_rig rig;

	(void)state;
	/* Each login is asked about, unless it is wished otherwise. */
	auth_rig_one(&rig, &usual, "");
	(void)check(&rig, "ann", "good");
	assert_false(check(&rig, "ann", "good")->cached);
	assert_int_equal(auths(&rig, 0), 2);
	assert_true(auth_rig_reload(&rig, "good_memory = 1h"));
	(void)check(&rig, "ann", "good");
	r = check(&rig, "ann", "good");
	assert_int_equal(r->verdict, VERDICT_ACCEPT);
	assert_true(r->cached);
	assert_int_equal(auths(&rig, 0), 3);
	/* A remembered one is not kept beyond the wish. */
	assert_true(auth_rig_reload(&rig, ""));
	assert_false(check(&rig, "ann", "good")->cached);
	assert_int_equal(auths(&rig, 0), 4);
	auth_rig_stop(&rig);
}

/* The name that goes upstream is the account, whatever was typed. */
static void
test_account(void **state)
{
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &usual, "canon = localpart");
	(void)check(&rig, "ann@a.example", "wrong");
	assert_true(check(&rig, "ann@b.example", "wrong")->cached);
	assert_true(check(&rig, "ann", "wrong")->cached);
	assert_int_equal(auths(&rig, 0), 1);
	auth_rig_stop(&rig);
}

static void
test_shield(void **state)
{
	const struct auth_answer *r;
	struct auth_rig rig;
	struct strbuf sb;
	char pass[32];
	int asked = 0;

	(void)state;
	auth_rig_one(&rig, &usual, "");
	for (int i = 0; i < 10; i++) {
		(void)snprintf(pass, sizeof(pass), "wrong%d", i);
		r = check_as(&rig, &unknown, "ann", pass);
		if (r->verdict == VERDICT_REJECT)
			asked++;
		else
			assert_string_equal(
			    r->reason, "shield: failures of the account");
	}
	assert_int_equal(asked, 3);
	assert_int_equal(auths(&rig, 0), 3);
	/* What is known to be bad is said to be, all the same. */
	assert_int_equal(
	    check_as(&rig, &unknown, "ann", "wrong0")->verdict, VERDICT_REJECT);
	/* Case does not make another account. */
	assert_int_equal(
	    check_as(&rig, &unknown, "ANN", "wrong8")->verdict, VERDICT_DEFER);
	/* Another one is not held to account for it. */
	assert_int_equal(
	    check_as(&rig, &unknown, "bob", "good")->verdict, VERDICT_ACCEPT);
	strbuf_init(&sb, 65536);
	auth_stats(rig.a, &sb);
	assert_non_null(strstr(strbuf_str(&sb), "\nshield_held_accounts=8\n"));
	strbuf_release(&sb);
	(void)auth_drop(rig.a, NULL);
	assert_int_equal(
	    check_as(&rig, &unknown, "ann", "wrong9")->verdict, VERDICT_REJECT);
	auth_rig_stop(&rig);
}

/* The real user is not shut out by somebody else's guesses. */
static void
test_real_user(void **state)
{
	struct auth_rig rig;
	char pass[32];

	(void)state;
	auth_rig_one(&rig, &usual, "client_failures = 0");
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(pass, sizeof(pass), "wrong%d", i);
		(void)check_as(&rig, &other, "ann", pass);
	}
	/* One of the three is kept for the address that has logged in. */
	assert_int_equal(auths(&rig, 0), 3);
	assert_int_equal(check(&rig, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(
	    check_as(&rig, &other, "ann", "good")->verdict, VERDICT_ACCEPT);
	assert_int_equal(
	    check(&rig, "ann", "good, but new")->verdict, VERDICT_ACCEPT);
	auth_rig_stop(&rig);
}

/* An answer that never came may have been counted upstream. */
static void
test_lost(void **state)
{
	static const struct {
		const char *reply;
		int auths;
	} rows[] = { { "close", 3 }, { "554 5.7.8 no", 3 },
		{ "454 4.7.0 later", 6 }, { "421 4.3.2 bye", 6 } };
	struct auth_rig rig;
	char pass[32];

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		struct login_params p = { .mechs = "PLAIN",
			.reply = rows[row].reply };

		auth_rig_one(&rig, &p, "");
		for (int i = 0; i < 6; i++) {
			(void)snprintf(pass, sizeof(pass), "wrong%d", i);
			assert_int_equal(
			    check_as(&rig, &unknown, "ann", pass)->verdict,
			    VERDICT_DEFER);
		}
		/* The endpoint is left alone for a while after a 421. */
		if (strncmp(rows[row].reply, "421", 3) != 0)
			assert_int_equal(auths(&rig, 0), rows[row].auths);
		assert_int_equal(logged_times("shield: failures"),
		    rows[row].auths == 3 ? 3 : 0);
		auth_rig_stop(&rig);
	}
}

static void
test_client(void **state)
{
	const struct auth_answer *r;
	struct auth_rig rig;
	char user[32];

	(void)state;
	auth_rig_one(&rig, &usual, "client_failures = 4");
	for (int i = 0; i < 4; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		r = check(&rig, user, "wrong");
		assert_int_equal(r->verdict, VERDICT_REJECT);
		/* 0, 0, then longer each time */
		if (i < 2)
			assert_int_equal(r->hold_ms, 0);
		else
			assert_int_equal(r->hold_ms, 1000 << (i - 2));
	}
	r = check(&rig, "user9", "good");
	assert_int_equal(r->verdict, VERDICT_DEFER);
	assert_string_equal(r->reason, "shield: failures of the client");
	assert_int_equal(
	    check_as(&rig, &other, "user9", "good")->verdict, VERDICT_ACCEPT);
	/* Without an address there is no such limit. */
	for (int i = 0; i < 6; i++) {
		(void)snprintf(user, sizeof(user), "more%d", i);
		r = check_as(&rig, &unknown, user, "wrong");
		assert_int_equal(r->verdict, VERDICT_REJECT);
		assert_int_equal(r->hold_ms, 0);
	}
	auth_rig_stop(&rig);
}

struct same {
	const struct auth_rig *rig;
	bool good;
	struct auth_answer out;
	pthread_t thread;
};

static void *
same_main(void *arg)
{
	struct same *s = arg;
	struct secret pass = { NULL, 0 };
	const struct auth_login l = { "PLAIN", "ann", 3, &pass };

	if (secret_set(&pass, "wrong", 5))
		auth_check(s->rig->a, &other, &l, deadline_in(10000), &s->out);
	secret_release(&pass);
	return NULL;
}

/* Many at once with one pair are one question. */
static void
test_at_once(void **state)
{
	const struct login_params p = { .mechs = "PLAIN", .delay = 300 };
	struct same s[16];
	struct auth_rig rig;

	(void)state;
	auth_rig_one(&rig, &p, "");
	memset(s, 0, sizeof(s));
	for (int i = 0; i < 16; i++) {
		s[i].rig = &rig;
		assert_int_equal(
		    pthread_create(&s[i].thread, NULL, same_main, &s[i]), 0);
	}
	for (int i = 0; i < 16; i++) {
		pthread_join(s[i].thread, NULL);
		assert_int_equal(s[i].out.verdict, VERDICT_REJECT);
	}
	assert_int_equal(auths(&rig, 0), 1);
	auth_rig_stop(&rig);
}

static void *
cram_main(void *arg)
{
	struct same *s = arg;
	struct dialogue d;

	dialogue_begin(&d, s->rig, "CRAM-MD5", NULL);
	if (d.more)
		dialogue_step(&d,
		    s->good ? "ann 900d3ac5c5e6d1d1ef4a6d1cb1b1b1b1"
			    : "ann badd3ac5c5e6d1d1ef4a6d1cb1b1b1b1");
	s->out = d.out;
	dialogue_end(&d);
	return NULL;
}

/* One account used by many at once is not held up by itself; guesses at once
 * are no more than guesses one by one. */
static void
test_under_way(void **state)
{
	const struct login_params p = { .mechs = "CRAM-MD5", .delay = 100 };
	struct same s[12];
	struct auth_rig rig;
	int accepted, rejected, i;

	(void)state;
	for (int good = 0; good < 2; good++) {
		auth_rig_one(&rig, &p, "mechanisms = CRAM-MD5");
		memset(s, 0, sizeof(s));
		for (i = 0; i < 12; i++) {
			s[i].rig = &rig;
			s[i].good = good;
			assert_int_equal(pthread_create(&s[i].thread, NULL,
					     cram_main, &s[i]),
			    0);
		}
		for (accepted = rejected = i = 0; i < 12; i++) {
			pthread_join(s[i].thread, NULL);
			accepted += s[i].out.verdict == VERDICT_ACCEPT;
			rejected += s[i].out.verdict == VERDICT_REJECT;
		}
		assert_int_equal(accepted, good ? 12 : 0);
		assert_int_equal(rejected, good ? 0 : 3);
		auth_rig_stop(&rig);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_pair),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_policy_for_all),
		cmocka_unit_test(test_good_pair),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_shield),
		cmocka_unit_test(test_real_user),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_under_way),
	};

	return cmocka_run_group_tests(tests, auth_rig_setup, NULL);
}
