/* SPDX-License-Identifier: BSD-2-Clause */
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

static void
test_cache(void **state)
{
	struct datasource *ds = open_uri("sqlite", db);
	struct datasource_stats stats;

	(void)state;
	assert_string_equal(from(ds, "a.example"), "source");
	assert_string_equal(from(ds, "none.example"), "source");
	run(db,
	    "UPDATE routes SET host = 'changed';"
	    "INSERT INTO routes VALUES ('none.example', 'some', 1)");
	assert_string_equal(from(ds, "a.example"), "cache");
	assert_string_equal(said, "mx1/25 mx2/NULL");
	assert_string_equal(from(ds, "none.example"), "cache");
	assert_string_equal(said, "");
	/* That there was nothing is not believed for as long. */
	ahead_ms = 61000;
	assert_string_equal(from(ds, "none.example"), "source");
	assert_string_equal(said, "some/1");
	assert_string_equal(from(ds, "a.example"), "cache");
	ahead_ms = 3600000;
	assert_string_equal(from(ds, "a.example"), "source");
	assert_string_equal(said, "changed/25 changed/NULL");
	datasource_stats(ds, &stats);
	assert_int_equal(stats.entries, 2);
	assert_int_equal(stats.queries, 7);
	assert_int_equal(stats.cached, 3);
	/* Another parameter, another answer, though unused by the query. */
	assert_int_equal(datasource_drop(ds, "none.example"), 1);
	assert_int_equal(datasource_drop(ds, "domain"), 0);
	assert_int_equal(datasource_drop(ds, "ann"), 1);
	assert_int_equal(datasource_flush(ds), 0);
	datasource_free(ds);
}

static void
test_no_cache(void **state)
{
	struct setting s;
	struct datasource *ds;

	(void)state;
	defaults(&s);
	s.conf.no_cache = true;
	add_uri(&s, "sqlite", db);
	ds = open_it(&s);
	assert_string_equal(from(ds, "a.example"), "source");
	assert_string_equal(from(ds, "a.example"), "source");
	assert_int_equal(unlink(db), 0);
	assert_string_equal(from(ds, "a.example"), "nowhere");
	datasource_free(ds);
}

static void
test_cache_size(void **state)
{
	struct setting s;
	struct datasource *ds;

	(void)state;
	defaults(&s);
	s.conf.cache_size = 1;
	add_uri(&s, "sqlite", db);
	ds = open_it(&s);
	assert_string_equal(from(ds, "a.example"), "source");
	assert_string_equal(from(ds, "b.example"), "source");
	assert_string_equal(from(ds, "b.example"), "cache");
	assert_string_equal(from(ds, "a.example"), "source");
	datasource_free(ds);
}

static void
test_stale_while_down(void **state)
{
	struct datasource *ds = open_uri("sqlite", db);

	(void)state;
	assert_string_equal(from(ds, "a.example"), "source");
	assert_string_equal(from(ds, "none.example"), "source");
	assert_int_equal(unlink(db), 0);
	assert_string_equal(from(ds, "a.example"), "cache");
	ahead_ms = 3600000;
	assert_string_equal(from(ds, "a.example"), "stale");
	assert_string_equal(said, "mx1/25 mx2/NULL");
	/* "None" is not served past its time: it would mean "no route". */
	assert_string_equal(from(ds, "none.example"), "nowhere");
	assert_non_null(strstr(said, "down"));
	ahead_ms = 86400000;
	assert_string_equal(from(ds, "a.example"), "nowhere");
	datasource_free(ds);
}

static void
test_dead_source_is_left_alone(void **state)
{
	struct datasource *ds = open_uri("sqlite", db);
	struct datasource_stats stats;

	(void)state;
	assert_int_equal(rename(db, text_file), 0);
	assert_string_equal(from(ds, "a.example"), "nowhere");
	assert_non_null(strstr(logged, "left alone for 10 s"));
	datasource_stats(ds, &stats);
	assert_int_equal(stats.dead, 1);
	assert_int_equal(rename(text_file, db), 0);
	assert_string_equal(from(ds, "a.example"), "nowhere");
	assert_string_equal(said, "datasource routes: down");
	ahead_ms = 9900;
	assert_string_equal(from(ds, "a.example"), "nowhere");
	ahead_ms = 10100;
	assert_string_equal(from(ds, "a.example"), "source");
	assert_non_null(strstr(logged, "answers again"));
	datasource_stats(ds, &stats);
	assert_int_equal(stats.dead, 0);
	assert_int_equal(stats.failed, 3);
	datasource_free(ds);
}

static void
test_round_robin(void **state)
{
	struct setting s;
	struct datasource *ds;
	int one = 0, two = 0, i;

	(void)state;
	defaults(&s);
	s.conf.no_cache = true;
	add_uri(&s, "sqlite", db);
	add_uri(&s, "sqlite", db2);
	ds = open_it(&s);
	for (i = 0; i < 10; i++) {
		assert_string_equal(from(ds, "a.example"), "source");
		one += strcmp(said, "mx1/25 mx2/NULL") == 0;
		two += strcmp(said, "two/25") == 0;
	}
	assert_int_equal(one, 5);
	assert_int_equal(two, 5);
	/* With one gone the other has it all, and nobody notices. */
	assert_int_equal(unlink(db), 0);
	for (i = 0; i < 10; i++) {
		assert_string_equal(from(ds, "a.example"), "source");
		assert_string_equal(said, "two/25");
	}
	assert_int_equal(unlink(db2), 0);
	assert_string_equal(from(ds, "a.example"), "nowhere");
	datasource_free(ds);
}

