/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/number.h"

/* The first octets of an IPv4 address that is mapped into IPv6. */
#define MAPPED_BITS 96

static unsigned int
bits_of(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* Turn an address that is a mapped one into the IPv4 address it means. */
static void
unmap(struct cidr *c)
{
	struct in6_addr in6;

	if (c->family != AF_INET6 || c->prefix < MAPPED_BITS)
		return;
	memcpy(&in6, c->addr, sizeof(in6));
	if (!IN6_IS_ADDR_V4MAPPED(&in6))
		return;
	memset(c->addr, 0, sizeof(c->addr));
	memcpy(c->addr, in6.s6_addr + 12, 4);
	c->family = AF_INET;
	c->prefix -= MAPPED_BITS;
}

/* Read an address as a network of one, mapped ones not yet undone. */
static bool
put_address(struct cidr *out, const char *text)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->addr) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, text, out->addr) == 1)
		out->family = AF_INET6;
	else
		return false;
	out->prefix = bits_of(out->family);
	return true;
}

static bool
bit(const unsigned char *addr, unsigned int i)
{
	return (addr[i / 8] >> (7 - i % 8) & 1) != 0;
}

static const char *
parse(const char *text, struct cidr *out)
{
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	long long prefix;
	unsigned int i;

	if (len >= sizeof(addr))
		return "not an IP address";
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (!put_address(out, addr))
		return "not an IP address";
	if (slash != NULL) {
		if (slash[1] == '-' ||
		    !number_parse(slash + 1, 0, bits_of(out->family), &prefix))
			return out->family == AF_INET
			    ? "prefix is not a number from 0 to 32"
			    : "prefix is not a number from 0 to 128";
		out->prefix = (unsigned int)prefix;
	}
	for (i = out->prefix; i < bits_of(out->family); i++) {
		if (bit(out->addr, i))
			return "bits are set behind the prefix";
	}
	unmap(out);
	return NULL;
}

bool
cidr_parse(const char *text, struct cidr *out, const char **why)
{
	const char *reason = parse(text, out);

	if (reason != NULL)
		memset(out, 0, sizeof(*out));
	if (why != NULL)
		*why = reason;
	return reason == NULL;
}

/* Does the one address *a lie in *c? */
static bool
contains(const struct cidr *c, struct cidr *a)
{
	unsigned int whole = c->prefix / 8, i;

	unmap(a);
	if (c->family == 0 || a->family != c->family ||
	    memcmp(a->addr, c->addr, whole) != 0)
		return false;
	for (i = whole * 8; i < c->prefix; i++) {
		if (bit(a->addr, i) != bit(c->addr, i))
			return false;
	}
	return true;
}

bool
cidr_match(const struct cidr *c, const struct sockaddr *sa)
{
	struct cidr a = { 0 };

	if (sa == NULL)
		return false;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in sin;

		memcpy(&sin, sa, sizeof(sin));
		memcpy(a.addr, &sin.sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 sin6;

		memcpy(&sin6, sa, sizeof(sin6));
		memcpy(a.addr, &sin6.sin6_addr, 16);
	} else {
		return false;
	}
	a.family = sa->sa_family;
	a.prefix = bits_of(a.family);
	return contains(c, &a);
}

bool
cidr_match_text(const struct cidr *c, const char *addr)
{
	struct cidr a;

	if (strncasecmp(addr, "IPv6:", 5) == 0)
		addr += 5;
	return put_address(&a, addr) && contains(c, &a);
}

unsigned int
cidr_prefix_len(const struct cidr *c)
{
	return c->prefix;
}

const char *
cidr_format(const struct cidr *c, char *buf, size_t size)
{
	char addr[INET6_ADDRSTRLEN], text[CIDR_TEXT_MAX];
	int n = 0;

	if (c->family != 0 &&
	    inet_ntop(c->family, c->addr, addr, sizeof(addr)) != NULL)
		n = snprintf(
		    text, sizeof(text), "%s/%u", addr, c->prefix & 255);
	if (n > 0 && (size_t)n < size)
		memcpy(buf, text, (size_t)n + 1);
	else if (size > 0)
		buf[0] = '\0';
	return buf;
}
