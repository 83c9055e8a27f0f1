/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands - what posternctl can ask a running postern-milter
 *
 *   status                     one line a fact, name=value
 *   stats                      counters, name=value
 *   reload                     read the configuration anew
 *   cache show [WHAT]          the verdicts remembered
 *   cache drop WHAT            forget them: ADDRESS or @DOMAIN
 *   cache flush                forget all
 *   explain rcpt FROM ADDRESS  the route and what is known; FROM may be "<>"
 *
 * and postern-front: see front_commands.h.
 */
#ifndef POSTERN_MILTER_COMMANDS_H
#define POSTERN_MILTER_COMMANDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/reload.h"

struct milter_setup;

struct commands {
	const struct milter_setup *setup;
	struct reload reload;
};

/* COMMANDS_INIT(file): not open yet.  Commands are served from
 * commands_open() on; but for reload, which says so, the caller sees to it. */
#define COMMANDS_INIT(file)                                           \
 {                                                                    \
  .reload = {.conf_file = (file), .lock = PTHREAD_MUTEX_INITIALIZER } \
 }

/* commands_open(c, setup): setup is complete, and borrowed until
 * commands_close(c), which waits for a reload that is under way. */
void commands_open(struct commands *c, struct milter_setup *setup);
void commands_close(struct commands *c);

/* A control_handler; arg is a struct commands. */
bool commands_serve(
    void *arg, char *const *words, size_t n, FILE *out, char *why, size_t len);

#endif /* POSTERN_MILTER_COMMANDS_H */
