/* SPDX-License-Identifier: BSD-2-Clause */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

struct peer {
	int fd; /* -1: closed */
	int stop_fd;
	SSL *ssl;
	bool write_broken;
	bool read_ended;
	size_t start, end; /* what is in buf */
	char buf[PEER_LINE_MAX];
};

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct peer *
peer_new(int fd, int stop_fd)
{
	struct peer *p = calloc(1, sizeof(*p));
	int one = 1;

	if (p == NULL) {
		close(fd);
		return NULL;
	}
	p->fd = fd;
	p->stop_fd = stop_fd;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return p;
}

void
peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	peer_close(p, PEER_CUT);
	free(p);
}

SSL *
peer_ssl(const struct peer *p)
{
	return p->ssl;
}

/* Wait for ${events}; ${until} in ms of now_ms(), negative: without end. */
static enum peer_event
wait_events(struct peer *p, short events, long long until)
{
	struct pollfd pfd[2] = { { .fd = p->fd, .events = events },
		{ .fd = p->stop_fd, .events = POLLIN } };
	long long left = -1;
	int n;

	if (p->fd < 0)
		return PEER_GONE;
	for (;;) {
		if (until >= 0) {
			left = until - now_ms();
			if (left <= 0)
				return PEER_TIME;
		}
		n = poll(pfd, 2, (int)left);
		if (n < 0 && errno != EINTR)
			return PEER_GONE;
		if (n > 0 && (pfd[1].revents & POLLIN) != 0)
			return PEER_STOP;
		if (n > 0 && pfd[0].revents != 0)
			return PEER_DATA;
	}
}

enum io_state {
	IO_DONE,
	IO_READ,
	IO_WRITE,
	IO_BROKEN
};

/* What an SSL call that returned ${rc} waits for. */
static enum io_state
tls_state(struct peer *p, int rc)
{
	switch (SSL_get_error(p->ssl, rc)) {
	case SSL_ERROR_NONE:
		return IO_DONE;
	case SSL_ERROR_WANT_READ:
		return IO_READ;
	case SSL_ERROR_WANT_WRITE:
		return IO_WRITE;
	default:
		return IO_BROKEN;
	}
}

static enum io_state
plain_state(ssize_t rc, enum io_state wanted)
{
	if (rc > 0)
		return IO_DONE;
	if (rc < 0 && (errno == EAGAIN || errno == EINTR))
		return wanted;
	return IO_BROKEN;
}

/* Read once into the buffer, if anything is there. */
static enum io_state
fill(struct peer *p)
{
	enum io_state st;
	ssize_t n;

	if (p->fd < 0 || p->read_ended)
		return IO_BROKEN;
	if (p->start > 0) {
		memmove(p->buf, p->buf + p->start, p->end - p->start);
		p->end -= p->start;
		p->start = 0;
	}
	if (p->ssl != NULL) {
		ERR_clear_error();
		n = SSL_read(
		    p->ssl, p->buf + p->end, (int)(sizeof(p->buf) - p->end));
		st = tls_state(p, (int)n);
	} else {
		n = recv(p->fd, p->buf + p->end, sizeof(p->buf) - p->end, 0);
		st = plain_state(n, IO_READ);
	}
	if (st == IO_DONE)
		p->end += (size_t)n;
	if (st == IO_BROKEN)
		p->read_ended = true;
	return st;
}

/* Wait for what ${st} says.  PEER_DATA: try again. */
static enum peer_event
wait_state(struct peer *p, enum io_state st, long long until)
{
	if (st == IO_BROKEN)
		return PEER_GONE;
	return wait_events(p, st == IO_WRITE ? POLLOUT : POLLIN, until);
}

enum peer_event
peer_line(struct peer *p, const char **line, size_t *len)
{
	enum peer_event ev = PEER_DATA;
	enum io_state st;
	size_t seen = 0;
	char *lf;

	while (ev == PEER_DATA) {
		*line = p->buf + p->start;
		*len = p->end - p->start;
		lf = memchr(*line + seen, '\n', *len - seen);
		if (lf != NULL) {
			*len = (size_t)(lf - *line) + 1;
			p->start += *len;
			return PEER_DATA;
		}
		seen = *len;
		if (seen == sizeof(p->buf))
			return PEER_LONG;
		if ((st = fill(p)) != IO_DONE)
			ev = wait_state(p, st, -1);
	}
	*line = p->buf + p->start;
	*len = p->end - p->start;
	return ev;
}

