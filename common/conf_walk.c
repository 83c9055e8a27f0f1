/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar, as it is checked here before libconfuse sees the text:
 *
 *	file      = *statement
 *	statement = name ( "=" / "+=" ) ( value / list )
 *	          / name [ value ] "{" *statement "}"
 *	          / "include" "(" value ")"
 *	          / "Esmtp_Listener" block     ; top level, conf_listener.c
 *	list      = "{" [ value *( "," value ) [ "," ] ] "}"
 *	value     = word / string
 *
 * Which names there are, and which of them take a title or a list, is
 * libconfuse's to say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/conf_source.h"

struct walk {
	struct conf_source *s;
	struct conf_lexer lx;
	struct conf_token t; /* the current token */
	unsigned int file;
	unsigned int nest;     /* files that include each other, from 1 */
	const struct walk *up; /* the including file's, or NULL */
};

static int walk_file(struct conf_source *s, unsigned int file,
    unsigned int nest, const struct walk *up);

static struct conf_place
place(const struct walk *w)
{
	struct conf_place at = { w->file, w->t.line };

	return at;
}

/* What the current token looks like, for messages. */
static const char *
shown(const struct conf_token *t, char *buf, size_t size)
{
	size_t len = t->len < 40 ? t->len : 40;

	if (t->kind == CONF_TOKEN_END)
		return "the end of the file";
	if (t->kind == CONF_TOKEN_SIGN) {
		snprintf(
		    buf, size, t->sign == '+' ? "\"+=\"" : "\"%c\"", t->sign);
	} else {
		/* Strings may be passwords. */
		if (t->kind == CONF_TOKEN_STRING)
			return "a string";
		snprintf(buf, size, "\"%.*s\"", (int)len, t->text);
	}
	return buf;
}

static int
unexpected(struct walk *w, const char *wanted, const struct conf_line *name)
{
	char buf[64];

	if (w->t.kind == CONF_TOKEN_BAD)
		conf_tell(w->s, place(w), "%s", w->t.why);
	else if (name != NULL)
		conf_tell(w->s, place(w), "%.*s: %s expected, not %s",
		    (int)(name->len < 64 ? name->len : 64), name->name, wanted,
		    shown(&w->t, buf, sizeof(buf)));
	else
		conf_tell(w->s, place(w), "%s expected, not %s", wanted,
		    shown(&w->t, buf, sizeof(buf)));
	return -1;
}

static void
next(struct walk *w)
{
	conf_lexer_next(&w->lx, &w->t);
}

static bool
at_sign(const struct walk *w, char sign)
{
	return w->t.kind == CONF_TOKEN_SIGN && w->t.sign == sign;
}

static bool
at_value(const struct walk *w)
{
	return w->t.kind == CONF_TOKEN_WORD || w->t.kind == CONF_TOKEN_STRING;
}

static bool
word_is(const struct conf_token *t, const char *word)
{
	return t->len == strlen(word) &&
	    strncasecmp(t->text, word, t->len) == 0;
}

/* An option that is set twice in one section would silently count once. */
static int
note_name(struct walk *w, const struct conf_line *name)
{
	struct conf_level *level = &w->s->levels[w->s->depth];
	const struct conf_line *old;
	size_t i;

	for (i = 0; i < level->n_names; i++) {
		old = &level->names[i];
		if (old->len == name->len &&
		    strncasecmp(old->name, name->name, name->len) == 0) {
			conf_tell(w->s, name->at,
			    "%.*s is set twice, first at %s:%u", (int)name->len,
			    name->name, w->s->files[old->at.file].name,
			    old->at.line);
			return -1;
		}
	}
	if (level->n_names < CONF_NAMES_MAX)
		level->names[level->n_names++] = *name;
	return 0;
}

static int
emit_value(struct walk *w, bool append)
{
	size_t number;

	if (conf_source_value(w->s, &w->t, place(w), append, &number) != 0)
		return -1;
	strbuf_addf(&w->s->text, "%zu", number);
	next(w);
	return 0;
}

