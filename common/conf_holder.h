/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_holder - the snapshot that is in force
 *
 * Any thread takes a reference and keeps it for one question; a reload swaps
 * the snapshot for those who come later.  The lock is held for the time of a
 * pointer copy and never while a file is read.
 */
#ifndef POSTERN_COMMON_CONF_HOLDER_H
#define POSTERN_COMMON_CONF_HOLDER_H

#include "common/conf.h"

struct conf_holder;

/*
 * conf_holder_new(c): hold c, whose reference it takes over.  Returns new, or
 * NULL without memory, and c is the caller's still.
 */
struct conf_holder *conf_holder_new(struct conf *c);

/* conf_holder_free(h): give the held reference up.  NULL does nothing. */
void conf_holder_free(struct conf_holder *h);

/*
 * conf_holder_get(h): a reference to the snapshot in force, for conf_unref().
 */
struct conf *conf_holder_get(struct conf_holder *h);

/*
 * conf_holder_set(h, c): put c in force, with a reference of its own: for a
 * program that has first made sure that everything else can use it too.
 */
void conf_holder_set(struct conf_holder *h, struct conf *c);

#endif /* POSTERN_COMMON_CONF_HOLDER_H */
