/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/commands.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "common/xtext.h"

/* The longest word that is looked for, and how many octets of an odd line are
 * looked at for the letters of one. */
#define WORD_MAX 16
#define ODD_LOOK 4096

/* RFC 3030 sets no limit; an MTA's own is far below. */
#define BDAT_MAX ((uint64_t)1 << 62)

static const struct {
	const char *word;
	enum command_kind kind;
	bool policed; /* what an MTA must not find in a line that is odd */
} words[] = {
	{ "HELO", COMMAND_HELO, false },
	{ "EHLO", COMMAND_EHLO, false },
	{ "MAIL", COMMAND_MAIL, false },
	{ "RCPT", COMMAND_RCPT, false },
	{ "RSET", COMMAND_RSET, false },
	{ "DATA", COMMAND_DATA, false },
	{ "AUTH", COMMAND_AUTH, false },
	{ "BDAT", COMMAND_BDAT, true },
	{ "STARTTLS", COMMAND_STARTTLS, true },
	{ "XCLIENT", COMMAND_XCLIENT, true },
	{ "XFORWARD", COMMAND_XFORWARD, true },
	{ "XPOSTERN", COMMAND_XPOSTERN, true },
	{ "XREMOTEIP", COMMAND_XREMOTEIP, true },
	{ "XSETCONTEXT", COMMAND_XSETCONTEXT, true },
	{ "XDUMPCONTEXT", COMMAND_XDUMPCONTEXT, true },
};

/* What MTAs take for white space. */
static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_alnum(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9');
}

/* Letters with anything between them: quotes, backslashes and NUL mean
 * something to one MTA and nothing to the other. */
static enum command_kind
odd_kind(const char *line, size_t len, size_t *first)
{
	char letters[WORD_MAX];
	size_t i, n = 0;

	for (i = 0; i < len && i < ODD_LOOK && n < sizeof(letters); i++) {
		if (!is_alnum(line[i]))
			continue;
		if (n == 0)
			*first = i;
		letters[n++] = line[i];
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t want = strlen(words[i].word);

		if (words[i].policed && n >= want &&
		    strncasecmp(letters, words[i].word, want) == 0)
			return COMMAND_DISGUISED;
	}
	return COMMAND_ODD;
}

/* "XPOSTERN-" and what follows, too: the front says it with a token. */
static enum command_kind
word_kind(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == len &&
		    strncasecmp(words[i].word, word, len) == 0)
			return words[i].kind;
	if (len > 9 && strncasecmp(word, "XPOSTERN-", 9) == 0)
		return COMMAND_XPOSTERN;
	return COMMAND_OTHER;
}

void
command_parse(const char *line, size_t len, struct command *out)
{
	size_t at = 0, end;

	memset(out, 0, sizeof(*out));
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	while (at < len && is_blank(line[at]))
		at++;
	for (end = at; end < len && (is_alnum(line[end]) || line[end] == '-');)
		end++;
	out->word = at;
	if (end == at || (end < len && !is_blank(line[end]))) {
		out->kind = odd_kind(line, len, &out->word);
		return;
	}
	out->kind = word_kind(line + at, end - at);
	while (end < len && is_blank(line[end]))
		end++;
	out->args = line + end;
	out->args_len = len - end;
}

bool
command_clean(const struct command *c)
{
	size_t i;

	for (i = 0; i < c->args_len; i++)
		if ((c->args[i] < ' ' && c->args[i] != '\t') ||
		    c->args[i] > '~')
			return false;
	return true;
}

bool
command_next_word(
    const char **p, size_t *len, const char **word, size_t *word_len)
{
	size_t n = 0;

	while (*len > 0 && is_blank(**p)) {
		++*p;
		--*len;
	}
	while (n < *len && !is_blank((*p)[n]))
		n++;
	*word = *p;
	*word_len = n;
	*p += n;
	*len -= n;
	return n > 0;
}

bool
command_bdat(const struct command *c, uint64_t *size, bool *last)
{
	const char *p = c->args, *word;
	size_t len = c->args_len, n, i;
	uint64_t octets = 0;

	*size = 0;
	*last = false;
	if (!command_clean(c) || !command_next_word(&p, &len, &word, &n))
		return false;
	for (i = 0; i < n; i++) {
		if (word[i] < '0' || word[i] > '9' || octets > BDAT_MAX / 10)
			return false;
		octets = octets * 10 + (uint64_t)(word[i] - '0');
	}
	if (command_next_word(&p, &len, &word, &n)) {
		if (n != 4 || strncasecmp(word, "LAST", 4) != 0 ||
		    command_next_word(&p, &len, &word, &n))
			return false;
		*last = true;
	}
	*size = octets;
	return octets <= BDAT_MAX;
}

static bool
address_from(int family, const char *text, char out[COMMAND_ADDRESS_MAX])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const unsigned char zero[16];
	unsigned char a[16];
	const unsigned char *from = a;

	if (inet_pton(family, text, a) != 1)
		return false;
	if (family == AF_INET6 && memcmp(a, mapped, sizeof(mapped)) == 0) {
		family = AF_INET;
		from = a + 12;
	}
	if (memcmp(from, zero, family == AF_INET ? 4 : 16) == 0)
		return false;
	return inet_ntop(family, from, out, COMMAND_ADDRESS_MAX) != NULL;
}

bool
command_address(const char *text, size_t len, char out[COMMAND_ADDRESS_MAX])
{
	static const char prefix[] = "IPV6:";
	const size_t n = sizeof(prefix) - 1;
	char buf[COMMAND_ADDRESS_MAX];
	bool only6 = len > n && strncasecmp(text, prefix, n) == 0;

	out[0] = '\0';
	if (only6) {
		text += n;
		len -= n;
	}
	if (len == 0 || len >= sizeof(buf) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if ((only6 || !address_from(AF_INET, buf, out)) &&
	    !address_from(AF_INET6, buf, out)) {
		out[0] = '\0';
		return false;
	}
	return true;
}

static bool
unavailable(const char *value, size_t len)
{
	return (len == 13 && strncasecmp(value, "[UNAVAILABLE]", 13) == 0) ||
	    (len == 13 && strncasecmp(value, "[TEMPUNAVAIL]", 13) == 0);
}

static bool
xclient_attribute(const char *word, size_t len, struct command_xclient *out)
{
	const char *eq = memchr(word, '=', len), *value;
	size_t name_len, n, got = 0;

	if (eq == NULL || eq == word)
		return false;
	name_len = (size_t)(eq - word);
	value = eq + 1;
	n = len - name_len - 1;
	if (name_len == 4 && strncasecmp(word, "ADDR", 4) == 0) {
		return unavailable(value, n) ||
		    command_address(value, n, out->addr);
	} else if (name_len == 5 && strncasecmp(word, "LOGIN", 5) == 0) {
		if (unavailable(value, n))
			out->login[0] = '\0';
		else if (!xtext_decode(
			     value, n, out->login, sizeof(out->login), &got) ||
		    strlen(out->login) != got)
			return false;
	}
	return true;
}

bool
command_xclient(const struct command *c, struct command_xclient *out)
{
	const char *p = c->args, *word;
	size_t len = c->args_len, n;
	bool ok = command_clean(c) && len > 0;

	memset(out, 0, sizeof(*out));
	while (ok && command_next_word(&p, &len, &word, &n)) {
		ok = xclient_attribute(word, n, out);
		out->n++;
	}
	if (!ok)
		memset(out, 0, sizeof(*out));
	out->by = "XCLIENT";
	return ok;
}
