/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload - the configuration file of a running daemon, read anew
 *
 * By a signal and by posternctl, one at a time.  What is wrong with the file
 * goes to the log, and its first error to whoever asked; the old
 * configuration stays in force then.  What a good file has changed in vain
 * goes to both.
 */
#ifndef POSTERN_COMMON_RELOAD_H
#define POSTERN_COMMON_RELOAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/conf.h"

/* Those that take a restart, of one program. */
#define RELOAD_OPTIONS_MAX 16

struct conf_holder;

struct reload {
	const char *conf_file;      /* borrowed */
	struct conf_holder *holder; /* borrowed; for the snapshot in force */

	/* Make the program use another snapshot.  False with why, and nothing
	 * has changed. */
	bool (*apply)(void *arg, struct conf *fresh, char *why, size_t len);
	/* reload_string(), reload_list() or reload_number() for each option that
	 * takes a restart, always the same ones; reload_tell() for what else
	 * does. */
	void (*compare)(struct reload *r, const struct conf *conf);
	void *arg;

	pthread_mutex_t lock; /* held while the file is read anew */
	bool open;            /* guarded by lock: holder and arg may be used */
	FILE *told;           /* guarded by lock: of reload_now(), or NULL */
	/* Guarded by lock: what these options were at the start, as text. */
	char *started[RELOAD_OPTIONS_MAX];
	size_t n_started; /* those that compare has seen this time */
	bool starting;    /* compare fills started */
};

/* reload_open(r): all fields are set from now on.  reload_close(r): they will
 * not be; waits for a reload that is under way. */
void reload_open(struct reload *r);
void reload_close(struct reload *r);

/* reload_now(r, told, why, len): read the file and put it in force.  False
 * with a message, which is logged; fails when not open.  What r->compare warns
 * of goes to told as well, each line begun with a space; NULL if nobody is
 * there to read it.  Any thread. */
bool reload_now(struct reload *r, FILE *told, char *why, size_t len);

/* reload_signal(r): the same for daemon_wait(): tells the service manager
 * too.  r is a struct reload. */
void reload_signal(void *r);

/* For r->compare.
 * reload_string(), reload_list(), reload_number(r, name, value): warn the log,
 * and whoever asked for the reload, of an option that is not what it was when
 * the program started.  A string may be NULL.
 * reload_tell(r, line): warn them of something else. */
void reload_string(struct reload *r, const char *name, const char *value);
void reload_list(
    struct reload *r, const char *name, const struct strlist *value);
void reload_number(struct reload *r, const char *name, long long value);
void reload_tell(const struct reload *r, const char *line);

#endif /* POSTERN_COMMON_RELOAD_H */
