/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * credential - which outbound credential belongs to a delivery
 *
 * The scopes of postern.conf, narrowest first:
 *
 *	1. `sender` of that very address: of the binding, its group, global
 *	2. `sender "@domain"`: the same
 *	3. `domain` of the next hop: of the binding, its group, global
 *	4. the binding
 *	5. its group
 *	6. the query of outbound_smtp_auth, which outbound.h puts
 *	7. outbound_smtp_auth itself
 *
 * User and password come from the first of them that has both; type and key,
 * each for itself, from the first that has it.  (What a message brings with
 * it comes before all of these; outbound.h knows.)
 *
 * A password is given only where it belongs:
 *	domain           to that next hop, on any port
 *	binding, group   to the next hops in `nexthops`; a binding without any
 *	                 has its group's
 *	global           to the next hops in its own `nexthops`
 *	sender           when the next hop is known: to the nexthops of the
 *	                 binding that was asked for.  Postfix's look-up by
 *	                 sender does not know it: then only when that binding
 *	                 has nexthops at all, since its transport has one relay
 *	query            to where the key comes from may send, see above; to
 *	                 any next hop when the query has :host, :nexthop or
 *	                 :domain in it, for then the data says where
 * A scope that may not send there takes no part, neither with type nor key.
 *
 * Pure but for memory: no I/O, no log.  Immutable once made; any thread.
 */
#ifndef POSTERN_COMMON_CREDENTIAL_H
#define POSTERN_COMMON_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/nexthop.h"

struct credentials;
struct strbuf;

/* The name of the map without a binding. */
#define CREDENTIAL_DEFAULT "default"

/* "sender \"@example.org\" of binding \"a\"", cut. */
#define CREDENTIAL_SCOPE_MAX 192

/* credentials_new(conf): prepare the scopes of a snapshot; keeps a reference.
 * NULL without memory. */
struct credentials *credentials_new(struct conf *conf);
void credentials_free(struct credentials *c); /* NULL does nothing */

/* Of which delivery.  Both of sender and to may be known; one of them is. */
struct credential_where {
	const char *binding;      /* CREDENTIAL_DEFAULT: none */
	const char *sender;       /* an address, any case; NULL: not known */
	const struct nexthop *to; /* NULL: not known */
};

enum credential_said {
	CREDENTIAL_NONE,       /* nothing is configured for it */
	CREDENTIAL_GIVEN,      /* login */
	CREDENTIAL_ASK,        /* the query says; if it says nothing, login,
	                        * or nothing when that is NULL */
	CREDENTIAL_NO_BINDING, /* there is no binding of that name */
};

struct credential_pick {
	enum credential_said said;
	/* Has user and pass, or pass_fault; of the snapshot. */
	const struct conf_outbound *login;
	int type;        /* OUTBOUND_PLAIN, OUTBOUND_LOGIN; -1: not said */
	const char *key; /* NULL: none; of the snapshot */
	/* Where each is from, in words of postern.conf; "" without. */
	char login_scope[CREDENTIAL_SCOPE_MAX];
	char type_scope[CREDENTIAL_SCOPE_MAX];
	char key_scope[CREDENTIAL_SCOPE_MAX];
};

/*
 * credential_pick(c, where, out, explain): choose.
 *
 *   explain  gets a line for each scope that was looked at, and why it was
 *            taken or passed over; never a password.  NULL: nobody asks
 */
void credential_pick(const struct credentials *c,
    const struct credential_where *where, struct credential_pick *out,
    struct strbuf *explain);

#endif /* POSTERN_COMMON_CREDENTIAL_H */
