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

#define BY_USER           \
 " ds_cache = \"routes\"" \
 " query = \"SELECT host, port, tls FROM r WHERE u = :username\""

static void
test_order(void **state)
{
	struct router *r;

	(void)state;
	run("CREATE TABLE r (u, host, port, tls);"
	    "INSERT INTO r VALUES ('ann@own.example', 'asked', NULL, NULL),"
	    " ('ann@rows.example', 'second.example:26', '', ''),"
	    " ('ann@rows.example', 'first.example', 27, 'implicit'),"
	    " ('bob', 'bobs.example', NULL, NULL)");
	r = router_auth(
	    ROUTES "smtp_auth_proxy { host = {\"g1\", \"g2:2525\"} port = 587"
		   " tls = encrypt" BY_USER " }\n"
		   "smtp_rcptto_proxy { host = \"other\" domains = \"*\" }\n"
		   "domain \"own.example\" {"
		   " smtp_auth_proxy { host = \"mine\" tls = \"verify\" } }\n"
		   "domain \"global.example\" {"
		   " smtp_auth_proxy { tls = \"verify\" port = 24 } }\n"
		   "domain \"rcpt.example\" {"
		   " smtp_rcptto_proxy { host = \"other\" } }\n");
	assert_string_equal(
	    login_route_of(r, "ann@own.example"), "domain mine:587/verify");
	assert_string_equal(
	    login_route_of(r, "ann@OWN.example."), "domain mine:587/verify");
	assert_string_equal(login_route_of(r, "ann@rows.example"),
	    "query second.example:26/encrypt first.example:27/implicit");
	/* :username is octet by octet; the domain is not looked at. */
	assert_string_equal(login_route_of(r, "Ann@rows.example"),
	    "global g1:587/encrypt g2:2525/encrypt");
	assert_string_equal(
	    login_route_of(r, "bob"), "query bobs.example:587/encrypt");
	/* Every user, those without a domain too. */
	assert_string_equal(
	    login_route_of(r, "eve"), "global g1:587/encrypt g2:2525/encrypt");
	assert_string_equal(login_route_of(r, "eve@rcpt.example"),
	    "global g1:587/encrypt g2:2525/encrypt");
	assert_string_equal(login_route_of(r, "eve@global.example"),
	    "global g1:24/verify g2:2525/verify");
	router_free(r);
}

static void
test_parameters(void **state)
{
	struct router *r;

	(void)state;
	run("CREATE TABLE r (u, l, d, host);"
	    "INSERT INTO r VALUES ('Ann@A.example', 'Ann', 'a.example', 'x'),"
	    " ('bob', 'bob', '', 'y')");
	r = router_auth(ROUTES
	    "smtp_auth_proxy { ds_cache = \"routes\" query = \"SELECT host"
	    " FROM r WHERE u = :username AND l = :localpart"
	    " AND d = :domain\" }");
	assert_string_equal(
	    login_route_of(r, "Ann@A.example"), "query x:25/verify");
	assert_string_equal(login_route_of(r, "ann@A.example"), "none");
	assert_string_equal(login_route_of(r, "bob"), "query y:25/verify");
	assert_string_equal(login_route_of(r, "bob@"), "none");
	run("DROP TABLE r");
	assert_non_null(strstr(login_route_of(r, "bob"), "temp datasource"));
	router_free(r);
}

/* What a row may not do is not done, and somebody is told. */
static void
test_rows(void **state)
{
	static const struct {
		const char *tls, *row, *want, *logged;
	} rows[] = {
		{ "verify", "'x', 25, 'may'", "query x:25/verify", "loosen" },
		{ "encrypt", "'x', 25, 'none'", "query x:25/encrypt",
		    "loosen" },
		{ "none", "'x', 25, 'verify'", "query x:25/verify", NULL },
		{ "none", "'x', 25, ''", "query x:25/none", NULL },
		{ "may", "'127.0.0.1', 25, ''", "query 127.0.0.1:25/may",
		    NULL },
		{ "may", "'x', 25, 'encrypt'", "query x:25/encrypt", NULL },
		{ "may", "'x', 25, ''",
		    "temp datasource routes: x: tls=may is not used for "
		    "logins off this machine",
		    "warning: route: user=<ann>: datasource routes: x: "
		    "tls=may" },
		{ "none", "'x', 25, 'may'",
		    "temp datasource routes: x: tls=may is not used for "
		    "logins off this machine",
		    "tls=may" },
		{ "none", "'lmtp:x', 25, ''",
		    "temp datasource routes: x: there are no logins in LMTP",
		    "LMTP" },
		{ "none", "'x', 0, ''",
		    "temp datasource routes: \"0\" is no port", "no port" },
	};

	char text[400];
	size_t i;

	(void)state;
	run("CREATE TABLE r (u, host, port, tls)");
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct router *r;

		(void)snprintf(text, sizeof text,
		    "DELETE FROM r; INSERT INTO r VALUES ('ann', %s)",
		    rows[i].row);
		run(text);
		(void)snprintf(text, sizeof text,
		    ROUTES "smtp_auth_proxy { tls = %s" BY_USER " }",
		    rows[i].tls);
		strbuf_reset(&logged);
		r = router_auth(text);
		assert_string_equal(login_route_of(r, "ann"), rows[i].want);
		if (rows[i].logged != NULL)
			assert_non_null(
			    strstr(strbuf_str(&logged), rows[i].logged));
		else
			assert_string_equal(strbuf_str(&logged), "");
		router_free(r);
	}
}

