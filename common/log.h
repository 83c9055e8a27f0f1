/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log - one line at a time to wherever the program wants it
 *
 * error    we could not do our job
 * warning  an operator should act
 * info     decisions, one line each
 * debug    dialogue, redacted where it is formatted
 *
 * Programs choose a sink and a level; until then lines of level info and
 * above go to stderr.  Every line is cleaned on its way: control characters
 * and what is not UTF-8 become '?', and it ends at LOG_LINE_MAX octets.  Any
 * thread may log; the sink is called without a lock held, by several threads
 * at once if need be.
 */
#ifndef POSTERN_COMMON_LOG_H
#define POSTERN_COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX  1000
#define LOG_VALUE_MAX 400

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/*
 * A sink takes one line, without a newline; not kept after return.  arg is
 * what log_set_sink() was given.
 */
typedef void log_sink_fn(enum log_level level, const char *line, void *arg);

/*
 * log_set_sink(fn, arg): send lines to fn from now on; NULL is stderr again.
 * A line being logged at this moment by another thread may still reach the
 * old sink: what arg points to must outlive the threads.
 */
void log_set_sink(log_sink_fn *fn, void *arg);

/*
 * log_set_level(level): drop lines that are less urgent than level.
 */
void log_set_level(enum log_level level);

/*
 * log_enabled(level): would a line of this level be kept?
 */
bool log_enabled(enum log_level level);

/*
 * log_level_name(level): "error", "warning", "info", "debug"; "unknown" for
 * other values.  The string is constant.
 */
const char *log_level_name(enum log_level level);

/*
 * log_level_parse(name, out): the level of that name, in any case.  Returns
 * false, with *out as it was, when there is none.
 */
bool log_level_parse(const char *name, enum log_level *out);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * A line of the form "verify: to=<ann@example.org> code=550", built a pair at
 * a time.  Belongs to one thread; on the stack; nothing to release.
 */
struct log_line {
	char text[LOG_LINE_MAX + 1];
	size_t len;
	bool full; /* a pair did not fit: no more are taken */
};

/*
 * log_line_begin(l, word): start the line with "word:".
 */
void log_line_begin(struct log_line *l, const char *word);

/*
 * log_line_add(l, key, fmt, ...): append " key=value".
 *
 *   key  a constant of letters, digits and '_'
 *   fmt  printf format of the value
 *
 * The value is cleaned and cut at LOG_VALUE_MAX octets.  One that holds a
 * space, '=' or '"' is put between double quotes, and in there '"' and '\'
 * have a '\' in front: key=value reads back without doubt.  A pair that does
 * not fit in the line is left out, with all that follow: put the ones that
 * matter first.
 */
void log_line_add(struct log_line *l, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * log_line_text(l, key, value): the same for a value that is a text already.
 */
void log_line_text(struct log_line *l, const char *key, const char *value);

/*
 * log_line_emit(l, level): send the line.  *l keeps its contents.
 */
void log_line_emit(const struct log_line *l, enum log_level level);

/*
 * For warnings that would repeat: keep one, zeroed, per cause.  Shared
 * between threads as it is.
 */
struct log_limit {
	_Atomic int64_t next_ms; /* quiet until then, on clock_ms() */
	_Atomic unsigned int left_out;
};

/*
 * log_limited(l, interval_ms): true when a line was allowed less than
 * interval_ms ago, so that this one is to be left out; false, once per
 * interval, for the line to log.
 */
bool log_limited(struct log_limit *l, int64_t interval_ms);

/*
 * log_limit_left_out(l): how many lines were left out since it was last
 * asked; for "(12 more)" on the line that is logged.
 */
unsigned int log_limit_left_out(struct log_limit *l);

#endif /* POSTERN_COMMON_LOG_H */
