/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins and dialogues on many threads, with reloads and a stop among them:
 * every answer is a right one, and nothing is held afterwards. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/strbuf.h"
#include "tests/unit/auth_rig.h"

#define THREADS 12
#define ROUNDS  150

#define OPTIONS                                            \
 "mechanisms = {\"PLAIN\", \"XOAUTH2\"} max_sessions = 6 " \
 "client_failures = 0 shield_failures = 0 xclient = %s "

static struct auth_rig rig;
static atomic_int wrong, accepted, rejected;

static void
judge(enum verdict got, enum verdict want)
{
	if (got == VERDICT_ACCEPT)
		(void)atomic_fetch_add(&accepted, 1);
	if (got == VERDICT_REJECT)
		(void)atomic_fetch_add(&rejected, 1);
	if (got != want && got != VERDICT_DEFER)
		(void)atomic_fetch_add(&wrong, 1);
}

static void
by_password(int i, bool good)
{
	char user[32], pass[32];
	struct secret s = { NULL, 0 };
	struct auth_login l = { "PLAIN", user, 0, &s };
	struct auth_answer out;

	(void)snprintf(user, sizeof(user), "ann%d@a.example", i % 5);
	(void)snprintf(
	    pass, sizeof(pass), "%s%d", good ? "good" : "bad", i % 3);
	l.user_len = strlen(user);
	if (!secret_set(&s, pass, strlen(pass)))
		abort();
	auth_check(rig.a, &usual_asker, &l, deadline_in(10000), &out);
	secret_release(&s);
	judge(out.verdict, good ? VERDICT_ACCEPT : VERDICT_REJECT);
}

/* With a wrong token the client is gone before the end, or not. */
static void
by_token(int i, bool good)
{
	struct secret first = { NULL, 0 }, challenge = { NULL, 0 };
	const struct secret nothing = { NULL, 0 };
	struct auth_dialogue *x = NULL;
	struct auth_answer out;
	char text[128];
	int n = snprintf(text, sizeof(text),
	    "user=ann%d@a.example\x01"
	    "auth=Bearer %s\x01\x01",
	    i % 5, good ? "good" : "stale");
	bool more;

	if (n < 0 || !secret_set(&first, text, (size_t)n))
		abort();
	more = auth_begin(rig.a, &usual_asker, "XOAUTH2", &first,
	    deadline_in(10000), &x, &challenge, &out);
	secret_release(&challenge);
	if (more && i % 2 == 0)
		more = auth_step(x, &nothing, &challenge, &out);
	secret_release(&challenge);
	secret_release(&first);
	auth_end(x);
	if (!more)
		judge(out.verdict, good ? VERDICT_ACCEPT : VERDICT_REJECT);
}

static void *
client(void *arg)
{
	int first = *(int *)arg;

	for (int i = 0; i < ROUNDS; i++) {
		int k = first * ROUNDS + i;

		if (k % 3 == 0)
			by_token(k / 3, k % 4 != 0);
		else
			by_password(k, k % 4 != 0);
	}
	return NULL;
}

static void
all_at_once(const char *xclient, bool stop)
{
	const struct login_params p = { .mechs = "PLAIN XOAUTH2",
		.xclient = "NAME ADDR PROTO HELO LOGIN" };
	pthread_t threads[THREADS];
	int numbers[THREADS];
	char more[256];
	struct deadline d;
	struct strbuf sb;

	accepted = rejected = wrong = 0;
	(void)snprintf(more, sizeof(more), OPTIONS, xclient);
	auth_rig_one(&rig, &p, more);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(
		    pthread_create(&threads[i], NULL, client, &numbers[i]), 0);
	}
	for (int i = 0; i < 10; i++) {
		(void)usleep(10000);
		assert_true(auth_rig_reload(&rig, more));
		(void)auth_drop(rig.a, i % 2 == 0 ? NULL : "ann1@a.example");
	}
	d = deadline_in(60000);
	while ((accepted == 0 || rejected == 0) && !deadline_passed(d))
		(void)usleep(10000);
	if (stop)
		auth_stop(rig.a);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(wrong, 0);
	assert_true(accepted > 0);
	assert_true(rejected > 0);
	strbuf_init(&sb, 65536);
	auth_status(rig.a, &sb);
	assert_non_null(strstr(strbuf_str(&sb), "logins_open=0\n"));
	assert_null(strstr(strbuf_str(&sb), "waiting=1"));
	strbuf_release(&sb);
	auth_rig_stop(&rig);
}

static void
test_reloads(void **state)
{
	(void)state;
	all_at_once("no", false);
	all_at_once("ifavailable", false);
}

static void
test_stop(void **state)
{
	(void)state;
	all_at_once("no", true);
	all_at_once("required", true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reloads),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, auth_rig_setup, NULL);
}