static void
test_refused(void **state)
{
	char why[500];

	(void)state;
	run("CREATE TABLE r (u, host, port, tls)");
	assert_null(try_router_for(ROUTE_FOR_AUTH,
	    ROUTES "smtp_auth_proxy { ds_cache = \"routes\""
		   " query = \"SELECT host FROM r WHERE u = ?\" }",
	    why, sizeof why));
	assert_non_null(strstr(why, "smtp_auth_proxy: query: datasource"));
}

static void
test_options(void **state)
{
	struct router *r =
	    router_auth("smtp_auth_proxy { host = \"x\" good_memory = 5 }\n"
			"domain \"a.example\" { Outbound_SMTP_AUTH_User = \"u\""
			" Outbound_SMTP_AUTH_Pass = \"p\""
			" smtp_auth_proxy { host = \"y\" good_memory = 6 } }");
	struct login_name n = login_name("ann@a.example");
	struct route *route = NULL;
	struct fault f;

	(void)state;
	fault_clear(&f);
	assert_int_equal(
	    route_auth(r, &n, deadline_in(5000), &route, &f), OUTCOME_OK);
	router_free(r);
	assert_null(route->options);
	assert_int_equal(route->auth->good_memory, 6000);
	assert_ptr_equal(route->up, &route->auth->up);
	/* That is for mail that goes out, not for users that come in. */
	assert_null(route->auth_user);
	route_unref(route);
}

static void
count(void *arg, struct route *route)
{
	char label[ENDPOINT_TEXT_MAX];

	strbuf_addf(arg, "%s %s\n", route_origin_name(route->origin),
	    endpoint_format(&route->hosts[0].endpoint, label, sizeof label));
}

static void
test_each(void **state)
{
	struct router *r = router_auth(
	    "smtp_auth_proxy { host = \"x\" }\n"
	    "domain \"a.example\" { smtp_auth_proxy { host = \"y\" } }\n"
	    "domain \"b.example\" { smtp_auth_proxy { port = 26 } }\n"
	    "domain \"c.example\" { smtp_rcptto_proxy { host = \"z\" } }\n");
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, 1000);
	router_each(r, count, &sb);
	assert_string_equal(
	    strbuf_str(&sb), "global x:25\ndomain y:25\nglobal x:26\n");
	strbuf_release(&sb);
	router_free(r);
}

static void
test_explain(void **state)
{
	struct login_name n = login_name("ann");
	struct strbuf sb;
	struct router *r;

	(void)state;
	strbuf_init(&sb, 4000);
	r = router_auth("smtp_auth_proxy { host = \"x\" }");
	route_explain_auth(r, &n, deadline_in(5000), &sb);
	assert_non_null(strstr(strbuf_str(&sb),
	    "domain: the name has none\n"
	    "query: none\n"
	    "host: it serves every user\n"
	    "route: from global, id "));
	assert_non_null(
	    strstr(strbuf_str(&sb), "\nupstream 1: x:25, tls verify\n"));
	router_free(r);
	strbuf_reset(&sb);
	r = router_auth("hostname = \"edge.example\"");
	n = login_name("ann@b.example");
	route_explain_auth(r, &n, deadline_in(5000), &sb);
	assert_string_equal(strbuf_str(&sb),
	    "domain: no section \"b.example\"\n"
	    "query: none\n"
	    "host: it is not set\n"
	    "route: none, logins are deferred\n");
	router_free(r);
	strbuf_release(&sb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_parameters),
		TEST(test_rows),
		TEST(test_refused),
		TEST(test_options),
		TEST(test_each),
		TEST(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
