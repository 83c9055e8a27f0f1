/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_suggest - the name that was probably meant
 *
 * Pure: no I/O, no allocation, no log.
 */
#ifndef POSTERN_COMMON_CONF_SUGGEST_H
#define POSTERN_COMMON_CONF_SUGGEST_H

#include <stddef.h>

/* Longer names are not compared. */
#define CONF_SUGGEST_MAX 48

struct conf_suggest {
	const char *given; /* what was written */
	const char *best;  /* the nearest name so far, or NULL */
	size_t distance;   /* its distance */
};

/*
 * conf_suggest_init(s, given): begin.  given is borrowed.
 */
void conf_suggest_init(struct conf_suggest *s, const char *given);

/*
 * conf_suggest_try(s, name): consider a name, borrowed.  It is taken when
 * nearer than what was tried before, and near at all: letters added, lost,
 * changed or swapped, capitals not counted, in a third of it at most.
 */
void conf_suggest_try(struct conf_suggest *s, const char *name);

/*
 * conf_suggest_words(s, words, buf, size): the same for each of the words
 * between '|' signs.  The nearest is copied to buf, which must stay.
 */
void conf_suggest_words(
    struct conf_suggest *s, const char *words, char *buf, size_t size);

#endif /* POSTERN_COMMON_CONF_SUGGEST_H */
