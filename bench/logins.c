/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_logins - many logins at once, put to postern-authd itself
 *
 *   bench_logins --to unix:PATH [--logins N] [--first N] [--prefix TEXT]
 *                [--domain NAME] [--seconds N]
 *
 * Sends what the plug-in sends for PLAIN (common/wire.h), each login on its
 * own connection, all before any answer is awaited: so many smtpd processes
 * would measure Postfix.  Users are PREFIX and a number at NAME, passwords
 * those of login.h.
 *
 * Prints sent=N, then, when all have their answer or after so many seconds
 * (60): good bad unsure lost (no answer) first_ms last_ms, the first reason of
 * those unsure.  Exit status 1 unless all are good.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/wire.h"
#include "login.h"
#include "net.h"

enum {
	LOGINS_MAX = 20000,
	ANSWER_MAX = 2048
};

struct login {
	int fd;
	uint64_t sent_at;
	size_t len;
	unsigned char in[ANSWER_MAX];
};

struct crowd {
	const char *to, *prefix, *domain;
	unsigned long logins, next, seconds;
	int epoll_fd;
	unsigned long waiting, good, bad, unsure, lost;
	uint64_t first, last;
	char reason[256]; /* of the first that was unsure */
};

static struct wire_item
item(const char *text)
{
	return (struct wire_item){ .data = (const unsigned char *)text,
		.len = strlen(text) };
}

static void
login_send(struct crowd *w, struct login *l)
{
	struct wire_message m = { .type = WIRE_CHECK };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = l };
	char user[LOGIN_USER_MAX], password[LOGIN_USER_MAX + 16];
	unsigned char frame[WIRE_MAX];
	size_t len;

	(void)snprintf(
	    user, sizeof(user), "%s%lu@%s", w->prefix, w->next++, w->domain);
	login_password(user, password, sizeof(password));
	m.item[WIRE_MECH] = item("PLAIN");
	m.item[WIRE_SERVICE] = item("smtp");
	m.item[WIRE_REALM] = item("edge.test");
	m.item[WIRE_CLIENT] = item("192.0.2.1;49152");
	m.item[WIRE_USER] = item(user);
	m.item[WIRE_PASS] = item(password);
	if ((len = wire_format(&m, frame, sizeof(frame))) == 0)
		errx(EX_SOFTWARE, "%s: cannot be asked about", user);
	if ((l->fd = net_connect(w->to)) < 0)
		errx(EX_UNAVAILABLE, "postern-authd is gone");
	l->sent_at = net_now();
	if (send(l->fd, frame, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(EX_UNAVAILABLE, "send");
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, l->fd, &ev) != 0)
		err(EX_OSERR, "epoll_ctl");
	w->waiting++;
}

static void
login_end(struct crowd *w, struct login *l, const struct wire_message *m)
{
	uint64_t took = net_now() - l->sent_at;
	const struct wire_item *why;

	close(l->fd);
	w->waiting--;
	if (m == NULL) {
		w->lost++;
		return;
	}
	if (w->first == 0 || took < w->first)
		w->first = took;
	if (took > w->last)
		w->last = took;
	if (m->type == WIRE_GOOD) {
		w->good++;
	} else if (m->type == WIRE_BAD) {
		w->bad++;
	} else {
		why = &m->item[WIRE_REASON];
		if (w->unsure++ == 0 && why->len > 0 &&
		    why->len < sizeof(w->reason))
			memcpy(w->reason, why->data, why->len);
	}
}

static void
login_read(struct crowd *w, struct login *l)
{
	ssize_t n = recv(l->fd, l->in + l->len, sizeof(l->in) - l->len, 0);
	struct wire_message m;
	long whole;

	if (n <= 0) {
		login_end(w, l, NULL);
		return;
	}
	l->len += (size_t)n;
	whole = wire_frame(l->in, l->len, NULL);
	if (whole < 0 || whole > (long)sizeof(l->in))
		login_end(w, l, NULL);
	else if (whole > 0 && l->len >= (size_t)whole)
		login_end(w, l,
		    wire_parse(l->in, (size_t)whole, &m, NULL) ? &m : NULL);
}

static void
await(struct crowd *w)
{
	uint64_t end = net_now() + w->seconds * 1000000000U, now;
	struct epoll_event evs[256];
	int i, n;

	while (w->waiting > 0 && (now = net_now()) < end) {
		n = epoll_wait(
		    w->epoll_fd, evs, 256, (int)((end - now) / 1000000U) + 1);
		if (n < 0 && errno != EINTR)
			err(EX_OSERR, "epoll_wait");
		for (i = 0; i < n; i++)
			login_read(w, evs[i].data.ptr);
	}
	w->lost += w->waiting;
}

static const struct option options[] = {
	{ "to", required_argument, NULL, 't' },
	{ "logins", required_argument, NULL, 'n' },
	{ "first", required_argument, NULL, 'f' },
	{ "prefix", required_argument, NULL, 'p' },
	{ "domain", required_argument, NULL, 'd' },
	{ "seconds", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

static void
option_take(struct crowd *w, int c, const char *arg)
{
	switch (c) {
	case 't':
		w->to = arg;
		break;
	case 'n':
		w->logins = net_number(arg, LOGINS_MAX);
		break;
	case 'f':
		w->next = net_number(arg, 1000000000);
		break;
	case 'p':
		w->prefix = arg;
		break;
	case 'd':
		w->domain = arg;
		break;
	case 's':
		w->seconds = net_number(arg, 3600);
		break;
	default:
		errx(EX_USAGE, "see the top of bench/logins.c");
	}
}

int
main(int argc, char **argv)
{
	struct crowd w = { .prefix = "user",
		.domain = "example.com",
		.logins = 1000,
		.seconds = 60 };
	struct login *logins;
	unsigned long i;
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		option_take(&w, c, optarg);
	if (optind != argc || w.to == NULL || w.logins == 0)
		errx(EX_USAGE, "see the top of bench/logins.c");
	net_raise_files();
	if ((w.epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
	    (logins = calloc(w.logins, sizeof(*logins))) == NULL)
		err(EX_OSERR, "start");
	for (i = 0; i < w.logins; i++)
		login_send(&w, &logins[i]);
	(void)printf("sent=%lu\n", w.logins);
	(void)fflush(stdout);
	await(&w);
	(void)printf("good=%lu bad=%lu unsure=%lu lost=%lu first_ms=%lu "
		     "last_ms=%lu reason=\"%s\"\n",
	    w.good, w.bad, w.unsure, w.lost, w.first / 1000000U,
	    w.last / 1000000U, w.reason);
	free(logins);
	return w.good == w.logins ? 0 : 1;
}
