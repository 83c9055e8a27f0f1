/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * carry - credentials that a message brings with it
 *
 * What its contexts hold of outbound_smtp_auth_user, _pass, _type and _key is
 * what the MTA is to log in with at the next hop, for this message alone; so
 * is `binding' under Sendmail, which makes no transport of the header.
 *
 * Sendmail asks with the queue id, so postern-authd gets them under that
 * before the message is taken, over its control socket.  Postfix asks without
 * one: nothing can be carried to it, nor to an MTA that is not known, nor
 * when message_credentials is off.  Then the message is deferred: it would
 * leave with other credentials than were chosen for it, or with none.
 *
 * Values are wiped, and in no line of the log.  Any thread.
 */
#ifndef POSTERN_MILTER_CARRY_H
#define POSTERN_MILTER_CARRY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/context.h"
#include "milter/variables.h"

struct conf;

/* How long postern-authd may take to connect, to read, and to answer. */
#define CARRY_WAIT_S 5

/* The macros that tell which MTA it is, beside the queue id; asked for with
 * MAIL, since Sendmail heeds no list for the end of a message. */
#define CARRY_MACROS_MAIL "v {opMode}"

/* carry_wanted(conf): has any peer, or may it set, what has to be carried? */
bool carry_wanted(const struct conf *conf);

enum carry_name {
	CARRY_USER,
	CARRY_PASS,
	CARRY_TYPE,
	CARRY_KEY,
	CARRY_BINDING,
	CARRY_NAMES
};

/* The values of one message, "" where there is none. */
struct carry {
	char values[CARRY_NAMES][CONTEXT_VALUE_MAX + 1];
};

/*
 * carry_read(c, connection, message): take them from the contexts.  The
 * message's comes first, even if it unsets, as `false' and "" do.
 *
 * Returns false, with *c not touched, when there are none.  Else the caller
 * has to call carry_release(c), which wipes.
 */
bool carry_read(struct carry *c, const struct context *connection,
    const struct context *message);
void carry_release(struct carry *c);

/* Of which message. */
struct carry_message {
	struct macros macros; /* at its end */
	const char *id;       /* its queue id at MAIL; NULL: not known then */
	const char *sender;   /* its path; NULL: not known */
	const char *client;   /* its client's address, or "" */
};

enum carry_mta {
	CARRY_UNSURE = 0,
	CARRY_POSTFIX,
	CARRY_SENDMAIL,
};

/*
 * carry_mta(m): what has told us of that message?  Macro v may be set to
 * anything in main.cf, so it takes all that Postfix has not for it to be
 * Sendmail: the queue id at MAIL, and {opMode}.
 */
enum carry_mta carry_mta(const struct carry_message *m);

/*
 * carry_end(c, conf, m): hand them over, and log it.  Waits for postern-authd.
 *
 * Returns false when the message has to be deferred.
 */
bool carry_end(const struct carry *c, const struct conf *conf,
    const struct carry_message *m);

#endif /* POSTERN_MILTER_CARRY_H */
