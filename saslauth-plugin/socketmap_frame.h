/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socketmap_frame - a request and a reply in the socketmap protocol
 *
 *	netstring  the length of its octets in decimal, ':', they, ','
 *	request    "NAME KEY": NAME ends at the first blank
 *	reply      "OK text", "NOTFOUND ", "TEMP text", "PERM text"
 *
 * As Sendmail and Postfix (socketmap_table(5)) have it.  A connection carries
 * as many as the client likes.
 *
 * Pure: no I/O, nothing is allocated.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_SOCKETMAP_FRAME_H
#define POSTERN_SASLAUTH_PLUGIN_SOCKETMAP_FRAME_H

#include <stddef.h>

/* Octets within the netstring.  A reply's limit is Postfix's. */
#define SOCKETMAP_REQUEST_MAX 8192
#define SOCKETMAP_REPLY_MAX   100000

/* Octets around them, at most. */
#define SOCKETMAP_AROUND 8

#define SOCKETMAP_FRAME_MAX (SOCKETMAP_REQUEST_MAX + SOCKETMAP_AROUND)

enum socketmap_state {
	SOCKETMAP_BAD = -1, /* no netstring begins like this */
	SOCKETMAP_MORE,     /* one may */
	SOCKETMAP_WHOLE,    /* one does; others may follow it */
};

/* Octets, any; those of a request lie in its buffer. */
struct socketmap_text {
	const void *data;
	size_t len;
};

struct socketmap_request {
	struct socketmap_text name;
	struct socketmap_text key; /* data is NULL when there is no blank */
	size_t frame;              /* octets from buf that were the request */
};

/*
 * socketmap_parse(buf, len, out, why): the request at the beginning of what
 * has come so far.
 *
 *   out  filled in with WHOLE; may be NULL
 *   why  set to a constant text with BAD; may be NULL
 *
 * SOCKETMAP_BAD as soon as it is known: a length that is no number, has a
 * leading zero or is over SOCKETMAP_REQUEST_MAX; no ',' at the end.
 */
enum socketmap_state socketmap_parse(const unsigned char *buf, size_t len,
    struct socketmap_request *out, const char **why);

/*
 * socketmap_write(v, n, out, size): the texts, one after the other, as one
 * netstring.  Returns its octets; 0 when there are more than
 * SOCKETMAP_REPLY_MAX of the texts or it does not fit: SOCKETMAP_AROUND more
 * than theirs always do.
 */
size_t socketmap_write(
    const struct socketmap_text *v, size_t n, unsigned char *out, size_t size);

#endif /* POSTERN_SASLAUTH_PLUGIN_SOCKETMAP_FRAME_H */
