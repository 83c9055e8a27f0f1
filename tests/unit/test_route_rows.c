/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/datasource.h"
#include "tests/unit/route_fixture.h"

static void
test_parameters(void **state)
{
	struct router *r;

	(void)state;
	run("CREATE TABLE r (d, l, p, host)");
	run("INSERT INTO r VALUES ('a.example', 'Ann', 'Ann@A.Example', 'x')");
	r = router(ROUTES "smtp_rcptto_proxy { ds_cache = \"routes\""
			  " query = \"SELECT host FROM r WHERE d = :domain AND"
			  " l = :localpart AND p = :rcptto\" }");
	assert_string_equal(route_of(r, "<Ann@A.Example>"), "query x:25/may");
	assert_string_equal(route_of(r, "<ann@A.Example>"), "none");
	assert_string_equal(route_of(r, "<Ann@a.example>"), "none");
	assert_string_equal(route_of(r, "<\"Ann\"@A.Example>"), "none");
	/* A recipient is a value and never a part of the query. */
	assert_string_equal(route_of(r, "<\"'OR 1=1--\"@A.Example>"), "none");
	router_free(r);
}

/* Only the parameters of the query tell one question from another. */
static void
test_cached_by_what_is_asked(void **state)
{
	struct datasource_stats stats;
	struct router *r;

	(void)state;
	run("CREATE TABLE r (d, host, port, tls);"
	    "INSERT INTO r VALUES ('a.example', 'x', NULL, NULL)");
	r = router("datasource \"routes\" { uri = {DB} }\n"
		   "smtp_rcptto_proxy {" BY_DOMAIN " }");
	assert_string_equal(route_of(r, "ann@a.example"), "query x:25/may");
	assert_string_equal(route_of(r, "bob@a.example"), "query x:25/may");
	datasource_stats(datasources_at(router_datasources(r), 0), &stats);
	assert_int_equal(stats.queries, 2);
	assert_int_equal(stats.cached, 1);
	router_free(r);
}

static void
test_tls_of_a_row_only_tightens(void **state)
{
	const struct {
		const char *section, *row, *want;
	} rows[] = {
		{ "may", "none", "query x:25/may" },
		{ "may", "encrypt", "query x:25/encrypt" },
		{ "may", "VERIFY", "query x:25/verify" },
		{ "none", "may", "query x:25/may" },
		{ "encrypt", "may", "query x:25/encrypt" },
		{ "verify", "encrypt", "query x:25/verify" },
		{ "verify", "implicit", "query x:25/implicit" },
		{ "implicit", "verify", "query x:25/verify" },
		{ "implicit", "", "query x:25/implicit" },
	};

	char text[500], sql[200];
	struct router *r;
	size_t i;

	(void)state;
	run("CREATE TABLE r (d, host, port, tls)");
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)snprintf(sql, sizeof sql,
		    "DELETE FROM r; INSERT INTO r VALUES"
		    " ('a.example', 'x', NULL, '%s')",
		    rows[i].row);
		run(sql);
		(void)snprintf(text, sizeof text,
		    ROUTES "smtp_rcptto_proxy { tls = \"%s\"" BY_DOMAIN " }",
		    rows[i].section);
		r = router(text);
		assert_string_equal(route_of(r, "ann@a.example"), rows[i].want);
		router_free(r);
	}
	assert_non_null(strstr(strbuf_str(&logged),
	    "tls=none would loosen what the section demands"));
}

