/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ds_sqlite_pool - connections to one SQLite database, and what its errors
 * mean
 *
 * Read-only.  A connection serves one thread at a time.  The pool's lock is
 * not held while SQLite works; who finds no connection waits until one is
 * given back or the deadline has come.  Part of ds_sqlite.c.
 */
#ifndef POSTERN_COMMON_DS_SQLITE_POOL_H
#define POSTERN_COMMON_DS_SQLITE_POOL_H

#include <stdbool.h>

#include <sqlite3.h>

#include "common/clock.h"
#include "common/outcome.h"

#define DS_SQLITE_STATEMENTS_MAX 8

struct ds_sqlite_statement {
	char *text; /* NULL: the place is free */
	sqlite3_stmt *stmt;
	unsigned long used; /* when, counted by the connection */
};

struct ds_sqlite_connection {
	struct ds_sqlite_connection *next; /* in the pool */
	sqlite3 *db;
	struct ds_sqlite_statement statements[DS_SQLITE_STATEMENTS_MAX];
	unsigned long uses;
	struct deadline deadline; /* of the question being put */
};

struct ds_sqlite_pool;

/* ds_sqlite_pool_new(path): opens nothing yet.  NULL: no memory. */
struct ds_sqlite_pool *ds_sqlite_pool_new(const char *path);

/* Every connection has been given back.  NULL does nothing. */
void ds_sqlite_pool_free(struct ds_sqlite_pool *p);

/* ds_sqlite_pool_path(p): the database's path.  Borrowed. */
const char *ds_sqlite_pool_path(const struct ds_sqlite_pool *p);

/*
 * ds_sqlite_take(p, d, f): a connection for one question, which waits for
 * locks and runs until d at most.  A database that was replaced by another
 * file is opened anew.  NULL with *f set: it is down, or d has come.
 */
struct ds_sqlite_connection *ds_sqlite_take(
    struct ds_sqlite_pool *p, struct deadline d, struct fault *f);

/* ds_sqlite_give(p, c): give it back.  It is closed if its last error was of
 * the kind that does not go away. */
void ds_sqlite_give(struct ds_sqlite_pool *p, struct ds_sqlite_connection *c);

/* ds_sqlite_blank(p, f): a connection to an empty database in memory, for
 * ds_sqlite_close(). */
struct ds_sqlite_connection *ds_sqlite_blank(
    const struct ds_sqlite_pool *p, struct fault *f);
void ds_sqlite_close(struct ds_sqlite_connection *c);

/*
 * ds_sqlite_explain(p, db, rc, f): put SQLite's error into words.
 *
 * Returns OUTCOME_TEMP, or OUTCOME_PERM when the query will never work.
 */
enum outcome ds_sqlite_explain(
    const struct ds_sqlite_pool *p, sqlite3 *db, int rc, struct fault *f);

#endif /* POSTERN_COMMON_DS_SQLITE_POOL_H */
