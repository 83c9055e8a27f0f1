/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ds_sqlite_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS_MAX 8
#define BUSY_NAP_NS     5000000
#define STEPS_PER_LOOK  2000
#define DB_LENGTH_MAX   1048576

struct ds_sqlite_pool {
	char *path;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t returned;
	struct ds_sqlite_connection *idle;
	unsigned n_open; /* idle or in use */
};

/* -- errors ----------------------------------------------------------- */

static bool
is_schema(const char *message)
{
	return strncmp(message, "no such table", 13) == 0 ||
	    strncmp(message, "no such column", 14) == 0 ||
	    strncmp(message, "no such view", 12) == 0;
}

static void
explain_unopened(const struct ds_sqlite_pool *p, int error, struct fault *f)
{
	char buf[128];

	fault_set(f, FAULT_LOCAL, "sqlite:%s: %s", p->path,
	    error != 0 ? strerror_r(error, buf, sizeof buf)
		       : "the database cannot be opened");
}

enum outcome
ds_sqlite_explain(
    const struct ds_sqlite_pool *p, sqlite3 *db, int rc, struct fault *f)
{
	const char *message = sqlite3_errmsg(db);

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		fault_set(f, FAULT_LOCAL,
		    "sqlite:%s: the database stayed locked", p->path);
		return OUTCOME_TEMP;
	case SQLITE_INTERRUPT:
		fault_set(f, FAULT_LOCAL, "sqlite:%s: the query took too long",
		    p->path);
		return OUTCOME_TEMP;
	case SQLITE_CANTOPEN:
		explain_unopened(p, sqlite3_system_errno(db), f);
		return OUTCOME_TEMP;
	case SQLITE_ERROR:
		fault_set(f, FAULT_LOCAL, "sqlite:%s: %s", p->path, message);
		return is_schema(message) ? OUTCOME_TEMP : OUTCOME_PERM;
	case SQLITE_TOOBIG:
		fault_set(f, FAULT_LOCAL,
		    "sqlite:%s: a value or the query is too long", p->path);
		return OUTCOME_PERM;
	default:
		fault_set(f, FAULT_LOCAL, "sqlite:%s: %s", p->path, message);
		return OUTCOME_TEMP;
	}
}

/* May the connection be used again after rc? */
static bool
survives(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT:
	case SQLITE_ERROR:
	case SQLITE_TOOBIG:
		return true;
	default:
		return false;
	}
}

/* -- connections ------------------------------------------------------ */

static int
on_busy(void *arg, int times)
{
	const struct ds_sqlite_connection *c = arg;
	const struct timespec nap = { 0, BUSY_NAP_NS };

	(void)times;
	if (deadline_passed(c->deadline))
		return 0;
	(void)nanosleep(&nap, NULL);
	return 1;
}

static int
on_progress(void *arg)
{
	const struct ds_sqlite_connection *c = arg;

	return deadline_passed(c->deadline);
}

void
ds_sqlite_close(struct ds_sqlite_connection *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < DS_SQLITE_STATEMENTS_MAX; i++) {
		(void)sqlite3_finalize(c->statements[i].stmt);
		free(c->statements[i].text);
	}
	(void)sqlite3_close(c->db);
	free(c);
}

