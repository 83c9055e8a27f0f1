/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ehlo_edit - the MTA's reply to EHLO, as this client may see it
 *
 * XCLIENT and XFORWARD are the MTA's offer to the front; STARTTLS is the
 * front's own or nobody's.  All other lines pass as they are.  Pure.
 */
#ifndef POSTERN_FRONT_EHLO_EDIT_H
#define POSTERN_FRONT_EHLO_EDIT_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

struct ehlo_edit {
	unsigned int rights; /* enum front_right: what is offered */
	bool starttls;       /* offer it */
};

/*
 * ehlo_edit(reply, len, e, out, chunking): write the reply that the client
 * gets.
 *
 *   reply, len  a whole 250 reply with its line ends
 *   out         added to
 *   chunking    whether the MTA offers BDAT
 *
 * Returns false when *out does not hold it.
 */
bool ehlo_edit(const char *reply, size_t len, const struct ehlo_edit *e,
    struct strbuf *out, bool *chunking);

#endif /* POSTERN_FRONT_EHLO_EDIT_H */
