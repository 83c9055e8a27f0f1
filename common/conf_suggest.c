/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_suggest.h"

#include <stdbool.h>
#include <string.h>

void
conf_suggest_init(struct conf_suggest *s, const char *given)
{
	s->given = given;
	s->best = NULL;
	s->distance = 0;
}

static char
small(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '-' ? '_' : c;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits that turn a into b, a swap of neighbours being one (the "optimal
 * string alignment" distance), over three rows of the usual table. */
static size_t
edits(const char *a, const char *b)
{
	size_t rows[3][CONF_SUGGEST_MAX + 1];
	size_t la = strlen(a);
	size_t lb = strlen(b);
	size_t *before = rows[0], *above = rows[1], *row = rows[2], *spare;
	size_t i, j;

	for (j = 0; j <= lb; j++)
		above[j] = j;
	memset(before, 0, sizeof(rows[0]));
	for (i = 1; i <= la; i++) {
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			row[j] = above[j - 1] +
			    (small(a[i - 1]) != small(b[j - 1]) ? 1 : 0);
			row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 &&
			    small(a[i - 1]) == small(b[j - 2]) &&
			    small(a[i - 2]) == small(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[lb];
}

static bool
begins_with(const char *name, const char *given)
{
	while (*given != '\0')
		if (small(*given++) != small(*name++))
			return false;
	return true;
}

void
conf_suggest_try(struct conf_suggest *s, const char *name)
{
	size_t len = strlen(name);
	size_t given = strlen(s->given);
	size_t most = len < 3 ? 1 : len < 6 ? 2 : len / 3;
	size_t distance;

	if (len > CONF_SUGGEST_MAX || given > CONF_SUGGEST_MAX)
		return;
	distance = edits(s->given, name);
	/* The beginning of a name is near too, but less than a slip. */
	if (distance > most && given >= 3 && given < len &&
	    begins_with(name, s->given))
		distance = most;
	if (distance > most)
		return;
	if (s->best == NULL || distance < s->distance) {
		s->best = name;
		s->distance = distance;
	}
}

void
conf_suggest_words(
    struct conf_suggest *s, const char *words, char *buf, size_t size)
{
	char word[CONF_SUGGEST_MAX + 1];
	size_t len;

	for (; *words != '\0'; words += words[len] == '|' ? len + 1 : len) {
		len = strcspn(words, "|");
		if (len >= sizeof(word) || len >= size)
			continue;
		memcpy(word, words, len);
		word[len] = '\0';
		conf_suggest_try(s, word);
		if (s->best == word) {
			memcpy(buf, word, len + 1);
			s->best = buf;
		}
	}
}
