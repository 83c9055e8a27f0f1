/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_lex - the words, strings and signs of a configuration file
 *
 *	word     1*(any octet but controls, blanks and { } ( ) , = " ' #)
 *	string   "..." with the escapes of C, or '...' with \' and \\ alone;
 *	         either may run over lines, \ at the end of one joins them
 *	sign     { } ( ) , = +=
 *	comment  # or // to the end of the line, and what lies between two
 *	         signs of C; never begins inside a word
 *
 * Pure: no I/O, no allocation, no log.  Tokens borrow from the octets.
 */
#ifndef POSTERN_COMMON_CONF_LEX_H
#define POSTERN_COMMON_CONF_LEX_H

#include <stdbool.h>
#include <stddef.h>

enum conf_token_kind {
	CONF_TOKEN_END = 0,
	CONF_TOKEN_WORD,
	CONF_TOKEN_STRING,
	CONF_TOKEN_SIGN, /* see sign; '+' stands for += */
	CONF_TOKEN_BAD,  /* see why; nothing useful follows */
};

struct conf_token {
	enum conf_token_kind kind;
	char sign;
	char quote;       /* of a string: " or ' */
	const char *text; /* a word, or what stands between the quotes */
	size_t len;
	unsigned int line; /* where it begins, from 1 */
	const char *why;   /* constant text */
};

struct conf_lexer {
	const char *p;
	const char *end;
	unsigned int line;
	/* Take comment signs and quotes inside a word for a part of it: for
	 * text that is only skipped. */
	bool lenient;
};

/*
 * conf_lexer_init(lx, data, len): begin with len octets, which must stay
 * while tokens are in use.  A byte order mark in front is passed over.
 */
void conf_lexer_init(struct conf_lexer *lx, const char *data, size_t len);

/*
 * conf_lexer_next(lx, t): the next token into *t.
 *
 * Returns t->kind.
 */
enum conf_token_kind conf_lexer_next(
    struct conf_lexer *lx, struct conf_token *t);

/*
 * conf_token_decode(t, buf): write what a word or string means.
 *
 *   buf  t->len + 1 octets; NUL-terminated, no NUL inside
 *
 * Returns the number of octets without the final NUL.
 */
size_t conf_token_decode(const struct conf_token *t, char *buf);

#endif /* POSTERN_COMMON_CONF_LEX_H */
