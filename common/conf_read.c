/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conf_source.h"

/* The whole of fd into *out.  False with errno set. */
static bool
slurp(int fd, size_t size, struct conf_bytes *out)
{
	ssize_t n;

	out->data = malloc(size + 1);
	if (out->data == NULL)
		return false;
	while (out->len < size) {
		n = read(fd, out->data + out->len, size - out->len);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		out->len += (size_t)n;
	}
	out->data[out->len] = '\0';
	return true;
}

const char *
conf_read_file(
    void *arg, const char *path, struct conf_bytes *out, char *why, size_t whyl)
{
	const char *reason = NULL;
	struct stat st;
	int fd;

	(void)arg;
	memset(out, 0, sizeof(*out));
	memset(&st, 0, sizeof(st));
	/* A named pipe must not make us wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0)
		reason = strerror_r(errno, why, whyl);
	else if (!S_ISREG(st.st_mode))
		reason = "not a regular file";
	else if (st.st_size > CONF_FILE_MAX)
		reason = "longer than 1 MiB";
	else if (!slurp(fd, (size_t)st.st_size, out))
		reason = strerror_r(errno, why, whyl);
	if (reason == NULL) {
		out->dev = st.st_dev;
		out->ino = st.st_ino;
		out->world_readable = (st.st_mode & S_IROTH) != 0;
	}
	if (fd >= 0)
		close(fd);
	return reason;
}
