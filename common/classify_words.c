/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/classify_words.h"

#include <string.h>

#define BLANK '\1' /* a word of this one octet matches gaps alone */

/* U+00C0..U+017F to bare ASCII letters, ' ' for the two signs among them. */
static const char fold_latin[] = "aaaaaaaceeeeiiiidnooooo ouuuuyts"
				 "aaaaaaaceeeeiiiidnooooo ouuuuyty"
				 "aaaaaaccccccccddddeeeeeeeeeegggg"
				 "gggghhhhiiiiiiiiiiiijjkkklllllll"
				 "lllnnnnnnnnnoooooooorrrrrrssssss"
				 "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

static bool
is_alnum(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* What an address may hold unquoted (RFC 5321 dot-string and domain); '*' is
 * how logs hide one.  Braces, '|' and quotes belong to the text around it. */
static bool
is_address_char(unsigned char c)
{
	return c != '\0' &&
	    (is_alnum(c) || c >= 0x80 || strchr("@.!#$%&*+-/=?^_~", c) != NULL);
}

/*
 * Octets at s that make one address: a run with '@' in it, or "<name>" (a
 * local part alone; a dot or a slash would make it a host or a link, whose
 * words count).  When there is none, *plain octets hold none either.
 */
static size_t
address_len(const unsigned char *s, size_t len, size_t *plain)
{
	size_t i = 0;
	bool at = false, link = false;

	*plain = 1;
	if (s[0] == '<') {
		for (i = 1; i < len && !is_space(s[i]) && s[i] != '<'; i++) {
			at = at || s[i] == '@';
			link = link || s[i] == '.' || s[i] == '/';
			if (s[i] == '>')
				return at || !link ? i + 1 : 0;
		}
		return 0;
	}
	while (i < len && is_address_char(s[i])) {
		at = at || s[i] == '@';
		i++;
	}
	*plain = i;
	return at ? i : 0;
}

/* Octets of the IPv4 address that begins at s, or 0. */
static size_t
ipv4_len(const unsigned char *s, size_t len)
{
	size_t i = 0, digits = 0, dots = 0;

	for (i = 0; i < len; i++) {
		if (s[i] >= '0' && s[i] <= '9') {
			if (++digits > 3)
				return 0;
		} else if (s[i] == '.' && digits > 0 && dots < 3) {
			dots++;
			digits = 0;
		} else {
			break;
		}
	}
	if (i < len && (is_alnum(s[i]) || s[i] == '-'))
		return 0; /* a host name made of an address */
	if (i + 1 < len && s[i] == '.' && is_alnum(s[i + 1]))
		return 0;
	return dots == 3 && digits > 0 ? i : 0;
}

static void
put(struct classify_words *w, size_t *o, char c)
{
	w->text[(*o)++] = c;
}

/* Ends the word that began at offset *start, if it has an octet. */
static void
end_word(struct classify_words *w, size_t *o, size_t *start)
{
	if (*o > *start) {
		put(w, o, '\0');
		w->at[w->n++] = (uint16_t)*start;
	}
	*start = *o;
}

static void
put_word(struct classify_words *w, size_t *o, size_t *start, char c)
{
	end_word(w, o, start);
	if (c == '.' && w->n > 0 && w->text[w->at[w->n - 1]] == '.')
		return;
	put(w, o, c);
	end_word(w, o, start);
}

/* Takes a multi-octet letter at s; returns its octets. */
static size_t
take_wide(
    struct classify_words *w, size_t *o, const unsigned char *s, size_t len)
{
	unsigned u;

	if (len >= 2 && s[0] >= 0xc3 && s[0] <= 0xc5 && (s[1] & 0xc0) == 0x80) {
		u = ((unsigned)(s[0] & 0x1f) << 6) | (s[1] & 0x3f);
		put(w, o, fold_latin[u - 0xc0]);
		return 2;
	}
	/* typographic apostrophes */
	if (len >= 3 && s[0] == 0xe2 && s[1] == 0x80 &&
	    (s[2] == 0x98 || s[2] == 0x99))
		return 3;
	put(w, o, (char)s[0]);
	return 1;
}

static bool
ends_sentence(const unsigned char *s, size_t len)
{
	if (s[0] == '|' || s[0] == '\n' || s[0] == ';')
		return true;
	return (s[0] == '.' || s[0] == '!' || s[0] == '?') &&
	    (len == 1 || is_space(s[1]));
}

/* Chains the words that begin with the same octet. */
static void
index_words(struct classify_words *w)
{
	size_t i = w->n;

	memset(w->first, 0, sizeof(w->first));
	while (i-- > 0) {
		uint16_t *first = &w->first[(unsigned char)w->text[w->at[i]]];

		w->next[i] = *first;
		*first = (uint16_t)(i + 1);
	}
}

void
classify_words_split(struct classify_words *w, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0, o = 0, start = 0, skip;
	size_t seen = 0, plain = 0; /* no address begins before seen */

	w->n = 0;
	if (len > CLASSIFY_TEXT_MAX)
		len = CLASSIFY_TEXT_MAX;
	while (i < len) {
		/* An address is only looked for where a word begins. */
		skip = 0;
		if (o == start && i >= seen) {
			skip = address_len(s + i, len - i, &plain);
			seen = i + plain;
		}
		if (skip > 0) {
			put_word(w, &o, &start, '@');
			i += skip;
		} else if (o == start && (i == 0 || s[i - 1] != '.') &&
		    (skip = ipv4_len(s + i, len - i)) > 0) {
			put_word(w, &o, &start, '#');
			i += skip;
		} else if (s[i] >= 0x80) {
			i += take_wide(w, &o, s + i, len - i);
		} else if (is_alnum(s[i])) {
			put(w, &o,
			    (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20
							      : s[i]));
			i++;
		} else if (s[i] == '\'' || s[i] == '`') {
			i++;
		} else if (ends_sentence(s + i, len - i)) {
			put_word(w, &o, &start, '.');
			i++;
		} else {
			end_word(w, &o, &start);
			i++;
		}
	}
	end_word(w, &o, &start);
	w->len = o;
	index_words(w);
}

/* One alternative of a phrase, [p, p + len), against one word. */
static bool
alternative_is(const char *p, size_t len, const char *word)
{
	bool front = false, back = false;

	if (p[0] != '*' && p[0] != word[0])
		return false;
	if (len > 1 && p[0] == '*') {
		front = true;
		p++;
		len--;
	}
	if (len > 1 && p[len - 1] == '*') {
		back = true;
		len--;
	}
	if (front)
		return memmem(word, strlen(word), p, len) != NULL;
	return strncmp(word, p, len) == 0 && (back || word[len] == '\0');
}

static bool
word_is(const char *word, const char *p, size_t len)
{
	size_t i = 0, begin = 0;

	for (i = 0; i <= len; i++) {
		if (i < len && p[i] != '|')
			continue;
		if (alternative_is(p + begin, i - begin, word))
			return true;
		begin = i + 1;
	}
	return false;
}

static size_t
gap_of(const char *p, size_t len)
{
	if (len == 2 && memcmp(p, "..", 2) == 0)
		return 3;
	return len == 3 && memcmp(p, "...", 3) == 0 ? 6 : 0;
}

/* Does the phrase match at word i?  Returns one past the last word, or 0. */
static size_t
match_at(const struct classify_words *w, size_t i, const char *p)
{
	while (*p != '\0') {
		size_t len = strcspn(p, " ");
		size_t gap = gap_of(p, len), end, g;
		const char *next = p + len + (p[len] == ' ');

		if (gap > 0) {
			for (g = 0; g <= gap && i + g <= w->n; g++) {
				if (g > 0 && w->text[w->at[i + g - 1]] == '.')
					break;
				if ((end = match_at(w, i + g, next)) > 0)
					return end;
			}
			return 0;
		}
		if (i >= w->n || !word_is(w->text + w->at[i], p, len))
			return 0;
		i++;
		p = next;
	}
	return i;
}

/* Does the phrase match where a word fits its first word's alternative
 * [p, p + len)?  Most rows of a table end here, without a look at most words.
 */
static bool
match_from(const struct classify_words *w, const char *p, size_t len,
    const char *phrase)
{
	size_t i = 0, body = 0;

	if (p[0] != '*') {
		for (i = w->first[(unsigned char)p[0]]; i > 0;
		     i = w->next[i - 1])
			if (alternative_is(p, len, w->text + w->at[i - 1]) &&
			    match_at(w, i - 1, phrase) > 0)
				return true;
		return false;
	}
	body = len - 1 - (len > 2 && p[len - 1] == '*');
	if (memmem(w->text, w->len, p + 1, body) == NULL)
		return false;
	for (i = 0; i < w->n; i++)
		if (match_at(w, i, phrase) > 0)
			return true;
	return false;
}

bool
classify_words_match(const struct classify_words *w, const char *phrase)
{
	const char *p = phrase;
	size_t len;

	for (;;) {
		len = strcspn(p, "| ");
		if (match_from(w, p, len, phrase))
			return true;
		if (p[len] != '|')
			return false;
		p += len + 1;
	}
}

void
classify_words_blank(struct classify_words *w, const char *before,
    const char *word, const char *after)
{
	size_t i = 0, at;

	for (i = 0; i < w->n; i++) {
		at = before[0] == '\0' ? i : match_at(w, i, before);
		if ((before[0] != '\0' && at == 0) || at >= w->n ||
		    !word_is(w->text + w->at[at], word, strlen(word)) ||
		    (after[0] != '\0' && match_at(w, at + 1, after) == 0))
			continue;
		w->text[w->at[at]] = BLANK;
		w->text[w->at[at] + 1] = '\0';
	}
}
