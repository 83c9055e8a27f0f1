/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients that an MTA takes for local ones: recipients with a route alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/conf.h"
#include "common/probe.h"
#include "tests/unit/conf_case.h"
#include "tests/unit/verify_rig.h"

/* Nobody listens at the upstream: whatever is asked about is deferred. */
static struct verifier *
start(struct conf_case *k, const char *more)
{
	struct prober_params pp = { 0 };
	char text[512], why[512];
	struct verifier *v;

	snprintf(text, sizeof(text),
	    "hostname = \"edge.test\"\nrelay_hosts = {\"192.0.2.0/24\"}\n"
	    "domain \"example.org\" { smtp_rcptto_proxy "
	    "{ host = {\"127.0.0.1:1\"} tls = none } }\n"
	    "smtp_rcptto_proxy { %s }\n",
	    more);
	conf_case_text(k, text);
	assert_non_null(k->c);
	v = verifier_new(k->c, &pp, why, sizeof(why));
	assert_non_null(v);
	return v;
}

static void
test_barred(void **state)
{
	static const struct {
		const char *to;
		bool barred;
	} cases[] = {
		{ "<ann@example.org>", false },
		{ "<ann@EXAMPLE.org.>", false },
		{ "<postmaster>", false },
		{ "<Postmaster>", false },
		{ "<ann@example.net>", true },
		{ "<ann@sub.example.org>", true },
		{ "<ann>", true },
		{ "ann", true },
		{ "<ann%example.net>", true },
		{ "<example.net!ann>", true },
		{ "<ann%example.net@example.org>", true },
		{ "<example.net!ann@example.org>", true },
		{ "<\"ann@example.net\"@example.org>", true },
		{ "<\"ann\"@example.org>", true },
		{ "<@example.org:ann@example.net>", true },
		{ "<@example.net:ann@example.org>", true },
		{ "<ann@[192.0.2.1]>", true },
		{ "<ann@example.net@example.org>", true },
		{ "<>", true },
		{ "<postmaster%example.net>", true },
	};

	static const char *const options[] = { "", "mode = observe",
		"on_down = accept", "skip_authenticated = false" };
	struct verify_result r;

	(void)state;
	for (size_t o = 0; o < sizeof(options) / sizeof(options[0]); o++) {
		struct conf_case k;
		struct verifier *v = start(&k, options[o]);

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct verify_request rq = { .routed_only = true };

			/* Whatever else would let it pass does not. */
			rq.bypass = true;
			verify_request_set(&rq, "<>", cases[i].to);
			snprintf(rq.client.addr, sizeof(rq.client.addr),
			    "192.0.2.1");
			verify_rcpt(v, &rq, &r);
			assert_int_equal(r.barred, cases[i].barred);
			assert_int_equal(r.verdict,
			    cases[i].barred ? VERDICT_REJECT : VERDICT_ACCEPT);
			if (cases[i].barred)
				assert_int_equal(
				    r.answer.origin, ANSWER_NO_RELAY);
			/* An account may relay. */
			rq.authenticated = true;
			verify_rcpt(v, &rq, &r);
			assert_false(r.barred);
			/* So may who is not such a client. */
			rq.authenticated = rq.routed_only = false;
			verify_rcpt(v, &rq, &r);
			assert_false(r.barred);
		}
		verifier_free(v);
		conf_case_release(&k);
	}
}

/* What has a route is asked about as ever. */
static void
test_routed(void **state)
{
	struct verify_request rq = { .routed_only = true };
	struct verify_result r;
	struct conf_case k;
	struct verifier *v = start(&k, "");

	(void)state;
	verify_request_set(&rq, "<>", "<ann@example.org>");
	verify_rcpt(v, &rq, &r);
	assert_false(r.barred);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	assert_int_equal(r.answer.origin, ANSWER_DOWN);
	verifier_free(v);
	conf_case_release(&k);
}

