/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_upstream - a fast SMTP upstream at a settable distance
 *
 *   bench_upstream [--listen PORT|unix:PATH] [--latency-us N] [--latency-ms N]
 *                  [--serial] [--refuse-delay-ms N] [--known PREFIX]
 *                  [--xclient]
 *
 * Each reply leaves the latency after its command arrived, as over a network
 * whose round trip takes that long: pipelined commands do not add up.  With
 * --serial each reply takes that long, one after the other.  A refused
 * recipient or login holds up the connection for --refuse-delay-ms besides.
 * Local parts that begin with "unknown", or, with --known, with anything
 * else than PREFIX, are refused; all others are taken.  AUTH PLAIN and LOGIN
 * want the same of a user name, and the password of login.h.  With --xclient
 * an XCLIENT begins a new session on the connection, as with Postfix.
 *
 * Prints port=N first; on SIGUSR1 and at SIGTERM one line of counters.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "heap.h"
#include "net.h"
#include "upstream_reply.h"

enum {
	IN_MAX = 8192,
	PENDING_MAX = 4096,
	OUT_MAX = 65536
};

struct pending {
	uint64_t due;
	const char *text;
};

struct conn {
	struct heap_node timer; /* first: a node is its connection */
	int fd;
	bool closing; /* after the last pending reply */
	struct transaction tr;
	uint64_t busy_until; /* the server works on something until then */
	size_t in_len;
	unsigned int first, count; /* of the ring of pending replies */
	struct conn *next;         /* when it is a spare one */
	/* what follows is large, and need not be zero */
	struct pending ring[PENDING_MAX];
	char in[IN_MAX];
};

struct upstream {
	struct rules rules;
	uint64_t latency, refuse_delay;
	bool serial;
	int listen_fd, epoll_fd, timer_fd, signal_fd;
	uint64_t armed; /* what timer_fd is set to, 0: nothing */
	struct heap due;
	struct counters c;
	struct conn *spare; /* a connection for each login: no calloc() */
	bool stop;
};

static void
conn_close(struct upstream *u, struct conn *c)
{
	heap_remove(&u->due, &c->timer);
	close(c->fd);
	u->c.active--;
	c->next = u->spare;
	u->spare = c;
}

static struct conn *
conn_new(struct upstream *u)
{
	struct conn *c = u->spare;

	if (c != NULL)
		u->spare = c->next;
	else if ((c = malloc(sizeof(*c))) == NULL)
		err(EX_OSERR, "memory");
	memset(c, 0, offsetof(struct conn, ring));
	return c;
}

static void
conn_queue(struct upstream *u, struct conn *c, struct answer a, uint64_t now)
{
	uint64_t start = c->busy_until > now ? c->busy_until : now;
	uint64_t due = start + u->latency;

	if (a.refusal) {
		start += u->refuse_delay;
		due += u->refuse_delay;
	}
	c->busy_until = u->serial ? due : start;
	c->ring[(c->first + c->count) % PENDING_MAX] =
	    (struct pending){ .due = due, .text = a.text };
	c->count++;
	if (a.closes)
		c->closing = true;
	if (c->count == 1 && heap_set(&u->due, &c->timer, due) != 0)
		err(EX_OSERR, "memory");
}

/* Send what is due.  False: the connection is gone, *c freed. */
static bool
conn_send(struct upstream *u, struct conn *c, uint64_t now)
{
	static char out[OUT_MAX];
	size_t len = 0, n;

	while (c->count > 0 && c->ring[c->first].due <= now) {
		n = strlen(c->ring[c->first].text);
		if (len + n > sizeof(out))
			break;
		memcpy(out + len, c->ring[c->first].text, n);
		len += n;
		c->first = (c->first + 1) % PENDING_MAX;
		c->count--;
	}
	/* A client that does not read 64 KB of replies is not a load test. */
	if (len > 0 && send(c->fd, out, len, MSG_NOSIGNAL) != (ssize_t)len) {
		conn_close(u, c);
		return false;
	}
	if (c->count == 0 && c->closing) {
		conn_close(u, c);
		return false;
	}
	if (c->count == 0)
		heap_remove(&u->due, &c->timer);
	else if (heap_set(&u->due, &c->timer, c->ring[c->first].due) != 0)
		err(EX_OSERR, "memory");
	return true;
}

/* Answer the whole lines in the buffer. */
static void
conn_lines(struct upstream *u, struct conn *c, uint64_t now)
{
	size_t start = 0, len;
	struct answer a;
	char *lf;

	if (memchr(c->in, '\n', c->in_len) != NULL)
		u->c.turns++;
	while (!c->closing && c->count < PENDING_MAX &&
	    (lf = memchr(c->in + start, '\n', c->in_len - start)) != NULL) {
		len = (size_t)(lf - c->in) - start;
		if (len > 0 && c->in[start + len - 1] == '\r')
			len--;
		a = upstream_reply(
		    &c->tr, c->in + start, len, &u->rules, &u->c);
		if (a.text != NULL)
			conn_queue(u, c, a, now);
		start = (size_t)(lf - c->in) + 1;
	}
	memmove(c->in, c->in + start, c->in_len - start);
	c->in_len -= start;
}

