/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

bool
channel_init(struct channel *c, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->read_events = POLLIN;
	c->write_events = POLLOUT;
	c->can_read = c->can_write = true;
	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

void
channel_release(struct channel *c)
{
	if (c->ssl != NULL) {
		ERR_clear_error();
		if (!c->failed)
			(void)SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
		ERR_clear_error();
	}
	if (c->fd >= 0)
		close(c->fd);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

/* What OpenSSL wants, for *events. */
static ssize_t
tls_result(struct channel *c, int n, short *events)
{
	switch (SSL_get_error(c->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		return CHANNEL_WAIT;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		return CHANNEL_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return CHANNEL_EOF;
	default:
		c->failed = true;
		return CHANNEL_FAIL;
	}
}

static int
tls_len(size_t len)
{
	return len > INT_MAX ? INT_MAX : (int)len;
}

static ssize_t
socket_result(struct channel *c, ssize_t n)
{
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return CHANNEL_WAIT;
	c->failed = true;
	return CHANNEL_FAIL;
}

ssize_t
channel_read(struct channel *c, void *data, size_t len)
{
	ssize_t n;

	if (c->ssl == NULL) {
		n = socket_result(c, recv(c->fd, data, len, 0));
		/* Less than there was room for: that was all. */
		c->can_read = n == CHANNEL_EOF || n == (ssize_t)len;
		return n;
	}
	ERR_clear_error();
	c->read_events = POLLIN;
	n = SSL_read(c->ssl, data, tls_len(len));
	if (n <= 0)
		n = tls_result(c, (int)n, &c->read_events);
	c->can_read = n != CHANNEL_WAIT;
	return n;
}

ssize_t
channel_write(struct channel *c, const void *data, size_t len)
{
	ssize_t n;

	if (c->ssl == NULL) {
		n = socket_result(c, send(c->fd, data, len, MSG_NOSIGNAL));
		c->can_write = n == (ssize_t)len;
		return n;
	}
	ERR_clear_error();
	c->write_events = POLLOUT;
	n = SSL_write(c->ssl, data, tls_len(len));
	if (n <= 0)
		n = tls_result(c, (int)n, &c->write_events);
	c->can_write = n != CHANNEL_WAIT;
	return n;
}

void
channel_want(const struct channel *c, struct pollfd *p, bool read, bool write)
{
	*p = (struct pollfd){ .fd = -1 };
	if (c->fd < 0 || c->failed || (!read && !write))
		return;
	p->fd = c->fd;
	if (read)
		p->events |= c->read_events;
	if (write)
		p->events |= c->write_events;
}

void
channel_told(struct channel *c, const struct pollfd *p)
{
	const short bad = POLLHUP | POLLERR | POLLNVAL;

	if (p->fd < 0)
		return;
	if (p->revents & (c->read_events | bad))
		c->can_read = true;
	if (p->revents & (c->write_events | bad))
		c->can_write = true;
}

void
channel_tls(const struct channel *c, struct channel_tls *out)
{
	const SSL_CIPHER *cipher =
	    c->ssl != NULL ? SSL_get_current_cipher(c->ssl) : NULL;

	memset(out, 0, sizeof(*out));
	out->cipher = "";
	if (cipher == NULL)
		return;
	out->cipher = SSL_CIPHER_get_name(cipher);
	out->use_bits = SSL_CIPHER_get_bits(cipher, &out->alg_bits);
}
