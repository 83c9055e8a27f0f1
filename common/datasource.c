/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/datasource.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/ds_cache.h"
#include "common/ds_text.h"
#include "common/log.h"

/* A source that was given less time than this is not to blame for it. */
#define FAIR_TIME_MS 1000

struct source {
	const struct ds_driver *driver;
	void *handle;
	_Atomic int64_t dead_until_ms; /* 0: it is well */
};

struct datasource {
	char *name;
	struct source *sources;
	size_t n;
	atomic_size_t turn;
	bool in_memory;         /* all of them */
	struct ds_cache *cache; /* NULL: nothing is remembered */
	int64_t life_ms, negative_life_ms, timeout_ms;
	size_t max_rows;
	atomic_ulong queries, cached, stale, failed;
};

struct datasources {
	struct datasource **v;
	size_t n;
};

static const struct ds_driver *const drivers[] = {
	&ds_driver_sqlite,
	&ds_driver_file,
};

/* -- opening ---------------------------------------------------------- */

/* The driver of a uri, and the rest behind its scheme. */
static const struct ds_driver *
driver_for(const char *uri, const char **rest)
{
	size_t i;

	for (i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
		size_t len = strlen(drivers[i]->scheme);

		if (strncmp(uri, drivers[i]->scheme, len) == 0 &&
		    uri[len] == ':') {
			*rest = uri + len + 1;
			return drivers[i];
		}
	}
	return NULL;
}

static bool
source_open(struct datasource *ds, const char *uri, char *why, size_t len)
{
	struct source *s = &ds->sources[ds->n];
	const char *rest;
	struct fault f;

	fault_clear(&f);
	s->driver = driver_for(uri, &rest);
	if (s->driver == NULL) {
		/* What is behind the scheme may be a secret. */
		size_t shown = strcspn(uri, ":");

		(void)snprintf(why, len,
		    "datasource %s: no driver for \"%.*s\": there are sqlite "
		    "and file",
		    ds->name, shown < 32 ? (int)shown : 32, uri);
		return false;
	}
	switch (s->driver->open(rest, &s->handle, &f)) {
	case OUTCOME_PERM:
		(void)snprintf(why, len, "datasource %s: %s", ds->name, f.text);
		return false;
	case OUTCOME_TEMP:
		log_warning("datasource %s: %s", ds->name, f.text);
		break;
	case OUTCOME_OK:
		break;
	}
	ds->n++;
	return true;
}

static bool
all_in_memory(const struct datasource *ds)
{
	size_t i;

	for (i = 0; i < ds->n; i++) {
		if (!ds->sources[i].driver->in_memory)
			return false;
	}
	return true;
}

struct datasource *
datasource_open(const struct conf_datasource *conf, char *why, size_t len)
{
	struct datasource *ds = calloc(1, sizeof *ds);
	bool ok;
	size_t i;

	(void)snprintf(why, len, "datasource %s: no memory", conf->name);
	if (ds == NULL)
		return NULL;
	ds->name = strdup(conf->name);
	ds->sources = calloc(conf->uri.n + 1, sizeof *ds->sources);
	ds->life_ms = conf->cache_life;
	ds->negative_life_ms = conf->negative_cache_life;
	ds->timeout_ms = conf->timeout;
	ds->max_rows = (size_t)conf->max_rows;
	ok = ds->name != NULL && ds->sources != NULL;
	if (ok && conf->uri.n == 0) {
		(void)snprintf(why, len, "datasource %s: no uri", ds->name);
		ok = false;
	}
	for (i = 0; ok && i < conf->uri.n; i++)
		ok = source_open(ds, conf->uri.v[i], why, len);
	ds->in_memory = ok && all_in_memory(ds);
	if (ok && !conf->no_cache && !ds->in_memory) {
		ds->cache = ds_cache_new((size_t)conf->cache_size);
		ok = ds->cache != NULL;
	}
	if (ok)
		return ds;
	datasource_free(ds);
	return NULL;
}

void
datasource_free(struct datasource *ds)
{
	size_t i;

	if (ds == NULL)
		return;
	for (i = 0; i < ds->n; i++)
		ds->sources[i].driver->close(ds->sources[i].handle);
	ds_cache_free(ds->cache);
	free(ds->sources);
	free(ds->name);
	free(ds);
}

