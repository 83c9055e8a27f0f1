/* SPDX-License-Identifier: BSD-2-Clause */
#include "transcript.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINES_MAX = 20000, /* a load test does not fill the memory */
	SHOWN_MAX = 300,   /* octets of one line */
};

struct transcript {
	pthread_mutex_t lock;
	char **lines;
	size_t nlines, dropped;
	unsigned int mismatches;
};

struct transcript *
transcript_new(void)
{
	struct transcript *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->lines = calloc(LINES_MAX, sizeof(*t->lines));
	if (t->lines == NULL || pthread_mutex_init(&t->lock, NULL) != 0) {
		free(t->lines);
		free(t);
		return NULL;
	}
	return t;
}

void
transcript_free(struct transcript *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->nlines; i++)
		free(t->lines[i]);
	free(t->lines);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* Escape as scripts do.  ${out} holds SHOWN_MAX * 4 + 32 octets. */
static void
escape(const char *text, size_t len, char *out)
{
	size_t i, n = 0, shown = len < SHOWN_MAX ? len : SHOWN_MAX;

	for (i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 32 && c < 127 && c != '\\') {
			out[n++] = (char)c;
			continue;
		}
		n += (size_t)(c == '\r' ? snprintf(out + n, 5, "\\r")
			: c == '\n'     ? snprintf(out + n, 5, "\\n")
			: c == '\\'     ? snprintf(out + n, 5, "\\\\")
					: snprintf(out + n, 5, "\\x%02x", c));
	}
	out[n] = '\0';
	if (shown < len)
		(void)snprintf(out + n, 32, "... (%zu)", len);
}

static void
keep(struct transcript *t, char *line)
{
	pthread_mutex_lock(&t->lock);
	if (t->nlines < LINES_MAX) {
		t->lines[t->nlines++] = line;
		line = NULL;
	} else {
		t->dropped++;
	}
	pthread_mutex_unlock(&t->lock);
	free(line);
}

void
transcript_add(struct transcript *t, unsigned int conn, char who,
    const char *text, size_t len)
{
	char shown[SHOWN_MAX * 4 + 32];
	char *line = NULL;

	if (len >= 2 && memcmp(text + len - 2, "\r\n", 2) == 0)
		len -= 2;
	escape(text, len, shown);
	if (asprintf(&line, "%u %c: %s", conn, who, shown) >= 0)
		keep(t, line);
}

void
transcript_mismatch(struct transcript *t, const char *where, unsigned int line,
    unsigned int conn, const char *fmt, ...)
{
	char *what = NULL, *noted = NULL;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = vasprintf(&what, fmt, ap);
	va_end(ap);
	if (rc < 0)
		what = NULL;
	(void)fprintf(stderr, "scripted: %s:%u: connection %u: %s\n", where,
	    line, conn, what == NULL ? "(out of memory)" : what);
	if (what != NULL && asprintf(&noted, "%u !: %s", conn, what) >= 0)
		keep(t, noted);
	free(what);
	pthread_mutex_lock(&t->lock);
	t->mismatches++;
	pthread_mutex_unlock(&t->lock);
}

unsigned int
transcript_mismatches(struct transcript *t)
{
	unsigned int n;

	pthread_mutex_lock(&t->lock);
	n = t->mismatches;
	pthread_mutex_unlock(&t->lock);
	return n;
}

void
transcript_print(struct transcript *t, FILE *fp)
{
	size_t i;

	pthread_mutex_lock(&t->lock);
	for (i = 0; i < t->nlines; i++)
		(void)fprintf(fp, "%s\n", t->lines[i]);
	if (t->dropped > 0)
		(void)fprintf(fp, "- -: %zu lines more\n", t->dropped);
	pthread_mutex_unlock(&t->lock);
}
