/* SPDX-License-Identifier: BSD-2-Clause */
#include "script.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct parser {
	struct script *script;
	unsigned int line;
	bool in_loop;
};

static int __attribute__((format(printf, 2, 3)))
bad(const struct parser *p, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "scripted: %s:%u: ", p->script->file, p->line);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return -1;
}

static struct section *
section_add(struct parser *p)
{
	struct script *s = p->script;
	struct section *grown;

	grown = reallocarray(s->sections, s->nsections + 1, sizeof(*grown));
	if (grown == NULL)
		return NULL;
	s->sections = grown;
	grown += s->nsections++;
	memset(grown, 0, sizeof(*grown));
	grown->line = p->line;
	return grown;
}

/*
 * Append a step to the current section; the first step opens a section
 * when the script has no "connection" line before it.
 */
static struct step *
step_add(struct parser *p, enum step_op op)
{
	struct script *s = p->script;
	struct section *sec;
	struct step *grown;

	if (s->nsections == 0 && section_add(p) == NULL)
		return NULL;
	sec = &s->sections[s->nsections - 1];
	grown = reallocarray(sec->steps, sec->nsteps + 1, sizeof(*grown));
	if (grown == NULL)
		return NULL;
	sec->steps = grown;
	grown += sec->nsteps++;
	memset(grown, 0, sizeof(*grown));
	grown->op = op;
	grown->line = p->line;
	grown->count = 1;
	return grown;
}

static int
parse_duration(const struct parser *p, const char *arg, unsigned int *ms)
{
	char *end = NULL;
	unsigned long n;

	n = strtoul(arg, &end, 10);
	if (end == arg || n > 3600000)
		return bad(p, "\"%s\" is not a duration", arg);
	if (strcmp(end, "s") == 0 && n <= 3600)
		n *= 1000;
	else if (strcmp(end, "ms") != 0)
		return bad(p, "\"%s\": write 300ms or 2s", arg);
	*ms = (unsigned int)n;
	return 0;
}

static int
parse_text(struct parser *p, enum step_op op, const char *arg, bool crlf)
{
	struct step *st = step_add(p, op);

	if (st == NULL)
		return bad(p, "out of memory");
	if (pattern_init(&st->text, arg, strlen(arg), crlf ? "\r\n" : "") != 0)
		return bad(p, "bad escape in \"%s\"", arg);
	return 0;
}

/* repeat N "text" */
static int
parse_repeat(struct parser *p, const char *arg)
{
	struct step *st;
	char *end = NULL;
	unsigned long n = strtoul(arg, &end, 10);
	size_t len;

	while (*end == ' ')
		end++;
	len = strlen(end);
	if (end == arg || n > 10000000 || len < 2 || end[0] != '"' ||
	    end[len - 1] != '"')
		return bad(p, "repeat takes a number and a \"text\"");
	if ((st = step_add(p, STEP_SEND)) == NULL)
		return bad(p, "out of memory");
	st->count = n;
	if (pattern_init(&st->text, end + 1, len - 2, "") != 0)
		return bad(p, "bad escape in %s", end);
	return 0;
}

/* Cut the next word off *rest; NULL when there is none. */
static char *
next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	size_t len = strcspn(word, " \t");

	if (len == 0)
		return NULL;
	*rest = word + len;
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return word;
}

/* starttls NAME [fails] [tls1.2] [client-ca NAME] */
static int
parse_tls(struct parser *p, char *arg)
{
	struct step *st = step_add(p, STEP_TLS);
	const char *word = next_word(&arg);

	if (st == NULL)
		return bad(p, "out of memory");
	if (word == NULL)
		return bad(p, "starttls and tls take a certificate name");
	st->name = strdup(word);
	while ((word = next_word(&arg)) != NULL) {
		if (strcmp(word, "fails") == 0)
			st->fails = true;
		else if (strcmp(word, "tls1.2") == 0)
			st->old_tls = true;
		else if (strcmp(word, "client-ca") == 0 &&
		    st->client_ca == NULL && (word = next_word(&arg)) != NULL)
			st->client_ca = strdup(word);
		else
			return bad(p, "unknown TLS option");
	}
	return 0;
}

static int
parse_check(struct parser *p, const char *arg)
{
	struct step *st = step_add(p, STEP_CHECK);
	const char *sp = strchr(arg, ' ');

	if (st == NULL)
		return bad(p, "out of memory");
	if (sp == NULL)
		return bad(p, "expect takes a key and a pattern");
	st->name = strndup(arg, (size_t)(sp - arg));
	if (pattern_init(&st->text, sp + 1, strlen(sp + 1), "") != 0)
		return bad(p, "bad escape in \"%s\"", sp + 1);
	return 0;
}

static int
parse_connection(struct parser *p, const char *arg)
{
	struct section *sec;

	if (p->in_loop)
		return bad(p, "the loop before has no end");
	if ((sec = section_add(p)) == NULL)
		return bad(p, "out of memory");
	if (strcmp(arg, "*") == 0)
		sec->any = sec->optional = true;
	else if (strcmp(arg, "optional") == 0)
		sec->optional = true;
	else if (*arg != '\0')
		return bad(p, "connection takes nothing, optional or *");
	return 0;
}

