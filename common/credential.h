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
 *	binding          to the next hops in its `nexthops`; a binding without
 *	                 any has its group's
 *	group, global    to the next hops in their own `nexthops`
 *	sender           when the next hop is known: to the nexthops of the
 *	                 binding that was asked for.  Postfix's look-up by
 *	                 sender does not know it: then only when that binding
 *	                 has nexthops at all, since its transport has one relay
 * A scope that may not send there takes no part, neither with type nor key;
 * nor does one where the option is `false`, which is unset.
 *
 * Where a query's answer may go.  One with :host, :nexthop or :domain in it
 * says so itself: its answer goes to any next hop, and its key is of the
 * narrowest scope whatever that one's nexthops are; nothing is asked while
 * the next hop is not known, the look-up by next hop is still to come.  One
 * without them: where the scope of its key may send, where the binding may,
 * and where outbound_smtp_auth itself may; while the next hop is not known,
 * it is put for the key of a sender, or when it has :sender in it, and the
 * binding has nexthops.
 *
 * Names of bindings are compared as they are: so they are written in main.cf.
 * Senders are compared without regard to ASCII case, in the local part, too
 * (Postfix asks in lower case), and to quotes around it; domains as next hops
 * are (nexthop.h).
 *
 * Pure but for memory: no I/O, no log.  Immutable once made; any thread.
 */
#ifndef POSTERN_COMMON_CREDENTIAL_H
#define POSTERN_COMMON_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/credential_check.h"
#include "common/nexthop.h"

struct credentials;
struct strbuf;

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
	/* A key that comes with the message, before that of any scope; it
	 * opens no next hop to a query.  NULL: none. */
	const char *key;
	bool any_port; /* the port of nexthops does not count */
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
	/* Has user and pass, or pass_fault (conf.h); of the snapshot. */
	const struct conf_outbound *login;
	int type;            /* OUTBOUND_PLAIN, OUTBOUND_LOGIN; -1: not said */
	bool type_is_global; /* no scope narrower than the query says it */
	const char *key;     /* NULL: none; of the snapshot, or the message's */
	bool has_nexthops;   /* the binding has some, be they its group's */
	bool may_binding;    /* and the next hop is one of them */
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
