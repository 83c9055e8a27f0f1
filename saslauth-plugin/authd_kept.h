/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd_kept - a connection to postern-authd between two logins
 *
 * A process keeps one, to the socket of its plug-in.  It is a guest's, so
 * whatever the process does meanwhile is right: it may fork, and the child
 * does not use what its parent uses; it may close all descriptors and open
 * others, and those are neither used nor closed here; it may have threads,
 * and each connection is one thread's.
 *
 * Libc and libbase only; no locks, and nothing here allocates or blocks.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_AUTHD_KEPT_H
#define POSTERN_SASLAUTH_PLUGIN_AUTHD_KEPT_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* How long it is kept without a login; shorter than the daemon lets it stay
 * (wire_serve.c), so that it is not closed while a login is on its way. */
#define AUTHD_KEPT_MS 60000

struct authd_kept {
	atomic_int state; /* who may look at what follows */
	int64_t keep_ms;

	int fd;
	pid_t pid; /* of the process that keeps it */
	dev_t dev; /* its socket's, by which it is known again */
	ino_t ino;
	int64_t since_ms;
};

/* authd_kept_init(k, keep_ms): none yet. */
void authd_kept_init(struct authd_kept *k, int64_t keep_ms);

/* authd_kept_release(k): close what is kept.  No other thread may be using
 * *k.  Again, it does nothing. */
void authd_kept_release(struct authd_kept *k);

/*
 * authd_kept_take(k): the connection, which is the caller's from now on.
 *
 * Returns -1 when there is none that is good: it has been kept for too long,
 * is another process's, or the daemon has closed it or said something.
 */
int authd_kept_take(struct authd_kept *k);

/*
 * authd_kept_put(k, fd): keep it, or close it when another one is kept.
 *
 *   fd  a connected socket on which nothing is under way
 */
void authd_kept_put(struct authd_kept *k, int fd);

#endif /* POSTERN_SASLAUTH_PLUGIN_AUTHD_KEPT_H */