/* A word with an optional duration. */
static int
parse_timed(struct parser *p, enum step_op op, const char *arg)
{
	struct step *st = step_add(p, op);

	if (st == NULL)
		return bad(p, "out of memory");
	if (*arg == '\0' && op == STEP_HANG)
		return 0;
	return parse_duration(p, arg, &st->ms);
}

static int
parse_plain(struct parser *p, const char *word)
{
	static const struct {
		const char *word;
		enum step_op op;
	} plain[] = {
		{ "data", STEP_DATA },
		{ "eof", STEP_EOF },
		{ "bye", STEP_BYE },
		{ "close", STEP_CLOSE },
		{ "cut", STEP_CUT },
		{ "reset", STEP_RESET },
		{ "loop", STEP_LOOP },
		{ "end", STEP_END },
		{ "break", STEP_BREAK },
	};

	size_t i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(word, plain[i].word) == 0)
			break;
	if (i == sizeof(plain) / sizeof(plain[0]))
		return bad(p, "\"%s\" is not known", word);
	if (plain[i].op == STEP_LOOP && p->in_loop)
		return bad(p, "a loop inside a loop");
	if ((plain[i].op == STEP_END || plain[i].op == STEP_BREAK) &&
	    !p->in_loop)
		return bad(p, "\"%s\" outside a loop", word);
	if (plain[i].op == STEP_LOOP)
		p->in_loop = true;
	if (plain[i].op == STEP_END)
		p->in_loop = false;
	if (step_add(p, plain[i].op) == NULL)
		return bad(p, "out of memory");
	return 0;
}

/* After "S:" one blank belongs to the script, further ones to the text. */
static const char *
after_colon(const char *rest)
{
	return *rest == ' ' ? rest + 1 : rest;
}

static int
parse_line(struct parser *p, char *line)
{
	char *arg;

	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return 0;
	if (strncmp(line, "S:", 2) == 0)
		return parse_text(p, STEP_SEND, after_colon(line + 2), true);
	if (strncmp(line, "S-raw:", 6) == 0)
		return parse_text(p, STEP_SEND, after_colon(line + 6), false);
	if (strncmp(line, "C:", 2) == 0)
		return parse_text(p, STEP_EXPECT, after_colon(line + 2), true);

	arg = line + strcspn(line, " \t");
	if (*arg != '\0') {
		*arg++ = '\0';
		arg += strspn(arg, " \t");
	}
	if (strcmp(line, "connection") == 0)
		return parse_connection(p, arg);
	if (strcmp(line, "repeat") == 0)
		return parse_repeat(p, arg);
	if (strcmp(line, "starttls") == 0 || strcmp(line, "tls") == 0)
		return parse_tls(p, arg);
	if (strcmp(line, "expect") == 0)
		return parse_check(p, arg);
	if (strcmp(line, "sleep") == 0)
		return parse_timed(p, STEP_SLEEP, arg);
	if (strcmp(line, "quiet") == 0)
		return parse_timed(p, STEP_QUIET, arg);
	if (strcmp(line, "hang") == 0)
		return parse_timed(p, STEP_HANG, arg);
	if (*arg != '\0')
		return bad(p, "\"%s\" takes no argument or is not known", line);
	return parse_plain(p, line);
}

/* What the parser cannot see line by line. */
static int
script_check(struct parser *p)
{
	const struct script *s = p->script;
	size_t i, j;

	if (p->in_loop)
		return bad(p, "the loop has no end");
	if (s->nsections == 0)
		return bad(p, "the script is empty");
	for (i = 0; i < s->nsections; i++) {
		const struct section *sec = &s->sections[i];

		if (sec->any && i + 1 < s->nsections)
			return bad(p, "\"connection *\" must be the last");
		for (j = 0; j + 1 < sec->nsteps; j++) {
			p->line = sec->steps[j].line;
			if (sec->steps[j].op == STEP_LOOP &&
			    sec->steps[j + 1].op != STEP_EXPECT)
				return bad(p, "a loop begins with a C: line");
		}
	}
	return 0;
}

int
script_load(struct script *s, const char *file)
{
	struct parser p = { .script = s };
	FILE *fp = NULL;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int rc = -1;

	memset(s, 0, sizeof(*s));
	s->file = file;
	fp = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	if (fp == NULL) {
		warn("%s", file);
		goto done;
	}
	while ((len = getline(&line, &size, fp)) >= 0) {
		p.line++;
		if (len > 0 && line[len - 1] == '\n')
			line[--len] = '\0';
		if (strlen(line) != (size_t)len) {
			(void)bad(&p, "a NUL: write \\0");
			goto done;
		}
		if (parse_line(&p, line) != 0)
			goto done;
	}
	if (ferror(fp)) {
		(void)fprintf(stderr, "scripted: %s: cannot be read\n", file);
		goto done;
	}
	rc = script_check(&p);
done:
	free(line);
	if (fp != NULL && fp != stdin)
		(void)fclose(fp);
	return rc;
}

void
script_release(struct script *s)
{
	size_t i, j;

	for (i = 0; i < s->nsections; i++) {
		for (j = 0; j < s->sections[i].nsteps; j++) {
			pattern_release(&s->sections[i].steps[j].text);
			free(s->sections[i].steps[j].name);
			free(s->sections[i].steps[j].client_ca);
		}
		free(s->sections[i].steps);
	}
	free(s->sections);
	memset(s, 0, sizeof(*s));
}
