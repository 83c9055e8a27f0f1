/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/outbound_markers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/errtext.h"
#include "common/outbound.h"

bool
outbound_id_ok(const char *id)
{
	static const char octets[] = "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t len = strnlen(id, OUTBOUND_QUEUE_MAX + 1);

	return len >= 1 && len <= OUTBOUND_QUEUE_MAX &&
	    strspn(id, octets) == len;
}

/* Whoever else could write there could make messages wait, or not wait. */
static bool
is_ours(const struct outbound_markers *m, char *why, size_t len)
{
	struct stat st;

	if (fstat(m->fd, &st) != 0) {
		(void)snprintf(why, len, "%s: %s", m->path, ERRNO);
		return false;
	}
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		(void)snprintf(why, len,
		    "authd.state_directory: %s: is not writable for its owner, postern-authd, alone",
		    m->path);
		return false;
	}
	return true;
}

/* Its own name is on the disk when that of its parent is. */
static bool
make_directory(const char *path, const char *state)
{
	int fd, error;
	bool ok;

	if (mkdir(path, 0700) != 0)
		return errno == EEXIST;
	fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	error = errno;
	(void)close(fd);
	errno = error;
	return ok;
}

bool
outbound_markers_open(struct outbound_markers *m, const char *state,
    bool create, char *why, size_t len)
{
	m->fd = -1;
	if (asprintf(&m->path, "%s/" OUTBOUND_MARKERS_DIR, state) < 0) {
		m->path = NULL;
		(void)snprintf(why, len, "out of memory");
		return false;
	}
	if (create && !make_directory(m->path, state)) {
		(void)snprintf(
		    why, len, "authd.state_directory: %s: %s", m->path, ERRNO);
		outbound_markers_close(m);
		return false;
	}
	m->fd = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (m->fd < 0 && !create && errno == ENOENT)
		return true;
	if (m->fd < 0)
		(void)snprintf(
		    why, len, "authd.state_directory: %s: %s", m->path, ERRNO);
	else if (is_ours(m, why, len))
		return true;
	outbound_markers_close(m);
	return false;
}

void
outbound_markers_close(struct outbound_markers *m)
{
	if (m->fd >= 0)
		(void)close(m->fd);
	free(m->path);
	m->fd = -1;
	m->path = NULL;
}

/* The name is on the disk when the directory is. */
static bool
make(const struct outbound_markers *m, const char *id)
{
	int fd = openat(m->fd, id,
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	bool ok;
	int error;

	if (fd < 0)
		return false;
	/* One of that name that was there is younger now. */
	ok = futimens(fd, NULL) == 0 && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		error = errno;
	}
	errno = error;
	return ok && fsync(m->fd) == 0;
}

bool
outbound_markers_put(
    struct outbound_markers *m, const char *id, char *why, size_t len)
{
	if (make(m, id))
		return true;
	(void)snprintf(why, len, "%s/%s: %s", m->path, id, ERRNO);
	return false;
}

void
outbound_markers_remove(struct outbound_markers *m, const char *id)
{
	(void)unlinkat(m->fd, id, 0);
}

/* A file from the future, by whatever clock, is a new one. */
static int64_t
age_of(const struct stat *st)
{
	struct timespec now;
	int64_t age;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age = ((int64_t)now.tv_sec - (int64_t)st->st_mtim.tv_sec) * 1000 +
	    (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
	return age > 0 ? age : 0;
}

bool
outbound_markers_each(struct outbound_markers *m, outbound_marker_fn *fn,
    void *arg, char *why, size_t len)
{
	int fd = openat(m->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *d;
	bool ok = true;
	struct stat st;

	if (dir == NULL) {
		(void)snprintf(why, len, "%s: %s", m->path, ERRNO);
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	for (errno = 0; ok && (d = readdir(dir)) != NULL; errno = 0) {
		if (!outbound_id_ok(d->d_name) ||
		    fstatat(m->fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		ok = fn(arg, d->d_name, age_of(&st));
		if (!ok)
			errno = ENOMEM;
	}
	if (errno != 0) {
		(void)snprintf(why, len, "%s: %s", m->path, ERRNO);
		ok = false;
	}
	(void)closedir(dir);
	return ok;
}
