/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * negotiate - what the MTA is asked to tell
 *
 * As little as the configuration allows: each step and each macro costs.
 */
#ifndef POSTERN_MILTER_NEGOTIATE_H
#define POSTERN_MILTER_NEGOTIATE_H

#include <stdbool.h>

#include <libmilter/mfapi.h>

struct conf;

/*
 * negotiate(ctx, conf, actions, steps): ask for the macros, and say what is
 * wanted.
 *
 *   conf     NULL: as little as there can be
 *   actions  what a message may have done to it: offered; set to what is
 *            wanted of it
 *   steps    what the MTA can leave out or do without a reply to: offered; set
 *            to what is wanted of it
 */
void negotiate(SMFICTX *ctx, const struct conf *conf, unsigned long *actions,
    unsigned long *steps);

/* negotiate_waits(conf): is the MTA to wait for an answer to HELO and MAIL? */
bool negotiate_waits(const struct conf *conf);

/* negotiate_variables(conf): does anything use the variables of contexts? */
bool negotiate_variables(const struct conf *conf);

#endif /* POSTERN_MILTER_NEGOTIATE_H */
