/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/route_fixture.h"

static void
test_order(void **state)
{
	struct router *r;

	(void)state;
	run("CREATE TABLE r (d, host, port, tls);"
	    "INSERT INTO r VALUES ('own.example', 'asked', NULL, NULL),"
	    " ('rows.example', 'second.example:26', '', ''),"
	    " ('rows.example', 'first.example', 27, 'verify'),"
	    " ('both.example', 'lmtp:unix:/run/lmtp', NULL, NULL)");
	r = router(ROUTES
	    "smtp_rcptto_proxy { host = {\"g1\", \"g2:2525\"} port = 1025"
	    " domains = {\"Both.Example.\", \"global.example\"}" BY_DOMAIN
	    " }\n"
	    "domain \"own.example\" {"
	    " smtp_rcptto_proxy { host = \"mine\" tls = \"encrypt\" } }\n"
	    "domain \"global.example\" {"
	    " smtp_rcptto_proxy { tls = \"none\" port = 24 } }\n");
	assert_string_equal(
	    route_of(r, "ann@own.example"), "domain mine:1025/encrypt");
	assert_string_equal(
	    route_of(r, "ann@OWN.example."), "domain mine:1025/encrypt");
	assert_string_equal(route_of(r, "ann@rows.example"),
	    "query second.example:26/may first.example:27/verify");
	assert_string_equal(
	    route_of(r, "ann@both.example"), "query lmtp:unix:/run/lmtp/may");
	/* A section without a host has a say in the options. */
	assert_string_equal(route_of(r, "ann@global.example"),
	    "global g1:24/none g2:2525/none");
	/* Names are exact. */
	assert_string_equal(route_of(r, "ann@sub.own.example"), "none");
	assert_string_equal(route_of(r, "ann@sub.global.example"), "none");
	assert_string_equal(route_of(r, "ann@example"), "none");
	/* The rows have gone: the global host is next. */
	run("DELETE FROM r");
	assert_string_equal(
	    route_of(r, "ann@both.example"), "global g1:1025/may g2:2525/may");
	assert_string_equal(route_of(r, "ann@rows.example"), "none");
	router_free(r);
	router_free(NULL);
	route_unref(NULL);
}

static void
test_any_domain(void **state)
{
	struct router *r =
	    router("smtp_rcptto_proxy { host = \"g\" domains = {\"*\"} }");

	(void)state;
	assert_string_equal(route_of(r, "a@any.example"), "global g:25/may");
	router_free(r);
	r = router("smtp_rcptto_proxy { host = \"g\" }");
	assert_string_equal(route_of(r, "a@any.example"), "none");
	router_free(r);
	r = router("hostname = \"edge.example\"");
	assert_string_equal(route_of(r, "a@any.example"), "none");
	router_free(r);
}

static void
test_bad_queries(void **state)
{
	char why[500];
	struct router *r;

	(void)state;
	run("CREATE TABLE r (d, host, port, tls)");
	assert_null(
	    try_router(ROUTES "smtp_rcptto_proxy { ds_cache = \"routes\""
			      " query = \"SELECT host FROM r WHERE d = ?\" }",
		why, sizeof why));
	assert_non_null(strstr(
	    why, "smtp_rcptto_proxy: query: datasource routes: sqlite:"));
	assert_null(
	    try_router(ROUTES "smtp_rcptto_proxy { ds_cache = \"routes\""
			      " query = \"SELECT host FROM r WHERE d = ?\" }",
		why, sizeof why));
	assert_non_null(strstr(why, "a parameter is written as"));
	/* With a host that serves it is passed over. */
	r = router(ROUTES "smtp_rcptto_proxy { host = \"g\" domains = \"*\""
			  " ds_cache = \"routes\""
			  " query = \"SELECT host FROM r WHERE d = ?\" }");
	assert_non_null(strstr(strbuf_str(&logged), "passed over"));
	assert_string_equal(route_of(r, "ann@a.example"), "global g:25/may");
	router_free(r);
	/* A table that is missing may come yet. */
	r = router(
	    ROUTES "smtp_rcptto_proxy { host = \"g\" domains = \"*\""
		   " ds_cache = \"routes\""
		   " query = \"SELECT host FROM later WHERE d = :domain\" }");
	assert_non_null(
	    strstr(route_of(r, "ann@a.example"), "no such table: later"));
	router_free(r);
}

static void
test_too_many_hosts(void **state)
{
	struct router *r;
	struct route *route;
	int i;

	(void)state;
	run("CREATE TABLE r (d, host, port, tls)");
	for (i = 0; i < 17; i++)
		run("INSERT INTO r VALUES ('a.example', 'h', 25, NULL)");
	r = router(ROUTES "smtp_rcptto_proxy {" BY_DOMAIN " }");
	route = find(r, "ann@a.example");
	assert_int_equal(route->n_hosts, 16);
	route_unref(route);
	router_free(r);
}

static void
id_of(const char *text, char *id)
{
	struct router *r = router(text);
	struct route *route = find(r, "ann@a.example");

	assert_non_null(route);
	(void)snprintf(id, ROUTE_ID_MAX, "%s", route->id);
	assert_int_equal(strlen(id), 16);
	route_unref(route);
	router_free(r);
}

#define GLOBAL(more) \
 "smtp_rcptto_proxy { domains = \"*\" host = {\"mx1\", \"mx2\"}" more " }"

