/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials that are in a data source: the question, the row, the cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/ds_fixture.h"
#include "tests/unit/outbound_case.h"

#define U(user, pass)                                                        \
 " outbound_smtp_auth_user = \"" user "\" outbound_smtp_auth_pass = \"" pass \
 "\" "

static struct outbound *
with_query(const char *query, const char *options)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    "datasource \"s\" { uri = \"sqlite:%s\" %s }\n"
	    "binding \"a\" { nexthops = relay.a outbound_smtp_auth_key = ka\n"
	    " outbound_smtp_auth_type = LOGIN }\n"
	    "binding \"b\" { nexthops = relay.b outbound_smtp_auth_key = kb }\n"
	    "sender \"keyed@x.y\" { outbound_smtp_auth_key = ks }\n"
	    "domain \"own.example\" {" U("own",
		"s3cret-own") "}\n"
			      "outbound_smtp_auth { nexthops = relay.g " U("g",
				  "s3cret-g") " outbound_smtp_auth_type = PLAIN\n"
					      " ds_cache = s query = \"%s\" }\n",
	    db, options, query);
	return outbound_case_new(text);
}

static void
expect_key(struct outbound *o, const char *binding, const char *key,
    enum outbound_verdict want, const char *text)
{
	const struct outbound_question q = {
		.binding = binding, .key = key, .no_colon = true
	};
	struct outbound_answer a;

	assert_true(outbound_ask(o, &q, deadline_in(5000), false, &a));
	outbound_case_is(&a, want, text);
	outbound_answer_release(&a);
}

/* What each parameter is, in one row: user is all of them. */
#define ECHO                                                                  \
 "SELECT '<' || :key || '>' || :sender || '>' || :domain || '>' || :binding " \
 "|| '>' || :host || '>' || :nexthop AS user, 'p' AS pass"

static void
parameters(void **state)
{
	static const struct {
		const char *binding, *sender, *nexthop, *want;
	} cases[] = {
		{ "a", NULL, "[Relay.A.]:587",
		    "<ka>>relay.a>a>relay.a>[relay.a.]:587" },
		{ "a", "\"Ann B\"@X.y.", "relay.a",
		    "<ka>ann b@x.y>relay.a>a>relay.a>relay.a" },
		{ "default", NULL, "[192.0.2.1]:25",
		    "<>>>default>192.0.2.1>[192.0.2.1]:25" },
		{ "b", "keyed@x.y", "Any.example",
		    "<ks>keyed@x.y>any.example>b>any.example>any.example" },
		{ "b", NULL, "Any.example",
		    "<kb>>any.example>b>any.example>any.example" },
		{ "default", NULL, "x';--", NULL },
	};
	struct outbound *o;
	size_t i;

	(void)state;
	run(db, "CREATE TABLE t (x)");
	o = with_query(ECHO, "");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct outbound_question q = { .binding =
							 cases[i].binding,
			.sender = cases[i].sender,
			.nexthop = cases[i].nexthop };
		struct outbound_answer a;

		assert_true(outbound_ask(o, &q, deadline_in(5000), false, &a));
		if (cases[i].want == NULL) {
			outbound_case_is(&a, OUTBOUND_NONE, "neither");
		} else {
			assert_string_equal(a.user, cases[i].want);
			assert_string_equal(a.login_scope, "query");
		}
		outbound_answer_release(&a);
	}
	outbound_free(o);
}

