/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialogue - octets between a client and the MTA, until one of them ends
 */
#ifndef POSTERN_FRONT_DIALOGUE_H
#define POSTERN_FRONT_DIALOGUE_H

struct front;

/* dialogue_run(f): until the session is over.  A client that is told 421 gets
 * to read it. */
void dialogue_run(struct front *f);

#endif /* POSTERN_FRONT_DIALOGUE_H */
