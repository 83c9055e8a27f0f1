/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nexthop - where an MTA sends mail, as it names the place
 *
 * The forms of Postfix and of option nexthops: "host", "[host]", "host:port",
 * "[host]:port", "[2001:db8::1]:587", "2001:db8::1", "[IPv6:2001:db8::1]";
 * also "host:submission"; the other services are smtp, smtps and submissions.
 * Names are those that endpoint.h takes, '_' among them.  A password is given
 * by what this says, so whatever is not clearly one of these is none: "unix:",
 * "inet:" and "lmtp:" in front, a port with a zero in front, a zone ("%eth0"),
 * octets outside 33..126.  Pure: no I/O, nothing is allocated; names are not
 * looked up.
 */
#ifndef POSTERN_COMMON_NEXTHOP_H
#define POSTERN_COMMON_NEXTHOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEXTHOP_HOST_MAX 255

struct nexthop {
	/* Lower case, without brackets and final dot; an address in the form
	 * of inet_ntop(3), an IPv4 address mapped into IPv6 as IPv4.  Zero
	 * octets behind it. */
	char host[NEXTHOP_HOST_MAX + 1];
	uint16_t port; /* 0: none was given */
	bool literal;  /* host is an IP address */
};

/*
 * nexthop_parse(text, len, out, why): read one.
 *
 *   text  octets, of which any may be anything
 *   out   filled; all zero on failure
 *   why   set to a constant text on failure, to NULL otherwise; may be NULL
 */
bool nexthop_parse(
    const char *text, size_t len, struct nexthop *out, const char **why);

/*
 * nexthop_covers(rule, asked): may what belongs to `rule' go to `asked'?  The
 * same host, and the same port where the rule has one: a rule without a port
 * covers all of them, a rule with a port does not cover one that was not
 * said.
 */
bool nexthop_covers(const struct nexthop *rule, const struct nexthop *asked);

#endif /* POSTERN_COMMON_NEXTHOP_H */
