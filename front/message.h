/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message - where a message that is sent with DATA ends
 *
 * It ends with CR LF "." CR LF (RFC 5321 section 4.1.1.4).  MTAs differ over
 * the same with a bare LF in it, or with one CR more: what one takes for text
 * is the end to the other, and what follows is commands then.  Such a line is
 * found, so that it can be refused.  Pure.
 */
#ifndef POSTERN_FRONT_MESSAGE_H
#define POSTERN_FRONT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

enum message_found {
	MESSAGE_GOES_ON = 0,
	MESSAGE_ENDS,      /* its last octet is used up */
	MESSAGE_AMBIGUOUS, /* the LF that makes it so is not */
};

enum message_line {
	MESSAGE_BEGIN = 0, /* of a line */
	MESSAGE_DOT,       /* "." */
	MESSAGE_DOT_CR,    /* "." CR */
	MESSAGE_DOT_ODD,   /* "." CR CR, and more */
	MESSAGE_TEXT,
	MESSAGE_TEXT_CR,
};

struct message {
	enum message_line at;
	bool bare; /* the line before ended with a LF alone */
};

/* message_init(m): a message begins. */
void message_init(struct message *m);

/* message_scan(m, data, len, used): look at octets; *used of them belong to
 * the message. */
enum message_found message_scan(
    struct message *m, const char *data, size_t len, size_t *used);

#endif /* POSTERN_FRONT_MESSAGE_H */
