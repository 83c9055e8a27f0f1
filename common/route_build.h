/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route_build - put a route together: hosts first, then its id
 *
 * For route.c; a route that is shared is not built on any more.
 */
#ifndef POSTERN_COMMON_ROUTE_BUILD_H
#define POSTERN_COMMON_ROUTE_BUILD_H

#include <stdbool.h>

#include "common/route.h"

struct ds_rows;

/* The options of a route: of the one section or of the other. */
struct route_options {
	const struct conf_rcptto *rcptto; /* NULL: for logins */
	const struct conf_auth *auth;     /* NULL: for recipients */
};

/* route_options_up(o): what both sections have.  Borrowed. */
const struct conf_upstream *route_options_up(const struct route_options *o);

/*
 * route_new(conf, o, origin): a route without hosts, with one reference; it
 * keeps one to conf.  NULL when memory is short.
 */
struct route *route_new(
    struct conf *conf, const struct route_options *o, enum route_origin origin);

/*
 * route_add_list(r, hosts, why): add every host of a list.
 * route_add_rows(r, rows, why): add every host of an answer.
 *
 *   why  at least ROUTE_WHY_MAX octets: what is wrong, on failure; with
 *        success too, what was not followed, or ""
 *
 * Hosts beyond ROUTE_HOSTS_MAX are left out.  Return false when one is no
 * endpoint, a port or tls is none, or passwords must not go there: there are
 * no logins in LMTP, nor under tls = may to another machine.
 */
#define ROUTE_WHY_MAX 400
bool route_add_list(struct route *r, const struct strlist *hosts, char *why);
bool route_add_rows(struct route *r, const struct ds_rows *rows, char *why);

/* route_finish(r): give it its id.  False when memory is short. */
bool route_finish(struct route *r);

#endif /* POSTERN_COMMON_ROUTE_BUILD_H */
