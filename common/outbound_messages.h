/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound_messages - credentials that messages brought with them
 *
 * In memory, for as long as option message_life says, message_max of them;
 * their names on disk (outbound_markers.h), so that after a restart it is
 * known that there were some.  Any thread.  No lock that a look-up takes is
 * held while the disk is written to; a thread of its own forgets what is
 * over.
 */
#ifndef POSTERN_COMMON_OUTBOUND_MESSAGES_H
#define POSTERN_COMMON_OUTBOUND_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/outbound.h"

struct outbound_messages;

/*
 * outbound_messages_open(conf, out, why, len): read the names there are.
 *
 *   out  new; NULL when message_credentials is off and there has never been
 *        a directory: nothing to know
 *
 * False with a message when the directory cannot be used.
 */
bool outbound_messages_open(const struct conf *conf,
    struct outbound_messages **out, char *why, size_t len);
void outbound_messages_close(struct outbound_messages *m); /* NULL, too */

/* outbound_messages_limits(m, conf): life and number from now on; what is
 * held stays as long as the new life says.  The directory stays the same. */
void outbound_messages_limits(
    struct outbound_messages *m, const struct conf *conf);

/* outbound_messages_put(m, msg, why, len): replaces what that message had. */
bool outbound_messages_put(struct outbound_messages *m,
    const struct outbound_message *msg, char *why, size_t len);

/* A copy, for one question. */
struct outbound_held {
	char *user; /* NULL: not of the message */
	struct secret pass;
	int type;  /* -1: not said */
	char *key; /* NULL: not said, as binding */
	char *binding;
};

enum outbound_found {
	OUTBOUND_UNKNOWN, /* it brought nothing */
	OUTBOUND_HELD,    /* *out is to be released */
	OUTBOUND_LOST,    /* it brought something, which is gone */
};

enum outbound_found outbound_messages_find(
    struct outbound_messages *m, const char *id, struct outbound_held *out);
void outbound_held_release(struct outbound_held *h);

struct outbound_messages_stats {
	size_t held, lost;
};

void outbound_messages_stats(
    struct outbound_messages *m, struct outbound_messages_stats *out);

#endif /* POSTERN_COMMON_OUTBOUND_MESSAGES_H */
