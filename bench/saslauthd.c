/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_saslauthd - the least that can be behind Cyrus SASL's own mechanisms
 *
 *   bench_saslauthd [--delay-ms N] unix:PATH
 *
 * The floor that postern-authd is compared with: it takes a request of
 * saslauthd's protocol (four or five fields, each a length of two octets and
 * its octets), says OK to any, and serves one after the other in one
 * thread, which is the cheapest way when nothing is waited for.
 *
 * With --delay-ms it says so that much later, and does nothing else: what a
 * login costs that asks somebody at that distance, if asking costs nothing.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

enum {
	REQUEST_MAX = 8192,
	FIELDS = 4, /* login, password, service, realm; a fifth is not needed */
	LATE_MAX = 4096
};

/* Those who have asked, in the order in which they are due; a ring. */
static struct {
	int fd;
	uint64_t due;
} late[LATE_MAX];

static size_t late_first, late_count;

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

/* False: it hung up before its request was whole. */
static bool
asked(int fd)
{
	unsigned char buf[REQUEST_MAX];
	size_t len = 0;
	ssize_t n;

	do {
		if ((n = recv(fd, buf + len, sizeof(buf) - len, 0)) <= 0)
			return false;
		len += (size_t)n;
	} while (!complete(buf, len));
	return true;
}

static void
say_ok(int fd)
{
	static const char ok[] = { 0, 2, 'O', 'K' };

	(void)send(fd, ok, sizeof(ok), MSG_NOSIGNAL);
	close(fd);
}

static void
say_later(int fd, uint64_t delay)
{
	size_t last = (late_first + late_count) % LATE_MAX;

	if (late_count == LATE_MAX)
		errx(EX_SOFTWARE, "more than %d at once", LATE_MAX);
	late[last].fd = fd;
	late[last].due = net_now() + delay;
	late_count++;
}

/* Wait for somebody to connect, and say what is due. */
static void
wait_and_say(int listen_fd)
{
	struct pollfd p = { .fd = listen_fd, .events = POLLIN };
	const uint64_t second = 1000000000;
	struct timespec left;
	uint64_t now = net_now(), due;

	while (late_count > 0 && late[late_first].due <= now) {
		say_ok(late[late_first].fd);
		late_first = (late_first + 1) % LATE_MAX;
		late_count--;
	}
	due = late_count > 0 ? late[late_first].due - now : second;
	left.tv_sec = (time_t)(due / second);
	left.tv_nsec = (long)(due % second);
	(void)ppoll(&p, 1, &left, NULL);
}

/* -1: nobody has connected. */
static int
accept_one(int listen_fd)
{
	const struct timeval patience = { .tv_sec = 5 };
	int fd = accept(listen_fd, NULL, NULL);

	if (fd < 0) {
		if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN)
			err(EX_OSERR, "accept");
		return -1;
	}
	/* one that says nothing must not stop the others for good */
	if (setsockopt(
		fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		err(EX_OSERR, "setsockopt");
	return fd;
}

static uint64_t
parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "delay-ms", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t delay = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'd')
			exit(EX_USAGE);
		delay = net_number(optarg, 60000) * 1000000;
	}
	if (optind + 1 != argc)
		errx(EX_USAGE,
		    "usage: bench_saslauthd [--delay-ms N] "
		    "unix:PATH");
	return delay;
}

int
main(int argc, char **argv)
{
	uint64_t delay = parse(argc, argv);
	int listen_fd, fd;

	(void)signal(SIGPIPE, SIG_IGN);
	if ((listen_fd = net_listen(argv[optind])) < 0)
		errx(EX_OSERR, "no socket to serve");
	if (delay == 0 && fcntl(listen_fd, F_SETFL, 0) != 0)
		err(EX_OSERR, "fcntl");
	for (;;) {
		if (delay > 0)
			wait_and_say(listen_fd);
		if ((fd = accept_one(listen_fd)) < 0)
			continue;
		if (!asked(fd))
			close(fd);
		else if (delay > 0)
			say_later(fd, delay);
		else
			say_ok(fd);
	}
}
