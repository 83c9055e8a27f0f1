/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/nexthop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "common/endpoint.h"
#include "common/number.h"

/*
 *   nexthop = IPv6 / host [ ":" port ] / "[" inside "]" [ ":" port ]
 *   inside  = host / IPv4 / IPv6 / "IPv6:" IPv6
 *   port    = 1..65535, without a zero in front / service
 */

/* Brackets, "IPv6:", a final dot and a port. */
#define TEXT_MAX (NEXTHOP_HOST_MAX + 24)

/* The services that mail is sent to, as IANA has them.  The files of the
 * machine are not asked: what they say may change under a password. */
static const struct service {
	const char *name;
	uint16_t port;
} services[] = {
	{ "smtp", 25 },
	{ "smtps", 465 },
	{ "submission", 587 },
	{ "submissions", 465 },
};

static const char *
put_port(const char *text, struct nexthop *out)
{
	long long port;
	size_t i;

	for (i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (strcasecmp(text, services[i].name) == 0) {
			out->port = services[i].port;
			return NULL;
		}
	}
	if (text[0] < '1' || text[0] > '9' ||
	    !number_parse(text, 1, UINT16_MAX, &port))
		return "port is neither a number from 1 to 65535 nor smtp, "
		       "submission, submissions or smtps";
	out->port = (uint16_t)port;
	return NULL;
}

/* An IPv4 address in IPv6 is the same place as the address itself. */
static const char *
unmap(const char *host, char *buf, socklen_t size)
{
	struct in6_addr in6;
	struct in_addr in;

	if (inet_pton(AF_INET6, host, &in6) != 1 || !IN6_IS_ADDR_V4MAPPED(&in6))
		return host;
	memcpy(&in, &in6.s6_addr[12], sizeof(in));
	return inet_ntop(AF_INET, &in, buf, size);
}

/* What endpoint_parse() takes for a host in brackets is one here. */
static const char *
put_host(const char *text, size_t len, struct nexthop *out)
{
	char fenced[TEXT_MAX + 3];
	char v4[INET_ADDRSTRLEN];
	struct endpoint e;
	const char *why, *host;

	if (len == 0)
		return "empty host";
	if (memchr(text, '[', len) != NULL || memchr(text, ']', len) != NULL)
		return "stray bracket";
	if (len > sizeof(fenced) - 3)
		return "too long for a host";
	fenced[0] = '[';
	memcpy(fenced + 1, text, len);
	memcpy(fenced + 1 + len, "]", 2);
	if (!endpoint_parse(fenced, &e, &why))
		return why;
	host = unmap(e.host, v4, sizeof(v4));
	if (host == NULL)
		return "no room for the address";
	memcpy(out->host, host, strlen(host));
	out->literal = e.literal;
	return NULL;
}

static const char *
parse_fenced(const char *text, struct nexthop *out)
{
	const char *end = strchr(text, ']');
	const char *why;

	if (end == NULL)
		return "[ without ]";
	if (end[1] != '\0' && end[1] != ':')
		return "text after ]";
	if (strncasecmp(text, "[ipv6:", 6) == 0) {
		why = put_host(text + 6, (size_t)(end - text - 6), out);
		if (why == NULL &&
		    memchr(text + 6, ':', (size_t)(end - text - 6)) == NULL)
			why = "not an IPv6 address";
	} else {
		why = put_host(text + 1, (size_t)(end - text - 1), out);
	}
	if (why != NULL || end[1] == '\0')
		return why;
	return put_port(end + 2, out);
}

static const char *
parse(const char *text, struct nexthop *out)
{
	const char *colon = strchr(text, ':');
	const char *why;

	/* Postfix's other transports have next hops of these forms. */
	if (strncasecmp(text, "unix:", 5) == 0 ||
	    strncasecmp(text, "inet:", 5) == 0 ||
	    strncasecmp(text, "lmtp:", 5) == 0)
		return "a host is wanted, without a word in front";
	if (text[0] == '[')
		return parse_fenced(text, out);
	if (colon == NULL || strchr(colon + 1, ':') != NULL)
		return put_host(text, strlen(text), out);
	why = put_host(text, (size_t)(colon - text), out);
	return why != NULL ? why : put_port(colon + 1, out);
}

bool
nexthop_parse(
    const char *text, size_t len, struct nexthop *out, const char **why)
{
	char copy[TEXT_MAX + 1];
	const char *reason;

	memset(out, 0, sizeof(*out));
	if (len > TEXT_MAX) {
		reason = "too long for a host";
	} else if (len > 0 && memchr(text, '\0', len) != NULL) {
		reason = "NUL octet";
	} else {
		if (len > 0)
			memcpy(copy, text, len);
		copy[len] = '\0';
		reason = parse(copy, out);
	}
	if (reason != NULL)
		memset(out, 0, sizeof(*out));
	if (why != NULL)
		*why = reason;
	return reason == NULL;
}

bool
nexthop_covers(const struct nexthop *rule, const struct nexthop *asked)
{
	return rule->host[0] != '\0' &&
	    (rule->port == 0 || rule->port == asked->port) &&
	    strcmp(rule->host, asked->host) == 0;
}
