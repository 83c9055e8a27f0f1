/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/authd_client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errtext.h"

/* A full backlog wakes nobody up: the wait between two attempts grows from
 * the first to the second number of milliseconds. */
#define BACKLOG_FIRST 1
#define BACKLOG_LAST  64

static bool fail(struct authd_client *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Always false. */
static bool
fail(struct authd_client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return false;
}

static void
wipe(struct authd_client *c)
{
	if (c->used > 0)
		explicit_bzero(c->buf, c->used);
	c->used = 0;
}

static void
hang_up(struct authd_client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

void
authd_client_init(struct authd_client *c, const char *path,
    struct authd_kept *kept, int64_t ms)
{
	memset(c, 0, sizeof(*c));
	c->path = path;
	c->kept = kept;
	c->fd = -1;
	c->left_ms = ms;
}

void
authd_client_release(struct authd_client *c)
{
	hang_up(c);
	wipe(c);
	free(c->buf);
	c->buf = NULL;
}

/* Wait until the socket is ready or, with fd -1, for up to ms. */
static bool
wait_for(struct authd_client *c, int fd, short events, struct deadline d)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&p, 1, deadline_left_poll(d));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(c, "%s: poll: %s", c->path, ERRNO);
	if (n == 0 && fd >= 0)
		return fail(c, "%s: no answer in time", c->path);
	return true;
}

/* A Unix socket connects at once or not at all; but EAGAIN says that the
 * daemon's backlog is full. */
static bool
hail(struct authd_client *c, const struct sockaddr_un *sa, struct deadline d)
{
	int64_t pause = BACKLOG_FIRST;

	for (;;) {
		if (connect(c->fd, (const struct sockaddr *)sa, sizeof(*sa)) ==
		    0)
			return true;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EINPROGRESS)
			return fail(c, "%s: %s", c->path, ERRNO);
		if (deadline_passed(d))
			return fail(c, "%s: too busy", c->path);
		if (!wait_for(c, -1, 0, deadline_sooner(d, deadline_in(pause))))
			return false;
		pause = pause * 2 > BACKLOG_LAST ? BACKLOG_LAST : pause * 2;
	}
}

static bool
connected(struct authd_client *c, struct deadline d)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(c->path);

	if (c->fd >= 0)
		return true;
	if (len == 0 || len > AUTHD_PATH_MAX)
		return fail(c, "the path of a socket has 1 to %d octets",
		    (int)AUTHD_PATH_MAX);
	memcpy(sa.sun_path, c->path, len);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return fail(c, "socket: %s", ERRNO);
	return hail(c, &sa, d);
}

static bool
say(struct authd_client *c, size_t len, struct deadline d)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = send(c->fd, c->buf + done, len - done, MSG_NOSIGNAL);
		if (n >= 0) {
			done += (size_t)n;
		} else if (errno == EAGAIN) {
			if (!wait_for(c, c->fd, POLLOUT, d))
				return false;
		} else if (errno != EINTR) {
			c->unread = errno == EPIPE || errno == ECONNRESET;
			return fail(c, "%s: send: %s", c->path, ERRNO);
		}
	}
	return true;
}

/* Read until *have octets are want at least; those before are there already.
 * The answer has not come yet, most often: it is waited for first. */
static bool
hear(struct authd_client *c, size_t *have, size_t want, struct deadline d)
{
	ssize_t n;

	while (*have < want) {
		if (!wait_for(c, c->fd, POLLIN, d))
			return false;
		n = recv(c->fd, c->buf + *have, WIRE_MAX - *have, 0);
		if (n > 0) {
			*have += (size_t)n;
			c->used = *have;
		} else if (n == 0) {
			return fail(c, "%s: closed without an answer", c->path);
		} else if (errno != EAGAIN && errno != EINTR) {
			/* Of one who has read all there is an end, no error. */
			c->unread = errno == ECONNRESET && *have == 0;
			return fail(c, "%s: recv: %s", c->path, ERRNO);
		}
	}
	return true;
}

/* The header tells how much more there is; behind it nothing may come that we
 * have not asked for. */
static bool
hear_message(
    struct authd_client *c, struct wire_message *answer, struct deadline d)
{
	const char *why = NULL;
	size_t have = 0;
	long whole;

	if (!hear(c, &have, WIRE_HEADER, d))
		return false;
	whole = wire_frame(c->buf, have, &why);
	if (whole < 0)
		return fail(c, "%s: %s", c->path, why);
	if (!hear(c, &have, (size_t)whole, d))
		return false;
	if (have != (size_t)whole)
		return fail(c, "%s: octets behind the answer", c->path);
	if (!wire_parse(c->buf, have, answer, &why))
		return fail(c, "%s: %s", c->path, why);
	if (answer->type < WIRE_GOOD)
		return fail(c, "%s: a question for an answer", c->path);
	return true;
}

static bool
exchange(struct authd_client *c, const struct wire_message *question,
    struct wire_message *answer, struct deadline d)
{
	size_t len;

	c->unread = false;
	wipe(c);
	len = wire_format(question, c->buf, WIRE_MAX);
	if (len == 0)
		return fail(c, "the question is too long");
	c->used = len;
	if (!say(c, len, d))
		return false;
	wipe(c);
	return hear_message(c, answer, d);
}

/* The daemon may have closed a kept connection when we had looked at it.  With
 * the whole question read it may have asked its upstream, and then nothing is
 * said twice; else nobody has been asked. */
static bool
converse(struct authd_client *c, const struct wire_message *question,
    struct wire_message *answer, struct deadline d)
{
	if (c->buf == NULL && (c->buf = malloc(WIRE_MAX)) == NULL)
		return fail(c, "out of memory");
	if (c->fd < 0 && (c->fd = authd_kept_take(c->kept)) >= 0) {
		if (exchange(c, question, answer, d))
			return true;
		if (!c->unread)
			return false;
		hang_up(c);
	}
	return connected(c, d) && exchange(c, question, answer, d);
}

bool
authd_client_ask(struct authd_client *c, const struct wire_message *question,
    struct wire_message *answer)
{
	struct deadline d = deadline_in(c->left_ms);
	bool ok;

	c->why[0] = '\0';
	memset(answer, 0, sizeof(*answer));
	ok = converse(c, question, answer, d);
	c->left_ms = deadline_left_ms(d);
	if (!ok) {
		hang_up(c);
		memset(answer, 0, sizeof(*answer));
		wipe(c);
	}
	return ok;
}

void
authd_client_keep(struct authd_client *c)
{
	if (c->fd >= 0)
		authd_kept_put(c->kept, c->fd);
	c->fd = -1;
}
