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

struct conf_holder;

struct reload {
	const char *conf_file;      /* borrowed */
	struct conf_holder *holder; /* borrowed; for the snapshot in force */

	/* Make the program use another snapshot.  False with why, and nothing
	 * has changed. */
	bool (*apply)(void *arg, struct conf *fresh, char *why, size_t len);
	/* reload_warn(), reload_tell() for what takes a restart. */
	void (*compare)(const struct reload *r, const struct conf *old,
	    const struct conf *fresh);
	void *arg;

	pthread_mutex_t lock; /* held while the file is read anew */
	bool open;            /* guarded by lock: holder and arg may be used */
	FILE *told;           /* guarded by lock: of reload_now(), or NULL */
};

/* reload_open(r): all fields are set from now on.  reload_close(r): they will
 * not be; waits for a reload that is under way. */
void reload_open(struct reload *r);
void reload_close(struct reload *r);

/* reload_now(r, told, why, len): read the file and put it in force.  False
 * with a message, which is logged; fails when not open.  What r->compare warns of goes to told as
 * well, each line begun with a space; NULL if nobody is there to read it.
 * Any thread. */
bool reload_now(struct reload *r, FILE *told, char *why, size_t len);

/* reload_signal(r): the same for daemon_wait(): tells the service manager
 * too.  r is a struct reload. */
void reload_signal(void *r);

/* For r->compare.
 * reload_tell(r, line): warn the log, and whoever asked for the reload.
 * reload_warn(r, name, differs): the same, if so, of an option that has changed
 * in vain.
 * reload_differs(a, b): two options of kind STRING; either may be NULL.
 * reload_differ(a, b): two of kind LIST. */
void reload_tell(const struct reload *r, const char *line);
void reload_warn(const struct reload *r, const char *name, bool differs);
bool reload_differs(const char *a, const char *b);
bool reload_differ(const struct strlist *a, const struct strlist *b);

#endif /* POSTERN_COMMON_RELOAD_H */
