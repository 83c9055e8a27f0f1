/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ds_driver - what a kind of data source has to provide
 *
 * One file per driver (ds_sqlite.c, ds_file.c); datasource.c chooses by the
 * scheme of the uri and does the rest: caching, several sources, stale rows.
 * Every function may be called by any number of threads at once, except
 * open and close.
 */
#ifndef POSTERN_COMMON_DS_DRIVER_H
#define POSTERN_COMMON_DS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/ds_rows.h"
#include "common/outcome.h"

/* A parameter of a query: ":name" stands for value. */
struct ds_param {
	const char *name; /* without the colon */
	const char *value;
};

struct ds_query {
	const char *text;
	const struct ds_param *params;
	size_t n_params;
	struct deadline deadline;
};

struct ds_driver {
	const char *scheme; /* "sqlite" */

	/* The source is in our memory: an answer need not be cached, and
	 * should not, for it would hide changes. */
	bool in_memory;

	/*
	 * open(rest, out, f): rest is the uri behind "scheme:".
	 *
	 * OUTCOME_OK; OUTCOME_TEMP when the source is down now: *out is set
	 * all the same; OUTCOME_PERM when rest is none, or what is there can
	 * never be read.
	 */
	enum outcome (*open)(const char *rest, void **out, struct fault *f);

	/*
	 * query(source, q, max_rows, out, f): put a question.
	 *
	 * OUTCOME_OK with new rows, the first max_rows of them; OUTCOME_TEMP
	 * when the source is down, or lacks a table or column; OUTCOME_PERM
	 * when the query can never work, or its answer is nonsense.
	 */
	enum outcome (*query)(void *source, const struct ds_query *q,
	    size_t max_rows, struct ds_rows **out, struct fault *f);

	/*
	 * check(source, text, f): the same of the query's text alone.
	 */
	enum outcome (*check)(void *source, const char *text, struct fault *f);

	void (*close)(void *source); /* NULL does nothing */
};

extern const struct ds_driver ds_driver_sqlite;
extern const struct ds_driver ds_driver_file;

#endif /* POSTERN_COMMON_DS_DRIVER_H */
