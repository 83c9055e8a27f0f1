/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_source - the files of one configuration, on their way to libconfuse
 *
 * conf_source_read() reads a file and what it includes, checks the grammar,
 * passes over an Esmtp_Listener block, and writes a plain text that
 * libconfuse reads: one statement a line, with the number of a value in the
 * place of the value.  So every value keeps the place it was written at, and
 * none, hence no password, goes through libconfuse's buffers.
 *
 * One struct serves one conf_load(), in one thread.
 */
#ifndef POSTERN_COMMON_CONF_SOURCE_H
#define POSTERN_COMMON_CONF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/conf_lex.h"
#include "common/strbuf.h"

/* Octets of all files together. */
#define CONF_FILE_MAX     1048576
#define CONF_FILES_MAX    256
/* Files that include each other, counting the first. */
#define CONF_INCLUDE_MAX  10
#define CONF_DEPTH_MAX    8
#define CONF_VALUE_MAX    16384
#define CONF_SECTIONS_MAX 10000
/* Errors that are told before the rest is left out. */
#define CONF_ERRORS_MAX   50
/* More than any section has options: a name beyond is unknown anyway. */
#define CONF_NAMES_MAX    64

/* Where something was written; line 0 is the file as such. */
struct conf_place {
	unsigned int file;
	unsigned int line;
};

struct conf_value {
	char *text; /* without NUL inside */
	struct conf_place at;
	bool append; /* after += */
};

/* What is told about a file before it is read. */
struct conf_bytes {
	char *data; /* on the heap, wiped and freed by who has it */
	size_t len;
	uint64_t dev, ino; /* the same pair, the same file */
	bool world_readable;
};

/*
 * A reader fills *out from the file at path and returns NULL, or returns why
 * it cannot (a text in why, of whyl octets, or a constant).
 */
typedef const char *conf_read_fn(void *arg, const char *path,
    struct conf_bytes *out, char *why, size_t whyl);

struct conf_file {
	char *name;
	struct conf_bytes bytes;
	bool told; /* that everybody can read its passwords */
};

/* A line of the text for libconfuse. */
struct conf_line {
	struct conf_place at; /* of a closing brace: where its section opens */
	const char *name;     /* the statement's; borrowed from a file */
	size_t len;
	bool section;
};

/* A section that is being read. */
struct conf_level {
	struct conf_line open;
	struct conf_line names[CONF_NAMES_MAX]; /* options set in it */
	size_t n_names;
};

struct conf_source {
	conf_say *say;
	void *say_arg;
	conf_read_fn *read;
	void *read_arg;
	struct conf_file *files;
	unsigned int n_files;
	size_t total; /* octets read */
	struct conf_value *values;
	size_t n_values, max_values;
	struct conf_line *lines;
	size_t n_lines, max_lines;
	size_t n_sections;
	struct conf_level levels[CONF_DEPTH_MAX + 1];
	size_t depth;
	struct strbuf text;
	unsigned int errors;
};

/*
 * conf_source_init(s, say, arg): begin; conf_source_release(s) wipes and
 * frees everything, values included.
 */
void conf_source_init(struct conf_source *s, conf_say *say, void *arg);
void conf_source_release(struct conf_source *s);

/*
 * conf_source_read(s, path): read path and what it includes.
 *
 * Returns 0 with s->text, s->lines and s->values filled, or -1 after an
 * error has been told.
 */
int conf_source_read(struct conf_source *s, const char *path);

/*
 * conf_tell(s, at, fmt, ...) and conf_warn(): say an error or a warning about
 * a place, as "FILE:LINE: message".  Control characters in it become '?'.
 */
void conf_tell(struct conf_source *s, struct conf_place at, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
void conf_warn(struct conf_source *s, struct conf_place at, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/*
 * conf_source_open(s, path, from, out): read one more file.
 *
 *   from  where it is included, or NULL for the first
 *   out   its number
 *
 * Returns 0, or -1 after an error has been told.
 */
int conf_source_open(struct conf_source *s, const char *path,
    const struct conf_place *from, unsigned int *out);

/*
 * conf_source_value(s, t, at, append, out): keep the value of a token and
 * give its number.  Returns 0, or -1 after an error has been told.
 */
int conf_source_value(struct conf_source *s, const struct conf_token *t,
    struct conf_place at, bool append, size_t *out);

/*
 * conf_source_line(s, line): end a line of the text for libconfuse.
 */
int conf_source_line(struct conf_source *s, const struct conf_line *line);

/*
 * conf_read_file: the reader of files.  Refuses what is no regular file or
 * is longer than CONF_FILE_MAX.
 */
conf_read_fn conf_read_file;

/* conf_walk(s, file): read the statements of the first file; 0 or -1. */
int conf_walk(struct conf_source *s, unsigned int file);

/*
 * conf_listener_skip(s, lx, at): pass over an Esmtp_Listener block behind its
 * name and say where each of its lines went.  0, or -1 after an error.
 */
int conf_listener_skip(
    struct conf_source *s, struct conf_lexer *lx, struct conf_place at);

#endif /* POSTERN_COMMON_CONF_SOURCE_H */
