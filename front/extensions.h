/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extensions - the commands that the front carries out itself
 *
 * XSETCONTEXT, XDUMPCONTEXT, XREMOTEIP, XCLIENT for those whose `peer` section
 * has them, and STARTTLS when there is a certificate.  The milter judges the
 * rights again.
 */
#ifndef POSTERN_FRONT_EXTENSIONS_H
#define POSTERN_FRONT_EXTENSIONS_H

#include <stdbool.h>
#include <stddef.h>

struct command;
struct front;

/* extensions_is_ours(f, c): is it for the front, from this client, now? */
bool extensions_is_ours(const struct front *f, const struct command *c);

/* extensions_do(f, c, len): carry it out and answer; f is quiet, and the line
 * of len octets is the first in f->up. */
void extensions_do(struct front *f, const struct command *c, size_t len);

#endif /* POSTERN_FRONT_EXTENSIONS_H */