enum peer_event
peer_wait(struct peer *p, int ms)
{
	long long until = ms < 0 ? -1 : now_ms() + ms;
	enum peer_event ev = PEER_DATA;
	enum io_state st;

	if (p->end > p->start)
		return PEER_DATA;
	while (ev == PEER_DATA) {
		if ((st = fill(p)) == IO_DONE)
			return PEER_DATA;
		ev = wait_state(p, st, until);
	}
	return ev;
}

enum peer_event
peer_ignore(struct peer *p, int ms)
{
	long long until = ms < 0 ? -1 : now_ms() + ms;
	enum peer_event ev = PEER_DATA;
	enum io_state st;

	while (ev == PEER_DATA) {
		p->start = p->end = 0;
		if ((st = fill(p)) != IO_DONE)
			ev = wait_state(p, st, until);
	}
	return ev;
}

enum peer_event
peer_pause(struct peer *p, int ms)
{
	/* No events: a client that closes does not shorten the pause. */
	struct pollfd pfd = { .fd = p->stop_fd, .events = POLLIN };
	long long until = now_ms() + ms, left;

	while ((left = until - now_ms()) > 0)
		if (poll(&pfd, 1, (int)left) > 0)
			return PEER_STOP;
	return PEER_TIME;
}

enum peer_event
peer_write(struct peer *p, const char *buf, size_t len)
{
	enum peer_event ev = PEER_DATA;
	enum io_state st;
	size_t chunk;
	ssize_t n;

	while (len > 0 && ev == PEER_DATA) {
		if (p->fd < 0 || p->write_broken)
			return PEER_GONE;
		chunk = len < 16384 ? len : 16384;
		if (p->ssl != NULL) {
			ERR_clear_error();
			n = SSL_write(p->ssl, buf, (int)chunk);
			st = tls_state(p, (int)n);
		} else {
			n = send(p->fd, buf, chunk, MSG_NOSIGNAL);
			st = plain_state(n, IO_WRITE);
		}
		if (st == IO_DONE) {
			buf += n;
			len -= (size_t)n;
		} else {
			p->write_broken = st == IO_BROKEN;
			ev = wait_state(p, st, -1);
		}
	}
	return ev;
}

enum peer_event
peer_starttls(struct peer *p, SSL_CTX *ctx, char *why, size_t whylen)
{
	enum peer_event ev = PEER_DATA;
	enum io_state st = IO_READ;
	const char *text = NULL;
	int rc;

	if (p->fd < 0)
		text = "the connection is closed";
	else if (p->end > p->start)
		text = "octets in clear before it";
	else if (p->ssl != NULL)
		text = "TLS is already there";
	else if ((p->ssl = SSL_new(ctx)) == NULL ||
	    SSL_set_fd(p->ssl, p->fd) != 1)
		text = "out of memory";
	if (text != NULL) {
		(void)snprintf(why, whylen, "%s", text);
		return PEER_GONE;
	}
	while (ev == PEER_DATA) {
		ERR_clear_error();
		rc = SSL_accept(p->ssl);
		st = tls_state(p, rc);
		if (st == IO_DONE)
			return PEER_DATA;
		ev = wait_state(p, st, -1);
	}
	if (st == IO_BROKEN) {
		text = ERR_reason_error_string(ERR_peek_error());
		(void)snprintf(why, whylen, "%s",
		    text == NULL ? "the client closed" : text);
		p->read_ended = p->write_broken = true;
	}
	return ev;
}

void
peer_close(struct peer *p, enum peer_how how)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (p->fd < 0)
		return;
	if (how == PEER_CLOSE && p->ssl != NULL && !p->write_broken) {
		ERR_clear_error();
		(void)SSL_shutdown(p->ssl);
	}
	if (how == PEER_RESET)
		(void)setsockopt(
		    p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	else
		/* Unread octets would turn the FIN into an RST, which may
		 * overtake the last reply. */
		while (recv(p->fd, p->buf, sizeof(p->buf), 0) > 0)
			;
	SSL_free(p->ssl);
	p->ssl = NULL;
	close(p->fd);
	p->fd = -1;
}
