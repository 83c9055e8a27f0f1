/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests - what the client sends, up to where it may go on
 *
 * Follows command lines, messages, chunks and AUTH dialogues, clears for the
 * MTA what is the MTA's, and hands the commands of the front to
 * extensions.h.  What client and MTA could read in two ways never passes: the
 * MTA trusts the front, so a command that the front took for a line of a
 * message would be carried out as the front's own.
 */
#ifndef POSTERN_FRONT_REQUESTS_H
#define POSTERN_FRONT_REQUESTS_H

#include <stdbool.h>

#include "front/front.h"

/* requests_step(f): go on as far as the octets and the dialogue allow.
 * Returns whether anything has changed. */
bool requests_step(struct front *f);

/* requests_expect(f, p): a reply will come. */
void requests_expect(struct front *f, enum front_pending p);

/* requests_discard(f): octets that were read are not looked at. */
void requests_discard(struct front *f);

#endif /* POSTERN_FRONT_REQUESTS_H */