static void
test_id(void **state)
{
	char first[ROUTE_ID_MAX], id[ROUTE_ID_MAX];
	const char *const others[] = {
		"smtp_rcptto_proxy { domains = \"*\""
		" host = {\"mx2\", \"mx1\"} }",
		"smtp_rcptto_proxy { domains = \"*\""
		" host = {\"mx1\", \"mx2:26\"} }",
		"smtp_rcptto_proxy { domains = \"*\""
		" host = {\"lmtp:mx1\", \"mx2\"} }",
		GLOBAL("port = 26"),
		GLOBAL("mailfrom = \"original\""),
		GLOBAL("helo = \"replay\""),
		GLOBAL("reply_class = \"550 5.7.1 = nouser\""),
	};
	size_t i;

	(void)state;
	id_of(GLOBAL(""), first);
	for (i = 0; i < sizeof others / sizeof others[0]; i++) {
		id_of(others[i], id);
		assert_string_not_equal(id, first);
	}
	/* What no answer depends on makes no other route; nor does it matter
	 * where the same hosts come from. */
	id_of(GLOBAL("timeout = 10 batch = 3"), id);
	assert_string_equal(id, first);
	id_of("domain \"a.example\" { smtp_rcptto_proxy"
	      " { host = {\"MX1:25\", \"mx2.\"} } }",
	    id);
	assert_string_equal(id, first);
	/* An answer that a login or the client's address brought is another. */
	id_of("domain \"a.example\" { Outbound_SMTP_AUTH_User = \"u\""
	      " Outbound_SMTP_AUTH_Pass = \"p\" smtp_rcptto_proxy"
	      " { host = {\"MX1:25\", \"mx2.\"} } }",
	    id);
	assert_string_not_equal(id, first);
	id_of(GLOBAL("xclient = required"), id);
	assert_string_not_equal(id, first);
}

static void
test_credential(void **state)
{
	struct router *r = router(
	    "smtp_rcptto_proxy { host = \"g\" domains = \"*\" }\n"
	    "domain \"a.example\" { smtp_rcptto_proxy { host = \"mine\" }\n"
	    " Outbound_SMTP_AUTH_User = \"u\""
	    " Outbound_SMTP_AUTH_Pass = \"p\""
	    " Outbound_SMTP_AUTH_Type = \"LOGIN\" }\n"
	    "domain \"b.example\" {"
	    " Outbound_SMTP_AUTH_User = \"u\""
	    " Outbound_SMTP_AUTH_Pass = \"p\" }\n");
	struct route *route = find(r, "ann@a.example");

	(void)state;
	assert_string_equal(route->auth_user, "u");
	assert_non_null(route->auth_pass);
	assert_string_equal(route->auth_type, "LOGIN");
	route_unref(route);
	/* The global host has not been entrusted with it. */
	route = find(r, "ann@b.example");
	assert_int_equal(route->origin, ROUTE_GLOBAL);
	assert_null(route->auth_user);
	assert_null(route->auth_pass);
	route_unref(route);
	router_free(r);
}

/* A route holds on to what it borrows from. */
static void
test_route_outlives_router(void **state)
{
	struct router *r =
	    router("domain \"a.example\" { smtp_rcptto_proxy { host = \"mine\""
		   " mailfrom = \"probe@edge.example\" } }\n");
	struct route *route = find(r, "ann@a.example");
	struct route *same = find(r, "bob@a.example");

	(void)state;
	assert_ptr_equal(route, same);
	route_unref(same);
	router_free(r);
	assert_string_equal(route->options->mailfrom, "probe@edge.example");
	assert_ptr_equal(route->up, &route->options->up);
	route_unref(route);
}

static void
test_explain(void **state)
{
	struct strbuf sb;
	struct address a = address("ann@a.example");
	struct router *r;

	(void)state;
	strbuf_init(&sb, 4000);
	run("CREATE TABLE r (d, host, port, tls);"
	    "INSERT INTO r VALUES ('a.example', 'x', NULL, 'verify')");
	r = router(ROUTES
	    "smtp_rcptto_proxy { host = \"g\" domains = {\"b.example\"}" BY_DOMAIN
	    " }\n"
	    "domain \"a.example\" { smtp_rcptto_proxy { port = 26 } }\n");
	route_explain(r, &a, deadline_in(5000), &sb);
	assert_non_null(strstr(strbuf_str(&sb),
	    "domain: section \"a.example\", without a host\n"
	    "query: datasource routes: 1 rows\n"
	    "route: from query, id "));
	assert_non_null(
	    strstr(strbuf_str(&sb), "\nupstream 1: x:26, tls verify\n"));
	strbuf_reset(&sb);
	a = address("ann@c.example");
	route_explain(r, &a, deadline_in(5000), &sb);
	assert_string_equal(strbuf_str(&sb),
	    "domain: no section \"c.example\"\n"
	    "query: datasource routes: 0 rows\n"
	    "host: its domains do not hold the name\n"
	    "route: none, nobody is asked\n");
	strbuf_reset(&sb);
	assert_int_equal(unlink(db), 0);
	route_explain(r, &a, deadline_in(5000), &sb);
	assert_non_null(strstr(strbuf_str(&sb),
	    "route: not known now: datasource routes: sqlite:"));
	router_free(r);
	strbuf_release(&sb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_any_domain),
		TEST(test_bad_queries),
		TEST(test_too_many_hosts),
		TEST(test_id),
		TEST(test_credential),
		TEST(test_route_outlives_router),
		TEST(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