static void
refused(const char *uri, const char *words)
{
	struct setting s;
	char why[256];

	defaults(&s);
	if (uri != NULL)
		(void)snprintf(s.text[0], sizeof s.text[0], "%s", uri);
	s.uris[0] = s.text[0];
	s.conf.uri.v = s.uris;
	s.conf.uri.n = uri != NULL;
	assert_null(datasource_open(&s.conf, why, sizeof why));
	print_message("%s\n", why);
	assert_non_null(strstr(why, words));
	assert_null(strstr(why, "secret"));
}

static void
test_refused_at_start(void **state)
{
	char uri[128];

	(void)state;
	refused(NULL, "datasource routes: no uri");
	refused("", "no driver for");
	refused("oracle:user=x password=secret", "no driver for \"oracle\"");
	refused("/etc/passwd", "no driver for \"/etc/passwd\"");
	refused("sqlite", "no driver for \"sqlite\"");
	refused("sqlite:", "an absolute path is needed");
	refused("sqlite::memory:", "an absolute path is needed");
	refused("sqlite:relative.db", "an absolute path is needed");
	refused("file:relative", "an absolute path is needed");
	(void)snprintf(uri, sizeof uri, "file:%s", dir);
	refused(uri, "not a regular file");
	write_file(text_file, "key value\nkey\n");
	(void)snprintf(uri, sizeof uri, "file:%s", text_file);
	refused(uri, "/routes:2: a key without a value");
	assert_int_equal(truncate(text_file, 64L * 1024 * 1024 + 1), 0);
	refused(uri, "larger than 64 MiB");
}

static void
test_set(void **state)
{
	struct setting s;
	struct conf *conf = calloc(1, sizeof *conf);
	struct conf_datasource two[2];
	char b[] = "b", why[256];
	struct datasources *all;

	(void)state;
	assert_non_null(conf);
	defaults(&s);
	add_uri(&s, "sqlite", db);
	two[0] = s.conf;
	two[1] = s.conf;
	two[1].name = b;
	conf->datasources = two;
	conf->n_datasources = 2;
	all = datasources_open(conf, why, sizeof why);
	assert_non_null(all);
	assert_int_equal(datasources_count(all), 2);
	assert_ptr_equal(datasources_find(all, "b"), datasources_at(all, 1));
	assert_string_equal(datasource_name(datasources_at(all, 0)), "routes");
	assert_null(datasources_find(all, "c"));
	datasources_free(all);
	datasources_free(NULL);
	two[1].uri.n = 0;
	assert_null(datasources_open(conf, why, sizeof why));
	assert_string_equal(why, "datasource b: no uri");
	free(conf);
}

/* What can be said without waiting. */
static bool
peek(struct datasource *ds, const char *text, const char *domain)
{
	const struct ds_param params[] = { { "domain", domain } };
	const struct ds_query q = { text, params, 1, deadline_in(1000) };
	struct ds_result r;
	bool known = datasource_peek(ds, &q, &r);

	assert_int_equal(known, r.rows != NULL);
	ds_rows_unref(r.rows);
	return known;
}

static void
test_peek(void **state)
{
	static const char text[] = "SELECT host FROM routes WHERE domain = "
				   ":domain";
	const struct ds_param params[] = { { "domain", "a.example" } };
	const struct ds_query q = { text, params, 1, deadline_in(5000) };
	struct datasource *ds = open_uri("sqlite", db);
	struct datasource_stats s;
	struct ds_result r;

	(void)state;
	assert_false(peek(ds, text, "a.example"));
	datasource_stats(ds, &s);
	assert_int_equal(s.queries, 0);
	assert_int_equal(datasource_query(ds, &q, &r, NULL), OUTCOME_OK);
	ds_rows_unref(r.rows);
	assert_true(peek(ds, text, "a.example"));
	assert_false(peek(ds, text, "b.example"));
	datasource_stats(ds, &s);
	assert_int_equal(s.queries, 2);
	assert_int_equal(s.cached, 1);
	/* Past its time it is no answer. */
	ahead_ms += 3600000;
	assert_false(peek(ds, text, "a.example"));
	datasource_free(ds);
	/* A file is in memory. */
	write_file(text_file, "a.example mx1\n");
	ds = open_uri("file", text_file);
	assert_true(peek(ds, ":domain", "a.example"));
	assert_true(peek(ds, ":domain", "z.example"));
	assert_false(peek(ds, ":nosuch", "a.example"));
	datasource_free(ds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_peek),
		TEST(test_cache),
		TEST(test_no_cache),
		TEST(test_cache_size),
		TEST(test_stale_while_down),
		TEST(test_dead_source_is_left_alone),
		TEST(test_round_robin),
		TEST(test_refused_at_start),
		TEST(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
