/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/credential_index.h"

#include <stdlib.h>
#include <string.h>

#include "common/credential.h"

/* -- what is there ---------------------------------------------------- */

static bool
add(struct credential_index *x, const struct credential_entry *e,
    const char *name)
{
	struct credential_entry *entries;
	size_t room;

	if (x->n_entries == x->room) {
		room = x->room == 0 ? 64 : x->room * 2;
		entries = reallocarray(x->entries, room, sizeof(*entries));
		if (entries == NULL)
			return false;
		x->entries = entries;
		x->room = room;
	}
	x->entries[x->n_entries] = *e;
	x->entries[x->n_entries].name = strdup(name);
	if (x->entries[x->n_entries].name == NULL)
		return false;
	x->n_entries++;
	return true;
}

/* A domain that no next hop can have for a name is left out: the
 * configuration has warned. */
static bool
add_domain(struct credential_index *x, size_t owner, const char *name,
    const struct conf_outbound *o)
{
	struct credential_entry e = {
		.owner = owner, .kind = CREDENTIAL_DOMAIN, .outbound = o
	};
	struct nexthop to;

	if (!nexthop_parse(name, strlen(name), &to, NULL))
		return true;
	return add(x, &e, to.host);
}

static bool
add_senders(struct credential_index *x, size_t owner,
    const struct conf_login *v, size_t n)
{
	struct credential_entry e = { .owner = owner,
		.kind = CREDENTIAL_SENDER };
	char name[CREDENTIAL_SENDER_MAX + 1];
	size_t i;

	for (i = 0; i < n; i++) {
		e.login = &v[i];
		e.outbound = &v[i].outbound;
		if (credential_sender(v[i].name, name) && !add(x, &e, name))
			return false;
	}
	return true;
}

static bool
add_nexthops(
    struct credential_index *x, size_t owner, const struct strlist *list)
{
	struct credential_entry e = { .owner = owner,
		.kind = CREDENTIAL_NEXTHOP };
	struct nexthop to;
	size_t i;

	x->owners[owner].n_nexthops = list->n;
	for (i = 0; i < list->n; i++) {
		if (!nexthop_parse(list->v[i], strlen(list->v[i]), &to, NULL))
			continue;
		e.value = to.port;
		if (!add(x, &e, to.host))
			return false;
	}
	return true;
}

static bool
add_bindings(struct credential_index *x, const struct conf_binding *v, size_t n,
    size_t group, bool are_groups)
{
	struct credential_entry e = { .owner = CREDENTIAL_GLOBAL,
		.kind = CREDENTIAL_BINDING };
	struct credential_owner *o;
	size_t i, k;

	for (i = 0; i < n; i++) {
		e.value = x->n_owners++;
		o = &x->owners[e.value];
		o->binding = &v[i];
		o->outbound = &v[i].outbound;
		o->group = group;
		if ((!are_groups && !add(x, &e, v[i].name)) ||
		    !add_nexthops(x, e.value, &v[i].nexthops) ||
		    !add_senders(x, e.value, v[i].senders, v[i].n_senders))
			return false;
		for (k = 0; k < v[i].n_domains; k++)
			if (!add_domain(x, e.value, v[i].domains[k].name,
				&v[i].domains[k].outbound))
				return false;
		if (!add_bindings(
			x, v[i].bindings, v[i].n_bindings, e.value, false))
			return false;
	}
	return true;
}

/* -- order ------------------------------------------------------------ */

static int
compare(const void *va, const void *vb)
{
	const struct credential_entry *a = va, *b = vb;

	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

bool
credential_index_init(struct credential_index *x, const struct conf *c)
{
	size_t i, n = 1 + c->n_groups + c->n_bindings;

	memset(x, 0, sizeof(*x));
	for (i = 0; i < c->n_groups; i++)
		n += c->groups[i].n_bindings;
	x->owners = calloc(n, sizeof(*x->owners));
	if (x->owners == NULL)
		return false;
	x->n_owners = 1;
	x->owners[CREDENTIAL_GLOBAL].outbound = &c->outbound;
	for (i = 0; i < c->n_domains; i++)
		if (!add_domain(x, CREDENTIAL_GLOBAL, c->domains[i].name,
			&c->domains[i].outbound))
			return false;
	if (!add_nexthops(x, CREDENTIAL_GLOBAL, &c->credential.nexthops) ||
	    !add_senders(x, CREDENTIAL_GLOBAL, c->senders, c->n_senders) ||
	    !add_bindings(x, c->groups, c->n_groups, CREDENTIAL_GLOBAL, true) ||
	    !add_bindings(
		x, c->bindings, c->n_bindings, CREDENTIAL_GLOBAL, false))
		return false;
	if (x->n_entries > 0)
		qsort(x->entries, x->n_entries, sizeof(*x->entries), compare);
	return true;
}

void
credential_index_release(struct credential_index *x)
{
	size_t i;

	for (i = 0; i < x->n_entries; i++)
		free(x->entries[i].name);
	free(x->entries);
	free(x->owners);
	memset(x, 0, sizeof(*x));
}

/* -- finding ---------------------------------------------------------- */

/* -1: e comes before what is wanted. */
static int
order(const struct credential_entry *e, size_t owner, enum credential_kind kind,
    const char *name)
{
	if (e->owner != owner)
		return e->owner < owner ? -1 : 1;
	if (e->kind != kind)
		return e->kind < kind ? -1 : 1;
	return strcmp(e->name, name);
}

const struct credential_entry *
credential_index_find(const struct credential_index *x, size_t owner,
    enum credential_kind kind, const char *name)
{
	size_t low = 0, high = x->n_entries, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (order(&x->entries[mid], owner, kind, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < x->n_entries &&
	    order(&x->entries[low], owner, kind, name) == 0)
		return &x->entries[low];
	return NULL;
}

bool
credential_index_covers(const struct credential_index *x, size_t owner,
    const struct nexthop *to, bool any_port)
{
	const struct credential_entry *e =
	    credential_index_find(x, owner, CREDENTIAL_NEXTHOP, to->host);
	const struct credential_entry *end = x->entries + x->n_entries;

	/* As nexthop_covers(), for those of one host: they are together. */
	for (; e != NULL && e < end &&
	     order(e, owner, CREDENTIAL_NEXTHOP, to->host) == 0;
	     e++)
		if (any_port || e->value == 0 || e->value == to->port)
			return true;
	return false;
}