const char *
datasource_name(const struct datasource *ds)
{
	return ds->name;
}

/* -- asking ----------------------------------------------------------- */

/*
 * May this source be asked?  When the time of a dead one is over, one caller
 * is let through and the others still take it for dead.
 */
static bool
source_claim(struct source *s)
{
	int64_t until = atomic_load(&s->dead_until_ms), now = clock_ms();

	if (until == 0)
		return true;
	if (now < until)
		return false;
	return atomic_compare_exchange_strong(
	    &s->dead_until_ms, &until, now + DATASOURCE_DEAD_MS);
}

static void
source_is_well(const struct datasource *ds, struct source *s)
{
	if (atomic_exchange(&s->dead_until_ms, 0) != 0)
		log_info("datasource %s: %s number %zu answers again", ds->name,
		    s->driver->scheme, (size_t)(s - ds->sources) + 1);
}

static void
source_is_dead(
    const struct datasource *ds, struct source *s, const struct fault *f)
{
	if (atomic_exchange(
		&s->dead_until_ms, clock_ms() + DATASOURCE_DEAD_MS) == 0)
		log_warning("datasource %s: %s; left alone for %d s", ds->name,
		    f->text, DATASOURCE_DEAD_MS / 1000);
}

/* Asks the sources in turn until one knows. */
static enum outcome
ask(struct datasource *ds, const struct ds_query *q, struct ds_rows **rows,
    struct fault *f)
{
	size_t first = atomic_fetch_add(&ds->turn, 1), i;
	enum outcome oc = OUTCOME_TEMP;
	struct fault said;

	fault_clear(&said);
	fault_set(&said, FAULT_LOCAL, "down");
	for (i = 0; i < ds->n && oc == OUTCOME_TEMP; i++) {
		struct source *s = &ds->sources[(first + i) % ds->n];
		int64_t given = deadline_left_ms(q->deadline);

		if (!source_claim(s))
			continue;
		oc = s->driver->query(s->handle, q, ds->max_rows, rows, &said);
		if (oc != OUTCOME_TEMP)
			source_is_well(ds, s);
		else if (given >= FAIR_TIME_MS || !deadline_passed(q->deadline))
			source_is_dead(ds, s, &said);
	}
	if (oc != OUTCOME_OK)
		fault_set(
		    f, FAULT_LOCAL, "datasource %s: %s", ds->name, said.text);
	return oc;
}

static void
remember(struct datasource *ds, const struct ds_query *q, struct ds_rows *rows)
{
	int64_t now = clock_ms();
	int64_t life =
	    ds_rows_count(rows) > 0 ? ds->life_ms : ds->negative_life_ms;

	if (ds->cache != NULL && life > 0)
		ds_cache_put(ds->cache, q, rows, now, now + life);
}

bool
datasource_peek(
    struct datasource *ds, const struct ds_query *q, struct ds_result *out)
{
	memset(out, 0, sizeof *out);
	if (ds->in_memory) {
		if (ask(ds, q, &out->rows, NULL) != OUTCOME_OK)
			return false;
		(void)atomic_fetch_add(&ds->queries, 1);
		return true;
	}
	if (ds->cache == NULL)
		return false;
	if (ds_cache_get(ds->cache, q, clock_ms(), &out->rows) ==
	    DS_CACHE_FRESH) {
		(void)atomic_fetch_add(&ds->queries, 1);
		(void)atomic_fetch_add(&ds->cached, 1);
		out->cached = true;
		return true;
	}
	ds_rows_unref(out->rows);
	out->rows = NULL;
	return false;
}

enum outcome
datasource_query(struct datasource *ds, const struct ds_query *q,
    struct ds_result *out, struct fault *f)
{
	struct ds_query bounded = *q;
	struct ds_rows *old = NULL;
	enum ds_cached found = DS_CACHE_MISS;
	enum outcome oc;

