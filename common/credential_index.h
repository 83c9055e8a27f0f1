/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * credential_index - the scopes of a snapshot, found by name
 *
 * Internal to credential*.c.  A configuration may have thousands of senders,
 * domains and next hops: all of them stand in one array, sorted by owner,
 * kind and name.  An owner is what a scope belongs to: the whole
 * (CREDENTIAL_GLOBAL), a binding group or a binding.
 */
#ifndef POSTERN_COMMON_CREDENTIAL_INDEX_H
#define POSTERN_COMMON_CREDENTIAL_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/nexthop.h"

#define CREDENTIAL_GLOBAL 0 /* index of the owner of that kind */

struct credential_owner {
	const struct conf_binding *binding; /* or group; NULL: global */
	size_t group; /* owner of a binding's group, or CREDENTIAL_GLOBAL */
	size_t n_nexthops;
	const struct conf_outbound *outbound;
};

enum credential_kind {
	CREDENTIAL_BINDING, /* of CREDENTIAL_GLOBAL: value is the owner */
	CREDENTIAL_NEXTHOP, /* by host; value is the port or 0 */
	CREDENTIAL_DOMAIN,  /* by host */
	CREDENTIAL_SENDER,  /* by what credential_sender() makes of it */
};

struct credential_entry {
	size_t owner;
	enum credential_kind kind;
	char *name;
	size_t value;
	const struct conf_login *login; /* of a sender and nested domain */
	const struct conf_outbound *outbound; /* of these and a domain */
};

struct credential_index {
	struct credential_owner *owners; /* the first one is the global */
	size_t n_owners;
	struct credential_entry *entries; /* sorted */
	size_t n_entries, room;
};

/* credential_index_init(x, c): false without memory; *x is to be released in
 * any case.  It borrows from c. */
bool credential_index_init(struct credential_index *x, const struct conf *c);
void credential_index_release(struct credential_index *x);

/* credential_index_find(x, owner, kind, name): the first of that name, or
 * NULL. */
const struct credential_entry *credential_index_find(
    const struct credential_index *x, size_t owner, enum credential_kind kind,
    const char *name);

/* credential_index_covers(x, owner, to, any_port): is it among the owner's
 * own nexthops?  any_port: whatever port these have. */
bool credential_index_covers(const struct credential_index *x, size_t owner,
    const struct nexthop *to, bool any_port);

#endif /* POSTERN_COMMON_CREDENTIAL_INDEX_H */
