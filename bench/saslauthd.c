/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_saslauthd - the least that can be behind Cyrus SASL's own mechanisms
 *
 *   bench_saslauthd unix:PATH
 *
 * The floor that postern-authd is compared with: it takes a request of
 * saslauthd's protocol (four or five fields, each a length of two octets and
 * its octets), says OK to any, and serves one after the other in one
 * thread, which is the cheapest way when nothing is waited for.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#include "net.h"

enum {
	REQUEST_MAX = 8192,
	FIELDS = 4 /* login, password, service, realm; a fifth is not needed */
};

/* Whether all fields are there. */
static bool
complete(const unsigned char *buf, size_t len)
{
	size_t at = 0;
	int i;

	for (i = 0; i < FIELDS; i++) {
		if (len - at < 2)
			return false;
		at += 2 + ((size_t)buf[at] << 8 | buf[at + 1]);
		if (at > len)
			return false;
	}
	return true;
}

static void
serve(int fd)
{
	static const char ok[] = { 0, 2, 'O', 'K' };
	unsigned char buf[REQUEST_MAX];
	size_t len = 0;
	ssize_t n;

	do {
		if ((n = recv(fd, buf + len, sizeof(buf) - len, 0)) <= 0)
			return;
		len += (size_t)n;
	} while (!complete(buf, len));
	(void)send(fd, ok, sizeof(ok), MSG_NOSIGNAL);
}

int
main(int argc, char **argv)
{
	const struct timeval patience = { .tv_sec = 5 };
	int listen_fd, fd;

	if (argc != 2)
		errx(EX_USAGE, "usage: bench_saslauthd unix:PATH");
	(void)signal(SIGPIPE, SIG_IGN);
	if ((listen_fd = net_listen(argv[1])) < 0)
		errx(EX_OSERR, "no socket to serve");
	if (fcntl(listen_fd, F_SETFL, 0) != 0)
		err(EX_OSERR, "fcntl");
	for (;;) {
		if ((fd = accept(listen_fd, NULL, NULL)) < 0) {
			if (errno != EINTR && errno != ECONNABORTED)
				err(EX_OSERR, "accept");
			continue;
		}
		/* one that says nothing must not stop the others for good */
		if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			sizeof(patience)) != 0)
			err(EX_OSERR, "setsockopt");
		serve(fd);
		close(fd);
	}
}
