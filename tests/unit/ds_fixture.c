/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ds_fixture.h"

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

#include "common/log.h"

int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);
_Atomic int64_t ahead_ms;

int64_t
__wrap_clock_ms(void)
{
	return __real_clock_ms() + ahead_ms;
}

char dir[64], db[96], db2[96], text_file[96];
char logged[4096];

static void
sink(enum log_level level, const char *line, void *arg)
{
	const char *const parts[] = { log_level_name(level), ": ", line, "\n" };
	size_t n = strlen(logged), i;

	(void)arg;
	for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		size_t len = strlen(parts[i]);

		assert_true(n + len < sizeof logged);
		memcpy(logged + n, parts[i], len + 1);
		n += len;
	}
}

void
run(const char *path, const char *sql)
{
	sqlite3 *h;

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

void
write_file(const char *path, const char *text)
{
	FILE *fp = fopen(path, "we");

	assert_non_null(fp);
	assert_int_not_equal(fputs(text, fp), EOF);
	assert_int_equal(fclose(fp), 0);
}

int
set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test_datasource.XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(db, sizeof db, "%s/one.db", dir);
	(void)snprintf(db2, sizeof db2, "%s/two.db", dir);
	(void)snprintf(text_file, sizeof text_file, "%s/routes", dir);
	run(db,
	    "CREATE TABLE routes (domain, host, port);"
	    "INSERT INTO routes VALUES ('a.example', 'mx1', 25),"
	    " ('a.example', 'mx2', NULL), ('b.example', 'mx3', 26),"
	    " ('nul.example', CAST(x'610062' AS TEXT), 1),"
	    " ('blob.example', x'6100', 1),"
	    " ('long.example', printf('%.65537c', 'x'), 1),"
	    " ('most.example', printf('%.65536c', 'x'), 1)");
	run(db2,
	    "CREATE TABLE routes (domain, host, port);"
	    "INSERT INTO routes VALUES ('a.example', 'two', 25)");
	ahead_ms = 0;
	logged[0] = '\0';
	log_set_sink(sink, NULL);
	return 0;
}

int
tear_down(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	(void)unlink(db);
	(void)unlink(db2);
	(void)unlink(text_file);
	return rmdir(dir);
}

void
add_uri(struct setting *s, const char *scheme, const char *path)
{
	size_t n = s->conf.uri.n++;

	(void)snprintf(s->text[n], sizeof s->text[n], "%s:%s", scheme, path);
	s->uris[n] = s->text[n];
	s->conf.uri.v = s->uris;
}

void
defaults(struct setting *s)
{
	static char name[] = "routes";

	memset(s, 0, sizeof *s);
	s->conf.name = name;
	s->conf.cache_life = 3600000;
	s->conf.negative_cache_life = 60000;
	s->conf.cache_size = 1000;
	s->conf.max_rows = 100;
	s->conf.timeout = 5000;
}

struct datasource *
open_it(const struct setting *s)
{
	char why[256];
	struct datasource *ds = datasource_open(&s->conf, why, sizeof why);

	if (ds == NULL)
		print_error("%s\n", why);
	assert_non_null(ds);
	return ds;
}

struct datasource *
open_uri(const char *scheme, const char *path)
{
	struct setting s;

	defaults(&s);
	add_uri(&s, scheme, path);
	return open_it(&s);
}

char said[4096];

enum outcome
ask_within(struct datasource *ds, const char *text, const char *domain,
    int64_t ms, struct ds_result *r)
{
	const struct ds_param params[] = {
		{ "localpart", "ann" },
		{ "domain", domain },
	};
	const struct ds_query q = { text, params, 2, deadline_in(ms) };
	struct fault f;
	enum outcome oc;
	size_t i, j, n = 0;

	fault_clear(&f);
	said[0] = '\0';
	oc = datasource_query(ds, &q, r, &f);
	if (oc != OUTCOME_OK) {
		assert_null(r->rows);
		(void)snprintf(said, sizeof said, "%s", f.text);
		return oc;
	}
	assert_string_equal(f.text, "");
	for (i = 0; i < ds_rows_count(r->rows); i++) {
		for (j = 0; j < ds_rows_columns(r->rows); j++) {
			const char *cell = ds_rows_cell(r->rows, i, j);

			n += (size_t)snprintf(said + n, sizeof said - n,
			    "%s%.500s",
			    j > 0       ? "/"
				: i > 0 ? " "
					: "",
			    cell != NULL ? cell : "NULL");
		}
	}
	ds_rows_unref(r->rows);
	return oc;
}

enum outcome
ask(struct datasource *ds, const char *text, const char *domain)
{
	struct ds_result r;

	return ask_within(ds, text, domain, 5000, &r);
}

/* As a word: where the answer is from. */
const char *
from(struct datasource *ds, const char *domain)
{
	struct ds_result r;

	if (ask_within(ds, QUERY, domain, 5000, &r) != OUTCOME_OK)
		return "nowhere";
	return r.stale ? "stale" : r.cached ? "cache" : "source";
}

void
expect(struct datasource *ds, const char *text, const char *domain,
    enum outcome oc, const char *words)
{
	enum outcome got = ask(ds, text, domain);

	print_message("%s\n", said);
	assert_int_equal(got, oc);
	assert_non_null(strstr(said, words));
	assert_true(datasource_flush(ds) < 100);
}
