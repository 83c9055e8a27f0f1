/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/classify.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/classify_rules.h"
#include "common/classify_table.h"
#include "common/classify_words.h"

#define STATUS_MAX 12 /* "5.nnn.nnn" and its NUL, rounded up */

const char *
refusal_name(enum refusal r)
{
	switch (r) {
	case REFUSAL_TEMPORARY:
		return "temporary";
	case REFUSAL_ACCEPTED:
		return "accepted";
	case REFUSAL_NOUSER:
		return "nouser";
	case REFUSAL_MAILBOX:
		return "mailbox";
	case REFUSAL_US:
		return "refused_us";
	}
	return "temporary";
}

/* Length of the enhanced status of class 5 at p, or 0 (RFC 3463: 1 to 3
 * digits in each part). */
static size_t
status_len(const char *p)
{
	size_t subject = 0, detail = 0;

	if (p[0] != '5' || p[1] != '.')
		return 0;
	subject = strspn(p + 2, "0123456789");
	if (subject < 1 || subject > 3 || p[2 + subject] != '.')
		return 0;
	detail = strspn(p + 3 + subject, "0123456789");
	if (detail < 1 || detail > 3)
		return 0;
	return 3 + subject + detail;
}

/* Finds a status within the text, "(#5.1.1)", that is no part of an IP
 * address or a version; leaves *out alone when there is none. */
static void
status_in_text(const char *text, char out[STATUS_MAX])
{
	size_t i = 0, len = 0;

	for (i = 0; i < CLASSIFY_TEXT_MAX && text[i] != '\0'; i++) {
		if (text[i] != '5' ||
		    (i > 0 && strchr("0123456789.", text[i - 1]) != NULL))
			continue;
		if ((len = status_len(text + i)) == 0)
			continue;
		if (text[i + len] == '.' &&
		    strspn(text + i + len + 1, "0123456789") > 0)
			continue;
		memcpy(out, text + i, len);
		out[len] = '\0';
		return;
	}
}

static const struct classify_row *
find_row(const struct classify_row *row, const struct classify_words *w,
    const char *status)
{
	for (; row->phrase != NULL; row++) {
		if (row->status != NULL && strcmp(row->status, status) != 0)
			continue;
		if (classify_words_match(w, row->phrase))
			return row;
	}
	return NULL;
}

static const struct classify_status *
find_status(const struct classify_status *s, const char *status)
{
	size_t len;

	for (; s->status != NULL; s++) {
		len = strlen(s->status);
		if (strncmp(s->status, status, len) == 0 &&
		    (s->status[len - 1] == '.' || status[len] == '\0'))
			return s;
	}
	return NULL;
}

/* Codes about the command, the server, or our missing login or TLS: whatever
 * status they wear, it is not the recipient's. */
static bool
code_is_ours(int code)
{
	return (code >= 500 && code <= 504) || (code >= 521 && code <= 538);
}

/* A 5yz reply to RCPT. */
static enum refusal
judge(int code, const char *esc, const char *text, const char **why)
{
	struct classify_words w = { .n = 0 };
	const struct classify_row *row = NULL;
	const struct classify_status *s = NULL;
	char status[STATUS_MAX] = "";
	const struct classify_harmless *h = NULL;

	if (status_len(esc) == strlen(esc))
		snprintf(status, sizeof(status), "%s", esc);
	/* A status that says little leaves the word to one in the text. */
	if (find_status(classify_statuses, status) == NULL)
		status_in_text(text, status);
	if ((s = find_status(classify_sure_statuses, status)) != NULL) {
		*why = s->status;
		return s->class;
	}

	classify_words_split(&w, text, strnlen(text, CLASSIFY_TEXT_MAX));
	for (h = classify_harmless; h->word != NULL; h++)
		classify_words_blank(&w, h->before, h->word, h->after);

	if ((row = find_row(classify_strong, &w, status)) != NULL) {
		*why = row->name;
		return row->class;
	}
	if (!code_is_ours(code) &&
	    (s = find_status(classify_statuses, status)) != NULL) {
		/* A second status, within the text, may doubt the first. */
		status_in_text(text, status);
		if (s->class == REFUSAL_NOUSER &&
		    find_status(classify_statuses, status) != NULL)
			s = find_status(classify_statuses, status);
		*why = s->status;
		return s->class;
	}
	if (code == 552) {
		*why = "552";
		return REFUSAL_MAILBOX; /* RFC 5321: exceeded storage */
	}
	if ((code == 550 || code == 551 || code == 553 || code == 554) &&
	    (row = find_row(classify_weak, &w, status)) != NULL) {
		*why = row->name;
		return row->class;
	}
	/* Nothing but the code, which RFC 5321 gives to unknown mailboxes. */
	if (status[0] == '\0' && (code == 550 || code == 551 || code == 553) &&
	    text[strspn(text, " \t\r\n")] == '\0') {
		*why = "bare code";
		return REFUSAL_NOUSER;
	}
	*why = "unlisted";
	return REFUSAL_US;
}

enum refusal
classify_reply(enum smtp_stage stage, int code, const char *esc,
    const char *text, const struct classify_rules *overrides, const char **why)
{
	enum refusal answer = REFUSAL_TEMPORARY;
	const char *unused = NULL;

	if (why == NULL)
		why = &unused;
	if (code >= 200 && code <= 299) {
		*why = "2yz";
		return REFUSAL_ACCEPTED;
	}
	if (code < 500 || code > 599) {
		*why = code >= 400 && code <= 499 ? "4yz" : "no refusal";
		return REFUSAL_TEMPORARY;
	}
	if (stage != STAGE_RCPT) {
		*why = "stage";
		return REFUSAL_US;
	}
	if (classify_rules_match(overrides, code, esc, text, &answer)) {
		*why = "reply_class";
		return answer;
	}
	return judge(code, esc, text, why);
}

enum refusal
classify_line(
    const char *line, const struct classify_rules *overrides, const char **why)
{
	const char *p = line + strspn(line, " \t");
	char esc[STATUS_MAX] = "";
	int code = 0, i = 0;
	size_t len = 0;

	for (i = 0; i < 3 && p[i] >= '0' && p[i] <= '9'; i++)
		code = code * 10 + (p[i] - '0');
	if (i < 3 || (p[3] != '\0' && strchr(" \t-\r\n", p[3]) == NULL))
		code = 0;
	else
		p += p[3] == '-' ? 4 : 3;
	p += strspn(p, " \t");
	if ((len = status_len(p)) > 0 &&
	    (p[len] == '\0' || strchr(" \t\r\n", p[len]) != NULL)) {
		memcpy(esc, p, len);
		p += len;
	}
	p += strspn(p, " \t");
	return classify_reply(STAGE_RCPT, code, esc, p, overrides, why);
}
