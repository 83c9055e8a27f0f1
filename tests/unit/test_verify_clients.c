/* SPDX-License-Identifier: BSD-2-Clause */
/* What one client, one domain or one host does to the others. */
#include "config.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/probe.h"
#include "tests/unit/verify_rig.h"

#define MANY 140

static void
ask_helo(const struct rig *rig, const char *rcpt, const char *helo,
    struct verify_result *out)
{
	struct verify_request rq = { 0 };

	verify_request_set(&rq, "<>", rcpt);
	snprintf(rq.client.addr, sizeof(rq.client.addr), "192.0.2.9");
	snprintf(rq.client.helo, sizeof(rq.client.helo), "%s", helo);
	verify_rcpt(rig->v, &rq, out);
}

/* Asks under a name of its own, once or until `stop`. */
struct named {
	const struct rig *rig;
	const atomic_bool *stop; /* NULL: once */
	char rcpt[32], helo[32];
	struct verify_result r;
	pthread_t thread;
};

static void *
named_main(void *arg)
{
	struct named *n = arg;
	char rcpt[64];
	int i = 0;

	do {
		snprintf(rcpt, sizeof(rcpt), "u%d.%s", i++, n->rcpt);
		ask_helo(n->rig, rcpt, n->helo, &n->r);
	} while (n->stop != NULL && !atomic_load(n->stop));
	return NULL;
}

static void
named_start(struct named *n)
{
	assert_int_equal(pthread_create(&n->thread, NULL, named_main, n), 0);
}

/* A client whose name upsets the upstream opens nobody's breaker. */
static void
test_upset_by_a_name(void **state)
{
	static const char *const names[] = { "later", "gone" };
	struct mini_params p = { 0 };
	struct verify_result r;
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		rig_one(&rig, &p, "helo = replay");
		for (int j = 0; j < 8; j++) {
			char rcpt[64], helo[64];

			snprintf(rcpt, sizeof(rcpt), "u%d@example.org", j);
			snprintf(helo, sizeof(helo), "%s%d", names[i], j);
			ask_helo(&rig, rcpt, helo, &r);
			assert_int_equal(r.verdict, VERDICT_DEFER);
		}
		ask_helo(&rig, "ann@example.org", "good.test", &r);
		assert_int_equal(r.verdict, VERDICT_ACCEPT);
		rig_stop(&rig);
	}
}

/* A name that the upstream thinks about for long keeps only its own client
 * waiting. */
static void
test_slow_name(void **state)
{
	struct mini_params p = { .long_ms = 4000 };
	struct verify_result r;
	struct named slow;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "helo = replay");
	slow = (struct named){
		.rig = &rig, .rcpt = "a@example.org", .helo = "slow.test"
	};
	named_start(&slow);
	(void)poll(NULL, 0, 200);
	ask_helo(&rig, "ann@example.org", "good.test", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	assert_in_range(r.delay_us, 0, 3000000);
	pthread_join(slow.thread, NULL);
	assert_int_equal(slow.r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
}

/* A client that asks without pause leaves room for another. */
static void
test_flood_leaves_room(void **state)
{
	struct mini_params p = { .delay = 10 };
	atomic_bool stop = false;
	struct named flood[12];
	struct verify_result r;
	struct rig rig;

	(void)state;
	rig_one(&rig, &p,
	    "helo = replay max_sessions = 1 timeout = 20s catchall_life = 0");
	for (int i = 0; i < 12; i++) {
		flood[i] = (struct named){
			.rig = &rig, .stop = &stop, .helo = "flood.test"
		};
		snprintf(
		    flood[i].rcpt, sizeof(flood[i].rcpt), "x%d@example.org", i);
		named_start(&flood[i]);
	}
	(void)poll(NULL, 0, 500);
	ask_helo(&rig, "ann@example.org", "good.test", &r);
	atomic_store(&stop, true);
	for (int i = 0; i < 12; i++)
		pthread_join(flood[i].thread, NULL);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	assert_in_range(r.delay_us, 0, 10000000);
	rig_stop(&rig);
}

/* Each domain is asked about as its own section says, on one endpoint. */
static void
test_options_of_another_domain(void **state)
{
	struct mini_params p = { 0 };
	struct named a[40];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p,
	    "} domain \"x.test\" { smtp_rcptto_proxy { xclient = required }");
	for (int i = 0; i < 40; i++) {
		a[i] = (struct named){ .rig = &rig, .helo = "good.test" };
		snprintf(a[i].rcpt, sizeof(a[i].rcpt), "u%d@%s.test", i,
		    i % 2 ? "x" : "y");
		named_start(&a[i]);
	}
	for (int i = 0; i < 40; i++)
		pthread_join(a[i].thread, NULL);
	/* The upstream does not offer XCLIENT. */
	for (int i = 0; i < 40; i++)
		assert_int_equal(
		    a[i].r.verdict, i % 2 ? VERDICT_DEFER : VERDICT_ACCEPT);
	rig_stop(&rig);
}

