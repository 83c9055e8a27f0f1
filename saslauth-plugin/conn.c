/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The first octets are most often the whole request. */
#define IN_MIN 256

struct conn *
conn_new(struct server *server, const struct serve_protocol *protocol, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->watched = WATCHED_CONN;
	c->server = server;
	c->protocol = protocol;
	c->fd = fd;
	return c;
}

static void
wipe(unsigned char **data, size_t size)
{
	if (*data != NULL)
		explicit_bzero(*data, size);
	free(*data);
	*data = NULL;
}

static void
forget_all(struct conn *c)
{
	wipe(&c->in, c->in_size);
	c->in_len = c->in_size = c->request_len = 0;
	c->in_parts = false;
}

void
conn_forget(struct conn *c)
{
	size_t rest = c->in_len - c->request_len;

	c->rest_ms = 0;
	if (c->request_len == 0 || rest == 0) {
		forget_all(c);
		return;
	}
	memmove(c->in, c->in + c->request_len, rest);
	explicit_bzero(c->in + rest, c->request_len);
	c->in_len = rest;
	c->request_len = 0;
}

bool
conn_stays(const struct conn *c)
{
	return c->protocol->idle_ms > 0;
}

static void
forget_reply(struct conn *c)
{
	wipe(&c->out, c->out_len);
	c->out_len = c->out_sent = 0;
}

void
conn_free(struct conn *c)
{
	forget_all(c);
	forget_reply(c);
	close(c->fd);
	free(c);
}

bool
conn_take(struct conn *c, const unsigned char *data, size_t len)
{
	size_t need = c->in_len + len, size = c->in_size;
	unsigned char *grown;

	if (need > size) {
		if (size < IN_MIN)
			size = IN_MIN;
		while (size < need)
			size *= 2;
		/* Not realloc(3), which would leave octets behind. */
		if ((grown = malloc(size)) == NULL)
			return false;
		if (c->in_len > 0)
			memcpy(grown, c->in, c->in_len);
		wipe(&c->in, c->in_size);
		c->in = grown;
		c->in_size = size;
	}
	c->in_parts = c->in_len > 0;
	memcpy(c->in + c->in_len, data, len);
	c->in_len = need;
	return true;
}

enum conn_sent
conn_send(struct conn *c)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_sent,
		    c->out_len - c->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return CONN_LATER;
		if (n <= 0)
			return CONN_GONE;
		c->out_sent += (size_t)n;
	}
	forget_reply(c);
	return CONN_SENT;
}

bool
conn_hung_up(const struct conn *c)
{
	struct pollfd p = { .fd = c->fd };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}