/* A quoted word that is no column is an error here, not a string. */
static void
connection_configure(struct ds_sqlite_connection *c)
{
	(void)sqlite3_extended_result_codes(c->db, 1);
	(void)sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, DB_LENGTH_MAX);
	(void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	(void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_busy_handler(c->db, on_busy, c);
	sqlite3_progress_handler(c->db, STEPS_PER_LOOK, on_progress, c);
}

/* path: ":memory:" too. */
static struct ds_sqlite_connection *
connection_new(
    const struct ds_sqlite_pool *p, const char *path, struct fault *f)
{
	struct ds_sqlite_connection *c = calloc(1, sizeof *c);
	int rc;

	if (c == NULL) {
		fault_set(f, FAULT_LOCAL, "sqlite:%s: no memory", p->path);
		return NULL;
	}
	rc = sqlite3_open_v2(
	    path, &c->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		if (c->db == NULL)
			fault_set(
			    f, FAULT_LOCAL, "sqlite:%s: no memory", p->path);
		else
			(void)ds_sqlite_explain(p, c->db, rc, f);
		ds_sqlite_close(c);
		return NULL;
	}
	connection_configure(c);
	return c;
}

/* Is there another file under the name by now, or none? */
static bool
connection_moved(struct ds_sqlite_connection *c)
{
	int moved = 0;

	return sqlite3_file_control(c->db, "main", SQLITE_FCNTL_HAS_MOVED,
		   &moved) == SQLITE_OK &&
	    moved != 0;
}

/* Gives a place in the pool back: with its connection, or NULL. */
static void
give(struct ds_sqlite_pool *p, struct ds_sqlite_connection *c)
{
	(void)pthread_mutex_lock(&p->lock);
	if (c != NULL) {
		c->next = p->idle;
		p->idle = c;
	} else {
		p->n_open--;
	}
	(void)pthread_cond_signal(&p->returned);
	(void)pthread_mutex_unlock(&p->lock);
}

/* A place in the pool: with an idle connection, or *c NULL to make one. */
static bool
wait_for_place(struct ds_sqlite_pool *p, struct deadline d,
    struct ds_sqlite_connection **c)
{
	const struct timespec until = { d.at_ms / 1000,
		d.at_ms % 1000 * 1000000 };
	bool got = true;

	*c = NULL;
	(void)pthread_mutex_lock(&p->lock);
	while (p->idle == NULL && p->n_open >= CONNECTIONS_MAX) {
		if (pthread_cond_timedwait(&p->returned, &p->lock, &until) ==
		    ETIMEDOUT)
			break;
	}
	if (p->idle != NULL) {
		*c = p->idle;
		p->idle = p->idle->next;
	} else if (p->n_open < CONNECTIONS_MAX) {
		p->n_open++;
	} else {
		got = false;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return got;
}

struct ds_sqlite_connection *
ds_sqlite_take(struct ds_sqlite_pool *p, struct deadline d, struct fault *f)
{
	struct ds_sqlite_connection *c;

	if (!wait_for_place(p, d, &c)) {
		fault_set(f, FAULT_LOCAL,
		    "sqlite:%s: %d queries are under way, none ended in time",
		    p->path, CONNECTIONS_MAX);
		return NULL;
	}
	if (c != NULL && connection_moved(c)) {
		ds_sqlite_close(c);
		c = NULL;
	}
	if (c == NULL)
		c = connection_new(p, p->path, f);
	if (c == NULL)
		give(p, NULL);
	else
		c->deadline = d;
	return c;
}

struct ds_sqlite_pool *
ds_sqlite_pool_new(const char *path)
{
	struct ds_sqlite_pool *p = calloc(1, sizeof *p);
	pthread_condattr_t attr;

	if (p == NULL)
		return NULL;
	p->path = strdup(path);
	if (p->path == NULL) {
		free(p);
		return NULL;
	}
	/* These cannot fail on Linux with these arguments. */
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->returned, &attr);
	(void)pthread_condattr_destroy(&attr);
	return p;
}

void
ds_sqlite_pool_free(struct ds_sqlite_pool *p)
{
	struct ds_sqlite_connection *c;

	if (p == NULL)
		return;
	while ((c = p->idle) != NULL) {
		p->idle = c->next;
		ds_sqlite_close(c);
	}
	(void)pthread_cond_destroy(&p->returned);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->path);
	free(p);
}

void
ds_sqlite_give(struct ds_sqlite_pool *p, struct ds_sqlite_connection *c)
{
	if (!survives(sqlite3_errcode(c->db))) {
		ds_sqlite_close(c);
		c = NULL;
	}
	give(p, c);
}

struct ds_sqlite_connection *
ds_sqlite_blank(const struct ds_sqlite_pool *p, struct fault *f)
{
	struct ds_sqlite_connection *c = connection_new(p, ":memory:", f);

	if (c != NULL)
		c->deadline = deadline_in(1000);
	return c;
}

const char *
ds_sqlite_pool_path(const struct ds_sqlite_pool *p)
{
	return p->path;
}
