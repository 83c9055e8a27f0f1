/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msession - what is known about one connection of the MTA's
 *
 * Made when the MTA tells of a client, freed when it is gone; libmilter
 * hands it from callback to callback (smfi_setpriv), on whatever thread.
 * Thousands of them wait idle, so it is small: text is allocated as long as
 * it is.
 */
#ifndef POSTERN_MILTER_MSESSION_H
#define POSTERN_MILTER_MSESSION_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/address.h"
#include "common/context.h"
#include "common/session.h"

struct conf;
struct tagger;

struct msession {
	char *client_name; /* NULL when not known */
	char *helo;        /* NULL before HELO */
	char *sender;      /* MAIL's path as given, NULL before it */
	char *id;          /* queue id, NULL when not known yet */
	char addr[46];     /* numeric, "" for a local client */
	unsigned short port;
	bool authenticated;        /* by somebody but `anonymous` */
	struct context connection; /* the two dictionaries */
	struct context message;
	struct tagger *tags; /* of milter.c, which frees it; or NULL */
};

/*
 * msession_new(name, sa, conf): a new connection.
 *
 *   name  the client's name as the MTA gives it; copied
 *   sa    its address, or NULL
 *   conf  for the context of its `peer` section
 *
 * Returns NULL without memory.
 */
struct msession *msession_new(
    const char *name, const struct sockaddr *sa, const struct conf *conf);
void msession_free(struct msession *s); /* NULL does nothing */

/* Each copies its text and returns false without memory. */
bool msession_helo(struct msession *s, const char *helo);
bool msession_mail(
    struct msession *s, const char *sender, const char *auth, const char *id);

/* msession_reset(s): the message is over, or was never finished. */
void msession_reset(struct msession *s);

/* msession_bypass(s): __bypass_smtp_rcptto_proxy is true in either context. */
bool msession_bypass(const struct msession *s);

/* msession_client(s, out): who the client is, as told upstream. */
void msession_client(const struct msession *s, struct session_client *out);

#endif /* POSTERN_MILTER_MSESSION_H */
