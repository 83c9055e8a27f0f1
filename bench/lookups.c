/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_lookups - look-ups in the socketmap protocol, at a rate
 *
 *   bench_lookups --to unix:PATH [--connections N] [--rate N] [--seconds N]
 *                 [--keys N] [--name NAME] [--stuck N]
 *
 * The key of look-up k is hK.example.net, K being k modulo --keys (1000); its
 * answer must be "OK uK:" and a password.  First each key is asked for once.
 * Then, for --seconds (5), a look-up is sent on one connection (100) after
 * the other, --rate (20000) of them a second, whether those before it have
 * been answered or not; the time of each runs from when it was due.  With
 * --rate 0 each connection asks again when it has its answer.
 *
 * --stuck: as many more connections, of a process of its own, that ask
 * without an end and never read, or leave a request unfinished, and come
 * again when they are dropped.
 *
 * Prints lookups wrong lost (no answer) rate p50_us p99_us max_us.  Exit
 * status 1 unless all are right.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "net.h"
#include "samples.h"

enum {
	CONNECTIONS_MAX = 10000,
	WAITING_MAX = 1024, /* for an answer, on one connection */
	BUFFER = 16384
};

#define SECOND 1000000000ULL

struct question {
	uint64_t due;
	unsigned long key;
};

struct connection {
	int fd;
	struct question waiting[WAITING_MAX];
	size_t first, n;
	size_t len;
	char in[BUFFER];
};

struct load {
	const char *to, *name;
	unsigned long connections, rate, seconds, keys, stuck;
	struct connection *v;
	int epoll_fd, timer_fd;
	unsigned long asked, right, wrong, lost, next;
	bool measuring;
	struct samples samples;
};

static int
must_connect(const struct load *w)
{
	int fd = net_connect(w->to);

	if (fd < 0)
		exit(EX_UNAVAILABLE);
	return fd;
}

static void
ask(struct load *w, struct connection *c, uint64_t due)
{
	struct question *q;
	char text[128], frame[160];
	int n;

	if (c->n == WAITING_MAX) {
		w->lost++;
		return;
	}
	q = &c->waiting[(c->first + c->n++) % WAITING_MAX];
	q->due = due;
	q->key = w->asked++ % w->keys;
	n = snprintf(
	    text, sizeof(text), "%s h%lu.example.net", w->name, q->key);
	n = snprintf(frame, sizeof(frame), "%d:%s,", n, text);
	if (send(c->fd, frame, (size_t)n, MSG_NOSIGNAL) != n)
		err(EX_IOERR, "a look-up cannot be sent");
}

static void
answered(struct load *w, struct connection *c, const char *text)
{
	struct question q = c->waiting[c->first];
	char right[64];

	if (c->n == 0)
		errx(EX_PROTOCOL, "an answer to nothing: %s", text);
	c->first = (c->first + 1) % WAITING_MAX;
	c->n--;
	(void)snprintf(right, sizeof(right), "OK u%lu:", q.key);
	if (strncmp(text, right, strlen(right)) != 0) {
		if (w->wrong++ == 0)
			warnx("%lu: %s", q.key, text);
		return;
	}
	w->right++;
	if (w->measuring && samples_add(&w->samples, net_now() - q.due) != 0)
		errx(EX_OSERR, "out of memory");
}

/* What has come on it; with rate 0, ask again. */
static void
read_answers(struct load *w, struct connection *c)
{
	ssize_t n =
	    recv(c->fd, c->in + c->len, BUFFER - 1 - c->len, MSG_DONTWAIT);
	char *at = c->in, *end, *text;
	unsigned long len;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		errx(EX_PROTOCOL, "a connection has ended");
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	while ((text = strchr(at, ':')) != NULL) {
		len = strtoul(at, NULL, 10);
		end = ++text + len;
		if (end >= c->in + c->len)
			break;
		*end = '\0';
		answered(w, c, text);
		at = end + 1;
		if (w->rate == 0 && w->measuring)
			ask(w, c, net_now());
	}
	c->len -= (size_t)(at - c->in);
	memmove(c->in, at, c->len);
}

static void
wait_until(struct load *w, uint64_t at)
{
	const struct itimerspec when = { .it_value = {
					     .tv_sec = (time_t)(at / SECOND),
					     .tv_nsec = (long)(at % SECOND) } };
	struct epoll_event events[64];
	uint64_t expired;
	int n;

	(void)timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	n = epoll_wait(w->epoll_fd, events, 64, -1);
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr != NULL)
			read_answers(w, events[i].data.ptr);
		else if (read(w->timer_fd, &expired, sizeof(expired)) < 0)
			continue;
}

static size_t
waiting(const struct load *w)
{
	size_t n = 0;

	for (unsigned long i = 0; i < w->connections; i++)
		n += w->v[i].n;
	return n;
}

/* Until all have been answered, but no longer than so many seconds. */
static void
settle(struct load *w, unsigned long seconds)
{
	uint64_t until = net_now() + seconds * SECOND;

	while (waiting(w) > 0 && net_now() < until)
		wait_until(w, net_now() + SECOND / 10);
}

