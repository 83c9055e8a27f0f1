/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/route.h"

#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/datasource.h"
#include "common/login_name.h"
#include "common/router.h"
#include "common/strbuf.h"

/* A nonsense row is complained about this often at most. */
#define COMPLAIN_MS 60000

/* Who the route is for: a recipient or a user. */
struct whom {
	const char *full, *local, *domain;
};

/* One look-up, and the steps of it for people. */
struct lookup {
	struct router *router;
	struct whom whom;
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

static void
complain(const struct lookup *l, const char *what)
{
	if (!log_limited(&l->router->nonsense, COMPLAIN_MS))
		log_warning("route: %s=<%s>: %s", l->router->section->whom,
		    l->whom.full, what);
}

/* A route of the rows that were found. */
static enum outcome
route_from_rows(const struct lookup *l, const struct ds_rows *rows,
    struct route **out, struct fault *f)
{
	struct route_options o = router_options(l->router, l->domain);
	struct route *r = route_new(l->router->conf, &o, ROUTE_QUERY);
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
	const char *const values[ROUTER_PARAMS_MAX] = { l->whom.domain,
		l->whom.local, l->whom.full };
	size_t i, n = 0;

	/* One that the query has no use for would only split its cache. */
	for (i = 0; i < ROUTER_PARAMS_MAX; i++) {
		if (!l->router->wants[i])
			continue;
		params[n].name = l->router->section->params[i];
		params[n++].value = values[i];
	}
	return n;
}

static enum outcome
look_in_source(const struct lookup *l, struct route **out, struct fault *f)
{
	struct ds_param params[ROUTER_PARAMS_MAX];
	struct ds_query q = { router_up(l->router)->query, params,
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
	if (l->whom.domain[0] == '\0')
		strbuf_adds(l->sb, "domain: the name has none\n");
	else if (l->scope == NULL)
		strbuf_addf(
		    l->sb, "domain: no section \"%s\"\n", l->whom.domain);
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
	else if (l->router->section->every)
		why = "it serves every user";
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
	applies = router_global_applies(r, l->whom.domain);
	if (l->sb != NULL)
		explain_global(l, applies, global != NULL);
	if (applies && global != NULL)
		*out = route_ref(global);
	return OUTCOME_OK;
}

static enum outcome
find(struct router *r, const struct whom *whom, struct deadline d,
    struct strbuf *sb, struct route **out, struct fault *f)
{
	struct lookup l = {
		.router = r, .whom = *whom, .deadline = d, .sb = sb
	};

	*out = NULL;
	l.domain = conf_domain_find(r->conf, whom->domain);
	if (l.domain != NULL)
		l.scope = &r->scopes[l.domain - r->conf->domains];
	return look_up(&l, out, f);
}

static struct whom
recipient(const struct address *rcpt)
{
	return (struct whom){ rcpt->path, rcpt->local, rcpt->domain };
}

static struct whom
user(const struct login_name *name)
{
	return (struct whom){ name->full, name->local, name->domain };
}

enum outcome
route_rcpt(struct router *r, const struct address *rcpt, struct deadline d,
    struct route **out, struct fault *f)
{
	struct whom whom = recipient(rcpt);

	return find(r, &whom, d, NULL, out, f);
}

enum outcome
route_auth(struct router *r, const struct login_name *name, struct deadline d,
    struct route **out, struct fault *f)
{
	struct whom whom = user(name);

	return find(r, &whom, d, NULL, out, f);
}

bool
route_auth_asks(const struct router *r, const struct login_name *name)
{
	const struct conf_domain *d;

	if (r->source == NULL)
		return false;
	d = conf_domain_find(r->conf, name->domain);
	return d == NULL || r->scopes[d - r->conf->domains].own == NULL;
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

static void
explain(struct router *r, const struct whom *whom, struct deadline d,
    struct strbuf *sb)
{
	struct route *route = NULL;
	struct fault f;
	size_t i;

	fault_clear(&f);
	if (find(r, whom, d, sb, &route, &f) != OUTCOME_OK) {
		strbuf_addf(sb, "route: not known now: %s\n", f.text);
		return;
	}
	if (route == NULL) {
		strbuf_addf(sb, "route: none, %s\n", r->section->no_route);
		return;
	}
	strbuf_addf(sb, "route: from %s, id %s\n",
	    route_origin_name(route->origin), route->id);
	for (i = 0; i < route->n_hosts; i++)
		strbuf_addf(sb, "upstream %zu: %s, tls %s\n", i + 1,
		    route->hosts[i].label, tls_name(route->hosts[i].tls));
	if (route->auth_user != NULL)
		strbuf_addf(sb, "login: %s\n", route->auth_user);
	route_unref(route);
}

void
route_explain(struct router *r, const struct address *rcpt, struct deadline d,
    struct strbuf *sb)
{
	struct whom whom = recipient(rcpt);

	explain(r, &whom, d, sb);
}

void
route_explain_auth(struct router *r, const struct login_name *name,
    struct deadline d, struct strbuf *sb)
{
	struct whom whom = user(name);

	explain(r, &whom, d, sb);
}
