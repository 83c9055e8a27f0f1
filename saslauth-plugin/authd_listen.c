/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/authd_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/errtext.h"
#include "common/local_socket.h"
#include "common/log.h"
#include "saslauth-plugin/authd_roles.h"
#include "saslauth-plugin/peers.h"

static int
listen_one(const char *name, const struct peers *peers, char *why, size_t len)
{
	static const char scheme[] = "unix:";
	const char *path = name + sizeof(scheme) - 1;
	int fd;

	/* Of others nobody could tell who has connected. */
	if (strncmp(name, scheme, sizeof(scheme) - 1) != 0) {
		snprintf(why, len, "%s: only a unix: socket will do", name);
		return -1;
	}
	if ((fd = local_listen(path, SOMAXCONN, why, len)) < 0)
		return -1;
	if (peers->has_gid && local_give(path, peers->gid, why, len) != 0) {
		if (errno != EPERM || peers->gid_given) {
			close(fd);
			return -1;
		}
		/* Nobody has asked for that group by name. */
		log_warning("%s; only root and we can connect (options "
			    "socket_group, allow_users)",
		    why);
	}
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		snprintf(why, len, "%s: %s", path, ERRNO);
		close(fd);
		return -1;
	}
	return fd;
}

static int
listen_all(const struct strlist *names, enum authd_protocol protocol,
    const struct peers *peers, struct authd_sockets *out, char *why, size_t len)
{
	for (size_t i = 0; i < names->n; i++) {
		int fd;

		if (out->n == AUTHD_SOCKETS_MAX) {
			snprintf(why, len, "more than %d sockets",
			    AUTHD_SOCKETS_MAX);
			return -1;
		}
		if ((fd = listen_one(names->v[i], peers, why, len)) < 0)
			return -1;
		out->v[out->n].fd = fd;
		out->v[out->n++].protocol = protocol;
	}
	return 0;
}

int
authd_listen(const struct conf *conf, const struct peers *peers,
    struct authd_sockets *out, char *why, size_t len)
{
	const struct conf_authd *a = &conf->authd;
	bool logins = authd_has_logins(conf);
	bool outbound = authd_has_outbound(conf);

	out->n = 0;
	if (logins &&
	    (listen_all(&a->socket, AUTHD_WIRE, peers, out, why, len) != 0 ||
		listen_all(&a->saslauthd_socket, AUTHD_SASLAUTHD, peers, out,
		    why, len) != 0))
		return -1;
	if (logins && out->n == 0) {
		snprintf(why, len,
		    "neither authd.socket nor authd.saslauthd_socket is set");
		return -1;
	}
	if (outbound &&
	    listen_all(&a->socketmap_socket, AUTHD_SOCKETMAP, peers, out, why,
		len) != 0)
		return -1;
	if (outbound && a->socketmap_socket.n == 0)
		log_warning("authd.socketmap_socket is not set: no MTA can "
			    "ask for outbound credentials");
	if (out->n == 0) {
		snprintf(why, len, "authd.socketmap_socket is not set");
		return -1;
	}
	return 0;
}
