/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ehlo - what an upstream says it can do
 *
 * The reply to EHLO or LHLO (RFC 5321 section 4.1.1.1).  Keywords are matched
 * as whole words in any case; what is not known here is passed over.  Pure: no
 * I/O, no allocation, no log.  What was said before STARTTLS must be
 * forgotten after it (RFC 3207 section 4.2): parse the new reply into the
 * same struct.
 */
#ifndef POSTERN_COMMON_EHLO_H
#define POSTERN_COMMON_EHLO_H

#include <stdbool.h>

#define EHLO_DOMAIN_MAX 255

struct reply;

/* Bits of keywords. */
enum ehlo_keyword {
	EHLO_PIPELINING = 1 << 0,          /* RFC 2920 */
	EHLO_STARTTLS = 1 << 1,            /* RFC 3207 */
	EHLO_8BITMIME = 1 << 2,            /* RFC 6152 */
	EHLO_SMTPUTF8 = 1 << 3,            /* RFC 6531 */
	EHLO_ENHANCEDSTATUSCODES = 1 << 4, /* RFC 2034 */
	EHLO_SIZE = 1 << 5,                /* RFC 1870 */
	EHLO_DSN = 1 << 6,                 /* RFC 3461 */
	EHLO_CHUNKING = 1 << 7,            /* RFC 3030 */
	EHLO_AUTH = 1 << 8,                /* RFC 4954 */
	EHLO_XCLIENT = 1 << 9,             /* Postfix XCLIENT_README */
};

/* Bits of mechs. */
enum ehlo_mech {
	EHLO_MECH_PLAIN = 1 << 0,
	EHLO_MECH_LOGIN = 1 << 1,
	EHLO_MECH_CRAM_MD5 = 1 << 2,
	EHLO_MECH_SCRAM_SHA_1 = 1 << 3,
	EHLO_MECH_SCRAM_SHA_256 = 1 << 4,
	EHLO_MECH_XOAUTH2 = 1 << 5,
	EHLO_MECH_OAUTHBEARER = 1 << 6,
	EHLO_MECH_EXTERNAL = 1 << 7,
};

/* Bits of xclient: the attributes the upstream takes. */
enum ehlo_xclient {
	EHLO_XCLIENT_NAME = 1 << 0,
	EHLO_XCLIENT_ADDR = 1 << 1,
	EHLO_XCLIENT_PORT = 1 << 2,
	EHLO_XCLIENT_PROTO = 1 << 3,
	EHLO_XCLIENT_HELO = 1 << 4,
	EHLO_XCLIENT_LOGIN = 1 << 5,
	EHLO_XCLIENT_DESTADDR = 1 << 6,
	EHLO_XCLIENT_DESTPORT = 1 << 7,
};

struct ehlo {
	unsigned int keywords;
	unsigned int mechs;
	unsigned int xclient;
	unsigned long long size; /* octets; 0: none given, or no limit */
	char domain[EHLO_DOMAIN_MAX + 1]; /* first word of the first line */
};

/*
 * ehlo_parse(r, out): read a whole reply to EHLO.
 *
 *   r    a reply for which reply_line() said REPLY_DONE; not kept
 *   out  overwritten; all zero when false is returned
 *
 * "AUTH=LOGIN PLAIN", an old form, counts as AUTH.  A SIZE too large for the
 * type is its largest value.  When the text was cut, its last line, which may
 * be half a keyword, is left out.
 *
 * Returns false when *r is not a 250 reply.
 */
bool ehlo_parse(const struct reply *r, struct ehlo *out);

/*
 * ehlo_mech(name): the bit of a mechanism's name in any case, 0 when it is
 * not known here.
 */
unsigned int ehlo_mech(const char *name);

/*
 * ehlo_mech_name(bit): the name of one mechanism, such as "PLAIN"; NULL when
 * bit is not exactly one of enum ehlo_mech.  The string is constant.
 */
const char *ehlo_mech_name(unsigned int bit);

#endif /* POSTERN_COMMON_EHLO_H */
