/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/login_name.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What stands in a template: a literal octet, or a parameter. */
struct piece {
	const char *at;
	size_t len;
	bool param;
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 32 || c == 127;
}

static bool
fail(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return false;
}

bool
login_name_parse(
    const char *text, size_t len, struct login_name *out, const char **why)
{
	const char *at;
	size_t i, llen, dlen;

	memset(out, 0, sizeof *out);
	if (why != NULL)
		*why = NULL;
	if (len == 0)
		return fail(why, "empty user name");
	if (len > LOGIN_NAME_OCTETS)
		return fail(why, "user name too long");
	for (i = 0; i < len; i++) {
		if (is_control(text[i]))
			return fail(why, "control character in user name");
	}
	if (text[0] == ' ' || text[len - 1] == ' ')
		return fail(why, "blank at an end of the user name");
	at = memrchr(text, '@', len);
	llen = at != NULL ? (size_t)(at - text) : len;
	dlen = at != NULL ? len - llen - 1 : 0;
	memcpy(out->full, text, len);
	memcpy(out->local, text, llen);
	for (i = 0; i < dlen; i++)
		out->domain[i] = lower(at[1 + i]);
	if (dlen > 1 && out->domain[dlen - 1] == '.')
		out->domain[dlen - 1] = '\0';
	return true;
}

/* The next piece of a template; false at its end. */
static bool
next_piece(const char **template, struct piece *p)
{
	const char *s = *template;
	size_t len = 1;

	if (*s == '\0')
		return false;
	if (*s == ':') {
		while (islower((unsigned char)s[len]))
			len++;
	}
	p->at = s;
	p->len = len;
	p->param = len > 1;
	*template = s + len;
	return true;
}

static bool
is_param(const struct piece *p, const char *name)
{
	return p->len == strlen(name) && memcmp(p->at, name, p->len) == 0;
}

static const char *
value_of(const struct piece *p, const struct login_name *n, const char *realm)
{
	if (is_param(p, ":username"))
		return n->full;
	if (is_param(p, ":localpart"))
		return n->local;
	if (is_param(p, ":domain"))
		return n->domain;
	if (is_param(p, ":realm"))
		return realm;
	return NULL;
}

struct target {
	char *out;
	size_t size, len;
};

static bool
append(struct target *t, const char *text, size_t len)
{
	if (len >= t->size - t->len)
		return false;
	memcpy(t->out + t->len, text, len);
	t->len += len;
	t->out[t->len] = '\0';
	return true;
}

static bool
fill(struct target *t, const struct login_name *n, const char *template,
    const char *realm)
{
	const char *value;
	struct piece p;

	while (next_piece(&template, &p)) {
		value = p.param ? value_of(&p, n, realm) : NULL;
		if (p.param && value == NULL)
			return false;
		/* A name that lacks it is nobody's; the MTA's set-up is. */
		if (p.param && value == realm && realm[0] == '\0')
			return false;
		if (!append(t, value != NULL ? value : p.at,
			value != NULL ? strlen(value) : p.len))
			return false;
	}
	return true;
}

bool
login_name_canon(const struct login_name *n, const char *canon,
    const char *realm, char *out, size_t size)
{
	struct target t = { out, size, 0 };
	const char *template = canon;
	size_t i;
	bool ok;

	if (size == 0)
		return false;
	out[0] = '\0';
	if (strcasecmp(canon, "none") == 0 || strcasecmp(canon, "lower") == 0)
		template = ":username";
	else if (strcasecmp(canon, "localpart") == 0)
		template = ":localpart";
	ok = fill(&t, n, template, realm) && t.len > 0;
	/* The realm is the application's: nobody has looked at it yet. */
	for (i = 0; ok && i < t.len; i++)
		ok = !is_control(out[i]);
	if (ok && strcasecmp(canon, "lower") == 0) {
		for (i = 0; i < t.len; i++)
			out[i] = lower(out[i]);
	}
	if (!ok)
		out[0] = '\0';
	return ok;
}

bool
login_name_canon_ok(const char *canon, const char **why)
{
	static const struct login_name none;
	bool users = false;
	struct piece p;

	if (why != NULL)
		*why = NULL;
	if (strcasecmp(canon, "none") == 0 || strcasecmp(canon, "lower") == 0 ||
	    strcasecmp(canon, "localpart") == 0)
		return true;
	if (strlen(canon) > LOGIN_NAME_OCTETS)
		return fail(why, "too long");
	while (next_piece(&canon, &p)) {
		if (is_control(*p.at))
			return fail(why, "control character");
		if (p.param && value_of(&p, &none, "") == NULL)
			return fail(why,
			    "unknown parameter; there are :username, "
			    ":localpart, :domain and :realm");
		users = users || is_param(&p, ":username") ||
		    is_param(&p, ":localpart");
	}
	/* Else all users would be one. */
	if (!users)
		return fail(why,
		    "neither none, lower, localpart nor a template with "
		    ":username or :localpart");
	return true;
}
