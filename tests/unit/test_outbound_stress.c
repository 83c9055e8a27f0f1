/* SPDX-License-Identifier: BSD-2-Clause */
/* Many threads that ask while the configuration is read anew, messages bring
 * theirs, and answers are dropped: each answer is a whole one. */
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

#include "common/log.h"
#include "tests/unit/conf_case.h"
#include "tests/unit/ds_fixture.h"
#include "tests/unit/outbound_case.h"

#define ASKERS  4
#define RELOADS 40
#define PUTS    100

static struct outbound *o;
static atomic_bool over;
static atomic_ulong asked, wrong;

/* Two configurations in which nothing is the same. */
static struct conf *
conf_number(int i)
{
	char text[2048];
	struct conf_case k;
	struct conf *c;

	(void)snprintf(text, sizeof(text),
	    "datasource \"s%d\" { uri = \"sqlite:%s\" }\n"
	    "authd { state_directory = \"%s\" }\n"
	    "binding \"a\" { nexthops = relay.a\n"
	    " outbound_smtp_auth_user = ua%d outbound_smtp_auth_pass = pa%d\n"
	    " sender \"ann@x.y\" { outbound_smtp_auth_user = us%d\n"
	    "  outbound_smtp_auth_pass = ps%d } }\n"
	    "outbound_smtp_auth { message_credentials = true ds_cache = s%d\n"
	    " query = \"SELECT 'uq%d', 'pq%d' WHERE :host = 'relay.q'\" }\n",
	    i, db, dir, i, i, i, i, i, i, i);
	conf_case_text(&k, text);
	if (k.c == NULL)
		fail_msg("%s", strbuf_str(&k.said));
	c = conf_ref(k.c);
	conf_case_release(&k);
	return c;
}

/* "uX1" and "pX1": of one scope and one snapshot. */
static bool
is_whole(const struct outbound_answer *a, char kind)
{
	const char *pass = secret_bytes(&a->pass, NULL);

	return a->verdict == OUTBOUND_GIVEN && a->user[0] == 'u' &&
	    a->user[1] == kind && pass[0] == 'p' &&
	    strcmp(a->user + 1, pass + 1) == 0;
}

static void
ask_one(const struct outbound_question *q, char kind, bool quick)
{
	struct outbound_answer a;

	if (!outbound_ask(o, q, deadline_in(30000), quick, &a)) {
		outbound_answer_release(&a);
		(void)outbound_ask(o, q, deadline_in(30000), false, &a);
	}
	if (!is_whole(&a, kind))
		(void)atomic_fetch_add(&wrong, 1);
	(void)atomic_fetch_add(&asked, 1);
	outbound_answer_release(&a);
}

static void *
asker(void *arg)
{
	const struct outbound_question of_binding = { .binding = "a",
		.key = "relay.a" };
	const struct outbound_question of_sender = { .binding = "a",
		.key = "Ann@x.y" };
	const struct outbound_question of_query = { .binding = "a",
		.key = "relay.q" };
	const struct outbound_question of_message = {
		.binding = "a", .queue_id = "M", .nexthop = "relay.a"
	};

	(void)arg;
	while (!atomic_load(&over)) {
		ask_one(&of_binding, 'a', true);
		ask_one(&of_sender, 's', true);
		ask_one(&of_query, 'q', true);
		ask_one(&of_message, 'm', true);
	}
	return NULL;
}

static void
put_message(int i)
{
	char id[16], user[16], pass[16], why[256];
	struct secret secret = { NULL, 0 };
	struct outbound_message m = {
		.queue_id = id, .user = user, .pass = &secret, .type = -1
	};

	(void)snprintf(id, sizeof(id), i == 0 ? "M" : i % 2 ? "M" : "N%d", i);
	(void)snprintf(user, sizeof(user), "um%d", i);
	(void)snprintf(pass, sizeof(pass), "pm%d", i);
	if (!secret_set(&secret, pass, strlen(pass)) ||
	    !outbound_put(o, &m, why, sizeof(why)))
		(void)atomic_fetch_add(&wrong, 1);
	secret_release(&secret);
}

static void *
putter(void *arg)
{
	int i;

	(void)arg;
	for (i = 1; i <= PUTS; i++)
		put_message(i);
	return NULL;
}

static void
all_at_once(void **state)
{
	struct conf *conf[2] = { conf_number(1), conf_number(2) };
	pthread_t threads[ASKERS], put;
	struct strbuf sb;
	char why[256];
	int i;

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	o = outbound_new(conf[0], why, sizeof(why));
	assert_non_null(o);
	put_message(0);
	for (i = 0; i < ASKERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, asker, NULL), 0);
	assert_int_equal(pthread_create(&put, NULL, putter, NULL), 0);
	for (i = 0; i < RELOADS; i++) {
		assert_true(outbound_reload(o, conf[i % 2], why, sizeof(why)));
		strbuf_init(&sb, 65536);
		outbound_status(o, &sb);
		outbound_stats(o, &sb);
		strbuf_release(&sb);
		(void)outbound_drop(o, i % 3 == 0 ? NULL : "relay.q");
	}
	assert_int_equal(pthread_join(put, NULL), 0);
	atomic_store(&over, true);
	for (i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	print_message("%lu questions\n", atomic_load(&asked));
	assert_int_equal(atomic_load(&wrong), 0);
	assert_true(atomic_load(&asked) >= 4 * ASKERS);
	outbound_free(o);
	conf_unref(conf[0]);
	conf_unref(conf[1]);
}

static int
clean_up(void **state)
{
	char path[160];
	int i;

	for (i = 0; i <= PUTS; i += 2) {
		(void)snprintf(path, sizeof(path), "%s/outbound/N%d", dir, i);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/outbound/M", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/outbound", dir);
	(void)rmdir(path);
	return tear_down(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_at_once, set_up, clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
