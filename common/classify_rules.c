/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/classify_rules.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_MAX    16
#define SUBSTRING_MAX 256

struct rule {
	char code[4];                  /* '5', then digits or 'x' */
	char status[STATUS_MAX];       /* "" fits any */
	char substring[SUBSTRING_MAX]; /* lower case; "" fits any */
	enum refusal answer;
};

struct classify_rules {
	size_t n;
	struct rule rule[];
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* Each function below takes one part at *p, moves *p past it, and returns
 * what is wrong, or NULL. */

static const char *
take_code(const char **p, struct rule *r)
{
	size_t i = 0;

	if ((*p)[0] == '4')
		return "a 4yz reply is always temporary";
	if ((*p)[0] != '5')
		return "a rule begins with a reply code such as 550 or 5xx";
	for (i = 0; i < 3; i++) {
		r->code[i] = lower((*p)[i]);
		if (!is_digit(r->code[i]) && r->code[i] != 'x')
			return "the reply code is three digits, or x for any";
	}
	*p += 3;
	if (**p != '\0' && strchr(" \t=\"", **p) == NULL)
		return "the reply code is three digits, or x for any";
	return NULL;
}

static const char *
take_status(const char **p, struct rule *r)
{
	size_t len = strspn(*p, "0123456789.xX"), i = 0, parts = 1;
	bool empty = true;

	if (len == 0)
		return NULL;
	if (len >= sizeof(r->status))
		return "the enhanced status is too long";
	for (i = 0; i < len; i++) {
		r->status[i] = lower((*p)[i]);
		if (r->status[i] == '.') {
			if (empty)
				break;
			parts++;
			empty = true;
		} else {
			/* An x stands alone between the dots. */
			if (!empty &&
			    (r->status[i] == 'x' || r->status[i - 1] == 'x'))
				break;
			empty = false;
		}
	}
	if (i < len || empty || parts != 3 || r->status[0] != '5' ||
	    r->status[1] != '.')
		return "the enhanced status is 5.N.N, or x for any number";
	*p += len;
	return NULL;
}

static const char *
take_substring(const char **p, struct rule *r)
{
	size_t n = 0;

	if (**p != '"')
		return NULL;
	for (++*p; **p != '"'; ++*p) {
		if (**p == '\\' && ((*p)[1] == '"' || (*p)[1] == '\\'))
			++*p;
		if (**p == '\0')
			return "the substring has no closing quote";
		if (n + 1 >= sizeof(r->substring))
			return "the substring is too long";
		r->substring[n++] = lower(**p);
	}
	++*p;
	return n == 0 ? "the substring is empty" : NULL;
}

static const char *
take_answer(const char **p, struct rule *r)
{
	static const enum refusal answers[] = { REFUSAL_NOUSER, REFUSAL_MAILBOX,
		REFUSAL_US, REFUSAL_TEMPORARY };

	size_t i = 0, len;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		len = strlen(refusal_name(answers[i]));
		if (strncmp(*p, refusal_name(answers[i]), len) != 0)
			continue;
		*p += len;
		r->answer = answers[i];
		return NULL;
	}
	return "the answer is nouser, mailbox, refused_us or temporary";
}

static const char *
parse_rule(const char *v, struct rule *r)
{
	const char *p = skip_space(v), *wrong = NULL;

	if ((wrong = take_code(&p, r)) != NULL)
		return wrong;
	p = skip_space(p);
	if ((wrong = take_status(&p, r)) != NULL)
		return wrong;
	p = skip_space(p);
	if ((wrong = take_substring(&p, r)) != NULL)
		return wrong;
	p = skip_space(p);
	if (*p != '=')
		return "expected CODE [STATUS] [\"SUBSTRING\"] = ANSWER";
	p = skip_space(p + 1);
	if ((wrong = take_answer(&p, r)) != NULL)
		return wrong;
	if (*skip_space(p) != '\0')
		return "there is something behind the answer";
	return NULL;
}

bool
classify_rules_parse(const char *const *v, size_t n,
    struct classify_rules **out, char *err, size_t errlen)
{
	struct classify_rules *r = NULL;
	const char *wrong = NULL;
	bool ok = false;
	size_t i = 0;

	*out = NULL;
	if (n == 0)
		return true;
	if (n > (SIZE_MAX - sizeof(*r)) / sizeof(r->rule[0]) ||
	    (r = calloc(1, sizeof(*r) + n * sizeof(r->rule[0]))) == NULL) {
		snprintf(err, errlen, "reply_class: out of memory");
		goto done;
	}
	for (i = 0; i < n; i++) {
		if ((wrong = parse_rule(v[i], &r->rule[i])) != NULL) {
			snprintf(err, errlen, "reply_class: `%.80s': %s", v[i],
			    wrong);
			goto done;
		}
	}
	r->n = n;
	*out = r; /* the caller owns it now */
	r = NULL;
	ok = true;
done:
	classify_rules_free(r);
	return ok;
}

void
classify_rules_free(struct classify_rules *r)
{
	free(r);
}

static bool
code_fits(const char *pattern, int code)
{
	return code >= 500 && code <= 599 &&
	    (pattern[1] == 'x' || pattern[1] - '0' == code / 10 % 10) &&
	    (pattern[2] == 'x' || pattern[2] - '0' == code % 10);
}

static bool
status_fits(const char *pattern, const char *esc)
{
	while (*pattern != '\0' && *esc != '\0') {
		if (*pattern == 'x') {
			if (!is_digit(*esc))
				return false;
			esc += strspn(esc, "0123456789");
			pattern++;
		} else if (*pattern++ != *esc++) {
			return false;
		}
	}
	return *pattern == '\0' && *esc == '\0';
}

static bool
text_holds(const char *text, const char *substring)
{
	size_t i;

	for (; *text != '\0'; text++) {
		for (i = 0; substring[i] != '\0'; i++)
			if (lower(text[i]) != substring[i])
				break;
		if (substring[i] == '\0')
			return true;
	}
	return false;
}

bool
classify_rules_match(const struct classify_rules *r, int code, const char *esc,
    const char *text, enum refusal *out)
{
	size_t i = 0;

	for (i = 0; r != NULL && i < r->n; i++) {
		const struct rule *rule = &r->rule[i];

		if (!code_fits(rule->code, code) ||
		    (rule->status[0] != '\0' &&
			!status_fits(rule->status, esc)) ||
		    (rule->substring[0] != '\0' &&
			!text_holds(text, rule->substring)))
			continue;
		*out = rule->answer;
		return true;
	}
	return false;
}