/* None of this may be taken for a route, nor for "no route". */
static void
test_nonsense_rows(void **state)
{
	const struct {
		const char *values, *want;
	} rows[] = {
		{ "NULL, NULL, NULL", "row 1: host is NULL" },
		{ "'', NULL, NULL", "\"\" is no host" },
		{ "'mx 1', NULL, NULL", "\"mx 1\" is no host" },
		{ "'mx1,mx2', NULL, NULL", "\"mx1,mx2\" is no host" },
		{ "'mx1:0', NULL, NULL", "\"mx1:0\" is no host" },
		{ "x'6d78', NULL, NULL", "column host: a blob" },
		{ "'mx1', 0, NULL", "\"0\" is no port" },
		{ "'mx1', 65536, NULL", "\"65536\" is no port" },
		{ "'mx1', 25.5, NULL", "\"25.5\" is no port" },
		{ "'mx1', 'smtp', NULL", "\"smtp\" is no port" },
		{ "'mx1:25', 26, NULL",
		    "mx1 has port 25, and column port says 26" },
		{ "'mx1', 25, 'maybe'", "\"maybe\" is none of none, may" },
	};
	struct router *r;
	char sql[200];
	size_t i;

	(void)state;
	run("CREATE TABLE r (d, host, port, tls)");
	r = router(ROUTES
	    "smtp_rcptto_proxy { host = \"g\" domains = \"*\"" BY_DOMAIN " }");
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got;

		(void)snprintf(sql, sizeof sql,
		    "DELETE FROM r; INSERT INTO r VALUES ('a.example', %s)",
		    rows[i].values);
		run(sql);
		got = route_of(r, "ann@a.example");
		print_message("%s\n", got);
		assert_memory_equal(got, "temp datasource routes: ", 24);
		assert_non_null(strstr(got, rows[i].want));
	}
	assert_non_null(strstr(strbuf_str(&logged),
	    "warning: route: to=<ann@a.example>: datasource routes: "));
	router_free(r);
}

static void
test_columns(void **state)
{
	struct router *r;

	(void)state;
	run("CREATE TABLE r (d, x, y); INSERT INTO r VALUES"
	    " ('a.example', 'mx', 26)");
	r = router(ROUTES "smtp_rcptto_proxy { ds_cache = \"routes\""
			  " query = \"SELECT x FROM r\" }");
	assert_string_equal(route_of(r, "ann@a.example"), "query mx:25/may");
	router_free(r);
	r = router(
	    ROUTES "smtp_rcptto_proxy { ds_cache = \"routes\""
		   " query = \"SELECT y AS Port, x AS Host, d FROM r\" }");
	assert_string_equal(route_of(r, "ann@a.example"), "query mx:26/may");
	router_free(r);
	r = router(ROUTES "smtp_rcptto_proxy { ds_cache = \"routes\""
			  " query = \"SELECT x, y FROM r\" }");
	assert_string_equal(route_of(r, "ann@a.example"),
	    "temp datasource routes: several columns, and none is called "
	    "host");
	router_free(r);
}

static void
test_file(void **state)
{
	struct router *r;

	(void)state;
	write_file("a.example mx1.example:26\na.example lmtp:unix:/run/x\n"
		   "b.example not a host\n");
	r = router("datasource \"routes\" { uri = {FILE} }\n"
		   "smtp_rcptto_proxy { ds_cache = \"routes\""
		   " query = \":domain\" }");
	assert_string_equal(route_of(r, "ann@a.example"),
	    "query mx1.example:26/may lmtp:unix:/run/x/may");
	assert_string_equal(route_of(r, "ann@b.example"),
	    "temp datasource routes: \"not a host\" is no host: space, "
	    "control or non-ASCII character");
	assert_string_equal(route_of(r, "ann@c.example"), "none");
	router_free(r);
}

static void
test_source_down_is_not_no_route(void **state)
{
	struct router *r;

	(void)state;
	r = router(ROUTES
	    "smtp_rcptto_proxy { host = \"g\" domains = \"*\"" BY_DOMAIN " }\n"
	    "domain \"own.example\" {"
	    " smtp_rcptto_proxy { host = \"mine\" } }\n");
	assert_non_null(strstr(strbuf_str(&logged), "No such file"));
	assert_non_null(strstr(
	    route_of(r, "ann@a.example"), "temp datasource routes: sqlite:"));
	assert_string_equal(
	    route_of(r, "ann@a.example"), "temp datasource routes: down");
	/* Who has a section does not need it. */
	assert_string_equal(
	    route_of(r, "ann@own.example"), "domain mine:25/may");
	router_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_parameters),
		TEST(test_cached_by_what_is_asked),
		TEST(test_tls_of_a_row_only_tightens),
		TEST(test_nonsense_rows),
		TEST(test_columns),
		TEST(test_file),
		TEST(test_source_down_is_not_no_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
