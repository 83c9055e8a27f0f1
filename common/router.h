/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * router - what the files of route.h share; nobody else includes it
 *
 *   router.c  what is settled when the configuration is loaded
 *   route.c   looking a route up, and the steps of it for people
 */
#ifndef POSTERN_COMMON_ROUTER_H
#define POSTERN_COMMON_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/log.h"
#include "common/route.h"
#include "common/route_build.h"

struct datasource;
struct datasources;

#define ROUTER_PARAMS_MAX 3

/* What the sections of the configuration that have routes differ in. */
struct section {
	const char *name;
	const char *whom; /* key of the log: who the route is for */
	/* Parameters of the query; the last is NULL. */
	const char *params[ROUTER_PARAMS_MAX + 1];
	bool every;           /* the global host serves every name */
	const char *no_route; /* what that means, for people */
};

/* The routes of one domain section. */
struct scope {
	struct route *own;    /* of the section's hosts, or NULL */
	struct route *global; /* of the global hosts, or NULL */
};

struct router {
	const struct section *section;
	struct conf *conf;
	struct datasources *sources;
	struct datasource *source;     /* NULL: there is no query */
	bool wants[ROUTER_PARAMS_MAX]; /* which parameters the query has */
	struct scope *scopes;          /* as conf->domains */
	struct route *global;          /* for domains without a section */
	char **names;                  /* domains, sorted; lower case */
	size_t n_names;
	bool any; /* "*" is among them */
	struct log_limit nonsense;
};

/* router_options(r, d): the options of a domain section, or of the global
 * one when d is NULL. */
struct route_options router_options(
    const struct router *r, const struct conf_domain *d);

/* router_up(r): the global section's. */
const struct conf_upstream *router_up(const struct router *r);

/* router_global_applies(r, domain): do the global hosts serve it? */
bool router_global_applies(const struct router *r, const char *domain);

#endif /* POSTERN_COMMON_ROUTER_H */