/* That the route is not known now lets nobody pass. */
static void
test_no_data(void **state)
{
	struct verify_request rq = { .routed_only = true, .bypass = true };
	struct verify_result r;
	struct conf_case k;
	struct prober_params pp = { 0 };
	struct verifier *v;
	char why[512];

	(void)state;
	conf_case_text(&k,
	    "hostname = \"edge.test\"\n"
	    "datasource \"d\" { uri = \"sqlite:/nowhere/x.db\" }\n"
	    "smtp_rcptto_proxy { mode = observe ds_cache = d\n"
	    " query = \"SELECT host FROM t WHERE d = :domain\" }\n");
	assert_non_null(k.c);
	v = verifier_new(k.c, &pp, why, sizeof(why));
	assert_non_null(v);
	verify_request_set(&rq, "<>", "<ann@example.net>");
	verify_rcpt(v, &rq, &r);
	assert_true(r.barred);
	assert_int_equal(r.verdict, VERDICT_DEFER);
	verifier_free(v);
	conf_case_release(&k);
}

/* A route that every domain has is no sign that the domain is ours. */
static void
test_route_for_all(void **state)
{
	static const struct {
		const char *to;
		bool barred;
	} cases[] = {
		{ "<ann@example.org>", false },
		{ "<ann@named.example>", false },
		{ "<ann@example.net>", true },
	};

	struct verifier *v;
	struct verify_result r;
	struct conf_case k;
	size_t i;

	(void)state;
	v = start(&k,
	    "host = \"127.0.0.1:1\" tls = none on_down = accept "
	    "domains = {\"*\", \"Named.example.\"}");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verify_request rq = { .routed_only = true };

		verify_request_set(&rq, "<>", cases[i].to);
		verify_rcpt(v, &rq, &r);
		assert_int_equal(r.barred, cases[i].barred);
		assert_int_equal(r.verdict,
		    cases[i].barred ? VERDICT_REJECT : VERDICT_ACCEPT);
	}
	verifier_free(v);
	conf_case_release(&k);
}

/* Whether there is a route, also of those that are not asked about. */
static void
test_find_route(void **state)
{
	static const struct {
		const char *to, *ip;
		bool bypass, find;
		enum verify_route route;
	} cases[] = {
		/* asked about */
		{ "<ann@example.org>", "198.51.100.1", false, false,
		    VERIFY_ROUTE_FOUND },
		{ "<ann@example.net>", "198.51.100.1", false, false,
		    VERIFY_ROUTE_NONE },
		/* not asked about, by relay_hosts and by the context */
		{ "<ann@example.org>", "192.0.2.1", false, true,
		    VERIFY_ROUTE_FOUND },
		{ "<ann@example.net>", "192.0.2.1", false, true,
		    VERIFY_ROUTE_NONE },
		{ "<ann@EXAMPLE.ORG>", "198.51.100.1", true, true,
		    VERIFY_ROUTE_FOUND },
		{ "<ann@example.net>", "198.51.100.1", true, true,
		    VERIFY_ROUTE_NONE },
		{ "<ann@example.org>", "192.0.2.1", false, false,
		    VERIFY_ROUTE_UNKNOWN },
		/* no domain */
		{ "<postmaster>", "198.51.100.1", false, true,
		    VERIFY_ROUTE_NONE },
		/* no address at all */
		{ "<ann@>", "192.0.2.1", false, true, VERIFY_ROUTE_UNKNOWN },
		/* the data source is down */
		{ "<ann@example.com>", "192.0.2.1", false, true,
		    VERIFY_ROUTE_UNKNOWN },
		{ "<ann@example.com>", "198.51.100.1", false, true,
		    VERIFY_ROUTE_UNKNOWN },
	};

	const char *more = "";
	struct verify_result r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verify_request rq = { .bypass = cases[i].bypass,
			.find_route = cases[i].find };
		struct conf_case k;
		struct verifier *v;

		if (strstr(cases[i].to, "example.com") != NULL)
			more = "ds_cache = d query = \"SELECT a FROM b WHERE "
			       "c = :domain\" } datasource \"d\" "
			       "{ uri = \"sqlite:/nonexistent/a\"";
		v = start(&k, more);
		verify_request_set(&rq, "<>", cases[i].to);
		snprintf(
		    rq.client.addr, sizeof(rq.client.addr), "%s", cases[i].ip);
		verify_rcpt(v, &rq, &r);
		if (r.route != cases[i].route)
			fail_msg("case %zu: %s: %d", i, cases[i].to, r.route);
		verifier_free(v);
		conf_case_release(&k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_barred),
		cmocka_unit_test(test_find_route),
		cmocka_unit_test(test_routed),
		cmocka_unit_test(test_no_data),
		cmocka_unit_test(test_route_for_all),
	};

	return cmocka_run_group_tests(tests, rig_setup, NULL);
}
