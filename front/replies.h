/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replies - what the MTA answers, matched with what the client asked
 */
#ifndef POSTERN_FRONT_REPLIES_H
#define POSTERN_FRONT_REPLIES_H

#include <stdbool.h>

struct front;

/* replies_step(f): clear what may go to the client.  Returns whether anything
 * has changed. */
bool replies_step(struct front *f);

#endif /* POSTERN_FRONT_REPLIES_H */
