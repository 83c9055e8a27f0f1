/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite:/path - read-only, with prepared statements and named parameters
 */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/ds_driver.h"
#include "common/ds_sqlite_pool.h"

/* At start nobody waits long for a database. */
#define CHECK_MS 1000

/* -- statements ------------------------------------------------------- */

static const char *
objection(sqlite3 *db, sqlite3_stmt *stmt, const char *tail)
{
	sqlite3_stmt *another = NULL;
	bool more;
	int i;

	if (stmt == NULL)
		return "the query is empty";
	more = sqlite3_prepare_v2(db, tail, -1, &another, NULL) != SQLITE_OK ||
	    another != NULL;
	(void)sqlite3_finalize(another);
	if (more)
		return "the query holds more than one statement";
	if (sqlite3_stmt_readonly(stmt) == 0)
		return "the query would write";
	if (sqlite3_column_count(stmt) == 0)
		return "the query yields no columns";
	if (sqlite3_column_count(stmt) > DS_COLUMNS_MAX)
		return "the query yields too many columns";
	for (i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
		const char *name = sqlite3_bind_parameter_name(stmt, i);

		if (name == NULL || name[0] != ':')
			return "a parameter is written as a colon and a name";
	}
	return NULL;
}

/* Prepares text, and refuses what is no question. */
static enum outcome
prepare(const struct ds_sqlite_pool *p, struct ds_sqlite_connection *c,
    const char *text, sqlite3_stmt **out, struct fault *f)
{
	const char *wrong, *tail = NULL;
	int rc = sqlite3_prepare_v3(
	    c->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, &tail);

	if (rc != SQLITE_OK)
		return ds_sqlite_explain(p, c->db, rc, f);
	wrong = objection(c->db, *out, tail);
	if (wrong != NULL) {
		fault_set(f, FAULT_LOCAL, "sqlite:%s: %s",
		    ds_sqlite_pool_path(p), wrong);
		(void)sqlite3_finalize(*out);
		*out = NULL;
		return OUTCOME_PERM;
	}
	return OUTCOME_OK;
}

/* The prepared statement for text, kept with the connection; it takes the
 * place of the one that was used longest ago. */
static enum outcome
statement_get(const struct ds_sqlite_pool *p, struct ds_sqlite_connection *c,
    const char *text, sqlite3_stmt **out, struct fault *f)
{
	struct ds_sqlite_statement *oldest = c->statements;
	enum outcome oc;
	size_t i;

	for (i = 0; i < DS_SQLITE_STATEMENTS_MAX; i++) {
		struct ds_sqlite_statement *st = &c->statements[i];

		if (st->text != NULL && strcmp(st->text, text) == 0) {
			st->used = ++c->uses;
			*out = st->stmt;
			return OUTCOME_OK;
		}
		if (st->used < oldest->used)
			oldest = st;
	}
	(void)sqlite3_finalize(oldest->stmt);
	free(oldest->text);
	memset(oldest, 0, sizeof *oldest);
	oc = prepare(p, c, text, &oldest->stmt, f);
	if (oc != OUTCOME_OK)
		return oc;
	oldest->text = strdup(text);
	if (oldest->text == NULL) {
		(void)sqlite3_finalize(oldest->stmt);
		oldest->stmt = NULL;
		fault_set(f, FAULT_LOCAL, "sqlite:%s: no memory",
		    ds_sqlite_pool_path(p));
		return OUTCOME_TEMP;
	}
	oldest->used = ++c->uses;
	*out = oldest->stmt;
	return OUTCOME_OK;
}

static enum outcome
bind(const struct ds_sqlite_pool *p, sqlite3_stmt *stmt,
    const struct ds_query *q, struct fault *f)
{
	int i;

	for (i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
		const char *name = sqlite3_bind_parameter_name(stmt, i) + 1;
		size_t k = 0;

		while (k < q->n_params && strcmp(q->params[k].name, name) != 0)
			k++;
		if (k == q->n_params) {
			fault_set(f, FAULT_LOCAL,
			    "sqlite:%s: there is no parameter :%s",
			    ds_sqlite_pool_path(p), name);
			return OUTCOME_PERM;
		}
		if (sqlite3_bind_text(stmt, i, q->params[k].value, -1,
			SQLITE_STATIC) != SQLITE_OK) {
			fault_set(f, FAULT_LOCAL,
			    "sqlite:%s: :%s cannot be set",
			    ds_sqlite_pool_path(p), name);
			return OUTCOME_TEMP;
		}
	}
	return OUTCOME_OK;
}

/* -- rows ------------------------------------------------------------- */

static struct ds_rows *
rows_for(sqlite3_stmt *stmt)
{
	const char *names[DS_COLUMNS_MAX];
	int i, n = sqlite3_column_count(stmt);

	for (i = 0; i < n && i < DS_COLUMNS_MAX; i++) {
		names[i] = sqlite3_column_name(stmt, i);
		if (names[i] == NULL)
			return NULL;
	}
	return ds_rows_new(names, (size_t)n);
}

/* Adds the row that stmt stands on.  Returns what is wrong with it. */
static const char *
row_add(struct ds_rows *rows, sqlite3_stmt *stmt, size_t *column)
{
	struct ds_cell cells[DS_COLUMNS_MAX];
	size_t i;

	for (i = 0; i < ds_rows_columns(rows); i++) {
		int type = sqlite3_column_type(stmt, (int)i);

		*column = i;
		cells[i].data = NULL;
		cells[i].len = 0;
		if (type == SQLITE_NULL)
			continue;
		if (type == SQLITE_BLOB)
			return "a blob";
		cells[i].data = (const char *)sqlite3_column_text(stmt, (int)i);
		if (cells[i].data == NULL)
			return "no memory";
		cells[i].len = (size_t)sqlite3_column_bytes(stmt, (int)i);
	}
	return ds_rows_add(rows, cells, column);
}