static void
warm_up(struct load *w)
{
	for (unsigned long k = 0; k < w->keys; k++) {
		ask(w, &w->v[k % w->connections], 0);
		if (k % w->connections == w->connections - 1)
			settle(w, 30);
	}
	settle(w, 30);
	if (w->right != w->keys)
		errx(EX_PROTOCOL, "%lu of %lu right in the first turn",
		    w->right, w->keys);
	w->asked = w->right = 0;
}

static void
measure(struct load *w)
{
	uint64_t begun = net_now(), end = begun + w->seconds * SECOND;
	uint64_t due = begun, took;

	w->measuring = true;
	if (w->rate == 0) {
		for (unsigned long i = 0; i < w->connections; i++)
			ask(w, &w->v[i], net_now());
		while (net_now() < end)
			wait_until(w, end);
		w->measuring = false;
	}
	while (w->rate > 0 && due < end) {
		while (due <= net_now() && due < end) {
			ask(w, &w->v[w->next++ % w->connections], due);
			due = begun + w->next * SECOND / w->rate;
		}
		wait_until(w, due);
	}
	settle(w, 10);
	took = net_now() - begun;
	w->lost += waiting(w);
	samples_sort(&w->samples);
	printf("lookups=%lu wrong=%lu lost=%lu rate=%.0f p50_us=%u p99_us=%u "
	       "max_us=%u\n",
	    w->right, w->wrong, w->lost, (double)w->right * 1e9 / (double)took,
	    samples_at(&w->samples, 50), samples_at(&w->samples, 99),
	    samples_at(&w->samples, 100));
}

/* One of those that are stuck; even ones only write, odd ones stop in the
 * middle. */
static void
get_stuck(const struct load *w, struct pollfd *p, bool writes)
{
	char frame[64];
	int n;

	if (p->fd >= 0)
		close(p->fd);
	p->fd = must_connect(w);
	p->events = 0;
	n = snprintf(frame, sizeof(frame), "%zu:%s h1.example.net,",
	    strlen(w->name) + strlen(" h1.example.net"), w->name);
	if (!writes)
		n -= 2;
	do {
		if (send(p->fd, frame, (size_t)n,
			MSG_NOSIGNAL | MSG_DONTWAIT) != n)
			break;
	} while (writes);
}

static pid_t
start_stuck(const struct load *w)
{
	struct pollfd *v = calloc(w->stuck, sizeof(*v));
	pid_t pid = v == NULL || w->stuck == 0 ? -1 : fork();

	if (pid != 0) {
		free(v);
		return pid;
	}
	/* Whoever reads our output need not wait for this one. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close(STDOUT_FILENO);
	for (unsigned long i = 0; i < w->stuck; i++) {
		v[i].fd = -1;
		get_stuck(w, &v[i], i % 2 == 0);
	}
	for (;;) {
		if (poll(v, w->stuck, -1) <= 0)
			continue;
		for (unsigned long i = 0; i < w->stuck; i++)
			if (v[i].revents != 0)
				get_stuck(w, &v[i], i % 2 == 0);
	}
}

static void
options(int argc, char **argv, struct load *w)
{
	static const struct option known[] = {
		{ "to", required_argument, NULL, 't' },
		{ "connections", required_argument, NULL, 'c' },
		{ "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "keys", required_argument, NULL, 'k' },
		{ "name", required_argument, NULL, 'n' },
		{ "stuck", required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 't')
			w->to = optarg;
		else if (c == 'c')
			w->connections = net_number(optarg, CONNECTIONS_MAX);
		else if (c == 'r')
			w->rate = net_number(optarg, 1000000);
		else if (c == 's')
			w->seconds = net_number(optarg, 3600);
		else if (c == 'k')
			w->keys = net_number(optarg, 1000000);
		else if (c == 'n' && strlen(optarg) < 64)
			w->name = optarg;
		else if (c == 'x')
			w->stuck = net_number(optarg, CONNECTIONS_MAX);
		else
			exit(EX_USAGE);
	}
	if (w->to == NULL || optind != argc || w->connections == 0 ||
	    w->keys == 0)
		errx(EX_USAGE, "--to unix:PATH, connections, keys");
}

int
main(int argc, char **argv)
{
	struct load w = { .name = "default",
		.connections = 100,
		.rate = 20000,
		.seconds = 5,
		.keys = 1000 };
	struct epoll_event e = { .events = EPOLLIN };
	pid_t stuck;

	options(argc, argv, &w);
	net_raise_files();
	w.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w.timer_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	w.v = calloc(w.connections, sizeof(*w.v));
	if (w.v == NULL || w.epoll_fd < 0 ||
	    epoll_ctl(w.epoll_fd, EPOLL_CTL_ADD, w.timer_fd, &e) != 0)
		err(EX_OSERR, "start");
	for (unsigned long i = 0; i < w.connections; i++) {
		w.v[i].fd = must_connect(&w);
		e.data.ptr = &w.v[i];
		if (epoll_ctl(w.epoll_fd, EPOLL_CTL_ADD, w.v[i].fd, &e) != 0)
			err(EX_OSERR, "start");
	}
	warm_up(&w);
	stuck = start_stuck(&w);
	if (stuck > 0)
		(void)poll(NULL, 0, 500);
	measure(&w);
	if (stuck > 0) {
		(void)kill(stuck, SIGKILL);
		(void)waitpid(stuck, NULL, 0);
	}
	samples_release(&w.samples);
	free(w.v);
	return w.wrong + w.lost == 0 ? EX_OK : 1;
}
