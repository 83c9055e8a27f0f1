/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include <cmocka.h>

#include "tests/unit/ds_fixture.h"

static void
test_sqlite_rows(void **state)
{
	struct datasource *ds = open_uri("sqlite", db);
	struct ds_rows *rows;
	struct ds_result r;
	const struct ds_param p = { "domain", "a.example" };
	const struct ds_query q = { QUERY, &p, 1, deadline_in(5000) };
	size_t column;

	(void)state;
	assert_int_equal(ask(ds, QUERY, "a.example"), OUTCOME_OK);
	assert_string_equal(said, "mx1/25 mx2/NULL");
	assert_int_equal(ask(ds, QUERY ";  -- done", "b.example"), OUTCOME_OK);
	assert_string_equal(said, "mx3/26");
	assert_int_equal(ask(ds, QUERY, "none.example"), OUTCOME_OK);
	assert_string_equal(said, "");
	/* A value is never part of the statement. */
	assert_int_equal(ask(ds, QUERY, "x' OR '1'='1"), OUTCOME_OK);
	assert_string_equal(said, "");
	assert_int_equal(datasource_query(ds, &q, &r, NULL), OUTCOME_OK);
	rows = r.rows;
	assert_string_equal(ds_rows_name(rows, 1), "port");
	assert_true(ds_rows_find(rows, "HOST", &column));
	assert_int_equal(column, 0);
	assert_false(ds_rows_find(rows, "tls", &column));
	ds_rows_unref(rows);
	datasource_free(ds);
	datasource_free(NULL);
}

static void
test_max_rows(void **state)
{
	struct setting s;
	struct datasource *ds;

	(void)state;
	defaults(&s);
	s.conf.max_rows = 1;
	add_uri(&s, "sqlite", db);
	ds = open_it(&s);
	assert_int_equal(ask(ds, QUERY, "a.example"), OUTCOME_OK);
	assert_string_equal(said, "mx1/25");
	datasource_free(ds);
}

static void
test_sqlite_nonsense(void **state)
{
	struct datasource *ds = open_uri("sqlite", db);

	(void)state;
	expect(ds, QUERY, "blob.example", OUTCOME_PERM,
	    "row 1, column host: a blob");
	expect(ds, QUERY, "nul.example", OUTCOME_PERM,
	    "row 1, column host: a value with a NUL octet");
	expect(ds, QUERY, "long.example", OUTCOME_PERM,
	    "row 1, column host: a value of more than 65536 octets");
	assert_int_equal(ask(ds, QUERY, "most.example"), OUTCOME_OK);
	/* And none of this has put the source out of use. */
	assert_string_equal(from(ds, "b.example"), "source");
	datasource_free(ds);
}

static void
test_sqlite_bad_queries(void **state)
{
	struct datasource *ds = open_uri("sqlite", db);

	(void)state;
	expect(ds, "SELECT hots FROM routes", "a", OUTCOME_TEMP,
	    "no such column: hots");
	expect(ds, "SELECT \"hots\" FROM routes", "a", OUTCOME_TEMP,
	    "no such column: hots");
	expect(ds, "SELECT host FROM rotues", "a", OUTCOME_TEMP,
	    "no such table: rotues");
	expect(ds, "SELECT host FROM", "a", OUTCOME_PERM, "incomplete input");
	expect(ds, "SELECT host FROM routes WHERE domain = :domain, 1", "a",
	    OUTCOME_PERM, "syntax error");
	expect(ds, "SELECT host FROM routes WHERE domain = ?", "a",
	    OUTCOME_PERM, "a parameter is written as a colon and a name");
	expect(ds, "SELECT host FROM routes WHERE domain = @domain", "a",
	    OUTCOME_PERM, "a parameter is written as a colon and a name");
	expect(ds, "SELECT host FROM routes WHERE domain = :user", "a",
	    OUTCOME_PERM, "there is no parameter :user");
	expect(ds, "SELECT 1; SELECT 2", "a", OUTCOME_PERM,
	    "more than one statement");
	expect(ds, "DELETE FROM routes", "a", OUTCOME_PERM, "would write");
	expect(ds, "-- nothing", "a", OUTCOME_PERM, "empty");
	expect(ds, "", "a", OUTCOME_PERM, "empty");
	assert_string_equal(from(ds, "b.example"), "source");
	datasource_free(ds);
}

static void
test_check(void **state)
{
	const char *const allowed[] = { "domain", "rcptto", NULL };

	const struct {
		const char *text;
		enum outcome want;
		const char *words;
	} rows[] = {
		{ QUERY, OUTCOME_OK, "" },
		{ "SELECT host FROM r WHERE d = :localpart", OUTCOME_PERM,
		    "there is no parameter :localpart" },
		{ "SELECT host FROM r WHERE d = :domain, 1", OUTCOME_PERM,
		    "syntax error" },
		{ "SELECT host FROM r WHERE d = :domain", OUTCOME_TEMP,
		    "no such table: r" },
		{ "SELECT nohost FROM routes", OUTCOME_TEMP,
		    "no such column: nohost" },
	};
	struct datasource *ds = open_uri("sqlite", db);
	struct fault f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fault_clear(&f);
		assert_int_equal(
		    datasource_check(ds, rows[i].text, allowed, &f),
		    rows[i].want);
		assert_non_null(strstr(f.text, rows[i].words));
	}
	datasource_free(ds);
	/* What can never work is seen even while the database is missing. */
	assert_int_equal(unlink(db), 0);
	ds = open_uri("sqlite", db);
	assert_int_equal(
	    datasource_check(ds, QUERY, allowed, &f), OUTCOME_TEMP);
	assert_int_equal(
	    datasource_check(ds, "SELECT FROM", allowed, &f), OUTCOME_PERM);
	datasource_free(ds);
}