/* Behind the opening brace of a list. */
static int
walk_list(struct walk *w, const struct conf_line *name, bool append)
{
	size_t n = 0;

	strbuf_addch(&w->s->text, '{');
	while (!at_sign(w, '}')) {
		if (!at_value(w))
			return unexpected(w, "a value or \"}\"", name);
		if (n++ > 0)
			strbuf_addch(&w->s->text, ',');
		if (emit_value(w, append) != 0)
			return -1;
		if (at_sign(w, ','))
			next(w);
		else if (!at_sign(w, '}'))
			return unexpected(w, "\",\" or \"}\"", name);
	}
	if (n == 0 && append) {
		conf_tell(w->s, place(w), "%.*s: += with nothing to add",
		    (int)name->len, name->name);
		return -1;
	}
	strbuf_addch(&w->s->text, '}');
	next(w);
	return 0;
}

/* At = or += behind a name. */
static int
walk_option(struct walk *w, const struct conf_line *name)
{
	bool append = w->t.sign == '+';

	if (note_name(w, name) != 0)
		return -1;
	strbuf_adds(&w->s->text, append ? " += " : " = ");
	next(w);
	if (at_sign(w, '{')) {
		next(w);
		if (walk_list(w, name, append) != 0)
			return -1;
	} else if (at_value(w)) {
		if (emit_value(w, append) != 0)
			return -1;
	} else {
		return unexpected(w, "a value", name);
	}
	return conf_source_line(w->s, name);
}

/* The title as a string that libconfuse reads back unchanged. */
static int
emit_title(struct walk *w)
{
	char title[256];
	size_t i, len;

	if (w->t.len >= sizeof(title)) {
		conf_tell(w->s, place(w), "this title is too long");
		return -1;
	}
	len = conf_token_decode(&w->t, title);
	strbuf_adds(&w->s->text, " \"");
	for (i = 0; i < len; i++) {
		if ((unsigned char)title[i] < 32 || title[i] == 127) {
			conf_tell(w->s, place(w),
			    "this title holds a control character");
			return -1;
		}
		if (strchr("\"\\$", title[i]) != NULL)
			strbuf_addch(&w->s->text, '\\');
		strbuf_addch(&w->s->text, title[i]);
	}
	strbuf_addch(&w->s->text, '"');
	next(w);
	return 0;
}

/* At { behind a name and perhaps a title. */
static int
open_section(struct walk *w, const struct conf_line *name)
{
	struct conf_source *s = w->s;

	if (s->depth == CONF_DEPTH_MAX) {
		conf_tell(s, place(w), "sections are nested too deeply");
		return -1;
	}
	if (++s->n_sections > CONF_SECTIONS_MAX) {
		conf_tell(
		    s, place(w), "more than %d sections", CONF_SECTIONS_MAX);
		return -1;
	}
	strbuf_adds(&s->text, " {");
	s->depth++;
	s->levels[s->depth].open = *name;
	s->levels[s->depth].n_names = 0;
	next(w);
	return conf_source_line(s, name);
}

static int
close_section(struct walk *w)
{
	struct conf_source *s = w->s;

	strbuf_addch(&s->text, '}');
	next(w);
	return conf_source_line(s, &s->levels[s->depth--].open);
}

/* The path of an included file; the caller frees. */
static char *
beside(const char *including, const char *path)
{
	const char *slash = strrchr(including, '/');
	char *full;

	if (path[0] == '/' || slash == NULL)
		return strdup(path);
	if (asprintf(&full, "%.*s/%s", (int)(slash - including), including,
		path) < 0)
		return NULL;
	return full;
}

/* Is this very file being read already, further up? */
static bool
in_cycle(const struct walk *w, unsigned int file)
{
	const struct conf_bytes *b = &w->s->files[file].bytes;
	const struct conf_bytes *old;

	for (; w != NULL; w = w->up) {
		old = &w->s->files[w->file].bytes;
		if (old->dev == b->dev && old->ino == b->ino)
			return true;
	}
	return false;
}

