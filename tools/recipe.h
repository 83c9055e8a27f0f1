/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recipe - the MTA's side of outbound credentials, made from postern.conf
 *
 * smtp(8) is asked for no type and tells no binding: a transport of its own,
 * with options, stands for each.  A plan is the transports that a
 * configuration needs:
 *
 *	binding-NAME  one a binding, asking map NAME
 *	smtp-login    for next hops outside of bindings, asking map "default":
 *	smtp-plain    by the type that belongs to them,
 *	smtp-auth     or without one
 *
 * The same configuration always gives the same text.
 */
#ifndef POSTERN_TOOLS_RECIPE_H
#define POSTERN_TOOLS_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/conf.h"
#include "common/nexthop.h"

#define RECIPE_NAME_MAX 80 /* "binding-" and a binding's name */
/* Brackets, a colon and a port around a host. */
#define RECIPE_HOP_MAX  (NEXTHOP_HOST_MAX + 10)
#define RECIPE_MAP_MAX  512

struct recipe_transport {
	char name[RECIPE_NAME_MAX];
	const char *map;
	const struct conf_binding *binding; /* NULL: smtp-TYPE */
	bool word;    /* the header can name it: postern-milter(8) */
	bool login;   /* something may be given under that map */
	bool senders; /* some of it by sender */
	bool mixed;   /* senders of different types */
	bool literal; /* the next hop is an IP address */
	int type;     /* OUTBOUND_PLAIN, OUTBOUND_LOGIN; -1: any */
	/* The first of its nexthops as Postfix wants it; "" without. */
	char nexthop[RECIPE_HOP_MAX];
};

/* Mail for a domain, by way of a transport. */
struct recipe_route {
	const char *domain;
	const struct recipe_transport *by;
};

struct recipe_plan {
	struct conf *conf; /* a reference */
	struct recipe_transport *transports;
	size_t n_transports;
	struct recipe_route *routes;
	size_t n_routes;
	/* A next hop of the global scope and its transport, or NULL. */
	struct recipe_route global;
	char global_hop[RECIPE_HOP_MAX];
	/* Of next hops that nobody names, when a query may know them. */
	const struct recipe_transport *unnamed;
	/* "unix:postern/outbound", or with an absolute path. */
	char socketmap[RECIPE_MAP_MAX];
	bool in_queue; /* the path is relative to the queue directory */
	/* "unix:/run/postern/outbound", outside of the queue directory if there
	 * is such a one; of the configuration. */
	const char *sendmail_socket;
};

/*
 * recipe_plan_init(p, conf, queue_directory): make the plan.  Returns false
 * after a message, with nothing to release, when there is no memory or a
 * socket's path cannot stand in the files.
 */
bool recipe_plan_init(
    struct recipe_plan *p, struct conf *conf, const char *queue_directory);
void recipe_plan_release(struct recipe_plan *p);

/* recipe_print(p, file, out): the lines for that file, "main.cf" and so on;
 * what cannot be put in lines is told on standard error.  Returns false when
 * there is no such file. */
bool recipe_print(const struct recipe_plan *p, const char *file, FILE *out);

#endif /* POSTERN_TOOLS_RECIPE_H */
