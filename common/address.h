/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address - an envelope address, taken apart
 *
 * RFC 5321 section 4.1.2 with RFC 6531 (UTF-8).  Nothing goes into an SMTP
 * command unless it came out of address_parse(): what it lets through holds
 * no NUL, CR, LF or other control character and cannot end a path early.
 * Pure: no I/O, no allocation, no log.
 */
#ifndef POSTERN_COMMON_ADDRESS_H
#define POSTERN_COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 5321 section 4.5.3.1 gives the local part 64 octets, the domain 255
 * and a path 256 in all.  Local parts longer than 64 are in use (lists,
 * SRS, BATV): only the whole is bounded here, the upstream is the judge. */
#define ADDRESS_MAX        320
#define ADDRESS_LOCAL_MAX  ADDRESS_MAX
#define ADDRESS_DOMAIN_MAX 255

enum address_result {
	ADDRESS_BAD = 0,   /* not an address; *out is empty */
	ADDRESS_OK,        /* local part and domain */
	ADDRESS_NULL,      /* <>, the null reverse-path */
	ADDRESS_NO_DOMAIN, /* a local part alone: <postmaster> */
};

struct address {
	/* Byte for byte, with its quotes when it is a quoted string. */
	char local[ADDRESS_LOCAL_MAX + 1];
	size_t local_len;
	/* ASCII letters in lower case, one trailing dot removed; a literal
	 * keeps its brackets: "[192.0.2.1]", "[ipv6:2001:db8::1]". */
	char domain[ADDRESS_DOMAIN_MAX + 1];
	/* What stands between < and >, byte for byte as given, without the
	 * source route. */
	char path[ADDRESS_MAX + 1];
	size_t path_len;
	bool utf8; /* path has octets over 127: SMTPUTF8 is needed */
	bool null; /* <> */
};

/*
 * address_parse(text, len, out, why): take an envelope address apart.
 *
 *   text, len  the octets, with or without < and >, nothing around them;
 *              not kept
 *   out        filled; all zero when the result is ADDRESS_BAD
 *   why        set to a constant text when ADDRESS_BAD, to NULL otherwise;
 *              may be NULL
 *
 * A source route is checked and dropped (RFC 5321 appendix C).  Refused, as
 * ADDRESS_BAD: control characters, what is not UTF-8, spaces and specials
 * outside quotes, an empty local part or domain or label, a label over 63
 * octets, a path over ADDRESS_MAX, an address literal that is none.  Dots may
 * stand anywhere in an unquoted local part, against the RFC but as in use.
 */
enum address_result address_parse(
    const char *text, size_t len, struct address *out, const char **why);

/*
 * address_local_equal(a, b): do the local parts mean the same mailbox?
 * Quotes and backslashes are looked through ("ann" is ann); letters must
 * match in case too, RFC 5321 section 2.4.
 */
bool address_local_equal(const struct address *a, const struct address *b);

#endif /* POSTERN_COMMON_ADDRESS_H */
