/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/datasource.h"
#include "common/ds_text.h"
#include "common/log.h"
#include "common/route_build.h"
#include "common/strbuf.h"

#define PARAMS_MAX 3

/* A nonsense row is complained about this often at most. */
#define COMPLAIN_MS 60000

static const char *const param_names[PARAMS_MAX + 1] = { "domain", "localpart",
	"rcptto", NULL };

/* What is settled when the configuration is loaded. */
struct scope {
	struct route *own;    /* of the section's hosts, or NULL */
	struct route *global; /* of the global hosts, or NULL */
};

struct router {
	struct conf *conf;
	struct datasources *sources;
	struct datasource *source; /* NULL: there is no query */
	bool wants[PARAMS_MAX];    /* which parameters the query has */
	struct scope *scopes;      /* as conf->domains */
	struct route *global;      /* for domains without a section */
	char **names;              /* domains, sorted; lower case */
	size_t n_names;
	bool any; /* "*" is among them */
	struct log_limit nonsense;
};

/* One look-up, and the steps of it for people. */
struct lookup {
	struct router *router;
	const struct address *rcpt;
	const struct conf_domain *domain; /* NULL: no section */
	const struct scope *scope;
	struct deadline deadline;
	struct strbuf *sb; /* NULL: nobody wants to know */
};

const char *
route_origin_name(enum route_origin o)
{
	switch (o) {
	case ROUTE_DOMAIN:
		return "domain";
	case ROUTE_QUERY:
		return "query";
	case ROUTE_GLOBAL:
		return "global";
	}
	return "unknown";
}

/* -- preparing -------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* The names of `domains`, as the domains of addresses are written. */
static bool
load_names(struct router *r, const struct strlist *list)
{
	size_t i;
	char *p;

	r->names = calloc(list->n + 1, sizeof *r->names);
	if (r->names == NULL)
		return false;
	for (i = 0; i < list->n; i++) {
		size_t len = strlen(list->v[i]);

		if (strcmp(list->v[i], "*") == 0) {
			r->any = true;
			continue;
		}
		if (len > 1 && list->v[i][len - 1] == '.')
			len--;
		p = strndup(list->v[i], len);
		if (p == NULL)
			return false;
		r->names[r->n_names++] = p;
		for (; *p != '\0'; p++) {
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
		}
	}
	qsort(r->names, r->n_names, sizeof *r->names, compare_names);
	return true;
}

static bool
global_applies(const struct router *r, const char *domain)
{
	return r->any ||
	    (r->n_names > 0 &&
		bsearch(&domain, r->names, r->n_names, sizeof *r->names,
		    compare_names) != NULL);
}

/* Credentials go to hosts that stand in the same section only. */
static void
set_credential(struct route *r, const struct conf_outbound *o)
{
	static const char *const types[] = { "PLAIN", "LOGIN" };

	if (o->outbound_smtp_auth_user == NULL)
		return;
	r->auth_user = o->outbound_smtp_auth_user;
	r->auth_pass = o->outbound_smtp_auth_pass;
	if (o->outbound_smtp_auth_type >= 0 && o->outbound_smtp_auth_type < 2)
		r->auth_type = types[o->outbound_smtp_auth_type];
}

static struct route *
route_from_list(struct conf *conf, const struct conf_rcptto *options,
    const struct conf_outbound *login, const struct strlist *hosts, char *why)
{
	struct route *r;

	r = route_new(
	    conf, options, login != NULL ? ROUTE_DOMAIN : ROUTE_GLOBAL);
	(void)snprintf(why, ROUTE_WHY_MAX, "no memory");
	if (r != NULL && login != NULL)
		set_credential(r, login);
	if (r != NULL && route_add_list(r, hosts, why)) {
		(void)snprintf(why, ROUTE_WHY_MAX, "no memory");
		if (route_finish(r))
			return r;
	}
	route_unref(r);
	return NULL;
}

static bool
load_scope(
    struct router *r, const struct conf_domain *d, struct scope *s, char *why)
{
	const struct strlist *global = &r->conf->rcptto.up.host;

	if (d->rcptto.up.host.n > 0) {
		s->own = route_from_list(
		    r->conf, &d->rcptto, &d->outbound, &d->rcptto.up.host, why);
		if (s->own == NULL)
			return false;
	}
	if (global->n > 0) {
		s->global =
		    route_from_list(r->conf, &d->rcptto, NULL, global, why);
		if (s->global == NULL)
			return false;
	}
	return true;
}

static bool
load_scopes(struct router *r, char *why)
{
	const struct conf *c = r->conf;
	size_t i;

	r->scopes = calloc(c->n_domains + 1, sizeof *r->scopes);
	if (r->scopes == NULL || !load_names(r, &c->rcptto.domains)) {
		(void)snprintf(why, ROUTE_WHY_MAX, "no memory");
		return false;
	}
	for (i = 0; i < c->n_domains; i++) {
		if (!load_scope(r, &c->domains[i], &r->scopes[i], why))
			return false;
	}
	if (c->rcptto.up.host.n == 0)
		return true;
	r->global =
	    route_from_list(r->conf, &c->rcptto, NULL, &c->rcptto.up.host, why);
	return r->global != NULL;
}

