/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd_listen - the sockets that postern-authd is found at
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_AUTHD_LISTEN_H
#define POSTERN_SASLAUTH_PLUGIN_AUTHD_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"

struct peers;

#define AUTHD_SOCKETS_MAX 32

enum authd_protocol {
	AUTHD_WIRE,
	AUTHD_SASLAUTHD,
	AUTHD_SOCKETMAP,
};

struct authd_socket {
	int fd; /* does not block */
	enum authd_protocol protocol;
};

struct authd_sockets {
	struct authd_socket v[AUTHD_SOCKETS_MAX];
	size_t n;
};

/*
 * authd_listen(conf, peers, out, why, len): open the sockets of options
 * authd.socket and authd.saslauthd_socket, when there are logins to serve,
 * and of authd.socketmap_socket, when there are outbound credentials
 * (authd_roles.h); each is a "unix:" one.  Before privileges are given up,
 * before there are threads.
 *
 *   peers  whose group gets them, with mode 0660; else their mode is 0600,
 *          and, with a warning, where we may not give them to a group that
 *          socket_group does not name
 *
 * Returns 0, or -1 with a message that names the socket.
 */
int authd_listen(const struct conf *conf, const struct peers *peers,
    struct authd_sockets *out, char *why, size_t len);

#endif /* POSTERN_SASLAUTH_PLUGIN_AUTHD_LISTEN_H */
