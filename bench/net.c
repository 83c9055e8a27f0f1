/* SPDX-License-Identifier: BSD-2-Clause */
#include "net.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

struct where {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_un un;
	} u;

	socklen_t len;
};

uint64_t
net_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static int
where_parse(const char *text, struct where *w)
{
	char addr[INET_ADDRSTRLEN] = "127.0.0.1";
	const char *port = text;
	unsigned long n;
	char *end;
	int len;

	memset(w, 0, sizeof(*w));
	if (strncmp(text, "unix:", 5) == 0) {
		len = snprintf(
		    w->u.un.sun_path, sizeof(w->u.un.sun_path), "%s", text + 5);
		w->u.un.sun_family = AF_UNIX;
		w->len = sizeof(w->u.un);
		return len > 0 && (size_t)len < sizeof(w->u.un.sun_path) ? 0
									 : -1;
	}
	if (strncmp(text, "inet:", 5) == 0)
		port = text + 5;
	n = strtoul(port, &end, 10);
	if (*end == '@')
		(void)snprintf(addr, sizeof(addr), "%s", end + 1);
	else if (*end != '\0')
		return -1;
	if (end == port || n > 65535)
		return -1;
	w->u.in.sin_family = AF_INET;
	w->u.in.sin_port = htons((uint16_t)n);
	w->len = sizeof(w->u.in);
	return inet_pton(AF_INET, addr, &w->u.in.sin_addr) == 1 ? 0 : -1;
}

int
net_listen(const char *where)
{
	struct where w;
	int fd;

	if (where_parse(where, &w) != 0) {
		warnx("%s: not a port and not unix:PATH", where);
		return -1;
	}
	if (w.u.sa.sa_family == AF_UNIX)
		(void)unlink(w.u.un.sun_path);
	fd = socket(
	    w.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, &w.u.sa, w.len) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, &w.u.sa, &w.len) != 0) {
		warn("listening on %s", where);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (w.u.sa.sa_family == AF_UNIX)
		(void)printf("socket=%s\n", where + 5);
	else
		(void)printf("port=%u\n", (unsigned int)ntohs(w.u.in.sin_port));
	(void)fflush(stdout);
	return fd;
}

int
net_connect(const char *where)
{
	struct where w;
	int fd;

	if (where_parse(where, &w) != 0) {
		warnx("%s: not a port, unix:PATH or inet:PORT@ADDR", where);
		return -1;
	}
	fd = socket(w.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, &w.u.sa, w.len) != 0) {
		warn("connecting to %s", where);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

void
net_nodelay(int fd)
{
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void
net_raise_files(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		return;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) != 0)
		warn("the limit on open files");
}

unsigned long
net_number(const char *text, unsigned long max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || n > max ||
	    text[0] == '-')
		errx(EX_USAGE, "\"%s\" is not a number up to %lu", text, max);
	return n;
}