static void
note_params(struct router *r, const char *text)
{
	struct ds_name name;
	size_t i;

	while (ds_text_next(&text, &name)) {
		for (i = 0; i < PARAMS_MAX; i++) {
			if (strlen(param_names[i]) == name.len &&
			    memcmp(param_names[i], name.at, name.len) == 0)
				r->wants[i] = true;
		}
	}
}

static bool
load_query(struct router *r, char *why)
{
	const struct conf_upstream *up = &r->conf->rcptto.up;
	struct fault f;

	if (up->ds_cache == NULL || up->query == NULL)
		return true;
	r->source = datasources_find(r->sources, up->ds_cache);
	if (r->source == NULL) {
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "smtp_rcptto_proxy: there is no datasource \"%s\"",
		    up->ds_cache);
		return false;
	}
	fault_clear(&f);
	switch (datasource_check(r->source, up->query, param_names, &f)) {
	case OUTCOME_OK:
		break;
	case OUTCOME_TEMP:
		log_warning("smtp_rcptto_proxy: query: %s", f.text);
		break;
	case OUTCOME_PERM:
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "smtp_rcptto_proxy: query: %.350s", f.text);
		if (up->host.n == 0)
			return false;
		log_warning("%s; passed over, host serves", why);
		r->source = NULL;
		break;
	}
	note_params(r, up->query);
	return true;
}

struct router *
router_new(struct conf *conf, char *why, size_t len)
{
	struct router *r = calloc(1, sizeof *r);
	char reason[ROUTE_WHY_MAX] = "no memory";
	bool ok = false;

	if (r != NULL) {
		r->conf = conf_ref(conf);
		r->sources = datasources_open(conf, reason, sizeof reason);
		ok = r->sources != NULL && load_query(r, reason) &&
		    load_scopes(r, reason);
	}
	if (ok)
		return r;
	(void)snprintf(why, len, "%s", reason);
	router_free(r);
	return NULL;
}

void
router_free(struct router *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; r->scopes != NULL && i < r->conf->n_domains; i++) {
		route_unref(r->scopes[i].own);
		route_unref(r->scopes[i].global);
	}
	route_unref(r->global);
	for (i = 0; i < r->n_names; i++)
		free(r->names[i]);
	free(r->names);
	free(r->scopes);
	datasources_free(r->sources);
	conf_unref(r->conf);
	free(r);
}

struct datasources *
router_datasources(struct router *r)
{
	return r->sources;
}

/* -- looking up ------------------------------------------------------- */

static const struct conf_rcptto *
options_for(const struct lookup *l)
{
	return l->domain != NULL ? &l->domain->rcptto
				 : &l->router->conf->rcptto;
}

static void
complain(const struct lookup *l, const char *what)
{
	if (!log_limited(&l->router->nonsense, COMPLAIN_MS))
		log_warning("route: to=<%s>: %s", l->rcpt->path, what);
}

/* A route of the rows that were found. */
static enum outcome
route_from_rows(const struct lookup *l, const struct ds_rows *rows,
    struct route **out, struct fault *f)
{
	struct route *r =
	    route_new(l->router->conf, options_for(l), ROUTE_QUERY);
	char why[ROUTE_WHY_MAX] = "";
	struct fault said;
	bool ok;

	fault_clear(&said);
	ok = r != NULL && route_add_rows(r, rows, why);
	if (ok)
		ok = route_finish(r);
	if (!ok || why[0] != '\0') {
		fault_set(&said, FAULT_LOCAL, "datasource %s: %s",
		    datasource_name(l->router->source),
		    why[0] != '\0' ? why : "no memory");
		complain(l, said.text);
	}
	if (!ok) {
		fault_set(f, FAULT_LOCAL, "%s", said.text);
		route_unref(r);
		return OUTCOME_TEMP;
	}
	*out = r;
	return OUTCOME_OK;
}

static size_t
set_params(const struct lookup *l, struct ds_param *params)
{
	const char *const values[PARAMS_MAX] = { l->rcpt->domain,
		l->rcpt->local, l->rcpt->path };
	size_t i, n = 0;

	/* One that the query has no use for would only split its cache. */
	for (i = 0; i < PARAMS_MAX; i++) {
		if (!l->router->wants[i])
			continue;
		params[n].name = param_names[i];
		params[n++].value = values[i];
	}
	return n;
}

