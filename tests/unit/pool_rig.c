/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pool_rig.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/exchange.h"
#include "common/log.h"
#include "common/route_build.h"
#include "tests/unit/load_conf.h"

void
rig_conf(struct pool_rig *rig, const char *more)
{
	struct route_options o = { NULL, NULL };
	char text[512], why[ROUTE_WHY_MAX];

	route_unref(rig->route);
	conf_unref(rig->conf);
	(void)snprintf(text, sizeof(text),
	    "hostname = \"edge.test\"\n"
	    "smtp_auth_proxy { host = {\"127.0.0.1:%d\"} %s %s }\n",
	    rig->port, strstr(more, "tls = ") != NULL ? "" : "tls = none",
	    more);
	rig->conf = load_conf(text);
	o.auth = &rig->conf->auth;
	rig->route = route_new(rig->conf, &o, ROUTE_GLOBAL);
	assert_non_null(rig->route);
	assert_true(route_add_list(rig->route, &rig->conf->auth.up.host, why));
	assert_true(route_finish(rig->route));
}

void
rig_open(struct pool_rig *rig, const struct mini_params *mp, const char *more)
{
	const struct pool_params pp = { .dial = NULL };

	log_set_sink(log_nothing, NULL);
	memset(rig, 0, sizeof(*rig));
	rig->up = mini_start(mp);
	rig->port = mini_port(rig->up);
	rig_conf(rig, more);
	rig->pool = pool_new(&pp);
	assert_non_null(rig->pool);
}

void
rig_close(struct pool_rig *rig)
{
	if (rig->pool != NULL)
		pool_stop(rig->pool);
	pool_free(rig->pool);
	if (rig->up != NULL)
		mini_stop(rig->up);
	route_unref(rig->route);
	conf_unref(rig->conf);
}

struct pool_lease *
take(struct pool_rig *rig, int ms, struct fault *f)
{
	struct pool_lease *l = NULL;
	enum smtp_stage stage;

	/* Not with cmocka: this runs on several threads. */
	if ((pool_take(rig->pool, rig->route, 0, deadline_in(ms), &l, f,
		 &stage) == OUTCOME_OK) != (l != NULL))
		abort();
	return l;
}

struct pool_lease *
must_take(struct pool_rig *rig)
{
	struct fault f;
	struct pool_lease *l = take(rig, 5000 * patience(), &f);

	if (l == NULL)
		fail_msg("%s", f.text);
	return l;
}

bool
lease_login(struct pool_lease *l)
{
	struct exchange x = { .event = EXCHANGE_BROKEN };
	struct secret pass = { NULL, 0 };
	const struct exchange_login login = { "ann", &pass, NULL };
	bool good;

	if (!secret_set(&pass, "Sesame", 6))
		return false;
	good = exchange_password(&x, pool_session(l), &login,
		   deadline_in(10000)) == EXCHANGE_REPLY &&
	    x.reply.code == 235;
	exchange_release(&x);
	secret_release(&pass);
	return good;
}

static void
add(void *arg, const struct pool_stats *s)
{
	struct pool_stats *sum = arg;

	sum->breaker = s->breaker;
	sum->idle += s->idle;
	sum->in_use += s->in_use;
	sum->opening += s->opening;
	sum->closing += s->closing;
	sum->waiting += s->waiting;
	sum->opened += s->opened;
	sum->failed += s->failed;
	sum->reused += s->reused;
}

void
stats(struct pool_rig *rig, struct pool_stats *out)
{
	memset(out, 0, sizeof(*out));
	pool_each(rig->pool, add, out);
}

struct mini_counts
counts(const struct pool_rig *rig)
{
	struct mini_counts c;

	mini_count(rig->up, &c);
	return c;
}

int
patience(void)
{
	const char *text = getenv("TEST_PATIENCE");
	long n = text != NULL ? strtol(text, NULL, 10) : 1;

	return n > 0 && n < 100 ? (int)n : 1;
}

static void *
taker_main(void *arg)
{
	struct taker *t = arg;
	struct pool_lease *l;
	int i;

	for (i = 0; i < t->rounds; i++) {
		l = take(t->rig, t->wait_ms, &t->last);
		if (l == NULL || !lease_login(l))
			t->bad++;
		else
			t->good++;
		if (t->hold_ms > 0)
			(void)poll(NULL, 0, t->hold_ms);
		if (l != NULL)
			pool_give(l, t->fate);
	}
	return NULL;
}

void
takers_start(struct taker *t, int n, const struct taker *how)
{
	int i;

	for (i = 0; i < n; i++) {
		t[i] = *how;
		assert_int_equal(
		    pthread_create(&t[i].thread, NULL, taker_main, &t[i]), 0);
	}
}

int
takers_join(struct taker *t, int n)
{
	int i, good = 0;

	for (i = 0; i < n; i++) {
		pthread_join(t[i].thread, NULL);
		good += t[i].good;
	}
	return good;
}
