/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd_client - postern-authd as the plug-in sees it
 *
 * A login has a connection to itself, taken or made with the first question;
 * after a final answer it may be kept for the next login (authd_kept.h).  Runs
 * in the MTA's process: never raises a signal, never waits beyond its time,
 * whatever the daemon does or does not do.  What has been sent and read is
 * wiped.
 *
 * A login is put to the daemon once.  Only when it comes to light that nobody
 * has read the question from a kept connection it is asked on a new one.
 *
 * Libc and libbase only; one login, one thread.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_AUTHD_CLIENT_H
#define POSTERN_SASLAUTH_PLUGIN_AUTHD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "common/wire.h"
#include "saslauth-plugin/authd_kept.h"

/* Longest path of a socket, without the final NUL. */
#define AUTHD_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

struct authd_client {
	const char *path;        /* borrowed; relative ones start at the cwd */
	struct authd_kept *kept; /* borrowed */
	int fd;                  /* -1: not connected */
	bool unread;        /* the daemon has closed, and not read it all */
	int64_t left_ms;    /* how much longer this login may wait */
	unsigned char *buf; /* WIRE_MAX octets, owned: a question, its answer */
	size_t used;        /* octets of buf that have to be wiped */
	char why[256];      /* after a failure: one line for a log */
};

/*
 * authd_client_init(c, path, kept, ms): no connection yet, no memory yet.
 *
 *   path  outlives *c
 *   kept  what connections to that path are taken from; outlives *c
 *   ms    all the time that the questions of this login may take together;
 *         the time between them, when the MTA waits for its client, does not
 *         count
 */
void authd_client_init(struct authd_client *c, const char *path,
    struct authd_kept *kept, int64_t ms);

/*
 * authd_client_release(c): hang up and wipe.  Again, or on a zeroed *c whose
 * fd is -1, it does nothing.
 */
void authd_client_release(struct authd_client *c);

/*
 * authd_client_ask(c, question, answer): send a message, wait for the answer.
 *
 *   answer  its items lie in *c, until the next call with *c
 *
 * Returns false with c->why when there is no answer: nobody listens, time is
 * over, the connection ends, or what comes is no answer.  After that the
 * connection is closed.
 */
bool authd_client_ask(struct authd_client *c,
    const struct wire_message *question, struct wire_message *answer);

/*
 * authd_client_keep(c): the answer was final, and one that makes sense: the
 * next login may have the connection.  The answer stays where it is.
 */
void authd_client_keep(struct authd_client *c);

#endif /* POSTERN_SASLAUTH_PLUGIN_AUTHD_CLIENT_H */
