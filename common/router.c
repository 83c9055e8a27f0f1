/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/datasource.h"
#include "common/ds_text.h"

static const struct section sections[] = {
	[ROUTE_FOR_RCPT] = { "smtp_rcptto_proxy", "to",
	    { "domain", "localpart", "rcptto" }, false, "nobody is asked" },
	[ROUTE_FOR_AUTH] = { "smtp_auth_proxy", "user",
	    { "domain", "localpart", "username" }, true,
	    "logins are deferred" },
};

struct route_options
router_options(const struct router *r, const struct conf_domain *d)
{
	struct route_options o = { NULL, NULL };

	if (r->section == &sections[ROUTE_FOR_AUTH])
		o.auth = d != NULL ? &d->auth : &r->conf->auth;
	else
		o.rcptto = d != NULL ? &d->rcptto : &r->conf->rcptto;
	return o;
}

const struct conf_upstream *
router_up(const struct router *r)
{
	struct route_options o = router_options(r, NULL);

	return route_options_up(&o);
}

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
is_named(const struct router *r, const char *domain)
{
	return r->n_names > 0 &&
	    bsearch(&domain, r->names, r->n_names, sizeof *r->names,
		compare_names) != NULL;
}

bool
router_global_applies(const struct router *r, const char *domain)
{
	return r->any || is_named(r, domain);
}

bool
router_is_for_all(
    const struct router *r, const struct route *route, const char *domain)
{
	return r->any && route == r->global && !is_named(r, domain);
}

/* Credentials go to hosts that stand in the same section only.  Without its
 * password the login would be refused and every recipient deferred. */
static bool
set_credential(struct route *r, const struct conf_outbound *o, char *why)
{
	static const char *const types[] = { "PLAIN", "LOGIN" };

	if (o->outbound_smtp_auth_user == NULL)
		return true;
	if (o->pass_fault != NULL) {
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "outbound_smtp_auth_pass: %s", o->pass_fault);
		return false;
	}
	r->auth_user = o->outbound_smtp_auth_user;
	r->auth_pass = o->outbound_smtp_auth_pass;
	if (o->outbound_smtp_auth_type >= 0 && o->outbound_smtp_auth_type < 2)
		r->auth_type = types[o->outbound_smtp_auth_type];
	return true;
}

/* A domain section's hosts, or with its options the global ones. */
static struct route *
route_from_list(const struct router *router, const struct conf_domain *d,
    enum route_origin origin, char *why)
{
	struct route_options o = router_options(router, d);
	const struct strlist *hosts = origin == ROUTE_DOMAIN
	    ? &route_options_up(&o)->host
	    : &router_up(router)->host;
	struct route *r;
	bool ok;

	r = route_new(router->conf, &o, origin);
	(void)snprintf(why, ROUTE_WHY_MAX, "no memory");
	ok = r != NULL;
	if (ok && origin == ROUTE_DOMAIN && o.rcptto != NULL)
		ok = set_credential(r, &d->outbound, why);
	if (ok && route_add_list(r, hosts, why)) {
		(void)snprintf(why, ROUTE_WHY_MAX, "no memory");
		if (route_finish(r))
			return r;
	}
	route_unref(r);
	return NULL;
}

static bool
load_scope(const struct router *r, const struct conf_domain *d, struct scope *s,
    char *why)
{
	struct route_options o = router_options(r, d);

	if (route_options_up(&o)->host.n > 0) {
		s->own = route_from_list(r, d, ROUTE_DOMAIN, why);
		if (s->own == NULL)
			return false;
	}
	if (router_up(r)->host.n > 0) {
		s->global = route_from_list(r, d, ROUTE_GLOBAL, why);
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

	r->any = r->section->every;
	r->scopes = calloc(c->n_domains + 1, sizeof *r->scopes);
	if (r->scopes == NULL || !load_names(r, &c->rcptto.domains)) {
		(void)snprintf(why, ROUTE_WHY_MAX, "no memory");
		return false;
	}
	for (i = 0; i < c->n_domains; i++) {
		if (!load_scope(r, &c->domains[i], &r->scopes[i], why))
			return false;
	}
	if (router_up(r)->host.n == 0)
		return true;
	r->global = route_from_list(r, NULL, ROUTE_GLOBAL, why);
	return r->global != NULL;
}

static void
note_params(struct router *r, const char *text)
{
	const char *const *params = r->section->params;
	struct ds_name name;
	size_t i;

	while (ds_text_next(&text, &name)) {
		for (i = 0; i < ROUTER_PARAMS_MAX; i++) {
			if (strlen(params[i]) == name.len &&
			    memcmp(params[i], name.at, name.len) == 0)
				r->wants[i] = true;
		}
	}
}

static bool
load_query(struct router *r, char *why)
{
	const struct conf_upstream *up = router_up(r);
	const char *section = r->section->name;
	struct fault f;

	if (up->ds_cache == NULL || up->query == NULL)
		return true;
	r->source = datasources_find(r->sources, up->ds_cache);
	if (r->source == NULL) {
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "%s: there is no datasource \"%s\"", section, up->ds_cache);
		return false;
	}
	fault_clear(&f);
	switch (
	    datasource_check(r->source, up->query, r->section->params, &f)) {
	case OUTCOME_OK:
		break;
	case OUTCOME_TEMP:
		log_warning("%s: query: %s", section, f.text);
		break;
	case OUTCOME_PERM:
		(void)snprintf(
		    why, ROUTE_WHY_MAX, "%s: query: %.350s", section, f.text);
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
router_new(struct conf *conf, enum route_for what, char *why, size_t len)
{
	struct router *r = calloc(1, sizeof *r);
	char reason[ROUTE_WHY_MAX] = "no memory";
	bool ok = false;

	if (r != NULL) {
		r->section = &sections[what];
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

void
router_each(const struct router *r, void (*fn)(void *arg, struct route *route),
    void *arg)
{
	const struct conf *c = r->conf;
	size_t i;

	if (r->global != NULL)
		fn(arg, r->global);
	for (i = 0; i < c->n_domains; i++) {
		const struct scope *s = &r->scopes[i];
		bool given = r->section == &sections[ROUTE_FOR_AUTH]
		    ? c->domains[i].auth_given
		    : c->domains[i].rcptto_given;

		if (s->own != NULL)
			fn(arg, s->own);
		else if (s->global != NULL && given)
			fn(arg, s->global);
	}
}

struct route *
router_global(struct router *r)
{
	return r->global != NULL ? route_ref(r->global) : NULL;
}
