/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/transport.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An error that goes away by polling; two names of one number on Linux. */
static bool
would_block(int err)
{
	if (err == EAGAIN)
		return true;
#if EWOULDBLOCK != EAGAIN
	if (err == EWOULDBLOCK)
		return true;
#endif
	return false;
}

static ssize_t
socket_result(struct transport *t, short events, struct fault *f)
{
	int err = errno;
	char buf[128];

	if (would_block(err)) {
		t->events = events;
		return TRANSPORT_WAIT;
	}
	fault_set(f, FAULT_CONNECTION, "lost connection: %s",
	    strerror_r(err, buf, sizeof(buf)));
	return TRANSPORT_FAIL;
}

static ssize_t
socket_read(struct transport *t, void *buf, size_t len, struct fault *f)
{
	ssize_t n;

	do {
		n = recv(t->fd, buf, len, MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	return n >= 0 ? n : socket_result(t, POLLIN, f);
}

static ssize_t
socket_write(struct transport *t, const void *buf, size_t len, struct fault *f)
{
	ssize_t n;

	/* A library may not touch the process's SIGPIPE. */
	do {
		n = send(t->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return n >= 0 ? n : socket_result(t, POLLOUT, f);
}

static void
socket_free(struct transport *t)
{
	if (t->fd != -1)
		(void)close(t->fd);
	free(t);
}

static const struct transport_ops socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.free = socket_free,
};

struct transport *
transport_socket(int fd)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)close(fd);
		return NULL;
	}
	t->ops = &socket_ops;
	t->fd = fd;
	t->events = POLLIN;
	return t;
}

void
transport_free(struct transport *t)
{
	if (t != NULL)
		t->ops->free(t);
}

bool
transport_poll(const struct transport *t, struct deadline d)
{
	struct pollfd pfd = { .fd = t->fd, .events = t->events };
	int n;

	if (t->ops->poll != NULL)
		return t->ops->poll(t, d);
	if (t->fd == -1)
		return false;
	for (;;) {
		n = poll(&pfd, 1, deadline_left_poll(d));
		if (n > 0)
			return true;
		/* poll() counts whole milliseconds and may be early; errors
		 * other than EINTR show again in the read that follows. */
		if (n == -1 && errno != EINTR)
			return true;
		if (deadline_passed(d))
			return false;
	}
}