/* Steps through the answer. */
static enum outcome
fetch(const struct ds_sqlite_pool *p, sqlite3_stmt *stmt, size_t max_rows,
    struct ds_rows *rows, struct fault *f)
{
	size_t column;
	int rc = SQLITE_ROW;

	while (ds_rows_count(rows) < max_rows) {
		const char *wrong;

		rc = sqlite3_step(stmt);
		if (rc != SQLITE_ROW)
			break;
		wrong = row_add(rows, stmt, &column);
		if (wrong != NULL) {
			fault_set(f, FAULT_LOCAL,
			    "sqlite:%s: row %zu, column %s: %s",
			    ds_sqlite_pool_path(p), ds_rows_count(rows) + 1,
			    ds_rows_name(rows, column), wrong);
			return OUTCOME_PERM;
		}
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return ds_sqlite_explain(p, sqlite3_db_handle(stmt), rc, f);
	return OUTCOME_OK;
}

static enum outcome
ask(const struct ds_sqlite_pool *p, struct ds_sqlite_connection *c,
    const struct ds_query *q, size_t max_rows, struct ds_rows **out,
    struct fault *f)
{
	sqlite3_stmt *stmt = NULL;
	enum outcome oc = statement_get(p, c, q->text, &stmt, f);

	if (oc != OUTCOME_OK)
		return oc;
	oc = bind(p, stmt, q, f);
	if (oc == OUTCOME_OK) {
		*out = rows_for(stmt);
		if (*out != NULL) {
			oc = fetch(p, stmt, max_rows, *out, f);
		} else {
			fault_set(f, FAULT_LOCAL, "sqlite:%s: no memory",
			    ds_sqlite_pool_path(p));
			oc = OUTCOME_TEMP;
		}
	}
	if (oc != OUTCOME_OK) {
		ds_rows_unref(*out);
		*out = NULL;
	}
	(void)sqlite3_clear_bindings(stmt);
	(void)sqlite3_reset(stmt);
	return oc;
}

/* -- the driver ------------------------------------------------------- */

static enum outcome
sqlite_query(void *source, const struct ds_query *q, size_t max_rows,
    struct ds_rows **out, struct fault *f)
{
	struct ds_sqlite_pool *p = source;
	struct ds_sqlite_connection *c = ds_sqlite_take(p, q->deadline, f);
	enum outcome oc;

	*out = NULL;
	if (c == NULL)
		return OUTCOME_TEMP;
	oc = ask(p, c, q, max_rows, out, f);
	ds_sqlite_give(p, c);
	return oc;
}

/* Can text work in any database at all? */
static enum outcome
check_syntax(const struct ds_sqlite_pool *p, const char *text, struct fault *f)
{
	struct ds_sqlite_connection *c = ds_sqlite_blank(p, f);
	sqlite3_stmt *stmt = NULL;
	enum outcome oc;

	if (c == NULL)
		return OUTCOME_TEMP;
	oc = prepare(p, c, text, &stmt, f);
	(void)sqlite3_finalize(stmt);
	ds_sqlite_close(c);
	/* That the table is not in here is no surprise. */
	return oc == OUTCOME_PERM ? OUTCOME_PERM : OUTCOME_OK;
}

static enum outcome
sqlite_check(void *source, const char *text, struct fault *f)
{
	struct ds_sqlite_pool *p = source;
	struct ds_sqlite_connection *c;
	sqlite3_stmt *stmt;
	enum outcome oc = check_syntax(p, text, f);

	if (oc != OUTCOME_OK)
		return oc;
	c = ds_sqlite_take(p, deadline_in(CHECK_MS), f);
	if (c == NULL)
		return OUTCOME_TEMP;
	oc = statement_get(p, c, text, &stmt, f);
	ds_sqlite_give(p, c);
	return oc;
}

static void
sqlite_close(void *source)
{
	ds_sqlite_pool_free(source);
}

static enum outcome
sqlite_open(const char *rest, void **out, struct fault *f)
{
	struct ds_sqlite_connection *c;
	struct ds_sqlite_pool *p;

	*out = NULL;
	if (rest[0] != '/') {
		fault_set(f, FAULT_LOCAL,
		    "sqlite:%s: an absolute path is needed", rest);
		return OUTCOME_PERM;
	}
	if (sqlite3_threadsafe() == 0) {
		fault_set(f, FAULT_LOCAL, "SQLite was built without threads");
		return OUTCOME_PERM;
	}
	p = ds_sqlite_pool_new(rest);
	if (p == NULL) {
		fault_set(f, FAULT_LOCAL, "sqlite:%s: no memory", rest);
		return OUTCOME_PERM;
	}
	*out = p;
	c = ds_sqlite_take(p, deadline_in(CHECK_MS), f);
	if (c == NULL)
		return OUTCOME_TEMP;
	ds_sqlite_give(p, c);
	return OUTCOME_OK;
}

const struct ds_driver ds_driver_sqlite = {
	.scheme = "sqlite",
	.in_memory = false,
	.open = sqlite_open,
	.query = sqlite_query,
	.check = sqlite_check,
	.close = sqlite_close,
};