static int
include_file(struct walk *w, struct conf_place at, const char *path)
{
	unsigned int file;

	if (w->nest == CONF_INCLUDE_MAX) {
		conf_tell(w->s, at,
		    "include(\"%.300s\"): more than %d files deep", path,
		    CONF_INCLUDE_MAX);
		return -1;
	}
	if (conf_source_open(w->s, path, &at, &file) != 0)
		return -1;
	if (in_cycle(w, file)) {
		conf_tell(w->s, at,
		    "include(\"%.300s\"): this file includes itself", path);
		return -1;
	}
	return walk_file(w->s, file, w->nest + 1, w);
}

/* Behind the word include. */
static int
walk_include(struct walk *w, const struct conf_line *name)
{
	struct conf_place at;
	char *path = NULL;
	char *given = NULL;
	int rc = -1;

	if (!at_sign(w, '('))
		return unexpected(w, "(\"FILE\")", name);
	next(w);
	if (!at_value(w) || w->t.len == 0)
		return unexpected(w, "\"FILE\"", name);
	at = place(w);
	given = malloc(w->t.len + 1);
	if (given == NULL)
		return -1;
	(void)conf_token_decode(&w->t, given);
	next(w);
	if (!at_sign(w, ')')) {
		rc = unexpected(w, "\")\"", name);
		goto done;
	}
	next(w);
	path = beside(w->s->files[w->file].name, given);
	if (path != NULL)
		rc = include_file(w, at, path);
done:
	free(given);
	free(path);
	return rc;
}

static int
check_name(struct walk *w)
{
	static const char octets[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t i;

	if (w->t.kind != CONF_TOKEN_WORD)
		return unexpected(w, "the name of an option or section", NULL);
	for (i = 0; i < w->t.len; i++)
		if (memchr(octets, w->t.text[i], sizeof(octets) - 1) == NULL)
			return unexpected(
			    w, "the name of an option or section", NULL);
	return 0;
}

static int
walk_statement(struct walk *w)
{
	struct conf_line name;

	if (check_name(w) != 0)
		return -1;
	memset(&name, 0, sizeof(name));
	name.at = place(w);
	name.name = w->t.text;
	name.len = w->t.len;
	if (word_is(&w->t, "esmtp_listener") && w->s->depth == 0) {
		if (conf_listener_skip(w->s, &w->lx, name.at) != 0)
			return -1;
		next(w);
		return 0;
	}
	if (word_is(&w->t, "include")) {
		next(w);
		return walk_include(w, &name);
	}
	strbuf_add(&w->s->text, name.name, name.len);
	next(w);
	if (at_sign(w, '=') || at_sign(w, '+'))
		return walk_option(w, &name);
	name.section = true;
	if (at_sign(w, '{'))
		return open_section(w, &name);
	if (!at_value(w))
		return unexpected(w, "\"=\" or \"{\"", &name);
	if (emit_title(w) != 0)
		return -1;
	if (at_sign(w, '{'))
		return open_section(w, &name);
	return unexpected(
	    w, "\"=\" before the value, or \"{\" after a title,", &name);
}

static int
walk_file(struct conf_source *s, unsigned int file, unsigned int nest,
    const struct walk *up)
{
	struct walk w;
	size_t depth = s->depth;

	memset(&w, 0, sizeof(w));
	w.s = s;
	w.file = file;
	w.nest = nest;
	w.up = up;
	conf_lexer_init(
	    &w.lx, s->files[file].bytes.data, s->files[file].bytes.len);
	next(&w);
	while (w.t.kind != CONF_TOKEN_END) {
		if (!at_sign(&w, '}')) {
			if (walk_statement(&w) != 0)
				return -1;
		} else if (s->depth == depth) {
			conf_tell(s, place(&w), "this \"}\" closes nothing");
			return -1;
		} else if (close_section(&w) != 0) {
			return -1;
		}
	}
	if (s->depth == depth)
		return 0;
	conf_tell(s, s->levels[s->depth].open.at,
	    "%.*s is not closed with \"}\"", (int)s->levels[s->depth].open.len,
	    s->levels[s->depth].open.name);
	return -1;
}

int
conf_walk(struct conf_source *s, unsigned int file)
{
	return walk_file(s, file, 1, NULL);
}
