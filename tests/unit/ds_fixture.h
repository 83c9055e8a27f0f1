/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ds_fixture - databases and files for the tests of data sources
 *
 * A test has a directory of its own with two databases and the name of a text
 * file.  Programs are linked with --wrap=clock_ms.
 */
#ifndef POSTERN_TESTS_UNIT_DS_FIXTURE_H
#define POSTERN_TESTS_UNIT_DS_FIXTURE_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/datasource.h"

#define QUERY "SELECT host, port FROM routes WHERE domain = :domain"

/* The clock as data sources and their drivers see it is ahead by this;
 * deadlines go by the real one. */
extern _Atomic int64_t ahead_ms;

extern char dir[64], db[96], db2[96], text_file[96];
extern char logged[4096];

/* What was answered last: rows as "mx1/25 mx2/NULL", or the fault. */
extern char said[4096];

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int set_up(void **state);
int tear_down(void **state);

/* run(path, sql): change a database, which is made if need be. */
void run(const char *path, const char *sql);
void write_file(const char *path, const char *text);

/* A datasource section. */
struct setting {
	struct conf_datasource conf;
	char *uris[4];
	char text[4][128];
};

void defaults(struct setting *s);
void add_uri(struct setting *s, const char *scheme, const char *path);
struct datasource *open_it(const struct setting *s);
struct datasource *open_uri(const char *scheme, const char *path);

/* Put a question; :localpart is "ann". */
enum outcome ask_within(struct datasource *ds, const char *text,
    const char *domain, int64_t ms, struct ds_result *r);
enum outcome ask(struct datasource *ds, const char *text, const char *domain);

/* from(ds, domain): put QUERY; "source", "cache", "stale", or "nowhere" when
 * it fails. */
const char *from(struct datasource *ds, const char *domain);

/* expect(ds, text, domain, oc, words): a question that ends in oc, with words
 * in what is said. */
void expect(struct datasource *ds, const char *text, const char *domain,
    enum outcome oc, const char *words);

#endif /* POSTERN_TESTS_UNIT_DS_FIXTURE_H */
