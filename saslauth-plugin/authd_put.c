/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/authd_put.h"

#include <stdio.h>
#include <string.h>

#include "common/outbound.h"
#include "common/xtext.h"

#define VALUE_MAX 1024

enum word {
	BINDING,
	USER,
	PASS,
	TYPE,
	KEY,
	WORDS
};

static const struct {
	const char *name;
	size_t max;
} known[WORDS] = {
	[BINDING] = { "binding", 255 },
	[USER] = { "user", OUTBOUND_USER_MAX },
	[PASS] = { "pass", OUTBOUND_PASS_MAX },
	[TYPE] = { "type", 16 },
	[KEY] = { "key", VALUE_MAX },
};

/* All of it may be secret. */
struct values {
	char text[WORDS][VALUE_MAX + 1];
	bool set[WORDS];
};

static bool
fails(char *why, size_t len, const char *name, const char *what)
{
	snprintf(why, len, "%s: %s", name, what);
	return false;
}

/* A letter, a digit; nothing that could be more than a name of a file. */
static bool
is_queue_id(const char *s)
{
	size_t n = strspn(s,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return n > 0 && n <= OUTBOUND_QUEUE_MAX && s[n] == '\0';
}

static bool
value(const char *word, struct values *v, char *why, size_t len)
{
	const char *eq = strchr(word, '=');
	size_t n, i;

	for (i = 0; eq != NULL && i < WORDS; i++)
		if (strlen(known[i].name) == (size_t)(eq - word) &&
		    strncmp(known[i].name, word, (size_t)(eq - word)) == 0)
			break;
	if (eq == NULL || i == WORDS)
		return fails(why, len, "outbound put", "an unknown word");
	if (v->set[i])
		return fails(why, len, known[i].name, "twice");
	if (!xtext_decode(
		eq + 1, strlen(eq + 1), v->text[i], sizeof(v->text[i]), &n) ||
	    n > known[i].max)
		return fails(why, len, known[i].name, "too long, or no xtext");
	if (n == 0)
		return fails(why, len, known[i].name, "empty");
	if (strlen(v->text[i]) != n || strpbrk(v->text[i], "\r\n") != NULL)
		return fails(
		    why, len, known[i].name, "has a line break or NUL");
	v->set[i] = true;
	return true;
}

static const char *
set_or_null(const struct values *v, enum word w)
{
	return v->set[w] ? v->text[w] : NULL;
}

static bool
put(struct outbound *o, const char *id, const struct values *v, char *why,
    size_t len)
{
	struct secret pass = { 0 };
	struct outbound_message m = { .queue_id = id };
	bool ok;

	if (v->set[USER] != v->set[PASS])
		return fails(why, len, "outbound put",
		    "user without pass, or "
		    "pass without user");
	if (!credential_type_parse(v->text[TYPE], &m.type))
		return fails(why, len, "type", "neither PLAIN nor LOGIN");
	m.binding = set_or_null(v, BINDING);
	m.user = set_or_null(v, USER);
	m.key = set_or_null(v, KEY);
	if (v->set[PASS] &&
	    !secret_set(&pass, v->text[PASS], strlen(v->text[PASS])))
		return fails(why, len, "outbound put", "out of memory");
	if (v->set[PASS])
		m.pass = &pass;
	ok = outbound_put(o, &m, why, len);
	secret_release(&pass);
	return ok;
}

bool
authd_put(
    struct outbound *o, char *const *words, size_t n, char *why, size_t len)
{
	struct values v;
	bool ok = n > 1;

	if (o == NULL)
		return fails(why, len, "outbound put",
		    "there are no outbound credentials here");
	if (n == 0 || !is_queue_id(words[0]))
		return fails(why, len, "outbound put", "no queue id");
	if (!ok)
		return fails(why, len, "outbound put", "nothing to keep");
	memset(&v, 0, sizeof(v));
	for (size_t i = 1; i < n && ok; i++)
		ok = value(words[i], &v, why, len);
	ok = ok && put(o, words[0], &v, why, len);
	explicit_bzero(&v, sizeof(v));
	return ok;
}
