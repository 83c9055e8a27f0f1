/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of a query that can be made without the database: that its
 * parameters are among those there are, and, where SQLite will be asked, that
 * it is SQL.  Whether tables and columns are there is for the data source.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_load.h"
#include "common/conf_suggest.h"
#include "common/ds_text.h"

#define NAME_MAX_LEN 48

static bool
has_word(const char *words, const char *word)
{
	size_t len;

	for (; *words != '\0'; words += words[len] == '|' ? len + 1 : len) {
		len = strcspn(words, "|");
		if (strlen(word) == len && strncmp(words, word, len) == 0)
			return true;
	}
	return false;
}

static void
check_parameters(struct conf_load *l, struct conf_place at, const char *query,
    const char *allowed)
{
	struct conf_suggest near;
	char best[CONF_SUGGEST_MAX + 1];
	char name[NAME_MAX_LEN + 1];
	struct ds_name found;

	while (ds_text_next(&query, &found)) {
		snprintf(name, sizeof(name), "%.*s",
		    found.len < sizeof(name) ? (int)found.len : NAME_MAX_LEN,
		    found.at);
		if (has_word(allowed, name))
			continue;
		if (query[0] == ':' && query[1] == '=')
			continue; /* a matching rule of LDAP: "cn:dn:=x" */
		conf_suggest_init(&near, name);
		conf_suggest_words(&near, allowed, best, sizeof(best));
		if (near.best != NULL)
			conf_tell(l->s, at,
			    "query: unknown parameter \":%s\": did you mean "
			    "\":%s\"?",
			    name, near.best);
		else
			conf_tell(l->s, at,
			    "query: unknown parameter \":%s\"; there are %s",
			    name, allowed);
	}
}

/* Whether SQLite can read the statement at all; else why not, in buf.  An
 * empty database in memory has no tables, so only complaints about the
 * syntax count. */
static bool
sql_ok(const char *query, char *buf, size_t size)
{
	static const char *const complaints[] = { "syntax error",
		"incomplete input", "unrecognized token" };
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	const char *message;
	bool ok = true;
	size_t i;

	if (sqlite3_open(":memory:", &db) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, query, -1, &stmt, NULL) != SQLITE_OK) {
		message = sqlite3_errmsg(db);
		for (i = 0; i < 3; i++)
			if (strstr(message, complaints[i]) != NULL)
				ok = false;
		snprintf(buf, size, "%s", message);
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return ok;
}

/* Is every place of the data source an SQLite database? */
static bool
all_sqlite(const struct conf_datasource *d)
{
	size_t i;

	for (i = 0; i < d->uri.n; i++)
		if (strncmp(d->uri.v[i], "sqlite:", 7) != 0)
			return false;
	return d->uri.n > 0;
}

static void
drop(char **text)
{
	free(*text);
	*text = NULL;
}

/* There is no such data source. */
static void
tell_missing(struct conf_load *l, cfg_t *sec, const char *ds, bool has_host)
{
	struct conf_place at = conf_set_at(l, sec, "ds_cache");
	struct conf_suggest near;
	size_t i;

	if (has_host) {
		conf_warn(l->s, at,
		    "ds_cache: there is no datasource \"%.60s\": the query is "
		    "passed over, host is used",
		    ds);
		return;
	}
	conf_suggest_init(&near, ds);
	for (i = 0; i < l->c->n_datasources; i++)
		conf_suggest_try(&near, l->c->datasources[i].name);
	if (near.best != NULL)
		conf_tell(l->s, at,
		    "ds_cache: there is no datasource \"%.60s\": did you mean "
		    "\"%s\"?",
		    ds, near.best);
	else
		conf_tell(l->s, at,
		    "ds_cache: there is no datasource \"%.60s\", and no host "
		    "to do without it",
		    ds);
}

void
conf_check_query(struct conf_load *l, cfg_t *sec, char **ds, char **query,
    const char *allowed, bool has_host)
{
	const struct conf_datasource *d;
	struct conf_place at;
	char why[160];
	bool sql;

	if (sec == NULL || (*ds == NULL && *query == NULL))
		return;
	if (*ds == NULL || *query == NULL) {
		conf_tell(l->s,
		    conf_set_at(l, sec, *ds == NULL ? "query" : "ds_cache"),
		    *ds == NULL ? "query: no ds_cache says where to ask"
				: "ds_cache: no query says what to ask");
		return;
	}
	d = conf_datasource_find(l->c, *ds);
	at = conf_set_at(l, sec, "query");
	sql = (d != NULL && !all_sqlite(d)) || sql_ok(*query, why, sizeof(why));
	if (!sql && has_host)
		conf_warn(l->s, at,
		    "query: not SQL (%s): passed over, host is used", why);
	else if (!sql)
		conf_tell(l->s, at, "query: not SQL (%s)", why);
	if (d == NULL)
		tell_missing(l, sec, *ds, has_host);
	else if (sql)
		check_parameters(l, at, *query, allowed);
	if (d == NULL || !sql) {
		drop(ds);
		drop(query);
	}
}
