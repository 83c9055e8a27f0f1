/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A long message is cut; its place stands in front and stays. */
#define MESSAGE_MAX 1024
#define TEXT_MAX    ((size_t)8 * CONF_FILE_MAX)

void
conf_source_init(struct conf_source *s, conf_say *say, void *arg)
{
	memset(s, 0, sizeof(*s));
	s->say = say;
	s->say_arg = arg;
	s->read = conf_read_file;
	strbuf_init(&s->text, TEXT_MAX);
}

void
conf_source_release(struct conf_source *s)
{
	unsigned int f;
	size_t i;

	for (i = 0; i < s->n_values; i++) {
		explicit_bzero(s->values[i].text, strlen(s->values[i].text));
		free(s->values[i].text);
	}
	for (f = 0; f < s->n_files; f++) {
		if (s->files[f].bytes.data != NULL)
			explicit_bzero(
			    s->files[f].bytes.data, s->files[f].bytes.len);
		free(s->files[f].bytes.data);
		free(s->files[f].name);
	}
	free(s->values);
	free(s->files);
	free(s->lines);
	strbuf_release(&s->text);
	memset(s, 0, sizeof(*s));
}

static void say(struct conf_source *s, bool error, struct conf_place at,
    const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void
say(struct conf_source *s, bool error, struct conf_place at, const char *fmt,
    va_list ap)
{
	char line[MESSAGE_MAX];
	size_t used = 0;
	char *p;
	int n;

	if (error && s->errors++ >= CONF_ERRORS_MAX)
		return;
	if (at.file < s->n_files) {
		n = at.line > 0
		    ? snprintf(line, sizeof(line),
			  "%.512s:%u: ", s->files[at.file].name, at.line)
		    : snprintf(line, sizeof(line),
			  "%.512s: ", s->files[at.file].name);
		if (n > 0)
			used = (size_t)n;
	}
	if (vsnprintf(line + used, sizeof(line) - used, fmt, ap) < 0)
		line[used] = '\0';
	for (p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 32 || *p == 127)
			*p = '?';
	if (s->say != NULL)
		s->say(s->say_arg, error, line);
}

void
conf_tell(struct conf_source *s, struct conf_place at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(s, true, at, fmt, ap);
	va_end(ap);
}

void
conf_warn(struct conf_source *s, struct conf_place at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(s, false, at, fmt, ap);
	va_end(ap);
}

/* Room for one more of an array that grows by doubling. */
static bool
grow(void **v, size_t n, size_t *max, size_t size)
{
	size_t want;
	void *p;

	if (n < *max)
		return true;
	want = *max == 0 ? 64 : *max * 2;
	p = reallocarray(*v, want, size);
	if (p == NULL)
		return false;
	*v = p;
	*max = want;
	return true;
}

int
conf_source_value(struct conf_source *s, const struct conf_token *t,
    struct conf_place at, bool append, size_t *out)
{
	void *v = s->values;
	struct conf_value *value;

	if (t->len > CONF_VALUE_MAX) {
		conf_tell(s, at, "this value is longer than %d octets",
		    CONF_VALUE_MAX);
		return -1;
	}
	if (!grow(&v, s->n_values, &s->max_values, sizeof(*s->values))) {
		conf_tell(s, at, "out of memory");
		return -1;
	}
	s->values = v;
	value = &s->values[s->n_values];
	value->text = malloc(t->len + 1);
	if (value->text == NULL) {
		conf_tell(s, at, "out of memory");
		return -1;
	}
	(void)conf_token_decode(t, value->text);
	value->at = at;
	value->append = append;
	*out = s->n_values++;
	return 0;
}

int
conf_source_line(struct conf_source *s, const struct conf_line *line)
{
	void *v = s->lines;

	if (!grow(&v, s->n_lines, &s->max_lines, sizeof(*s->lines))) {
		conf_tell(s, line->at, "out of memory");
		return -1;
	}
	s->lines = v;
	s->lines[s->n_lines++] = *line;
	strbuf_addch(&s->text, '\n');
	if (!strbuf_ok(&s->text)) {
		conf_tell(s, line->at, "the configuration is too large");
		return -1;
	}
	return 0;
}

int
conf_source_open(struct conf_source *s, const char *path,
    const struct conf_place *from, unsigned int *out)
{
	struct conf_file *file, *files;
	struct conf_place at;
	const char *reason;
	char why[160];

	if (from != NULL && s->n_files == CONF_FILES_MAX) {
		conf_tell(s, *from, "more than %d files", CONF_FILES_MAX);
		return -1;
	}
	files = reallocarray(s->files, s->n_files + 1, sizeof(*files));
	if (files == NULL)
		return -1;
	s->files = files;
	file = &files[s->n_files];
	memset(file, 0, sizeof(*file));
	file->name = strdup(path);
	if (file->name == NULL)
		return -1;
	at.file = s->n_files;
	at.line = 0;
	*out = s->n_files++;
	reason = s->read(s->read_arg, path, &file->bytes, why, sizeof(why));
	if (reason == NULL && memchr(file->bytes.data, '\0', file->bytes.len))
		reason = "holds a NUL octet: this is not a text file";
	if (reason == NULL && file->bytes.len > CONF_FILE_MAX - s->total)
		reason = "the configuration is longer than 1 MiB";
	if (reason == NULL) {
		s->total += file->bytes.len;
		return 0;
	}
	if (from != NULL)
		conf_tell(s, *from, "include(\"%.300s\"): %s", path, reason);
	else
		conf_tell(s, at, "%s", reason);
	return -1;
}

int
conf_source_read(struct conf_source *s, const char *path)
{
	unsigned int file;

	if (conf_source_open(s, path, NULL, &file) != 0)
		return -1;
	if (conf_walk(s, file) != 0)
		return -1;
	return s->errors == 0 ? 0 : -1;
}
