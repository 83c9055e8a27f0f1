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

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct milter_setup;

struct commands {
	const struct milter_setup *setup;
	const char *conf_file;
};

/* A control_handler; arg is a struct commands. */
bool commands_serve(
    void *arg, char *const *words, size_t n, FILE *out, char *why, size_t len);

/* commands_reload(c, why, len): the command reload; for the signal too. */
bool commands_reload(const struct commands *c, char *why, size_t len);

#endif /* POSTERN_MILTER_COMMANDS_H */
