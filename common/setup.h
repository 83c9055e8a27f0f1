/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setup - a configuration snapshot and the routes that were opened for it
 *
 * A use case asks for what is in force, keeps it for one question, and lets
 * it go; a reload puts another in its place for those who come later.  Any
 * thread; the lock is held for the time of a pointer copy.
 */
#ifndef POSTERN_COMMON_SETUP_H
#define POSTERN_COMMON_SETUP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "common/route.h"

struct setup {
	atomic_uint refs;
	struct conf *conf;
	struct router *router;
};

/* setup_new(conf, what, why, len): with one reference; keeps one to conf.
 * NULL with a message in why. */
struct setup *setup_new(
    struct conf *conf, enum route_for what, char *why, size_t len);
void setup_unref(struct setup *s); /* NULL does nothing */

struct setup_holder {
	pthread_mutex_t lock; /* guards the pointer */
	struct setup *setup;
};

/* setup_holder_init(h, s), setup_holder_set(h, s): s is in force from now
 * on; its reference is taken over.  s may be NULL at first. */
void setup_holder_init(struct setup_holder *h, struct setup *s);
void setup_holder_set(struct setup_holder *h, struct setup *s);
void setup_holder_release(struct setup_holder *h);

/* setup_holder_get(h): a reference to what is in force. */
struct setup *setup_holder_get(struct setup_holder *h);

#endif /* POSTERN_COMMON_SETUP_H */