static const struct row {
	const char *query;
	enum outbound_verdict want;
	const char *text;
	int type;
} worth[] = {
	{ "SELECT 'u' AS user, 's3' AS pass WHERE :host = 'h'", OUTBOUND_GIVEN,
	    "u:s3", -1 },
	{ "SELECT 's3' AS pass, :host AS x, 'login' AS TYPE, 'u' AS "
	  "User",
	    OUTBOUND_GIVEN, "u:s3", OUTBOUND_LOGIN },
	{ "SELECT 'u', 's3', :host AS x WHERE 0", OUTBOUND_NONE, "nothing",
	    -1 },
	{ "SELECT 'u', 's3', NULL WHERE :host = 'h'", OUTBOUND_GIVEN, "u:s3",
	    -1 },
	{ "SELECT 'u', 's3', '' WHERE :host = 'h'", OUTBOUND_GIVEN, "u:s3",
	    -1 },
	{ "SELECT 'u', 's3', 'Plain' WHERE :host = 'h'", OUTBOUND_GIVEN, "u:s3",
	    OUTBOUND_PLAIN },
	{ "SELECT 'u', 's3' WHERE :host = 'h'", OUTBOUND_GIVEN, "u:s3", -1 },
	{ "SELECT 7, 8 WHERE :host = 'h'", OUTBOUND_GIVEN, "7:8", -1 },
	{ "SELECT 'u' AS user, 's3' AS password WHERE :host = 'h'",
	    OUTBOUND_GIVEN, "u:s3", -1 },
	/* The order that names say, or none. */
	{ "SELECT 's3' AS pass, 'u' AS username WHERE :host = 'h'",
	    OUTBOUND_DEFER, "the columns", -1 },
	{ "SELECT 's3' AS password, 'u' AS user WHERE :host = 'h'",
	    OUTBOUND_DEFER, "the columns", -1 },
	{ "SELECT 'PLAIN' AS type, 'u', 's3' WHERE :host = 'h'", OUTBOUND_DEFER,
	    "the columns", -1 },
	{ "SELECT 'u' WHERE :host = 'h'", OUTBOUND_DEFER, "the columns", -1 },
	{ "SELECT NULL, 's3' WHERE :host = 'h'", OUTBOUND_DEFER,
	    "the user name is NULL", -1 },
	{ "SELECT 'u', NULL WHERE :host = 'h'", OUTBOUND_DEFER,
	    "the password is NULL", -1 },
	{ "SELECT '', 's3' WHERE :host = 'h'", OUTBOUND_DEFER,
	    "the user name is empty", -1 },
	{ "SELECT 'u', '' WHERE :host = 'h'", OUTBOUND_DEFER,
	    "the password is empty", -1 },
	{ "SELECT 'u', 's3', 'CRAM-MD5' WHERE :host = 'h'", OUTBOUND_DEFER,
	    "the type is neither", -1 },
	{ "SELECT 'u' || char(13,10) || 'QUIT', 's3' WHERE :host = 'h'",
	    OUTBOUND_DEFER, "the user name has a control", -1 },
	{ "SELECT 'u', 's3' || char(10) WHERE :host = 'h'", OUTBOUND_DEFER,
	    "the password has", -1 },
	{ "SELECT 'u', 's3' || char(0) || 'x' AS p WHERE :host = 'h'",
	    OUTBOUND_DEFER, "datasource s: ", -1 },
	{ "SELECT replace(hex(zeroblob(128)), '00', 'xx'), 's3' WHERE "
	  ":host = 'h'",
	    OUTBOUND_DEFER, "the user name is longer", -1 },
	{ "SELECT 'u', replace(hex(zeroblob(600)), '00', 'xx') WHERE "
	  ":host = 'h'",
	    OUTBOUND_DEFER, "the password is longer", -1 },
	{ "SELECT 'u:v', 's3' WHERE :host = 'h'", OUTBOUND_DEFER, "has a ':'",
	    -1 },
	{ "SELECT 'u', 's3' WHERE :host = 'h' UNION ALL SELECT 'v', "
	  "'s4'",
	    OUTBOUND_DEFER, "more than one row", -1 },
	{ "SELECT user, pass FROM nowhere WHERE :host = 'h'", OUTBOUND_DEFER,
	    "cannot be asked now", -1 },
};

static void
rows(void **state)
{
	size_t i;

	(void)state;
	run(db, "CREATE TABLE t (x)");
	for (i = 0; i < sizeof(worth) / sizeof(worth[0]); i++) {
		struct outbound *o = with_query(worth[i].query, "max_rows = 1");
		const struct outbound_question q = {
			.binding = "default", .key = "h", .no_colon = true
		};
		struct outbound_answer a;

		print_message("%s\n", worth[i].query);
		logged[0] = '\0';
		assert_true(outbound_ask(o, &q, deadline_in(5000), false, &a));
		outbound_case_is(&a, worth[i].want, worth[i].text);
		assert_true(a.asked);
		if (worth[i].want == OUTBOUND_GIVEN) {
			assert_int_equal(a.type, worth[i].type);
			assert_int_equal(a.type_scope[0] != '\0', a.type >= 0);
		}
		if (worth[i].want == OUTBOUND_DEFER) {
			assert_non_null(strstr(logged, "warning: outbound: "));
			assert_non_null(strstr(logged, "verdict=defer"));
		}
		assert_null(strstr(logged, "s3"));
		outbound_answer_release(&a);
		outbound_free(o);
	}
}

