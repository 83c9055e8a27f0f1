/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/errtext.h"
#include "common/local_socket.h"

#define CONNECT_WAIT_S 10

bool
local_address(struct sockaddr_un *sa, const char *path, char *why, size_t len)
{
	size_t n = strlen(path);

	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (n == 0 || n >= sizeof(sa->sun_path)) {
		snprintf(why, len,
		    "%s: not a socket path of at most %zu octets", path,
		    sizeof(sa->sun_path) - 1);
		return false;
	}
	memcpy(sa->sun_path, path, n + 1);
	return true;
}

int
local_connect(const char *path, char *why, size_t len)
{
	return local_connect_within(path, CONNECT_WAIT_S, why, len);
}

int
local_connect_within(const char *path, int seconds, char *why, size_t len)
{
	struct timeval wait = { .tv_sec = seconds };
	struct sockaddr_un sa;
	int fd, saved;

	if (!local_address(&sa, path, why, len)) {
		errno = EINVAL;
		return -1;
	}
	/* The limit for writing is the one for connecting, too. */
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	saved = errno;
	snprintf(why, len, "%s: %s", path, ERRNO);
	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

int
local_make_room(const char *path, char *why, size_t len)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return 0;
		snprintf(why, len, "%s: %s", path, ERRNO);
		return -1;
	}
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, len, "%s: is there and is no socket", path);
		return -1;
	}
	if ((fd = local_connect(path, why, len)) >= 0) {
		close(fd);
		snprintf(why, len, "%s: another daemon listens there", path);
		return -1;
	}
	/* Only this says that nobody listens. */
	if (errno != ECONNREFUSED)
		return errno == ENOENT ? 0 : -1;
	if (unlink(path) != 0 && errno != ENOENT) {
		snprintf(why, len, "%s: %s", path, ERRNO);
		return -1;
	}
	return 0;
}

int
local_listen(const char *path, int backlog, char *why, size_t len)
{
	struct sockaddr_un sa;
	mode_t mask;
	int fd, rc;

	if (!local_address(&sa, path, why, len) ||
	    local_make_room(path, why, len) != 0)
		return -1;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) {
		snprintf(why, len, "%s: %s", path, ERRNO);
		return -1;
	}
	mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (rc != 0 || listen(fd, backlog) != 0) {
		snprintf(why, len, "%s: %s", path, ERRNO);
		close(fd);
		return -1;
	}
	return fd;
}

int
local_give(const char *path, gid_t gid, char *why, size_t len)
{
	int saved;

	if (chown(path, (uid_t)-1, gid) == 0 && chmod(path, 0660) == 0)
		return 0;
	saved = errno;
	snprintf(why, len, "%s: cannot be given to group %lu: %s", path,
	    (unsigned long)gid, ERRNO);
	errno = saved;
	return -1;
}
