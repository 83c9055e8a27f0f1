/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify_table - what servers write when they refuse, as data
 *
 * The rows are read from top to bottom in the order of the enum; the first
 * that fits decides.  Phrases are those of classify_words.h.
 */
#ifndef POSTERN_COMMON_CLASSIFY_TABLE_H
#define POSTERN_COMMON_CLASSIFY_TABLE_H

#include <stddef.h>

#include "common/classify.h"

struct classify_row {
	const char *status; /* only with this enhanced status; NULL: any */
	enum refusal class;
	const char *phrase;
	const char *name; /* for logs */
};

struct classify_status {
	const char *status; /* "5.1.1", or a prefix ending in a dot */
	enum refusal class;
};

/* Words that look like a hint and are none in this company; they are taken
 * out before the rest is read. */
struct classify_harmless {
	const char *before; /* phrase, or "" */
	const char *word;   /* NULL ends the array */
	const char *after;  /* phrase, or "" */
};

extern const struct classify_harmless classify_harmless[];
/* Decide by themselves, whatever code and status say. */
extern const struct classify_row classify_strong[];
/* Decide before the text is read. */
extern const struct classify_status classify_sure_statuses[];
/* Asked when the text was silent. */
extern const struct classify_status classify_statuses[];
/* Decide only where neither text nor status did. */
extern const struct classify_row classify_weak[];

/* Each array ends in a row whose phrase (status) is NULL. */

#endif /* POSTERN_COMMON_CLASSIFY_TABLE_H */