/* Between the scopes and the global one; types from where they are due. */
static void
order(void **state)
{
	struct outbound *o;

	(void)state;
	run(db,
	    "CREATE TABLE c (k, u, p, t); INSERT INTO c VALUES "
	    "('ka', 'qa', 's3', 'PLAIN'), ('ks', 'qs', 's3', 'PLAIN')");
	o = with_query("SELECT u, p, t FROM c WHERE k = :key", "");
	expect_key(o, "a", "relay.a", OUTBOUND_GIVEN, "qa:s3");
	expect_key(o, "a", "own.example", OUTBOUND_GIVEN, "own:s3cret-own");
	expect_key(o, "a", "keyed@x.y", OUTBOUND_GIVEN, "qs:s3");
	expect_key(o, "a", "other@x.y", OUTBOUND_NONE, "nothing");
	expect_key(o, "default", "keyed@x.y", OUTBOUND_NONE, "nothing");
	expect_key(o, "b", "relay.b", OUTBOUND_NONE, "nothing");
	expect_key(o, "b", "relay.g", OUTBOUND_GIVEN, "g:s3cret-g");
	expect_key(o, "a", "elsewhere.example", OUTBOUND_NONE, "nothing");
	outbound_free(o);
}

static void
types(void **state)
{
	static const struct {
		const char *binding, *nexthop;
		int type;
		const char *scope;
	} cases[] = {
		/* The binding is narrower than the row, the row than all. */
		{ "a", "relay.a", OUTBOUND_LOGIN, "binding \"a\"" },
		{ "b", "relay.b", OUTBOUND_PLAIN, "query" },
		{ "default", "relay.g", OUTBOUND_PLAIN, "query" },
	};
	struct outbound *o;
	size_t i;

	(void)state;
	run(db, "CREATE TABLE t (x)");
	o = with_query("SELECT 'u', 'p', 'PLAIN' WHERE :host = :host", "");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct outbound_question q = {
			.binding = cases[i].binding, .nexthop = cases[i].nexthop
		};
		struct outbound_answer a;

		assert_true(outbound_ask(o, &q, deadline_in(5000), false, &a));
		assert_int_equal(a.verdict, OUTBOUND_GIVEN);
		assert_int_equal(a.type, cases[i].type);
		assert_string_equal(a.type_scope, cases[i].scope);
		outbound_answer_release(&a);
	}
	outbound_free(o);
}

/* A thread that must not wait gets what is remembered, and nothing else. */
static void
now(void **state)
{
	const struct outbound_question q = { .binding = "a", .key = "relay.a" };
	struct outbound_answer a;
	struct outbound *o;
	struct strbuf sb;

	(void)state;
	run(db,
	    "CREATE TABLE c (k, u, p); INSERT INTO c VALUES ('ka', 'qa', "
	    "'s3')");
	o = with_query("SELECT u, p FROM c WHERE k = :key", "");
	logged[0] = '\0';
	assert_false(outbound_ask(o, &q, deadline_in(5000), true, &a));
	outbound_answer_release(&a);
	assert_string_equal(logged, "");
	strbuf_init(&sb, 65536);
	outbound_stats(o, &sb);
	assert_non_null(strstr(strbuf_str(&sb),
	    "outbound_given=0\noutbound_none=0\noutbound_deferred=0\n"
	    "outbound_asked=0\n"));
	expect_key(o, "a", "relay.a", OUTBOUND_GIVEN, "qa:s3");
	assert_non_null(strstr(logged, "cache=miss"));
	assert_true(outbound_ask(o, &q, deadline_in(5000), true, &a));
	outbound_case_is(&a, OUTBOUND_GIVEN, "qa:s3");
	assert_true(a.cached);
	assert_non_null(strstr(logged, "cache=hit"));
	outbound_answer_release(&a);
	strbuf_reset(&sb);
	outbound_status(o, &sb);
	assert_non_null(strstr(strbuf_str(&sb),
	    "outbound_datasource=s entries=1 dead=0 queries=2 cached=1 "));
	/* No row is remembered, too. */
	expect_key(o, "b", "relay.b", OUTBOUND_NONE, "nothing");
	strbuf_release(&sb);
	outbound_free(o);
}

