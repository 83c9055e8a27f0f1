/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd_serve - who connects to postern-authd, and gets an answer
 *
 * One thread owns the connections: it accepts them, collects requests, holds
 * answers back, and never blocks.  It answers a whole request itself where it
 * need wait for nothing but the upstream (auth_quick()); else a worker does
 * (workers.h), and writes the answer where nothing hinders it.
 *
 * Look-ups have workers of their own, and a share of the connections that
 * logins cannot take, nor they theirs.
 *
 * A connection of the plug-in's stays after the answer, for the next login.
 * Where there is no room for a new one, that which has rested longest goes.
 *
 * What is bounded: how long a request may take to come, how long a login may
 * take, how many connections there are, how many logins are under way or
 * wait for that, how many answers are held back.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_AUTHD_SERVE_H
#define POSTERN_SASLAUTH_PLUGIN_AUTHD_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "saslauth-plugin/authd_listen.h"

struct auth;
struct outbound;
struct peers;
struct server;
struct strbuf;

/*
 * server_new(auth, outbound, sockets, peers, why, len): serve from now on.
 *
 *   auth     borrowed until server_free(), as is outbound; NULL when none of
 *            the sockets is for it
 *   sockets  their descriptors are taken, on failure too
 *   peers    taken on success
 *
 * Returns NULL with a message.
 */
struct server *server_new(struct auth *auth, struct outbound *outbound,
    const struct authd_sockets *sockets, struct peers *peers, char *why,
    size_t len);

/* server_peers(s, peers): others may connect from now on.  Takes peers. */
void server_peers(struct server *s, struct peers *peers);

/* server_stop(s, wait_ms): accept nobody any more, give held answers now, and
 * wait so long for logins that are under way.  server_hurry(s, wait_ms): the
 * same, without those that wait for the client.  False when some are still
 * there: then s may not be freed. */
bool server_stop(struct server *s, int64_t wait_ms);
bool server_hurry(struct server *s, int64_t wait_ms);

void server_free(struct server *s); /* after either; NULL does nothing */

/* server_status(s, sb): what is under way.  server_stats(s, sb): what has
 * been.  Lines of "name=value". */
void server_status(struct server *s, struct strbuf *sb);
void server_stats(struct server *s, struct strbuf *sb);

#endif /* POSTERN_SASLAUTH_PLUGIN_AUTHD_SERVE_H */
