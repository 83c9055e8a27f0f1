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
 */
#ifndef POSTERN_MILTER_COMMANDS_H
#define POSTERN_MILTER_COMMANDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct milter_setup;

struct commands {
	const struct milter_setup *setup;
	const char *conf_file;
	pthread_mutex_t lock; /* held while the file is read anew */
	bool open;            /* guarded by lock: setup may be used */
};

/* COMMANDS_INIT(setup): not open yet. */
#define COMMANDS_INIT(with)                          \
 {                                                   \
  .setup = (with), .lock = PTHREAD_MUTEX_INITIALIZER \
 }

/* commands_open(c): setup is complete.  commands_close(c): it will be freed;
 * waits for a reload that is under way. */
void commands_open(struct commands *c);
void commands_close(struct commands *c);

/* A control_handler; arg is a struct commands. */
bool commands_serve(
    void *arg, char *const *words, size_t n, FILE *out, char *why, size_t len);

/* commands_reload(c, why, len): the command reload; for the signal too.  One at
 * a time; fails when not open. */
bool commands_reload(struct commands *c, char *why, size_t len);

#endif /* POSTERN_MILTER_COMMANDS_H */
