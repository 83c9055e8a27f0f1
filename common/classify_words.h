/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify_words - a reply's text as words, and phrases over words
 *
 * Servers write the same sentence with other capitals, punctuation, accents
 * and with addresses in it.  Here a text becomes plain words: ASCII in lower
 * case, accented Latin letters folded to the bare letter, apostrophes
 * dropped, every mail address one word "@", every IPv4 address one word "#",
 * the end of a sentence one word ".".
 * Other UTF-8 letters stay as they are.  Everything else separates words.
 *
 * A phrase is words separated by one space each:
 *
 *	user		that word
 *	user|mailbox	one of these
 *	relay*		a word that begins so
 *	*relay*		a word that holds it
 *	..		up to 3 words of the same sentence
 *	...		up to 6 words of the same sentence
 *
 * Pure: no allocation, no state.  Time is bounded by words * phrase.
 */
#ifndef POSTERN_COMMON_CLASSIFY_WORDS_H
#define POSTERN_COMMON_CLASSIFY_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text beyond this is not looked at (as much as a struct reply holds). */
#define CLASSIFY_TEXT_MAX 2048

struct classify_words {
	size_t n;                             /* words */
	size_t len;                           /* octets used of text */
	uint16_t at[CLASSIFY_TEXT_MAX + 1];   /* offset of each word */
	uint16_t next[CLASSIFY_TEXT_MAX + 1]; /* the next word that begins
					       * alike, its number plus 1 */
	uint16_t first[256];                  /* the first one, per octet */
	char text[2 * CLASSIFY_TEXT_MAX + 2]; /* words, NUL after each */
};

/*
 * classify_words_split(w, text, len): fill *w with the words of text.
 *
 *   text  octets, need not end in NUL, not kept
 *   len   octets at text; only the first CLASSIFY_TEXT_MAX are read
 */
void classify_words_split(
    struct classify_words *w, const char *text, size_t len);

/*
 * classify_words_match(w, phrase): whether the phrase occurs in *w.
 */
bool classify_words_match(const struct classify_words *w, const char *phrase);

/*
 * classify_words_blank(w, before, word, after): where the phrase "before word
 * after" occurs, word turns into one that no phrase holds.
 *
 *   before, after  phrases, "" for none
 *   word           one word of a phrase, alternatives allowed
 */
void classify_words_blank(struct classify_words *w, const char *before,
    const char *word, const char *after);

#endif /* POSTERN_COMMON_CLASSIFY_WORDS_H */
