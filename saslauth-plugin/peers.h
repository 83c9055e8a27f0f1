/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers - which accounts may use the sockets of postern-authd
 *
 * root, the account that the daemon runs as, and those that allow_users
 * names.  The kernel tells who has connected.  Immutable once made.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_PEERS_H
#define POSTERN_SASLAUTH_PLUGIN_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/conf.h"

struct peers {
	uid_t *uids; /* of allow_users; owned */
	size_t n;
	bool has_gid; /* whether a group may connect to the sockets */
	gid_t gid; /* socket_group, or the login group of the first account */
	bool gid_given; /* it is socket_group */
};

/*
 * peers_new(conf, why, len): look the accounts up.  Asks the system's account
 * database, which may take its time.
 *
 * Returns NULL with a message: there is no such account or group, or no
 * memory.
 */
struct peers *peers_new(const struct conf *conf, char *why, size_t len);
void peers_free(struct peers *p); /* NULL does nothing */

/* peers_of(fd, out): the user at the other end of a Unix socket. */
bool peers_of(int fd, uid_t *out);

bool peers_allow(const struct peers *p, uid_t uid);

/* peers_complain(uid): a warning that names the account and the option, now
 * and then.  Asks the account database. */
void peers_complain(uid_t uid);

#endif /* POSTERN_SASLAUTH_PLUGIN_PEERS_H */
