/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/endpoint.h"
#include "common/errtext.h"
#include "common/strbuf.h"
#include "front/front.h"

#define DEFAULT_PORT 25

/* Room for an address of either family, or of a Unix socket. */
struct place {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;

	socklen_t len;
};

static bool
place_inet(const char *host, unsigned int port, struct place *p)
{
	if (inet_pton(AF_INET, host, &p->u.in.sin_addr) == 1) {
		p->u.in.sin_family = AF_INET;
		p->u.in.sin_port = htons((uint16_t)port);
		p->len = sizeof(p->u.in);
		return true;
	}
	if (inet_pton(AF_INET6, host, &p->u.in6.sin6_addr) == 1) {
		p->u.in6.sin6_family = AF_INET6;
		p->u.in6.sin6_port = htons((uint16_t)port);
		p->len = sizeof(p->u.in6);
		return true;
	}
	return false;
}

/* The places that an endpoint on this machine may mean. */
static size_t
places(const struct endpoint *e, struct place p[2])
{
	unsigned int port = e->port != 0 ? e->port : DEFAULT_PORT;

	memset(p, 0, 2 * sizeof(*p));
	if (e->kind == ENDPOINT_UNIX) {
		p->u.un.sun_family = AF_UNIX;
		(void)snprintf(p->u.un.sun_path, sizeof(p->u.un.sun_path),
		    "%.107s", e->host);
		p->len = sizeof(p->u.un);
		return 1;
	}
	if (strcmp(e->host, "localhost") == 0)
		return (size_t)place_inet("127.0.0.1", port, &p[0]) +
		    (size_t)place_inet("::1", port, &p[1]);
	return place_inet(e->host, port, &p[0]) ? 1 : 0;
}

static bool
wait_for(int fd, short events, struct deadline d)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, deadline_left_poll(d));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* A Unix socket whose backlog is full says EAGAIN: the MTA is at its process
 * limit, and may be so for a moment only. */
static int
connect_place(const struct place *p, struct deadline d)
{
	int fd = socket(
	    p->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err, one = 1;
	socklen_t len = sizeof(err);

	if (fd < 0)
		return -1;
	while (
	    (err = connect(fd, &p->u.sa, p->len) == 0 ? 0 : errno) == EAGAIN) {
		if (deadline_passed(d))
			break;
		(void)poll(NULL, 0, 20);
	}
	if (err == EINPROGRESS) {
		err = ETIMEDOUT;
		if (wait_for(fd, POLLOUT, d) &&
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
			err = errno;
	}
	if (err != 0) {
		close(fd);
		errno = err;
		return -1;
	}
	if (p->u.sa.sa_family != AF_UNIX)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

bool
link_connect(struct front *f, struct deadline d, char *why, size_t len)
{
	struct place p[2];
	struct endpoint e;
	size_t i, n = 0;
	int fd = -1;

	errno = EADDRNOTAVAIL;
	if (endpoint_parse(f->conf->front.next, &e, NULL))
		n = places(&e, p);
	for (i = 0; i < n && fd < 0; i++)
		fd = connect_place(&p[i], d);
	if (fd < 0) {
		(void)snprintf(
		    why, len, "%.200s: %s", f->conf->front.next, ERRNO);
		return false;
	}
	return channel_init(&f->next, fd);
}

static bool
write_all(struct front *f, const char *data, size_t len, struct deadline d)
{
	while (len > 0) {
		ssize_t n = channel_write(&f->next, data, len);

		if (n == CHANNEL_WAIT) {
			if (!wait_for(f->next.fd, f->next.write_events, d))
				return false;
			continue;
		}
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
read_more(struct front *f, struct deadline d)
{
	struct buffer *b = &f->down;
	size_t room = buffer_room(b);
	ssize_t n;

	if (room == 0)
		return false;
	while ((n = channel_read(&f->next, b->data + b->end, room)) ==
	    CHANNEL_WAIT)
		if (!wait_for(f->next.fd, f->next.read_events, d))
			return false;
	if (n == CHANNEL_EOF)
		f->next_eof = true;
	if (n <= 0)
		return false;
	b->end += (size_t)n;
	return true;
}

static enum reply_state
take_line(struct front *f, const char *end, struct reply *r, struct strbuf *raw)
{
	const char *line = buffer_rest(&f->down);
	size_t whole = (size_t)(end - line) + 1, len = whole - 1;
	enum reply_state state;

	if (raw != NULL)
		(void)strbuf_add(raw, line, whole);
	if (len > 0 && line[len - 1] == '\r')
		len--;
	state = reply_line(r, line, len);
	buffer_take(&f->down, whole);
	return state;
}

bool
link_reply(
    struct front *f, struct deadline d, struct reply *r, struct strbuf *raw)
{
	enum reply_state state = REPLY_MORE;

	reply_init(r);
	while (state == REPLY_MORE) {
		const char *end = memchr(
		    buffer_rest(&f->down), '\n', buffer_rest_len(&f->down));

		if (end != NULL)
			state = take_line(f, end, r, raw);
		else if (!read_more(f, d))
			return false;
	}
	return state == REPLY_DONE && (raw == NULL || strbuf_ok(raw));
}

bool
link_ask(struct front *f, const char *command, struct deadline d,
    struct reply *r, struct strbuf *raw)
{
	struct strbuf line;
	bool ok;

	strbuf_init(&line, BUFFER_SIZE);
	ok = strbuf_addf(&line, "%s\r\n", command) &&
	    write_all(f, strbuf_str(&line), line.len, d) &&
	    link_reply(f, d, r, raw);
	strbuf_release(&line);
	return ok;
}