/* A host that hangs takes all openers; another host's turn comes. */
static void
test_all_openers_taken(void **state)
{
	struct mini_params hang = { .fail = MINI_GREETING, .how = MINI_HANG };
	struct mini_params p = { 0 };
	static struct named a[MANY];
	struct mini_upstream *other = mini_start(&p);
	struct verify_result r;
	struct rig rig;
	char more[256];

	(void)state;
	snprintf(more, sizeof(more),
	    "helo = replay timeout = 2s max_sessions = 200 } "
	    "domain \"y.test\" { smtp_rcptto_proxy { timeout = 25s "
	    "host = {\"127.0.0.1:%d\"} }",
	    mini_port(other));
	rig_one(&rig, &hang, more);
	for (int i = 0; i < MANY; i++) {
		a[i].rig = &rig;
		snprintf(a[i].rcpt, sizeof(a[i].rcpt), "u%d@x.test", i);
		snprintf(a[i].helo, sizeof(a[i].helo), "h%d.test", i);
		named_start(&a[i]);
	}
	(void)poll(NULL, 0, 1000);
	ask_helo(&rig, "ann@y.test", "good.test", &r);
	for (int i = 0; i < MANY; i++)
		pthread_join(a[i].thread, NULL);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
	mini_stop(other);
}

/* Recipients that break their sessions do not close the endpoint. */
static void
test_breaking_recipients(void **state)
{
	struct mini_params p = { .delay = 20 };
	struct verify_result r;
	struct asker a[16];
	struct rig rig;

	(void)state;
	rig_one(&rig, &p, "max_sessions = 16 batch = 1 catchall_life = 0");
	ask_many(&rig, a, 16, "close");
	ask(&rig, "ann@example.org", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
}

/* Credentials that do not serve are their own domain's trouble. */
static void
test_credentials_of_one_domain(void **state)
{
	struct mini_params p = { 0 };
	struct mini_upstream *both = mini_start(&p);
	struct verify_result r;
	struct rig rig;
	char more[512];

	(void)state;
	snprintf(more, sizeof(more),
	    "} domain \"y.test\" { smtp_rcptto_proxy { "
	    "host = {\"127.0.0.1:%d\"} } } "
	    "domain \"x.test\" { Outbound_SMTP_AUTH_User = \"u\" "
	    "Outbound_SMTP_AUTH_Pass = \"p\" smtp_rcptto_proxy { "
	    "host = {\"127.0.0.1:%d\"} }",
	    mini_port(both), mini_port(both));
	rig_one(&rig, &p, more);
	for (int i = 0; i < 8; i++) {
		char rcpt[64];

		/* The upstream does not offer AUTH. */
		snprintf(rcpt, sizeof(rcpt), "u%d@x.test", i);
		ask(&rig, rcpt, &r);
		assert_int_equal(r.verdict, VERDICT_DEFER);
	}
	ask(&rig, "ann@y.test", &r);
	assert_int_equal(r.verdict, VERDICT_ACCEPT);
	rig_stop(&rig);
	mini_stop(both);
}

/* An upstream that has enough sessions is not one that is down. */
static void
test_enough_sessions(void **state)
{
	struct mini_params p = { .most = 1, .delay = 5 };
	struct asker a[60];
	struct rig rig;
	char *text = NULL;
	size_t size = 0;
	FILE *fp;

	(void)state;
	rig_one(&rig, &p, "max_sessions = 4 catchall_life = 0");
	ask_many(&rig, a, 1, "first");
	ask_many(&rig, a, 60, "user");
	for (int i = 0; i < 60; i++)
		assert_int_equal(a[i].r.verdict, VERDICT_ACCEPT);
	fp = open_memstream(&text, &size);
	assert_non_null(fp);
	prober_show(verifier_prober(rig.v), NULL, fp);
	fclose(fp);
	assert_non_null(strstr(text, "breaker=closed"));
	free(text);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upset_by_a_name),
		cmocka_unit_test(test_slow_name),
		cmocka_unit_test(test_flood_leaves_room),
		cmocka_unit_test(test_options_of_another_domain),
		cmocka_unit_test(test_all_openers_taken),
		cmocka_unit_test(test_breaking_recipients),
		cmocka_unit_test(test_credentials_of_one_domain),
		cmocka_unit_test(test_enough_sessions),
	};

	return cmocka_run_group_tests(tests, rig_setup, NULL);
}
