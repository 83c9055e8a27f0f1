/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opening - all that happens before the client gets a greeting
 */
#ifndef POSTERN_FRONT_OPENING_H
#define POSTERN_FRONT_OPENING_H

#include <stdbool.h>
#include <stddef.h>

struct front;

/* opening_peer(f, fd): who the client is, and what it may do.  False when fd
 * is no TCP connection. */
bool opening_peer(struct front *f, int fd);

/*
 * opening_do(f, why, len): reach the MTA, tell it and the milter who the
 * client is, and put the greeting into f->own.
 *
 * Returns false with a message when the client cannot be served: it is told
 * 421 then.
 */
bool opening_do(struct front *f, char *why, size_t len);

#endif /* POSTERN_FRONT_OPENING_H */
