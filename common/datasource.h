/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datasource - where rows come from: routes now, credentials next
 *
 * A `datasource` section: one or more uris (SCHEME:REST, see the ds_*.c of
 * each scheme) that hold the same, asked in turn.  One that fails is left
 * alone for DATASOURCE_DEAD_MS and the next one is asked.  Answers are
 * remembered (cache_life, negative_cache_life, cache_size, no_cache); while
 * every source is down a remembered answer is served past its time.
 *
 * Any thread.  No lock is held while a source is asked.
 */
#ifndef POSTERN_COMMON_DATASOURCE_H
#define POSTERN_COMMON_DATASOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ds_driver.h"
#include "common/ds_rows.h"
#include "common/outcome.h"

#define DATASOURCE_DEAD_MS 10000

struct conf;
struct conf_datasource;
struct datasource;
struct datasources;

struct ds_result {
	struct ds_rows *rows; /* a reference for the caller to drop */
	bool cached;
	bool stale; /* its time is over, and every source is down */
};

struct datasource_stats {
	unsigned long queries; /* questions put to this data source */
	unsigned long cached;  /* answered from memory, fresh */
	unsigned long stale;   /* answered from memory, past its time */
	unsigned long failed;
	size_t entries; /* answers remembered */
	size_t dead;    /* uris left alone at the moment */
};

/*
 * datasource_open(conf, why, len): open the sources of a section.
 *
 *   conf  not kept
 *   why   gets the reason on failure, at most len octets with the NUL
 *
 * A source that is down is warned about and does not fail this.  Returns
 * NULL when a uri is none, what is there can never be read, or memory is
 * short.
 */
struct datasource *datasource_open(
    const struct conf_datasource *conf, char *why, size_t len);
void datasource_free(struct datasource *ds); /* NULL does nothing */

/* datasource_name(ds): the section's title. */
const char *datasource_name(const struct datasource *ds);

/*
 * datasource_query(ds, q, out, f): put a question.
 *
 *   q    borrowed.  The deadline is the caller's; the section's timeout
 *        counts too.
 *   out  zeroed unless the result is OUTCOME_OK
 *
 * Returns OUTCOME_OK; OUTCOME_TEMP when no source could answer and nothing
 * is remembered; OUTCOME_PERM when the query can never work or its answer is
 * nonsense (a blob, a NUL octet, too long).  *f names the source.
 */
enum outcome datasource_query(struct datasource *ds, const struct ds_query *q,
    struct ds_result *out, struct fault *f);

/*
 * datasource_peek(ds, q, out): the same for a thread that must not wait.
 *
 * True when the answer is remembered and fresh, or every source is in our
 * memory and answers.  False: have another thread call datasource_query();
 * nothing has been asked or counted.
 */
bool datasource_peek(
    struct datasource *ds, const struct ds_query *q, struct ds_result *out);

/*
 * datasource_check(ds, text, allowed, f): can this query work?
 *
 *   allowed  the parameters it may use, a list that ends in NULL
 *
 * Returns OUTCOME_OK; OUTCOME_PERM when it never can; OUTCOME_TEMP when it
 * cannot now: the source is down, or lacks a table or column.
 */
enum outcome datasource_check(struct datasource *ds, const char *text,
    const char *const *allowed, struct fault *f);

/* datasource_flush(ds): forget every answer, and that sources are dead.
 * Returns how many answers. */
size_t datasource_flush(struct datasource *ds);

/* datasource_drop(ds, value): forget the answers to questions with a
 * parameter of that value.  Returns how many. */
size_t datasource_drop(struct datasource *ds, const char *value);

void datasource_stats(struct datasource *ds, struct datasource_stats *out);

/* datasources_open(conf, why, len): every section of a configuration, as
 * datasource_open() does one. */
struct datasources *datasources_open(
    const struct conf *conf, char *why, size_t len);
void datasources_free(struct datasources *all); /* NULL does nothing */

size_t datasources_count(const struct datasources *all);

/* datasources_at(all, i), datasources_find(all, name): borrowed; find gives
 * NULL when there is none of that name. */
struct datasource *datasources_at(const struct datasources *all, size_t i);
struct datasource *datasources_find(
    const struct datasources *all, const char *name);

#endif /* POSTERN_COMMON_DATASOURCE_H */