/* A row that changed counts when its entry is over, or dropped. */
static void
changed(void **state)
{
	struct outbound *o;

	(void)state;
	run(db,
	    "CREATE TABLE c (k, u, p); INSERT INTO c VALUES ('ka', 'qa', "
	    "'s3'), ('kb', 'qb', 's3')");
	o = with_query("SELECT u, p FROM c WHERE k = :key", "cache_life = 60s");
	expect_key(o, "a", "relay.a", OUTBOUND_GIVEN, "qa:s3");
	expect_key(o, "b", "relay.b", OUTBOUND_GIVEN, "qb:s3");
	run(db, "UPDATE c SET u = 'new'");
	expect_key(o, "a", "relay.a", OUTBOUND_GIVEN, "qa:s3");
	assert_int_equal(outbound_drop(o, "no such"), 0);
	assert_int_equal(outbound_drop(o, "ka"), 1);
	expect_key(o, "a", "relay.a", OUTBOUND_GIVEN, "new:s3");
	expect_key(o, "b", "relay.b", OUTBOUND_GIVEN, "qb:s3");
	ahead_ms += 61000;
	expect_key(o, "b", "relay.b", OUTBOUND_GIVEN, "new:s3");
	run(db, "UPDATE c SET u = 'newer'");
	assert_int_equal(outbound_drop(o, NULL), 2);
	expect_key(o, "b", "relay.b", OUTBOUND_GIVEN, "newer:s3");
	outbound_free(o);
}

/* While the source is down: what is remembered, be it stale; else defer. */
static void
down(void **state)
{
	const struct outbound_question q = { .binding = "a", .key = "relay.a" };
	struct outbound_answer a;
	struct outbound *o;

	(void)state;
	run(db,
	    "CREATE TABLE c (k, u, p); INSERT INTO c VALUES ('ka', 'qa', "
	    "'s3')");
	o = with_query("SELECT u, p FROM c WHERE k = :key", "cache_life = 60s");
	expect_key(o, "a", "relay.a", OUTBOUND_GIVEN, "qa:s3");
	run(db, "ALTER TABLE c RENAME TO d");
	expect_key(o, "a", "relay.a", OUTBOUND_GIVEN, "qa:s3");
	expect_key(o, "b", "relay.b", OUTBOUND_DEFER, "cannot be asked now");
	ahead_ms += 61000;
	logged[0] = '\0';
	assert_true(outbound_ask(o, &q, deadline_in(5000), false, &a));
	outbound_case_is(&a, OUTBOUND_GIVEN, "qa:s3");
	assert_true(a.stale);
	assert_non_null(strstr(logged, "cache=stale"));
	outbound_answer_release(&a);
	/* A global credential is no substitute for one that is due. */
	expect_key(o, "default", "relay.g", OUTBOUND_DEFER, "cannot be asked");
	run(db, "ALTER TABLE d RENAME TO c");
	ahead_ms += 60000;
	expect_key(o, "b", "relay.b", OUTBOUND_NONE, "nothing");
	outbound_free(o);
}

static void
refused(void **state)
{
	struct outbound *o = with_query("SELECT :host, :key", "");
	char why[256], text[512];

	(void)state;
	(void)snprintf(text, sizeof(text),
	    "datasource \"s\" { uri = \"pgsql:%s\" }\n"
	    "outbound_smtp_auth { ds_cache = s query = \"SELECT :key\" }\n",
	    db);
	assert_false(outbound_case_reload(o, text, why));
	assert_non_null(strstr(why, "datasource s: no driver"));
	outbound_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parameters),
		TEST(rows),
		TEST(order),
		TEST(types),
		TEST(now),
		TEST(changed),
		TEST(down),
		TEST(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
