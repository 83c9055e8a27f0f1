/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route - which upstream is asked about a recipient, or about a login
 *
 * For recipients smtp_rcptto_proxy says it, for logins smtp_auth_proxy.
 * Looked for in this order; the first that is there decides:
 *
 *	1. the `domain` section of that very name, when it has a host
 *	2. the rows of the global query, whose parameters are :domain (in
 *	   lower case), :localpart, and :rcptto or :username (octet by octet)
 *	3. the global host: for the names in `domains`, or any with "*";
 *	   for every user
 *
 * A row is a host, in the column of that name or the only one; columns "port"
 * and "tls" may go with it, NULL or empty where they say nothing.
 *
 * Whatever the route is, the options of the recipient's or user's `domain`
 * section apply to it when there is one.  A recipient without a route is
 * nobody's to ask about; a data source that fails is another matter, and
 * never means "no route".
 *
 * A router belongs to one configuration snapshot and is not changed after
 * router_new(), but for the caches of its data sources, which have locks of
 * their own.  Any thread.
 */
#ifndef POSTERN_COMMON_ROUTE_H
#define POSTERN_COMMON_ROUTE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/endpoint.h"
#include "common/outcome.h"

struct address;
struct datasources;
struct login_name;
struct router;
struct secret;
struct strbuf;

#define ROUTE_HOSTS_MAX CONF_HOSTS_MAX
#define ROUTE_ID_MAX    24

enum route_origin {
	ROUTE_DOMAIN, /* the host of a domain section */
	ROUTE_QUERY,
	ROUTE_GLOBAL, /* the global host */
};

/* The tls column of a row may tighten what the section demands; what would
 * loosen it is warned about and not followed. */
struct route_host {
	struct endpoint endpoint; /* the port is set, but for a Unix socket */
	char label[ENDPOINT_TEXT_MAX]; /* the same, for people and as a key */
	enum conf_tls tls;             /* what the section or the row demands */
};

/* Immutable; freed with its last reference. */
struct route {
	enum route_origin origin;
	/* Borrowed from conf. */
	const struct conf_rcptto *options;        /* NULL: for logins */
	const struct conf_auth *auth;             /* NULL: for recipients */
	const struct conf_upstream *up;           /* of the one that is there */
	size_t n_hosts;                           /* at least one */
	struct route_host hosts[ROUTE_HOSTS_MAX]; /* tried in order */

	/* What the answers of this route depend on, in short, for keys:
	 * the hosts, and for recipients mailfrom, helo, xclient, the login's
	 * name and reply_class.  The same options give the same id, in the next snapshot too. */
	char id[ROUTE_ID_MAX];

	/* The recipient's domain section's outbound_smtp_auth_*, with its own
	 * hosts only; NULL without.  Borrowed from conf. */
	const char *auth_user;
	const struct secret *auth_pass;
	const char *auth_type; /* "PLAIN", "LOGIN", or NULL */

	struct conf *conf; /* referenced */
	atomic_uint refs;
};

struct route *route_ref(struct route *r);
void route_unref(struct route *r); /* NULL does nothing */

enum route_for {
	ROUTE_FOR_RCPT, /* smtp_rcptto_proxy */
	ROUTE_FOR_AUTH, /* smtp_auth_proxy */
};

/*
 * router_new(conf, what, why, len): prepare the routes of a snapshot and open
 * its data sources.  Keeps a reference to conf.
 *
 *   why, len  gets the reason on failure
 *
 * A data source that is down is warned about and does not fail this; a query
 * that can never work does, unless there are hosts that serve instead: then
 * it is warned about and passed over.  Returns NULL on failure.
 */
struct router *router_new(
    struct conf *conf, enum route_for what, char *why, size_t len);
void router_free(struct router *r); /* NULL does nothing */

/* router_datasources(r): for statistics and flushing.  Borrowed. */
struct datasources *router_datasources(struct router *r);

/*
 * route_rcpt(r, rcpt, d, out, f): the route of a recipient.
 *
 *   rcpt  with a domain (ADDRESS_OK)
 *   d     limit of the look-up
 *   out   a reference for the caller to drop, or NULL: there is no route
 *
 * Returns OUTCOME_OK, or OUTCOME_TEMP with *out NULL and *f set: a data
 * source is down or what it says is no route.
 */
enum outcome route_rcpt(struct router *r, const struct address *rcpt,
    struct deadline d, struct route **out, struct fault *f);

/* router_is_for_all(r, route, domain): has the domain this route only because
 * the `domains` of the global host hold "*", as a stranger's has? */
bool router_is_for_all(
    const struct router *r, const struct route *route, const char *domain);

/* route_auth(r, name, d, out, f): the same of a user who logs in. */
enum outcome route_auth(struct router *r, const struct login_name *name,
    struct deadline d, struct route **out, struct fault *f);

/* route_auth_asks(r, name): does route_auth() put a question to a data
 * source, which may take its time? */
bool route_auth_asks(const struct router *r, const struct login_name *name);

/*
 * route_explain(r, rcpt, d, sb), route_explain_auth(r, name, d, sb): the same
 * as text, a line for each step and what came of it, for people.
 */
void route_explain(struct router *r, const struct address *rcpt,
    struct deadline d, struct strbuf *sb);
void route_explain_auth(struct router *r, const struct login_name *name,
    struct deadline d, struct strbuf *sb);

/*
 * router_each(r, fn, arg): tell fn of each route that stands in the
 * configuration: of the global host, and of `domain` sections that have a
 * host or other options.
 */
void router_each(const struct router *r,
    void (*fn)(void *arg, struct route *route), void *arg);

/* router_global(r): the route of the global host, a reference for the caller
 * to drop; NULL when there is none. */
struct route *router_global(struct router *r);

/* route_origin_name(o): "domain", "query" or "global".  Constant. */
const char *route_origin_name(enum route_origin o);

#endif /* POSTERN_COMMON_ROUTE_H */