static enum outcome
look_in_source(const struct lookup *l, struct route **out, struct fault *f)
{
	struct ds_param params[PARAMS_MAX];
	struct ds_query q = { l->router->conf->rcptto.up.query, params,
		set_params(l, params), l->deadline };
	struct ds_result found;
	struct fault ours;
	enum outcome oc;

	fault_clear(&ours);
	oc = datasource_query(l->router->source, &q, &found, &ours);
	if (oc != OUTCOME_OK) {
		fault_set(f, FAULT_LOCAL, "%s", ours.text);
		if (oc == OUTCOME_PERM)
			complain(l, ours.text);
		return OUTCOME_TEMP;
	}
	if (l->sb != NULL)
		strbuf_addf(l->sb, "query: datasource %s: %zu rows%s\n",
		    datasource_name(l->router->source),
		    ds_rows_count(found.rows),
		    found.stale        ? ", remembered, past their time"
			: found.cached ? ", remembered"
				       : "");
	if (ds_rows_count(found.rows) > 0)
		oc = route_from_rows(l, found.rows, out, f);
	ds_rows_unref(found.rows);
	return oc;
}

static void
explain_scope(const struct lookup *l)
{
	if (l->scope == NULL)
		strbuf_addf(
		    l->sb, "domain: no section \"%s\"\n", l->rcpt->domain);
	else
		strbuf_addf(l->sb, "domain: section \"%s\", %s\n",
		    l->domain->name,
		    l->scope->own != NULL ? "with hosts" : "without a host");
}

static void
explain_global(const struct lookup *l, bool applies, bool hosts)
{
	const char *why = "its domains hold the name";

	if (!hosts)
		why = "it is not set";
	else if (!applies)
		why = "its domains do not hold the name";
	else if (l->router->any)
		why = "its domains hold \"*\"";
	strbuf_addf(l->sb, "host: %s\n", why);
}

static enum outcome
look_up(const struct lookup *l, struct route **out, struct fault *f)
{
	struct router *r = l->router;
	struct route *global = l->scope != NULL ? l->scope->global : r->global;
	enum outcome oc = OUTCOME_OK;
	bool applies;

	if (l->sb != NULL)
		explain_scope(l);
	if (l->scope != NULL && l->scope->own != NULL) {
		*out = route_ref(l->scope->own);
		return OUTCOME_OK;
	}
	if (r->source != NULL)
		oc = look_in_source(l, out, f);
	else if (l->sb != NULL)
		strbuf_adds(l->sb, "query: none\n");
	if (oc != OUTCOME_OK || *out != NULL)
		return oc;
	applies = global_applies(r, l->rcpt->domain);
	if (l->sb != NULL)
		explain_global(l, applies, global != NULL);
	if (applies && global != NULL)
		*out = route_ref(global);
	return OUTCOME_OK;
}

static void
lookup_init(struct lookup *l, struct router *r, const struct address *rcpt,
    struct deadline d)
{
	memset(l, 0, sizeof *l);
	l->router = r;
	l->rcpt = rcpt;
	l->deadline = d;
	l->domain = conf_domain_find(r->conf, rcpt->domain);
	if (l->domain != NULL)
		l->scope = &r->scopes[l->domain - r->conf->domains];
}

enum outcome
route_rcpt(struct router *r, const struct address *rcpt, struct deadline d,
    struct route **out, struct fault *f)
{
	struct lookup l;

	*out = NULL;
	lookup_init(&l, r, rcpt, d);
	return look_up(&l, out, f);
}

static const char *
tls_name(enum conf_tls tls)
{
	switch (tls) {
	case TLS_NONE:
		return "none";
	case TLS_MAY:
		return "may";
	case TLS_ENCRYPT:
		return "encrypt";
	case TLS_VERIFY:
		return "verify";
	case TLS_IMPLICIT:
		return "implicit";
	}
	return "unknown";
}

void
route_explain(struct router *r, const struct address *rcpt, struct deadline d,
    struct strbuf *sb)
{
	char label[ENDPOINT_TEXT_MAX];
	struct route *route = NULL;
	struct lookup l;
	struct fault f;
	size_t i;

	fault_clear(&f);
	lookup_init(&l, r, rcpt, d);
	l.sb = sb;
	if (look_up(&l, &route, &f) != OUTCOME_OK) {
		strbuf_addf(sb, "route: not known now: %s\n", f.text);
		return;
	}
	if (route == NULL) {
		strbuf_adds(sb, "route: none, nobody is asked\n");
		return;
	}
	strbuf_addf(sb, "route: from %s, id %s\n",
	    route_origin_name(route->origin), route->id);
	for (i = 0; i < route->n_hosts; i++)
		strbuf_addf(sb, "upstream %zu: %s, tls %s\n", i + 1,
		    endpoint_format(
			&route->hosts[i].endpoint, label, sizeof label),
		    tls_name(route->hosts[i].tls));
	if (route->auth_user != NULL)
		strbuf_addf(sb, "login: %s\n", route->auth_user);
	route_unref(route);
}
