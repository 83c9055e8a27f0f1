/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ehlo.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/reply.h"

/*
 * RFC 5321 section 4.1.1.1:
 *   ehlo-ok-rsp  = "250-" Domain [ SP ehlo-greet ] CRLF
 *                  *( "250-" ehlo-line CRLF ) "250" SP ehlo-line CRLF
 *   ehlo-line    = ehlo-keyword *( SP ehlo-param )
 */

struct name {
	const char *text;
	unsigned int bit;
};

static const struct name keywords[] = {
	{ "PIPELINING", EHLO_PIPELINING },
	{ "STARTTLS", EHLO_STARTTLS },
	{ "8BITMIME", EHLO_8BITMIME },
	{ "SMTPUTF8", EHLO_SMTPUTF8 },
	{ "ENHANCEDSTATUSCODES", EHLO_ENHANCEDSTATUSCODES },
	{ "SIZE", EHLO_SIZE },
	{ "DSN", EHLO_DSN },
	{ "CHUNKING", EHLO_CHUNKING },
	{ "AUTH", EHLO_AUTH },
	{ "XCLIENT", EHLO_XCLIENT },
	{ NULL, 0 },
};

static const struct name mechs[] = {
	{ "PLAIN", EHLO_MECH_PLAIN },
	{ "LOGIN", EHLO_MECH_LOGIN },
	{ "CRAM-MD5", EHLO_MECH_CRAM_MD5 },
	{ "SCRAM-SHA-1", EHLO_MECH_SCRAM_SHA_1 },
	{ "SCRAM-SHA-256", EHLO_MECH_SCRAM_SHA_256 },
	{ "XOAUTH2", EHLO_MECH_XOAUTH2 },
	{ "OAUTHBEARER", EHLO_MECH_OAUTHBEARER },
	{ "EXTERNAL", EHLO_MECH_EXTERNAL },
	{ NULL, 0 },
};

static const struct name attributes[] = {
	{ "NAME", EHLO_XCLIENT_NAME },
	{ "ADDR", EHLO_XCLIENT_ADDR },
	{ "PORT", EHLO_XCLIENT_PORT },
	{ "PROTO", EHLO_XCLIENT_PROTO },
	{ "HELO", EHLO_XCLIENT_HELO },
	{ "LOGIN", EHLO_XCLIENT_LOGIN },
	{ "DESTADDR", EHLO_XCLIENT_DESTADDR },
	{ "DESTPORT", EHLO_XCLIENT_DESTPORT },
	{ NULL, 0 },
};

/* A run of octets inside the reply's text. */
struct span {
	const char *p;
	size_t len;
};

/* Cut the next part, up to sep or the end, off the front of *rest. */
static struct span
cut_off(struct span *rest, char sep)
{
	const char *end = memchr(rest->p, sep, rest->len);
	struct span s = { rest->p, rest->len };

	if (end == NULL) {
		rest->p += rest->len;
		rest->len = 0;
		return s;
	}
	s.len = (size_t)(end - rest->p);
	rest->p += s.len + 1;
	rest->len -= s.len + 1;
	return s;
}

static unsigned int
bit_of(const struct name *table, struct span word)
{
	for (; table->text != NULL; table++) {
		if (strlen(table->text) == word.len &&
		    strncasecmp(table->text, word.p, word.len) == 0)
			return table->bit;
	}
	return 0;
}

static unsigned int
bits_of(const struct name *table, struct span rest)
{
	unsigned int bits = 0;

	while (rest.len > 0)
		bits |= bit_of(table, cut_off(&rest, ' '));
	return bits;
}

/* RFC 1870: up to 20 digits, and 0 means that there is no limit. */
static unsigned long long
size_of(struct span word)
{
	unsigned long long v = 0;
	size_t i;

	for (i = 0; i < word.len; i++) {
		unsigned int d = (unsigned int)(word.p[i] - '0');

		if (word.p[i] < '0' || word.p[i] > '9')
			return 0;
		v = v > (ULLONG_MAX - d) / 10 ? ULLONG_MAX : v * 10 + d;
	}
	return v;
}

static void
take_line(struct ehlo *out, struct span line)
{
	struct span word = cut_off(&line, ' ');
	unsigned int bit;

	if (word.len >= 5 && strncasecmp(word.p, "AUTH=", 5) == 0) {
		out->keywords |= EHLO_AUTH;
		out->mechs |=
		    bits_of(mechs, (struct span){ word.p + 5, word.len - 5 });
		out->mechs |= bits_of(mechs, line);
		return;
	}
	bit = bit_of(keywords, word);
	out->keywords |= bit;
	if (bit == EHLO_AUTH)
		out->mechs |= bits_of(mechs, line);
	else if (bit == EHLO_XCLIENT)
		out->xclient |= bits_of(attributes, line);
	else if (bit == EHLO_SIZE)
		out->size = size_of(cut_off(&line, ' '));
}

bool
ehlo_parse(const struct reply *r, struct ehlo *out)
{
	struct span rest = { r->text, r->text_len };
	struct span line, word;

	memset(out, 0, sizeof(*out));
	if (r->state != REPLY_DONE || r->code != 250)
		return false;
	if (r->cut) {
		while (rest.len > 0 && rest.p[rest.len - 1] != '\n')
			rest.len--;
	}
	line = cut_off(&rest, '\n');
	word = cut_off(&line, ' ');
	if (word.len <= EHLO_DOMAIN_MAX)
		memcpy(out->domain, word.p, word.len);
	while (rest.len > 0)
		take_line(out, cut_off(&rest, '\n'));
	return true;
}

unsigned int
ehlo_mech(const char *name)
{
	return bit_of(mechs, (struct span){ name, strlen(name) });
}

const char *
ehlo_mech_name(unsigned int bit)
{
	const struct name *n;

	for (n = mechs; n->text != NULL; n++) {
		if (n->bit == bit)
			return n->text;
	}
	return NULL;
}
