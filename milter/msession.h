/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msession - what is known about one connection of the MTA's
 *
 * Made when the MTA tells of a client, freed when it is gone; libmilter
 * hands it from callback to callback (smfi_setpriv), on whatever thread.
 * Thousands of them wait idle, so it is small: text is allocated as long as
 * it is.
 *
 * The session of a client that came through postern-front is looked at and
 * changed by control requests too (fronts.h), so what they touch has a lock.
 * The functions here take it.
 */
#ifndef POSTERN_MILTER_MSESSION_H
#define POSTERN_MILTER_MSESSION_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "common/address.h"
#include "common/context.h"
#include "common/session.h"

struct conf;
struct tagger;
struct front;

#define MSESSION_ADDR_MAX 46

/* Who has set a value of a context. */
#define ORIGIN_PEER   "peer"        /* a section of the configuration */
#define ORIGIN_CLIENT "xsetcontext" /* the client, by XSETCONTEXT */
#define ORIGIN_MTA    "mta"         /* what the MTA tells */
#define ORIGIN_FRONT  "front"       /* what postern-front tells */
#define ORIGIN_MILTER "milter"      /* what we found out */

struct msession_counts {
	unsigned long messages; /* of the connection: MAIL that was taken */
	unsigned long rcpts;    /* of the connection: RCPT that came to us */
	unsigned long message_rcpts;
};

struct msession {
	char *helo;          /* NULL before HELO */
	char *sender;        /* MAIL's path as given, NULL before it */
	char *id;            /* queue id, NULL when not known yet */
	bool authenticated;  /* by somebody but `anonymous` */
	bool answering;      /* the MTA waits for us at HELO and MAIL */
	bool variables;      /* the variables of contexts are wanted */
	bool tied;           /* came through postern-front */
	bool no_xclient;     /* and the MTA takes it for a local client */
	struct tagger *tags; /* of milter.c, which frees it; or NULL */

	pthread_mutex_t lock;         /* guards what follows */
	char *client_name;            /* NULL when not known */
	char *user;                   /* logged in, says the MTA; or NULL */
	char addr[MSESSION_ADDR_MAX]; /* numeric, "" for a local client */
	char real[MSESSION_ADDR_MAX]; /* who is connected to the front, or "" */
	unsigned short port;
	struct context connection; /* the two dictionaries */
	struct context message;
	struct msession_counts counts;
	struct front *front; /* fronts.c's own, under its lock */
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

/*
 * msession_peer(s, conf): set the context of the `peer` section of its
 * address, in place of what another section has set before.  What a client
 * has set stays.  Under the lock.  Returns false when not all could be set,
 * for want of memory or room.
 */
bool msession_peer(struct msession *s, const struct conf *conf);

/* msession_bypass(s): __bypass_smtp_rcptto_proxy is true in either context. */
bool msession_bypass(struct msession *s);

/* msession_client(s, out): who the client is, as told upstream. */
void msession_client(struct msession *s, struct session_client *out);

/*
 * msession_set(s, c, name, value, origin): set a value of context c of s.
 * What a client has set before stays, unless the origin is ORIGIN_CLIENT.  One
 * that cannot be set is logged.
 */
void msession_set(struct msession *s, struct context *c, const char *name,
    const char *value, const char *origin);

#endif /* POSTERN_MILTER_MSESSION_H */
