/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sendmail_key - what Sendmail asks about one of its deliveries
 *
 *	authinfo:HOST
 *	authinfo:[due:]id:ID;msg:ID;to:HOST;hop:HOST;from:SENDER
 *
 * The second form is that of the rule set in dist/sendmail-outbound.m4, which
 * knows the whole delivery:
 *
 *	due   only whether a login is due, not with what
 *	id    the envelope's name in the queue ($i)
 *	msg   the name under which its message was taken: another one where
 *	      Sendmail has split the envelope, or when it is a bounce of that
 *	      message.  Empty: not known
 *	to    the server it is connected to ({server_name})
 *	hop   where the mail is routed to ($h): a domain, if that has an MX.
 *	      May be empty
 *	from  the envelope's sender ($f), the rest of the key.  Empty, or a name
 *	      without a domain (MAILER-DAEMON): a bounce
 *
 * Sendmail takes the quotes off local parts, so that anything may stand in a
 * sender; and what a stranger has written into a host must not be taken for
 * the sender.  A key that could be read in two ways is none.
 *
 * Pure: no I/O, nothing is allocated.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_SENDMAIL_KEY_H
#define POSTERN_SASLAUTH_PLUGIN_SENDMAIL_KEY_H

#include <stdbool.h>

#include "common/outbound.h"

struct sendmail_key {
	bool due;
	const char *id;      /* NULL: it is the first form */
	const char *message; /* whose credentials may be used; NULL: nobody's */
	const char *to;
	const char *hop;    /* NULL: not said, or no other than `to' */
	const char *sender; /* NULL: a bounce, or the first form */
};

/* sendmail_key_is(key): is it one of Sendmail's?  Of no other MTA's. */
bool sendmail_key_is(const char *key);

/*
 * sendmail_key_parse(key, out, why): read one, of which sendmail_key_is().
 *
 *   key  is cut into what *out then points to; left in pieces on failure
 *   why  set to a constant text on failure
 */
bool sendmail_key_parse(char *key, struct sendmail_key *out, const char **why);

/*
 * sendmail_key_ask(k, hop, q): the question; by the hop when `hop' is set,
 * else by the server.  The name of the map stays as it is.
 */
void sendmail_key_ask(
    const struct sendmail_key *k, bool hop, struct outbound_question *q);

#endif /* POSTERN_SASLAUTH_PLUGIN_SENDMAIL_KEY_H */
