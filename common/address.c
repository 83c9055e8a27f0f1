/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"

/*
 * RFC 5321 section 4.1.2, RFC 6531 section 3.3 adds UTF8-non-ascii to atext,
 * sub-domain and qtextSMTP:
 *
 *   Path           = "<" [ A-d-l ":" ] Mailbox ">"
 *   A-d-l          = At-domain *( "," At-domain )
 *   At-domain      = "@" Domain
 *   Mailbox        = Local-part "@" ( Domain / address-literal )
 *   Local-part     = Dot-string / Quoted-string
 *   Dot-string     = Atom *( "." Atom )
 *   Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
 *   QcontentSMTP   = qtextSMTP / quoted-pairSMTP
 *   quoted-pairSMTP = %d92 %d32-126
 *   Domain         = sub-domain *( "." sub-domain )
 *   address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr ) "]"
 *
 * The first pass over the octets has refused control characters and what is
 * not UTF-8: from there on an octet over 127 is part of UTF8-non-ascii.
 */

/* The part of the text that is still to be read. */
struct rest {
	const char *p;
	size_t len;
};

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

static bool
is_high(char c)
{
	return (unsigned char)c > 127;
}

static bool
is_atext(char c)
{
	return is_alnum(c) || is_high(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static const char *
check_octets(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t n = utf8_sequence(text + i, len - i);

		if (n == 0)
			return "not UTF-8";
		if (!utf8_printable(text + i, n))
			return "control character";
		i += n;
	}
	return NULL;
}

static const char *
check_label(const char *label, size_t len)
{
	bool high = false;
	size_t i;

	if (len == 0)
		return "empty label in the domain";
	for (i = 0; i < len; i++) {
		if (is_high(label[i]))
			high = true;
		else if (!is_alnum(label[i]) && label[i] != '-' &&
		    label[i] != '_')
			return "character not allowed in a domain";
	}
	if (label[0] == '-' || label[len - 1] == '-')
		return "label begins or ends with a hyphen";
	/* How long a U-label is in DNS cannot be told from its UTF-8. */
	if (!high && len > 63)
		return "label longer than 63 octets";
	return NULL;
}

/*
 * RFC 5321 section 4.1.3; text is what stands between the brackets.  IPv6 is
 * the only tag that was ever registered: General-address-literal, whose
 * grammar lets '"' and '>' through, is refused.
 */
static const char *
check_literal(const char *text, size_t len)
{
	static const char ipv6[] = "IPv6:";
	unsigned char addr[sizeof(struct in6_addr)];
	char buf[INET6_ADDRSTRLEN];
	int family = AF_INET;

	if (len >= sizeof(ipv6) &&
	    strncasecmp(text, ipv6, sizeof(ipv6) - 1) == 0) {
		family = AF_INET6;
		text += sizeof(ipv6) - 1;
		len -= sizeof(ipv6) - 1;
	}
	if (len < sizeof(buf)) {
		memcpy(buf, text, len);
		buf[len] = '\0';
		if (inet_pton(family, buf, addr) == 1)
			return NULL;
	}
	return "not an IP address in the literal";
}

/* A Domain or an address-literal, the whole of text. */
static const char *
check_domain(const char *text, size_t len)
{
	const char *why;

	if (len == 0)
		return "empty domain";
	if (len > ADDRESS_DOMAIN_MAX)
		return "domain longer than 255 octets";
	if (text[0] == '[') {
		if (len < 3 || text[len - 1] != ']')
			return "address literal without its ]";
		return check_literal(text + 1, len - 2);
	}
	for (;;) {
		const char *dot = memchr(text, '.', len);
		size_t n = dot != NULL ? (size_t)(dot - text) : len;

		if ((why = check_label(text, n)) != NULL)
			return why;
		if (dot == NULL)
			return NULL;
		text = dot + 1;
		len -= n + 1;
	}
}

/* Step over "@a,@b:", which RFC 5321 appendix C says to ignore. */
static const char *
skip_route(struct rest *r)
{
	const char *why;
	bool more = true;

	while (more) {
		size_t n = 1;

		if (r->len == 0 || r->p[0] != '@')
			return "malformed source route";
		if (r->len > 1 && r->p[1] == '[') {
			while (n < r->len && r->p[n] != ']')
				n++;
		}
		while (n < r->len && r->p[n] != ',' && r->p[n] != ':')
			n++;
		if (n == r->len)
			return "source route without an address";
		if ((why = check_domain(r->p + 1, n - 1)) != NULL)
			return why;
		more = r->p[n] == ',';
		r->p += n + 1;
		r->len -= n + 1;
	}
	return NULL;
}

/* How many octets the local part takes; 0 and *why when there is none. */
static size_t
local_span(const char *p, size_t len, const char **why)
{
	size_t n = 0;

	if (len > 0 && p[0] == '"') {
		for (n = 1; n < len && p[n] != '"'; n++) {
			/* What follows a backslash is ASCII, never UTF-8. */
			if (p[n] == '\\' && ++n < len && is_high(p[n])) {
				*why = "backslash before a non-ASCII character";
				return 0;
			}
		}
		if (n >= len) {
			*why = "quoted local part without its end";
			return 0;
		}
		return n + 1;
	}
	while (n < len && (is_atext(p[n]) || p[n] == '.'))
		n++;
	if (n == 0)
		*why = len == 0 || p[0] == '@'
		    ? "empty local part"
		    : "character not allowed in an unquoted local part";
	return n;
}

static void
put_domain(struct address *out, const char *domain, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		out->domain[i] = to_lower(domain[i]);
	out->domain[len] = '\0';
}

/* [ A-d-l ":" ] ( Mailbox / Local-part ), the whole of text. */
static const char *
parse_path(const char *text, size_t len, struct address *out)
{
	struct rest r = { text, len };
	bool routed =
	    len > 0 && text[0] == '@' && memchr(text, ':', len) != NULL;
	const char *domain, *why = NULL;
	size_t i, n;

	if (routed && (why = skip_route(&r)) != NULL)
		return why;
	if (r.len > ADDRESS_MAX)
		return "longer than 320 octets";
	if ((n = local_span(r.p, r.len, &why)) == 0)
		return why;
	memcpy(out->local, r.p, n);
	out->local_len = n;
	memcpy(out->path, r.p, r.len);
	out->path_len = r.len;
	for (i = 0; i < r.len; i++)
		out->utf8 = out->utf8 || is_high(r.p[i]);
	if (n == r.len)
		return routed ? "source route without a domain" : NULL;
	if (r.p[n] != '@')
		return r.p[0] == '"'
		    ? "text after a quoted local part"
		    : "character not allowed in an unquoted local part";
	domain = r.p + n + 1;
	len = r.len - n - 1;
	if (len > 1 && domain[0] != '[' && domain[len - 1] == '.')
		len--;
	if ((why = check_domain(domain, len)) != NULL)
		return why;
	put_domain(out, domain, len);
	return NULL;
}

enum address_result
address_parse(
    const char *text, size_t len, struct address *out, const char **why)
{
	const char *reason;
	bool bracketed = len > 0 && text[0] == '<';

	memset(out, 0, sizeof(*out));
	reason = check_octets(text, len);
	if (reason == NULL && bracketed) {
		if (len < 2 || text[len - 1] != '>')
			reason = "< without >";
		text++;
		len -= 2;
	}
	if (reason == NULL && bracketed && len == 0)
		out->null = true;
	else if (reason == NULL)
		reason = len == 0 ? "empty" : parse_path(text, len, out);
	if (why != NULL)
		*why = reason;
	if (reason != NULL) {
		memset(out, 0, sizeof(*out));
		return ADDRESS_BAD;
	}
	if (out->null)
		return ADDRESS_NULL;
	return out->domain[0] != '\0' ? ADDRESS_OK : ADDRESS_NO_DOMAIN;
}

/* The next octet of a local part's meaning; -1 at its end. */
static int
next_meant(const struct address *a, size_t *i)
{
	bool quoted = a->local[0] == '"';

	if (quoted && *i == 0)
		++*i;
	if (quoted && a->local[*i] == '\\')
		++*i;
	else if (quoted && a->local[*i] == '"')
		return -1;
	if (*i >= a->local_len)
		return -1;
	return (unsigned char)a->local[(*i)++];
}

bool
address_local_equal(const struct address *a, const struct address *b)
{
	size_t i = 0, k = 0;
	int x, y;

	do {
		x = next_meant(a, &i);
		y = next_meant(b, &k);
	} while (x == y && x != -1);
	return x == y;
}
