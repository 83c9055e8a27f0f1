/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cidr - a network: "192.0.2.0/24", "2001:db8::/32", "::1"
 *
 * An IPv4 address that comes wrapped into IPv6 (::ffff:192.0.2.1) is taken
 * for the IPv4 address, in networks and in what is matched.  Pure: no I/O,
 * no allocation, no log.
 */
#ifndef POSTERN_COMMON_CIDR_H
#define POSTERN_COMMON_CIDR_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;

/* Room for any cidr_format() result with its NUL. */
#define CIDR_TEXT_MAX 52

struct cidr {
	int family;             /* AF_INET, AF_INET6; 0 matches nothing */
	unsigned char addr[16]; /* network byte order; 4 octets with IPv4 */
	unsigned int prefix;    /* bits: 0..32 or 0..128 */
};

/*
 * cidr_parse(text, out, why): read a network, or an address, which is a
 * network of one.
 *
 *   out  filled; all zero on failure
 *   why  set to a constant text on failure, to NULL otherwise; may be NULL
 *
 * Returns false for what is not one, and for bits set behind the prefix
 * ("192.0.2.1/24"): whoever wrote that meant something else.
 */
bool cidr_parse(const char *text, struct cidr *out, const char **why);

/*
 * cidr_match(c, sa): does the address in *sa lie in the network?  False for
 * NULL and for families other than AF_INET and AF_INET6.
 */
bool cidr_match(const struct cidr *c, const struct sockaddr *sa);

/*
 * cidr_match_text(c, addr): the same for an address in text, with or without
 * the "IPv6:" that SMTP puts in front.  False for what is not an address.
 */
bool cidr_match_text(const struct cidr *c, const char *addr);

/*
 * cidr_prefix_len(c): the bits that are fixed; the greater, the more
 * specific, among networks of one family.
 */
unsigned int cidr_prefix_len(const struct cidr *c);

/*
 * cidr_format(c, buf, size): write the network, always with its prefix.
 * CIDR_TEXT_MAX is always enough.
 *
 * Returns buf, holding "" when size was too small or *c is empty.
 */
const char *cidr_format(const struct cidr *c, char *buf, size_t size);

#endif /* POSTERN_COMMON_CIDR_H */
