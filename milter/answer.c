/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "milter/answer.h"

/* The enhanced status when the upstream gave none of the right class. */
static const char *
reject_esc(const struct answer *a)
{
	if (a->esc[0] == '5' && a->esc[1] == '.')
		return a->esc;
	if (a->origin == ANSWER_NO_RELAY)
		return "5.7.1";
	if (a->kind == REFUSAL_MAILBOX)
		return a->code == 552 ? "5.2.2" : "5.2.1";
	return "5.1.1";
}

static const char *
defer_esc(const struct answer *a)
{
	if (a->origin == ANSWER_LOOP)
		return "4.4.6"; /* RFC 3463: routing loop detected */
	if (a->origin == ANSWER_PROBED && a->esc[0] == '4' && a->esc[1] == '.')
		return a->esc;
	if (a->origin == ANSWER_DOWN)
		return "4.4.1"; /* no answer from host */
	return "4.3.0";
}

static const char *
neutral_text(const struct verify_result *r)
{
	if (r->answer.origin == ANSWER_NO_RELAY)
		return "Relaying denied";
	if (r->verdict == VERDICT_REJECT)
		return r->answer.kind == REFUSAL_MAILBOX
		    ? "Recipient address rejected: mailbox unavailable"
		    : "Recipient address rejected: user unknown";
	return "Recipient address cannot be verified now, try again later";
}

/* Printable ASCII only, on one line, '%' doubled for smfi_setreply(). */
static void
copy_text(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 2 < size; text++) {
		char c = *text;

		if (c == '\n')
			c = ' ';
		out[n++] = (char)(c < 32 || c > 126 ? '?' : c);
		if (c == '%')
			out[n++] = '%';
	}
	out[n] = '\0';
}

void
answer_reply(const struct verify_result *r, struct answer_reply *out)
{
	const struct answer *a = &r->answer;
	const char *text = neutral_text(r);
	int code = 451;
	bool as_given = a->code / 100 == 5 && a->code != 521;

	if (r->verdict == VERDICT_REJECT)
		/* 521 would have the MTA hang up on the client, and on the
		 * recipients that are still to come. */
		code = as_given ? a->code : 550;
	snprintf(out->code, sizeof(out->code), "%d", code);
	snprintf(out->esc, sizeof(out->esc), "%s",
	    r->verdict == VERDICT_REJECT ? reject_esc(a) : defer_esc(a));
	if (r->reveal && a->origin == ANSWER_PROBED && a->text[0] != '\0')
		text = a->text;
	copy_text(out->text, sizeof(out->text), text);
}
