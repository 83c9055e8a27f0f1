/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd_commands - what posternctl can ask a running postern-authd
 *
 *   status           what is under way, name=value
 *   stats            counters, name=value
 *   reload           read the configuration anew
 *   cache drop NAME  forget what is remembered of a name that goes upstream,
 *                    and of look-ups with it
 *   cache flush      forget all
 *   outbound put     a message's own credentials (authd_put.h)
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_AUTHD_COMMANDS_H
#define POSTERN_SASLAUTH_PLUGIN_AUTHD_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/reload.h"

struct auth;
struct conf_holder;
struct outbound;
struct server;

/* What the commands work with; all borrowed. */
struct authd {
	struct conf_holder *conf;
	struct auth *auth;         /* NULL: no logins */
	struct outbound *outbound; /* NULL: no credentials */
	struct server *server;
};

struct authd_commands {
	const struct authd *authd;
	struct reload reload;
};

/* AUTHD_COMMANDS_INIT(file): not open yet. */
#define AUTHD_COMMANDS_INIT(file)                                     \
 {                                                                    \
  .reload = {.conf_file = (file), .lock = PTHREAD_MUTEX_INITIALIZER } \
 }

/* authd_commands_open(c, authd): authd is complete.  authd_commands_close(c):
 * it will be gone; waits for a reload that is under way. */
void authd_commands_open(struct authd_commands *c, struct authd *authd);
void authd_commands_close(struct authd_commands *c);

/* A control_handler; arg is a struct authd_commands that is open. */
bool authd_commands_serve(
    void *arg, char *const *words, size_t n, FILE *out, char *why, size_t len);

#endif /* POSTERN_SASLAUTH_PLUGIN_AUTHD_COMMANDS_H */
