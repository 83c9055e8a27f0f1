/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/number.h"

/*
 *   endpoint = [ "lmtp:" ] ( "unix:" path / inet )
 *   inet     = IPv6 / host [ ":" port ] / "[" host-or-IP "]" [ ":" port ]
 */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *
check_octets(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < 33 || *text > 126)
			return "space, control or non-ASCII character";
	}
	return NULL;
}

/*
 * A name that the resolver would take for a number written oddly ("10.1",
 * "0x7f000001") must not pass as a name.
 */
static bool
looks_numeric(const char *label)
{
	size_t digits = strspn(label, "0123456789");

	if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
		digits = 2 + strspn(label + 2, "0123456789abcdefABCDEF");
	return label[digits] == '\0';
}

/* RFC 1123 section 2.1, and the underscore that is in use. */
static const char *
check_name(const char *name)
{
	const char *label = name, *p;

	for (p = name;; p++) {
		if (*p != '.' && *p != '\0') {
			if (!is_alnum(*p) && *p != '-' && *p != '_')
				return "character not allowed in a host name";
			continue;
		}
		if (p == label)
			return "empty label in the host name";
		if (p - label > 63)
			return "label longer than 63 octets";
		if (label[0] == '-' || p[-1] == '-')
			return "label begins or ends with a hyphen";
		if (*p == '\0')
			break;
		label = p + 1;
	}
	return looks_numeric(label) ? "neither an IP address nor a host name"
				    : NULL;
}

/* Fill host and literal from an IP address or a name. */
static const char *
put_host(struct endpoint *out, const char *text, size_t len)
{
	struct in6_addr in6;
	struct in_addr in;
	size_t i;

	if (len == 0)
		return "empty host";
	if (len > ENDPOINT_HOST_MAX)
		return "host longer than 255 octets";
	for (i = 0; i < len; i++)
		out->host[i] = text[i] >= 'A' && text[i] <= 'Z'
		    ? (char)(text[i] - 'A' + 'a')
		    : text[i];
	out->host[len] = '\0';
	out->literal = true;
	/* Written back, so that equal addresses are equal strings. */
	if (inet_pton(AF_INET, out->host, &in) == 1)
		return inet_ntop(AF_INET, &in, out->host, sizeof(out->host))
		    ? NULL
		    : "no room for the address";
	if (inet_pton(AF_INET6, out->host, &in6) == 1)
		return inet_ntop(AF_INET6, &in6, out->host, sizeof(out->host))
		    ? NULL
		    : "no room for the address";
	out->literal = false;
	if (memchr(text, ':', len) != NULL)
		return "not an IPv6 address";
	if (len > 1 && out->host[len - 1] == '.')
		out->host[len - 1] = '\0';
	return check_name(out->host);
}

static const char *
put_port(struct endpoint *out, const char *text)
{
	long long port;

	if (!is_digit(text[0]) || !number_parse(text, 1, UINT16_MAX, &port))
		return "port is not a number from 1 to 65535";
	out->port = (uint16_t)port;
	return NULL;
}

static const char *
parse_inet(const char *text, struct endpoint *out)
{
	const char *colon, *end, *why;

	out->kind = ENDPOINT_INET;
	if (text[0] == '[') {
		if ((end = strchr(text, ']')) == NULL)
			return "[ without ]";
		why = put_host(out, text + 1, (size_t)(end - text - 1));
		if (why != NULL || end[1] == '\0')
			return why;
		return end[1] == ':' ? put_port(out, end + 2) : "text after ]";
	}
	colon = strchr(text, ':');
	if (colon == NULL || strchr(colon + 1, ':') != NULL)
		return put_host(out, text, strlen(text));
	why = put_host(out, text, (size_t)(colon - text));
	return why != NULL ? why : put_port(out, colon + 1);
}

static const char *
parse_unix(const char *path, struct endpoint *out)
{
	size_t len = strlen(path);

	out->kind = ENDPOINT_UNIX;
	if (path[0] != '/')
		return "socket path does not begin with /";
	if (len > ENDPOINT_PATH_MAX)
		return "socket path longer than 107 octets";
	memcpy(out->host, path, len + 1);
	return NULL;
}

bool
endpoint_parse(const char *text, struct endpoint *out, const char **why)
{
	const char *reason = check_octets(text);

	memset(out, 0, sizeof(*out));
	if (strncasecmp(text, "lmtp:", 5) == 0) {
		out->lmtp = true;
		text += 5;
	}
	if (reason == NULL)
		reason = strncasecmp(text, "unix:", 5) == 0
		    ? parse_unix(text + 5, out)
		    : parse_inet(text, out);
	if (reason != NULL)
		memset(out, 0, sizeof(*out));
	if (why != NULL)
		*why = reason;
	return reason == NULL;
}

const char *
endpoint_format(const struct endpoint *e, char *buf, size_t size)
{
	char text[ENDPOINT_TEXT_MAX], port[8] = "";
	/* Brackets also keep a host that is called "lmtp" or "unix" from being
	 * read as a prefix. */
	bool fence = e->kind == ENDPOINT_INET &&
	    (strchr(e->host, ':') != NULL || strcmp(e->host, "lmtp") == 0 ||
		strcmp(e->host, "unix") == 0);
	int n;

	if (e->port != 0)
		(void)snprintf(port, sizeof(port), ":%u", (unsigned)e->port);
	n = snprintf(text, sizeof(text), "%s%s%s%s%s%s", e->lmtp ? "lmtp:" : "",
	    e->kind == ENDPOINT_UNIX ? "unix:" : "", fence ? "[" : "", e->host,
	    fence ? "]" : "", port);
	if (n >= 0 && (size_t)n < sizeof(text) && (size_t)n < size)
		memcpy(buf, text, (size_t)n + 1);
	else if (size > 0)
		buf[0] = '\0';
	return buf;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->lmtp == b->lmtp && a->kind == b->kind && a->port == b->port &&
	    a->literal == b->literal && strcmp(a->host, b->host) == 0;
}

bool
endpoint_is_loopback(const struct endpoint *e)
{
	struct in6_addr in6;
	struct in_addr in;

	if (e->kind == ENDPOINT_UNIX)
		return e->host[0] == '/';
	if (!e->literal)
		return strcmp(e->host, "localhost") == 0;
	if (inet_pton(AF_INET, e->host, &in) == 1)
		return ntohl(in.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, e->host, &in6) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&in6) ||
	    (IN6_IS_ADDR_V4MAPPED(&in6) && in6.s6_addr[12] == 127);
}
