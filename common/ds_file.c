/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file:/path - lines of "key value", read again when the file has changed
 *
 * The query is one parameter, ":domain", which names the key; the answer has
 * one column, "host".  A file that cannot be read, or that has one bad line,
 * is not taken at all: what was read before stays in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/ds_driver.h"
#include "common/ds_lines.h"
#include "common/ds_text.h"
#include "common/log.h"

/* A file changed this recently may change again without another time. */
#define FRESH_S    2
#define RECHECK_MS 1000

/* Which file it is, and in which state. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct timespec ctime; /* chmod may be what was waited for */
	bool exists;
};

struct source {
	char *name; /* "file:/path" */
	const char *path;
	pthread_mutex_t lock;   /* of what follows; not held while reading */
	struct ds_lines *lines; /* NULL: never read with success */
	struct stamp seen;      /* the file that was last looked into */
	int64_t recheck_ms;     /* look into it again then; 0: need not */
	bool loading;           /* a thread is at it */
	struct fault fault;     /* what is wrong with the file seen */
};

static struct stamp
stamp_make(const struct stat *st)
{
	struct stamp s;

	memset(&s, 0, sizeof s);
	s.dev = st->st_dev;
	s.ino = st->st_ino;
	s.size = st->st_size;
	s.mtime = st->st_mtim;
	s.ctime = st->st_ctim;
	s.exists = true;
	return s;
}

static bool
time_equal(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    time_equal(a->mtime, b->mtime) && time_equal(a->ctime, b->ctime) &&
	    a->exists == b->exists;
}

static struct stamp
stamp_of(const char *path)
{
	struct stat st;
	struct stamp none;

	if (stat(path, &st) == 0)
		return stamp_make(&st);
	memset(&none, 0, sizeof none);
	return none;
}

static bool
stamp_is_fresh(const struct stamp *s)
{
	return s->exists && time(NULL) - s->mtime.tv_sec < FRESH_S;
}

/* -- reading ---------------------------------------------------------- */

/* At most size octets of fd; returns new, or NULL with errno. */
static char *
read_all(int fd, size_t size, size_t *len)
{
	char *data = malloc(size + 1);

	*len = 0;
	while (data != NULL && *len < size) {
		ssize_t n = read(fd, data + *len, size - *len);

		if (n == 0)
			break;
		if (n > 0) {
			*len += (size_t)n;
		} else if (errno != EINTR) {
			free(data);
			data = NULL;
		}
	}
	return data;
}

static void
fault_errno(const struct source *s, int error, struct fault *f)
{
	char buf[128];

	fault_set(f, FAULT_LOCAL, "%s: %s", s->name,
	    strerror_r(error, buf, sizeof buf));
}

/* Reads the open file into new lines. */
static enum outcome
load_fd(const struct source *s, int fd, struct stamp *stamp,
    struct ds_lines **out, struct fault *f)
{
	struct stat st;
	size_t len;
	char *data;
	enum outcome oc;

	if (fstat(fd, &st) != 0) {
		fault_errno(s, errno, f);
		return OUTCOME_TEMP;
	}
	*stamp = stamp_make(&st);
	if (!S_ISREG(st.st_mode)) {
		fault_set(f, FAULT_LOCAL, "%s: not a regular file", s->name);
		return OUTCOME_PERM;
	}
	if (st.st_size > DS_LINES_FILE_MAX) {
		fault_set(f, FAULT_LOCAL, "%s: larger than 64 MiB", s->name);
		return OUTCOME_PERM;
	}
	data = read_all(fd, (size_t)st.st_size, &len);
	if (data == NULL) {
		fault_errno(s, errno, f);
		return OUTCOME_TEMP;
	}
	oc = ds_lines_new(s->name, data, len, out, f);
	if (oc != OUTCOME_OK)
		free(data);
	return oc;
}

/* Reads the file, whatever state it is in.  *stamp is that of the file that
 * was read, or says that there is none. */
static enum outcome
load(const struct source *s, struct stamp *stamp, struct ds_lines **out,
    struct fault *f)
{
	enum outcome oc;
	int fd;

	*out = NULL;
	memset(stamp, 0, sizeof *stamp);
	fault_clear(f);
	/* A named pipe must not make us wait. */
	fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		int error = errno;

		*stamp = stamp_of(s->path);
		fault_errno(s, error, f);
		return OUTCOME_TEMP;
	}
	oc = load_fd(s, fd, stamp, out, f);
	(void)close(fd);
	return oc;
}

/* Reads the file and puts what came of it into place. */
static enum outcome
source_load(struct source *s)
{
	struct ds_lines *lines, *old = NULL;
	struct stamp stamp;
	struct fault f;
	enum outcome oc = load(s, &stamp, &lines, &f);
	bool tell;

	(void)pthread_mutex_lock(&s->lock);
	tell = s->lines != NULL && strcmp(f.text, s->fault.text) != 0;
	s->loading = false;
	s->seen = stamp;
	s->fault = f;
	s->recheck_ms = stamp_is_fresh(&stamp) ? clock_ms() + RECHECK_MS : 0;
	if (oc == OUTCOME_OK) {
		old = s->lines;
		s->lines = lines;
	}
	(void)pthread_mutex_unlock(&s->lock);
	ds_lines_unref(old);
	if (oc == OUTCOME_OK)
		log_debug("%s: %zu lines", s->name, ds_lines_count(lines));
	else if (tell)
		log_warning("%s; what was read before stays in use", f.text);
	return oc;
}

