/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "common/conf.h"
#include "common/conf_holder.h"
#include "common/context_print.h"
#include "common/strbuf.h"
#include "common/xtext.h"
#include "milter/front_commands.h"
#include "milter/fronts.h"
#include "milter/milter.h"

/* The most that one dump can be: each octet as three, in lines of their own
 * beginning, twice. */
#define DUMP_MAX (2 * CONTEXT_NAMES_MAX * 6 * CONTEXT_VALUE_MAX)

/* One request. */
struct request {
	struct fronts *fronts;
	const struct conf *conf;
	const char *token;
	char *const *rest; /* the words behind it */
	size_t n;
	FILE *out;
	char *why;
	size_t len;
};

/* The options of begin and move; `login` holds the text. */
static bool
options(
    const struct request *r, size_t from, struct front_params *p, char *login)
{
	size_t i, got;

	for (i = from; i < r->n; i++) {
		const char *w = r->rest[i];

		if (strncmp(w, "real=", 5) == 0) {
			p->real = w + 5;
		} else if (strncmp(w, "seen=", 5) == 0) {
			p->seen = w + 5;
		} else if (strncmp(w, "by=", 3) == 0) {
			p->by = w + 3;
		} else if (strcmp(w, "xclient=yes") == 0 ||
		    strcmp(w, "xclient=no") == 0) {
			p->xclient = w[8] == 'y';
		} else if (strncmp(w, "login=", 6) == 0 &&
		    xtext_decode(w + 6, strlen(w + 6), login,
			FRONT_LOGIN_MAX + 1, &got) &&
		    strlen(login) == got && got > 0) {
			p->login = login;
		} else {
			snprintf(
			    r->why, r->len, "501 5.5.4 %.100s: not known", w);
			return false;
		}
	}
	return true;
}

static bool
front_begin(const struct request *r)
{
	struct front_params p = { .token = r->token, .xclient = true };
	char login[FRONT_LOGIN_MAX + 1];

	if (!options(r, 0, &p, login))
		return false;
	if (p.real == NULL) {
		snprintf(r->why, r->len, "501 5.5.4 real= is missing");
		return false;
	}
	return fronts_begin(r->fronts, r->conf, &p, r->why, r->len);
}

static bool
front_move(const struct request *r)
{
	struct front_params p = { .token = r->n > 0 ? r->rest[0] : "" };
	char login[FRONT_LOGIN_MAX + 1];

	return options(r, 1, &p, login) &&
	    fronts_move(r->fronts, r->conf, r->token, &p, r->why, r->len);
}

static bool
front_tied(const struct request *r)
{
	return fronts_tied(r->fronts, r->token, r->why, r->len);
}

static bool
front_seen(const struct request *r)
{
	return fronts_seen(
	    r->fronts, r->conf, r->token, r->rest[0], r->why, r->len);
}

static bool
front_hello(const struct request *r)
{
	char line[FRONT_HELLO_MAX + 1];
	size_t got;

	if (!xtext_decode(
		r->rest[0], strlen(r->rest[0]), line, sizeof(line), &got) ||
	    strlen(line) != got) {
		snprintf(r->why, r->len, "501 5.5.4 not xtext, or too long");
		return false;
	}
	return fronts_hello(r->fronts, r->token, line, r->why, r->len);
}

static bool
front_tls(const struct request *r)
{
	return fronts_tls(r->fronts, r->token, r->rest, r->n, r->why, r->len);
}

static bool
front_set(const struct request *r)
{
	return fronts_set(
	    r->fronts, r->conf, r->token, r->rest, r->n, r->why, r->len);
}

static bool
front_user(const struct request *r)
{
	struct strbuf text;
	bool ok;

	strbuf_init(&text, DUMP_MAX);
	ok = fronts_user(r->fronts, r->token, &text, r->why, r->len);
	if (ok)
		fprintf(r->out, " %s\n", strbuf_str(&text));
	strbuf_release(&text);
	return ok;
}

/* To memory first: the session must not wait for whoever reads. */
static bool
front_dump(const struct request *r)
{
	const struct front_dump d = {
		.conf = r->conf,
		.token = r->token,
		.idle = r->n > 0 && strcmp(r->rest[0], "idle") == 0,
	};
	struct strbuf text;
	const char *line, *end;
	bool ok;

	strbuf_init(&text, DUMP_MAX);
	ok = fronts_dump(r->fronts, &d, &text, r->why, r->len);
	line = ok ? strbuf_str(&text) : "";
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		fprintf(r->out, " %.*s\n", (int)(end - line), line);
	strbuf_release(&text);
	return ok;
}

static bool
front_end(const struct request *r)
{
	fronts_end(r->fronts, r->token);
	return true;
}

bool
front_command(const struct milter_setup *setup, char *const *words, size_t n,
    FILE *out, char *why, size_t len)
{
	static const struct {
		const char *name;
		size_t least, most; /* words behind the token */
		bool (*run)(const struct request *r);
	} commands[] = {
		{ "begin", 1, 5, front_begin },
		{ "claimed", 0, 0, front_tied },
		{ "move", 1, 4, front_move },
		{ "seen", 1, 1, front_seen },
		{ "hello", 1, 1, front_hello },
		{ "tls", 1, 16, front_tls },
		{ "set", 1, SIZE_MAX, front_set },
		{ "user", 0, 0, front_user },
		{ "dump", 0, 1, front_dump },
		{ "alive", 0, 0, front_tied },
		{ "end", 0, 0, front_end },
	};
	struct request r = {
		.fronts = setup->fronts, .out = out, .why = why, .len = len
	};
	struct conf *conf;
	size_t i;
	bool ok;

	for (i = 0; n >= 3 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(words[1], commands[i].name) != 0 ||
		    n - 3 < commands[i].least || n - 3 > commands[i].most)
			continue;
		conf = conf_holder_get(setup->conf);
		r.conf = conf;
		r.token = words[2];
		r.rest = words + 3;
		r.n = n - 3;
		ok = commands[i].run(&r);
		conf_unref(conf);
		return ok;
	}
	snprintf(why, len, "501 5.5.4 not a request of a front");
	return false;
}
