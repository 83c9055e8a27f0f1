/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print - the one line that rcpt, auth and outbound print for a question
 */
#ifndef POSTERN_TOOLS_PRINT_H
#define POSTERN_TOOLS_PRINT_H

#include <stdbool.h>

#include "common/verdict.h"

/* Strings are borrowed, none is NULL. */
struct result {
	const char *name; /* what was asked about, as it was given */
	enum verdict verdict;
	int code; /* the upstream's reply; 0: there was none */
	const char *esc;
	const char *text;
	const char *reason; /* ours */
};

/*
 * print_reason(r, explain): why, if the upstream has said nothing, on
 * standard error; with explain in any case, on standard output.
 */
void print_reason(const struct result *r, bool explain);

/* print_result(r): "NAME VERDICT [CODE [ENHANCED] TEXT]".  Returns the exit
 * status that it stands for: 0, 1 or 75. */
int print_result(const struct result *r);

/* print_text(name, v, text): "NAME VERDICT TEXT", where there is no upstream
 * to have replied; otherwise as print_result(). */
int print_text(const char *name, enum verdict v, const char *text);

#endif /* POSTERN_TOOLS_PRINT_H */
