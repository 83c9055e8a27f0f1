/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_socketmap - the least that can answer look-ups of bench_lookups
 *
 *   bench_socketmap unix:PATH
 *
 * The floor that postern-authd is compared with: one thread, no log, no
 * memory of its own; the answer to "... hK.example.net" is "OK uK:password".
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "net.h"

enum {
	REQUEST_MAX = 8192
};

struct client {
	int fd;
	size_t len;
	char in[REQUEST_MAX + 1];
};

static void
end(struct client *c)
{
	close(c->fd);
	free(c);
}

static void
answer(struct client *c, const char *key)
{
	const char *at = strrchr(key, ' ');
	char text[64], frame[80];
	int n;

	n = snprintf(text, sizeof(text), "OK u%lu:password",
	    at != NULL && at[1] == 'h' ? strtoul(at + 2, NULL, 10) : 0);
	n = snprintf(frame, sizeof(frame), "%d:%s,", n, text);
	(void)send(c->fd, frame, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
read_some(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, REQUEST_MAX - c->len, 0);
	char *at = c->in, *key, *over;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		end(c);
		return;
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	while ((key = strchr(at, ':')) != NULL) {
		over = key + 1 + strtoul(at, NULL, 10);
		if (over >= c->in + c->len)
			break;
		*over = '\0';
		answer(c, key + 1);
		at = over + 1;
	}
	c->len -= (size_t)(at - c->in);
	memmove(c->in, at, c->len);
}

static void
add(int epoll_fd, int listen_fd)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct client *c;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		err(EX_OSERR, "a client");
	c->fd = fd;
	e.data.ptr = c;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0)
		err(EX_OSERR, "epoll_ctl");
}

int
main(int argc, char **argv)
{
	struct epoll_event e = { .events = EPOLLIN }, events[64];
	int listen_fd, epoll_fd, n;

	if (argc != 2)
		errx(EX_USAGE, "usage: bench_socketmap unix:PATH");
	(void)signal(SIGPIPE, SIG_IGN);
	net_raise_files();
	if ((listen_fd = net_listen(argv[1])) < 0)
		errx(EX_OSERR, "no socket to serve");
	if ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &e) != 0)
		err(EX_OSERR, "epoll");
	for (;;) {
		n = epoll_wait(epoll_fd, events, 64, -1);
		for (int i = 0; i < n; i++)
			if (events[i].data.ptr == NULL)
				add(epoll_fd, listen_fd);
			else
				read_some(events[i].data.ptr);
	}
}
