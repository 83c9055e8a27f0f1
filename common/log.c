/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/utf8.h"

/*
 * The one mutable static in common/: where lines go.  The lock covers the
 * pair sink and arg only, and is not held while the sink runs.
 */
static struct {
	pthread_mutex_t lock;
	log_sink_fn *sink;
	void *arg;
	_Atomic int level;
} table = { PTHREAD_MUTEX_INITIALIZER, NULL, NULL, LOG_LEVEL_INFO };

static const char *const level_names[] = { "error", "warning", "info",
	"debug" };

/* The longest key. */
#define KEY_MAX 61

#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

void
log_set_sink(log_sink_fn *fn, void *arg)
{
	(void)pthread_mutex_lock(&table.lock);
	table.sink = fn;
	table.arg = arg;
	(void)pthread_mutex_unlock(&table.lock);
}

void
log_set_level(enum log_level level)
{
	atomic_store(&table.level, (int)level);
}

bool
log_enabled(enum log_level level)
{
	return (int)level <= atomic_load(&table.level);
}

const char *
log_level_name(enum log_level level)
{
	return (size_t)level < LEVELS ? level_names[level] : "unknown";
}

bool
log_level_parse(const char *name, enum log_level *out)
{
	size_t i;

	for (i = 0; i < LEVELS; i++) {
		if (strcasecmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* One write, so that lines of several threads do not mix. */
static void
to_stderr(enum log_level level, const char *line)
{
	char buf[LOG_LINE_MAX + 32];
	int n =
	    snprintf(buf, sizeof(buf), "%s: %s\n", log_level_name(level), line);

	/* Nobody is left to tell when stderr is gone. */
	if (n > 0 && (size_t)n < sizeof(buf) &&
	    write(STDERR_FILENO, buf, (size_t)n) < 0)
		return;
}

static void
emit(enum log_level level, const char *line)
{
	log_sink_fn *sink;
	void *arg;

	if (!log_enabled(level))
		return;
	(void)pthread_mutex_lock(&table.lock);
	sink = table.sink;
	arg = table.arg;
	(void)pthread_mutex_unlock(&table.lock);
	if (sink != NULL)
		sink(level, line, arg);
	else
		to_stderr(level, line);
}

static void __attribute__((format(printf, 2, 0)))
emit_format(enum log_level level, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX + 1];

	if (!log_enabled(level))
		return;
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		return;
	utf8_clean(line, strlen(line));
	emit(level, line);
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit_format(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit_format(LOG_LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit_format(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit_format(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

void
log_line_begin(struct log_line *l, const char *word)
{
	int n = snprintf(l->text, sizeof(l->text), "%s:", word);

	l->full = n < 0 || (size_t)n >= sizeof(l->text);
	l->len = strlen(l->text);
	utf8_clean(l->text, l->len);
}

/*
 * Write the value at dst, between quotes when it needs them; dst has room
 * for twice its octets, two quotes and a NUL.  Returns the octets written.
 */
static size_t
put_value(char *dst, const char *value)
{
	char *p = dst;

	if (strpbrk(value, " =\"") == NULL) {
		size_t len = strlen(value);

		memcpy(dst, value, len + 1);
		return len;
	}
	*p++ = '"';
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			*p++ = '\\';
		*p++ = *value;
	}
	*p++ = '"';
	*p = '\0';
	return (size_t)(p - dst);
}

/* Append a pair; value may be changed. */
static void
add_pair(struct log_line *l, const char *key, char *value, size_t value_len)
{
	char pair[KEY_MAX + 2 + 2 * LOG_VALUE_MAX + 3];
	size_t len = strlen(key);

	if (len > KEY_MAX) {
		l->full = true;
		return;
	}
	utf8_clean(value, value_len);
	pair[0] = ' ';
	memcpy(pair + 1, key, len++);
	pair[len++] = '=';
	len += put_value(pair + len, value);
	if (len > LOG_LINE_MAX - l->len) {
		l->full = true;
		return;
	}
	memcpy(l->text + l->len, pair, len + 1);
	l->len += len;
}

void
log_line_add(struct log_line *l, const char *key, const char *fmt, ...)
{
	char value[LOG_VALUE_MAX + 1];
	va_list ap;
	int n;

	if (l->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n >= 0)
		add_pair(l, key, value, strlen(value));
}

void
log_line_text(struct log_line *l, const char *key, const char *text)
{
	char value[LOG_VALUE_MAX + 1];
	size_t len = strnlen(text, LOG_VALUE_MAX);

	if (l->full)
		return;
	memcpy(value, text, len);
	value[len] = '\0';
	add_pair(l, key, value, len);
}

void
log_line_emit(const struct log_line *l, enum log_level level)
{
	emit(level, l->text);
}

bool
log_limited(struct log_limit *l, int64_t interval_ms)
{
	int64_t now = clock_ms();
	int64_t next = atomic_load(&l->next_ms);

	/* Of several threads that see the interval over, one wins. */
	if (now >= next &&
	    atomic_compare_exchange_strong(
		&l->next_ms, &next, now + interval_ms))
		return false;
	atomic_fetch_add(&l->left_out, 1);
	return true;
}

unsigned int
log_limit_left_out(struct log_limit *l)
{
	return atomic_exchange(&l->left_out, 0);
}
