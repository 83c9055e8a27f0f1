/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/conf.h"

const struct conf_domain *
conf_domain_find(const struct conf *c, const char *name)
{
	size_t low = 0, high = c->n_domains;
	size_t mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = strcmp(name, c->domains[mid].name);
		if (order == 0)
			return &c->domains[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct conf_datasource *
conf_datasource_find(const struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_datasources; i++)
		if (strcmp(c->datasources[i].name, name) == 0)
			return &c->datasources[i];
	return NULL;
}

static const struct conf_binding *
find_binding(const struct conf_binding *b, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(b[i].name, name) == 0)
			return &b[i];
	return NULL;
}

const struct conf_binding *
conf_binding_find(
    const struct conf *c, const char *name, const struct conf_binding **group)
{
	const struct conf_binding *b =
	    find_binding(c->bindings, c->n_bindings, name);
	size_t i;

	*group = NULL;
	for (i = 0; b == NULL && i < c->n_groups; i++) {
		b = find_binding(
		    c->groups[i].bindings, c->groups[i].n_bindings, name);
		if (b != NULL)
			*group = &c->groups[i];
	}
	return b;
}

bool
conf_is_relay_host(const struct conf *c, const char *ip)
{
	size_t i;

	for (i = 0; i < c->n_relay_nets; i++)
		if (cidr_match_text(&c->relay_nets[i], ip))
			return true;
	return false;
}

const struct conf_peer *
conf_peer_find(const struct conf *c, const char *ip)
{
	size_t i;

	for (i = 0; i < c->n_peers; i++)
		if (cidr_match_text(&c->peers[i].net, ip))
			return &c->peers[i];
	return NULL;
}

bool
conf_peer_may(const struct conf_peer *peer, const char *extension)
{
	size_t i;

	for (i = 0; peer != NULL && i < peer->smtp_extensions.n; i++)
		if (strcmp(peer->smtp_extensions.v[i], extension) == 0)
			return true;
	return false;
}

bool
conf_outbound_sets(const struct conf_outbound *o)
{
	return o->outbound_smtp_auth_user != NULL ||
	    o->outbound_smtp_auth_type >= 0 ||
	    o->outbound_smtp_auth_key != NULL;
}