static void
test_sqlite_missing_and_back(void **state)
{
	struct datasource *ds;

	(void)state;
	assert_int_equal(unlink(db), 0);
	ds = open_uri("sqlite", db);
	assert_non_null(strstr(logged, "warning: datasource routes: sqlite:"));
	assert_non_null(strstr(logged, "No such file or directory"));
	expect(
	    ds, QUERY, "a.example", OUTCOME_TEMP, "No such file or directory");
	/* A query does not make it. */
	assert_int_equal(access(db, F_OK), -1);
	run(db,
	    "CREATE TABLE routes (domain, host, port);"
	    "INSERT INTO routes VALUES ('a.example', 'new', 1)");
	assert_string_equal(from(ds, "a.example"), "source");
	assert_string_equal(said, "new/1");
	datasource_free(ds);
}

static void
test_sqlite_no_database(void **state)
{
	struct datasource *ds;

	(void)state;
	write_file(text_file,
	    "this is a text, and long enough to be read as "
	    "one: a database it is not, whatever its name "
	    "may be, and nobody would take it for one\n");
	ds = open_uri("sqlite", text_file);
	expect(ds, QUERY, "a.example", OUTCOME_TEMP, "not a database");
	datasource_free(ds);
}

static void
test_sqlite_replaced(void **state)
{
	struct setting s;
	struct datasource *ds;

	(void)state;
	defaults(&s);
	s.conf.no_cache = true;
	add_uri(&s, "sqlite", db);
	ds = open_it(&s);
	assert_string_equal(from(ds, "a.example"), "source");
	assert_string_equal(said, "mx1/25 mx2/NULL");
	assert_int_equal(rename(db2, db), 0);
	assert_string_equal(from(ds, "a.example"), "source");
	assert_string_equal(said, "two/25");
	datasource_free(ds);
}

static void
test_sqlite_locked(void **state)
{
	struct datasource *ds = open_uri("sqlite", db);
	struct ds_result r;
	int64_t t0;
	sqlite3 *h;

	(void)state;
	assert_int_equal(sqlite3_open(db, &h), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(h, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	t0 = clock_ms();
	assert_int_equal(
	    ask_within(ds, QUERY, "a.example", 150, &r), OUTCOME_TEMP);
	assert_true(clock_ms() - t0 >= 140);
	assert_true(clock_ms() - t0 < 4000);
	assert_non_null(strstr(said, "stayed locked"));
	assert_int_equal(
	    sqlite3_exec(h, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(h);
	/* So short a deadline was no fault of the source. */
	assert_string_equal(from(ds, "a.example"), "source");
	datasource_free(ds);
}

static void
test_sqlite_slow(void **state)
{
	struct setting s;
	struct datasource *ds;
	int64_t t0;

	(void)state;
	defaults(&s);
	s.conf.timeout = 200;
	add_uri(&s, "sqlite", db);
	ds = open_it(&s);
	t0 = clock_ms();
	assert_int_equal(
	    ask(ds,
		"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
		"FROM c) SELECT max(n) FROM c",
		"a"),
	    OUTCOME_TEMP);
	assert_true(clock_ms() - t0 < 30000);
	assert_non_null(strstr(said, "took too long"));
	assert_string_equal(from(ds, "a.example"), "source");
	datasource_free(ds);
}

static void *
hammer(void *arg)
{
	struct datasource *ds = arg;
	const struct ds_param p = { "domain", "a.example" };
	int i;

	for (i = 0; i < 300; i++) {
		const struct ds_query q = { QUERY, &p, 1, deadline_in(10000) };
		struct ds_result r;

		if (datasource_query(ds, &q, &r, NULL) != OUTCOME_OK ||
		    ds_rows_count(r.rows) != 2)
			return arg;
		ds_rows_unref(r.rows);
		if (i % 50 == 0)
			(void)datasource_flush(ds);
	}
	return NULL;
}

/* More threads than there are connections. */
static void
test_threads(void **state)
{
	struct setting s;
	struct datasource *ds;
	pthread_t thread[20];
	void *failed;
	size_t i;
	int no_cache;

	(void)state;
	for (no_cache = 0; no_cache < 2; no_cache++) {
		defaults(&s);
		s.conf.no_cache = no_cache != 0;
		add_uri(&s, "sqlite", db);
		ds = open_it(&s);
		for (i = 0; i < 20; i++)
			assert_int_equal(
			    pthread_create(&thread[i], NULL, hammer, ds), 0);
		for (i = 0; i < 20; i++) {
			assert_int_equal(pthread_join(thread[i], &failed), 0);
			assert_null(failed);
		}
		datasource_free(ds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sqlite_rows),
		TEST(test_max_rows),
		TEST(test_sqlite_nonsense),
		TEST(test_sqlite_bad_queries),
		TEST(test_check),
		TEST(test_sqlite_missing_and_back),
		TEST(test_sqlite_no_database),
		TEST(test_sqlite_replaced),
		TEST(test_sqlite_locked),
		TEST(test_sqlite_slow),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