	memset(out, 0, sizeof *out);
	(void)atomic_fetch_add(&ds->queries, 1);
	if (ds->cache != NULL)
		found = ds_cache_get(ds->cache, q, clock_ms(), &old);
	if (found == DS_CACHE_FRESH) {
		(void)atomic_fetch_add(&ds->cached, 1);
		out->rows = old;
		out->cached = true;
		return OUTCOME_OK;
	}
	bounded.deadline =
	    deadline_sooner(q->deadline, deadline_in(ds->timeout_ms));
	oc = ask(ds, &bounded, &out->rows, f);
	if (oc == OUTCOME_OK) {
		remember(ds, q, out->rows);
	} else if (oc == OUTCOME_TEMP && found == DS_CACHE_STALE) {
		(void)atomic_fetch_add(&ds->stale, 1);
		if (f != NULL)
			fault_clear(f);
		out->rows = old;
		out->cached = true;
		out->stale = true;
		return OUTCOME_OK;
	} else {
		(void)atomic_fetch_add(&ds->failed, 1);
	}
	ds_rows_unref(old);
	return oc;
}

enum outcome
datasource_check(struct datasource *ds, const char *text,
    const char *const *allowed, struct fault *f)
{
	enum outcome oc = OUTCOME_OK;
	struct ds_name name;
	struct fault this;
	size_t i;

	if (!ds_text_check(text, allowed, &name)) {
		fault_set(f, FAULT_LOCAL,
		    "datasource %s: there is no parameter :%.*s", ds->name,
		    (int)name.len, name.at);
		return OUTCOME_PERM;
	}
	for (i = 0; i < ds->n && oc != OUTCOME_PERM; i++) {
		struct source *s = &ds->sources[i];
		enum outcome one;

		fault_clear(&this);
		one = s->driver->check(s->handle, text, &this);
		if (one == OUTCOME_OK)
			continue;
		oc = one;
		fault_set(
		    f, FAULT_LOCAL, "datasource %s: %s", ds->name, this.text);
	}
	return oc;
}

/* -- the rest --------------------------------------------------------- */

size_t
datasource_flush(struct datasource *ds)
{
	size_t i;

	for (i = 0; i < ds->n; i++)
		atomic_store(&ds->sources[i].dead_until_ms, 0);
	return ds->cache != NULL ? ds_cache_drop(ds->cache, NULL) : 0;
}

size_t
datasource_drop(struct datasource *ds, const char *value)
{
	return ds->cache != NULL ? ds_cache_drop(ds->cache, value) : 0;
}

void
datasource_stats(struct datasource *ds, struct datasource_stats *out)
{
	int64_t now = clock_ms();
	size_t i;

	memset(out, 0, sizeof *out);
	out->queries = atomic_load(&ds->queries);
	out->cached = atomic_load(&ds->cached);
	out->stale = atomic_load(&ds->stale);
	out->failed = atomic_load(&ds->failed);
	if (ds->cache != NULL)
		out->entries = ds_cache_count(ds->cache);
	for (i = 0; i < ds->n; i++)
		out->dead += atomic_load(&ds->sources[i].dead_until_ms) > now;
}

struct datasources *
datasources_open(const struct conf *conf, char *why, size_t len)
{
	struct datasources *all = calloc(1, sizeof *all);
	size_t i;

	(void)snprintf(why, len, "no memory");
	if (all == NULL)
		return NULL;
	all->v = calloc(conf->n_datasources + 1, sizeof(struct datasource *));
	for (i = 0; all->v != NULL && i < conf->n_datasources; i++) {
		all->v[i] = datasource_open(&conf->datasources[i], why, len);
		if (all->v[i] == NULL)
			break;
		all->n++;
	}
	if (all->v != NULL && all->n == conf->n_datasources)
		return all;
	datasources_free(all);
	return NULL;
}

void
datasources_free(struct datasources *all)
{
	size_t i;

	if (all == NULL)
		return;
	for (i = 0; i < all->n; i++)
		datasource_free(all->v[i]);
	free(all->v);
	free(all);
}

size_t
datasources_count(const struct datasources *all)
{
	return all->n;
}

struct datasource *
datasources_at(const struct datasources *all, size_t i)
{
	return all->v[i];
}

struct datasource *
datasources_find(const struct datasources *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (strcmp(all->v[i]->name, name) == 0)
			return all->v[i];
	}
	return NULL;
}
