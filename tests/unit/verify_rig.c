/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

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
#include "tests/unit/load_conf.h"
#include "tests/unit/verify_rig.h"

static void
rig_start(struct rig *r, const char *hosts, const char *more)
{
	struct prober_params pp = { 0 };
	char text[2048], why[512];

	snprintf(text, sizeof(text),
	    "hostname = \"edge.test\"\nsmtp_rcptto_proxy { host = {%s}\n"
	    "domains = {\"*\"} tls = none %s }\n",
	    hosts, more);
	r->conf = load_conf(text);
	r->v = verifier_new(r->conf, &pp, why, sizeof(why));
	assert_non_null(r->v);
}

void
rig_one(struct rig *r, const struct mini_params *p, const char *more)
{
	char hosts[64];

	memset(r, 0, sizeof(*r));
	r->up[0] = mini_start(p);
	snprintf(hosts, sizeof(hosts), "\"127.0.0.1:%d\"", mini_port(r->up[0]));
	rig_start(r, hosts, more);
}

void
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

void
rig_stop(struct rig *r)
{
	for (int i = 0; i < 2; i++)
		if (r->up[i] != NULL)
			mini_stop(r->up[i]);
	verifier_free(r->v);
	conf_unref(r->conf);
}

void
ask_as(const struct rig *r, const char *rcpt, const char *sender,
    const char *addr, struct verify_result *out)
{
	struct verify_request rq = { 0 };

	verify_request_set(&rq, sender, rcpt);
	snprintf(rq.client.addr, sizeof(rq.client.addr), "%s", addr);
	snprintf(rq.client.helo, sizeof(rq.client.helo), "client.test");
	verify_rcpt(r->v, &rq, out);
}

void
ask(const struct rig *r, const char *rcpt, struct verify_result *out)
{
	ask_as(r, rcpt, "<>", "192.0.2.9", out);
}

static void *
asker_main(void *arg)
{
	struct asker *a = arg;

	ask(a->rig, a->rcpt, &a->r);
	return NULL;
}

void
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

void
asker_start(struct asker *a, const struct rig *rig, const char *rcpt)
{
	a->rig = rig;
	snprintf(a->rcpt, sizeof(a->rcpt), "%s", rcpt);
	assert_int_equal(pthread_create(&a->thread, NULL, asker_main, a), 0);
}

void
asker_join(struct asker *a)
{
	pthread_join(a->thread, NULL);
}

int
rig_setup(void **state)
{
	(void)state;
	log_set_sink(log_nothing, NULL);
	return dial_global_init();
}