static void
conn_read(struct upstream *u, struct conn *c, uint64_t now)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, IN_MAX - c->in_len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(u, c);
		return;
	}
	c->in_len += (size_t)n;
	conn_lines(u, c, now);
	if (c->in_len == IN_MAX)
		conn_close(u, c);
	else if (u->latency == 0)
		(void)conn_send(u, c, now);
}

static void
accept_all(struct upstream *u, uint64_t now)
{
	struct answer greeting = { .text = "220 bench.example.net ESMTP\r\n" };
	struct epoll_event ev = { .events = EPOLLIN };
	struct conn *c;
	int fd;

	while ((fd = accept4(u->listen_fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		c = conn_new(u);
		c->fd = fd;
		net_nodelay(fd);
		ev.data.ptr = c;
		if (epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
			err(EX_OSERR, "epoll_ctl");
		u->c.connections++;
		u->c.turns++;
		if (++u->c.active > u->c.active_max)
			u->c.active_max = u->c.active;
		conn_queue(u, c, greeting, now);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		warn("accept");
}

static void
counters_print(const struct counters *c)
{
	(void)printf("connections=%lu active=%lu active_max=%lu commands=%lu "
		     "ehlo=%lu mail=%lu rcpt=%lu rset=%lu noop=%lu quit=%lu "
		     "data=%lu other=%lu accepted=%lu refused=%lu messages=%lu "
		     "auth=%lu xclient=%lu turns=%lu logins=%lu denied=%lu\n",
	    c->connections, c->active, c->active_max, c->commands, c->ehlo,
	    c->mail, c->rcpt, c->rset, c->noop, c->quit, c->data, c->other,
	    c->accepted, c->refused, c->messages, c->auth, c->xclient, c->turns,
	    c->logins, c->denied);
	(void)fflush(stdout);
}

static void
take_signal(struct upstream *u)
{
	struct signalfd_siginfo si;

	if (read(u->signal_fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	counters_print(&u->c);
	if (si.ssi_signo != SIGUSR1)
		u->stop = true;
}

/* Send what is due and set the timer for what comes next. */
static void
run_due(struct upstream *u)
{
	struct itimerspec it = { 0 };
	struct heap_node *n;
	uint64_t now = net_now(), due;

	while ((n = heap_first(&u->due)) != NULL && n->due <= now)
		(void)conn_send(u, (struct conn *)n, now);
	due = n == NULL ? 0 : n->due;
	if (due == u->armed)
		return;
	u->armed = due;
	it.it_value.tv_sec = (time_t)(due / 1000000000U);
	it.it_value.tv_nsec = (long)(due % 1000000000U);
	if (timerfd_settime(u->timer_fd, TFD_TIMER_ABSTIME, &it, NULL) != 0)
		err(EX_OSERR, "timerfd_settime");
}

static void
run(struct upstream *u)
{
	struct epoll_event evs[256];
	uint64_t now, expired;
	int i, n;

	while (!u->stop) {
		n = epoll_wait(u->epoll_fd, evs, 256, -1);
		if (n < 0 && errno != EINTR)
			err(EX_OSERR, "epoll_wait");
		now = net_now();
		for (i = 0; i < n; i++) {
			if (evs[i].data.ptr == &u->listen_fd) {
				accept_all(u, now);
			} else if (evs[i].data.ptr == &u->signal_fd) {
				take_signal(u);
			} else if (evs[i].data.ptr == &u->timer_fd) {
				if (read(u->timer_fd, &expired,
					sizeof(expired)) > 0)
					u->armed = 0;
			} else {
				conn_read(u, evs[i].data.ptr, now);
			}
		}
		run_due(u);
	}
}

static void
watch(const struct upstream *u, int fd, void *tag)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = tag };

	if (fd < 0 || epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
		err(EX_OSERR, "epoll_ctl");
}

static void
open_all(struct upstream *u, const char *where)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		err(EX_OSERR, "pthread_sigmask");
	net_raise_files();
	u->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	u->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	u->timer_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if ((u->listen_fd = net_listen(where)) < 0)
		errx(EX_OSERR, "no socket to serve");
	watch(u, u->signal_fd, &u->signal_fd);
	watch(u, u->timer_fd, &u->timer_fd);
	watch(u, u->listen_fd, &u->listen_fd);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "latency-ms", required_argument, NULL, 'm' },
		{ "latency-us", required_argument, NULL, 'u' },
		{ "refuse-delay-ms", required_argument, NULL, 'r' },
		{ "serial", no_argument, NULL, 's' },
		{ "known", required_argument, NULL, 'k' },
		{ "xclient", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	struct upstream u = { 0 };
	const char *where = "0";
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			where = optarg;
			break;
		case 'm':
			u.latency = net_number(optarg, 60000) * 1000000U;
			break;
		case 'u':
			u.latency = net_number(optarg, 60000000) * 1000U;
			break;
		case 'r':
			u.refuse_delay = net_number(optarg, 60000) * 1000000U;
			break;
		case 's':
			u.serial = true;
			break;
		case 'k':
			u.rules.known = optarg;
			break;
		case 'x':
			u.rules.xclient = true;
			break;
		default:
			return EX_USAGE;
		}
	}
	if (optind != argc)
		errx(EX_USAGE, "\"%s\" is not an option", argv[optind]);
	open_all(&u, where);
	run(&u);
	heap_release(&u.due);
	return 0;
}