/* The lines to answer from, as a new reference, or NULL with *f set. */
static struct ds_lines *
source_lines(struct source *s, struct fault *f)
{
	struct stamp now = stamp_of(s->path);
	struct ds_lines *lines = NULL;
	bool due;

	(void)pthread_mutex_lock(&s->lock);
	due = !stamp_equal(&now, &s->seen) ||
	    (s->recheck_ms != 0 && clock_ms() >= s->recheck_ms);
	/* Nobody waits for the thread that reads, if there is something to
	 * answer from. */
	if (due && s->loading && s->lines != NULL)
		due = false;
	if (due)
		s->loading = true;
	(void)pthread_mutex_unlock(&s->lock);
	if (due)
		(void)source_load(s);
	(void)pthread_mutex_lock(&s->lock);
	if (s->lines != NULL)
		lines = ds_lines_ref(s->lines);
	else if (f != NULL)
		*f = s->fault;
	(void)pthread_mutex_unlock(&s->lock);
	return lines;
}

/* -- the driver ------------------------------------------------------- */

/* The one parameter that text is. */
static enum outcome template(const struct source *s, const char *text,
    struct ds_name *name, struct fault *f) {
	const char *p = text,
	*rest; struct ds_name another;

	    rest = text + strspn(text, " \t\n"); if (ds_text_next(&p, name) &&
		name->at == rest + 1 && p[strspn(p, " \t\n")] == '\0' &&
		!ds_text_next(&p, &another)) return OUTCOME_OK;
	    fault_set(f, FAULT_LOCAL,
		"%s: a query to a file is one parameter, such as \":domain\"",
		s->name);
	    return OUTCOME_PERM;
}

static const char *
param_value(const struct ds_query *q, const struct ds_name *name)
{
	size_t i;

	for (i = 0; i < q->n_params; i++) {
		const struct ds_param *p = &q->params[i];

		if (strlen(p->name) == name->len &&
		    memcmp(p->name, name->at, name->len) == 0)
			return p->value;
	}
	return NULL;
}

static enum outcome
collect(const struct source *s, const struct ds_lines *lines, const char *key,
    size_t max_rows, struct ds_rows *rows, struct fault *f)
{
	size_t i = ds_lines_find(lines, key), column;
	struct ds_line_value v;

	for (; ds_rows_count(rows) < max_rows &&
	     ds_lines_value(lines, i, key, &v);
	     i++) {
		const struct ds_cell cell = { v.data, v.len };
		const char *wrong = ds_rows_add(rows, &cell, &column);

		if (wrong != NULL) {
			fault_set(
			    f, FAULT_LOCAL, "%s: %s: %s", s->name, key, wrong);
			return OUTCOME_TEMP;
		}
	}
	return OUTCOME_OK;
}

static enum outcome
file_query(void *source, const struct ds_query *q, size_t max_rows,
    struct ds_rows **out, struct fault *f)
{
	static const char *const columns[] = { "host" };
	struct source *s = source;
	struct ds_lines *lines = NULL;
	struct ds_rows *rows = NULL;
	struct ds_name name;
	const char *key;
	enum outcome oc;

	*out = NULL;
	oc = template(s, q->text, &name, f);
	if (oc != OUTCOME_OK)
		return oc;
	key = param_value(q, &name);
	if (key == NULL) {
		fault_set(f, FAULT_LOCAL, "%s: there is no parameter :%.*s",
		    s->name, (int)name.len, name.at);
		return OUTCOME_PERM;
	}
	lines = source_lines(s, f);
	if (lines == NULL)
		return OUTCOME_TEMP;
	rows = ds_rows_new(columns, 1);
	if (rows == NULL) {
		fault_set(f, FAULT_LOCAL, "%s: no memory", s->name);
		oc = OUTCOME_TEMP;
	} else {
		oc = collect(s, lines, key, max_rows, rows, f);
	}
	if (oc == OUTCOME_OK)
		*out = rows;
	else
		ds_rows_unref(rows);
	ds_lines_unref(lines);
	return oc;
}

static enum outcome
file_check(void *source, const char *text, struct fault *f)
{
	struct ds_name name;

	return template(source, text, &name, f);
}

static void
file_close(void *source)
{
	struct source *s = source;

	if (s == NULL)
		return;
	ds_lines_unref(s->lines);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->name);
	free(s);
}

static enum outcome
file_open(const char *rest, void **out, struct fault *f)
{
	struct source *s;
	enum outcome oc;

	*out = NULL;
	if (rest[0] != '/') {
		fault_set(f, FAULT_LOCAL, "file:%s: an absolute path is needed",
		    rest);
		return OUTCOME_PERM;
	}
	s = calloc(1, sizeof *s);
	if (s == NULL || asprintf(&s->name, "file:%s", rest) < 0) {
		fault_set(f, FAULT_LOCAL, "file:%s: no memory", rest);
		free(s);
		return OUTCOME_PERM;
	}
	s->path = s->name + strlen("file:");
	(void)pthread_mutex_init(&s->lock, NULL);
	oc = source_load(s);
	if (oc != OUTCOME_OK && f != NULL)
		*f = s->fault;
	if (oc == OUTCOME_PERM)
		file_close(s);
	else
		*out = s;
	return oc;
}

const struct ds_driver ds_driver_file = {
	.scheme = "file",
	.in_memory = true,
	.open = file_open,
	.query = file_query,
	.check = file_check,
	.close = file_close,
};
