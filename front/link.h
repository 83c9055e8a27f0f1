/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link - the MTA, spoken to on the front's own account
 *
 * Blocks up to a deadline.  Only when nothing of the client is in flight.
 */
#ifndef POSTERN_FRONT_LINK_H
#define POSTERN_FRONT_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/reply.h"

struct front;
struct strbuf;

/* link_connect(f, d, why, len): to front.next.  False with a message. */
bool link_connect(struct front *f, struct deadline d, char *why, size_t len);

/*
 * link_reply(f, d, r, raw): wait for one reply.
 *
 *   raw  its octets are added; may be NULL
 *
 * False when the MTA is gone, is too slow, or speaks no SMTP.
 */
bool link_reply(
    struct front *f, struct deadline d, struct reply *r, struct strbuf *raw);

/* link_ask(f, command, d, r, raw): say a line, without CRLF, and wait. */
bool link_ask(struct front *f, const char *command, struct deadline d,
    struct reply *r, struct strbuf *raw);

#endif /* POSTERN_FRONT_LINK_H */
