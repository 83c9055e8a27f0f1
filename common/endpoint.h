/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint - where an upstream listens
 *
 * The forms of the configuration: "host", "host:port", "192.0.2.1:25",
 * "[2001:db8::1]:25", "2001:db8::1", "unix:/path", each with "lmtp:" in front
 * when LMTP is spoken there.  Pure: no I/O, no allocation, no log; names are
 * not looked up.
 */
#ifndef POSTERN_COMMON_ENDPOINT_H
#define POSTERN_COMMON_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENDPOINT_HOST_MAX 255
/* sun_path holds 108 octets, the last of them NUL. */
#define ENDPOINT_PATH_MAX 107
/* Room for any endpoint_format() result with its NUL. */
#define ENDPOINT_TEXT_MAX (ENDPOINT_HOST_MAX + 16)

enum endpoint_kind {
	ENDPOINT_INET, /* host name or IP address, TCP */
	ENDPOINT_UNIX, /* stream socket in the file system */
};

struct endpoint {
	bool lmtp;
	enum endpoint_kind kind;
	/* Host name in lower case, without a trailing dot; or IP address in
	 * its usual form, without brackets; or the socket's absolute path. */
	char host[ENDPOINT_HOST_MAX + 1];
	uint16_t port; /* 0: none was given */
	bool literal;  /* host is an IP address */
};

/*
 * endpoint_parse(text, out, why): read one endpoint.
 *
 *   out  filled; all zero on failure
 *   why  set to a constant text on failure, to NULL otherwise; may be NULL
 *
 * Brackets may also stand around a name or an IPv4 address; a host that is
 * called "lmtp" or "unix" needs them when a port follows.  Returns false
 * for anything else: an empty or relative path, a port outside 1..65535,
 * a name that is none (RFC 1123; '_' is let through), a name that ends in a
 * number without being an IPv4 address, octets outside 33..126.
 */
bool endpoint_parse(const char *text, struct endpoint *out, const char **why);

/*
 * endpoint_format(e, buf, size): write *e so that endpoint_parse() reads the
 * same.  ENDPOINT_TEXT_MAX is always enough.
 *
 * Returns buf, holding "" when size was too small.
 */
const char *endpoint_format(const struct endpoint *e, char *buf, size_t size);

/*
 * endpoint_equal(a, b): the same place, spoken to in the same way?  A port
 * that was not given differs from one that was.
 */
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/*
 * endpoint_is_loopback(e): does what is sent there stay on this machine?
 * True for Unix sockets, 127.0.0.0/8, ::1, 127.0.0.0/8 mapped into IPv6, and
 * the name "localhost" alone: a name below it may be answered by DNS.
 */
bool endpoint_is_loopback(const struct endpoint *e);

#endif /* POSTERN_COMMON_ENDPOINT_H */
