/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_client - load on an SMTP server, and how long RCPT or AUTH takes
 *
 *   bench_client --to PORT|unix:PATH|inet:PORT@ADDR [--clients N]
 *                [--sessions N | --seconds N] [--warm-up N] [--rcpts N]
 *                [--pool K] [--first N] [--prefix TEXT] [--domain NAME]
 *                [--expect CLASS] [--auth] [--starttls]
 *
 * Each client does sessions one after the other: greeting, EHLO, MAIL,
 * RCPT (--rcpts times), RSET, QUIT, no pipelining, then the next connection.
 * With --auth: greeting, EHLO, AUTH PLAIN with initial response, QUIT.
 * With --starttls what follows EHLO goes through TLS, and EHLO is said again
 * there; see client_tls.h.  A session whose TLS breaks has failed.
 * Recipients, or users, are PREFIX and a number at NAME: from --first upwards,
 * each new, or, with --pool, K of them in turn; their passwords are those of
 * login.h.  The first --warm-up sessions are not counted.  A reply to RCPT or
 * AUTH whose first digit is not CLASS (2), or another that is not 2xx, is
 * unexpected; the session is then given up.
 *
 * Prints one line: sessions seconds rate timed p50_us p90_us p99_us mean_us
 * (of RCPT or AUTH, to its reply) unexpected failed next (the number for the
 * next --first).
 * Exit status 1 when anything was unexpected or failed.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_tls.h"
#include "login.h"
#include "net.h"
#include "samples.h"

enum stage {
	AT_GREETING,
	AT_EHLO,
	AT_STARTTLS,
	AT_HANDSHAKE, /* of TLS; there is no reply to it */
	AT_MAIL,
	AT_RCPT,
	AT_RSET,
	AT_AUTH,
	AT_QUIT
};

enum {
	LINE_MAX_OCTETS = 2048,
	CLIENTS_MAX = 20000
};

struct client {
	int fd;                 /* -1: idle for good */
	uint32_t events;        /* that are waited for */
	struct client_tls *tls; /* NULL: there is none (yet) */
	enum stage stage;
	bool counted; /* this session is not part of the warm-up */
	unsigned long rcpts_left;
	uint64_t sent_at;
	size_t len;
	char in[LINE_MAX_OCTETS];
};

struct load {
	const char *to, *prefix, *domain;
	unsigned long clients, sessions, seconds, warm_up, rcpts, pool;
	unsigned long next; /* number of the next recipient */
	char expect;
	bool auth, starttls;
	struct ssl_ctx_st *tls; /* what sessions share, with --starttls */
	int epoll_fd;
	unsigned long begun, active, counted, failed, unexpected;
	unsigned long begun_warm, over_warm;
	uint64_t start, end, total_ns;
	struct samples samples;
};

static bool
more_wanted(const struct load *l)
{
	if (l->begun_warm < l->warm_up)
		return true;
	if (l->seconds > 0)
		return l->start == 0 ||
		    net_now() - l->start < l->seconds * 1000000000U;
	return l->begun < l->sessions;
}

static void
session_begin(struct load *l, struct client *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->fd = -1;
	if (!more_wanted(l))
		return;
	c->counted = l->begun_warm >= l->warm_up;
	if (!c->counted) {
		l->begun_warm++;
	} else {
		l->begun++;
		if (l->start == 0)
			l->start = net_now();
	}
	if ((c->fd = net_connect(l->to)) < 0)
		errx(EX_UNAVAILABLE, "the server is gone");
	net_nodelay(c->fd);
	c->events = ev.events;
	c->stage = AT_GREETING;
	c->len = 0;
	c->rcpts_left = l->rcpts;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		err(EX_OSERR, "epoll_ctl");
	l->active++;
}

static void
session_end(struct load *l, struct client *c, bool good)
{
	client_tls_free(c->tls);
	c->tls = NULL;
	close(c->fd);
	l->active--;
	if (c->counted) {
		l->end = net_now();
		l->counted++;
	}
	if (!good)
		l->failed++;
	session_begin(l, c);
}

/* RCPT or AUTH, for the next recipient or user. */
static int
command_timed(struct load *l, enum stage stage, char *line, size_t size)
{
	unsigned long n = l->next++;
	char user[LOGIN_USER_MAX], plain[LOGIN_TEXT_MAX];

	(void)snprintf(user, sizeof(user), "%s%lu@%s", l->prefix,
	    l->pool > 0 ? n % l->pool : n, l->domain);
	if (stage == AT_RCPT)
		return snprintf(line, size, "RCPT TO:<%s>\r\n", user);
	if (!login_plain(user, plain, sizeof(plain)))
		errx(EX_USAGE, "%s: too long", user);
	return snprintf(line, size, "AUTH PLAIN %s\r\n", plain);
}

static ssize_t
client_send(struct client *c, const char *data, size_t len)
{
	if (c->tls != NULL)
		return client_tls_send(c->tls, data, len);
	return send(c->fd, data, len, MSG_NOSIGNAL);
}

static void
command(struct load *l, struct client *c, enum stage stage)
{
	char line[LINE_MAX_OCTETS];
	int len = 0;

	switch (stage) {
	case AT_GREETING:
	case AT_EHLO:
	case AT_HANDSHAKE:
		len =
		    snprintf(line, sizeof(line), "EHLO client.example.net\r\n");
		break;
	case AT_STARTTLS:
		len = snprintf(line, sizeof(line), "STARTTLS\r\n");
		break;
	case AT_MAIL:
		len = snprintf(line, sizeof(line),
		    "MAIL FROM:<sender@client.example.net>\r\n");
		break;
	case AT_RCPT:
	case AT_AUTH:
		len = command_timed(l, stage, line, sizeof(line));
		break;
	case AT_RSET:
		len = snprintf(line, sizeof(line), "RSET\r\n");
		break;
	case AT_QUIT:
		len = snprintf(line, sizeof(line), "QUIT\r\n");
		break;
	}
	c->stage = stage;
	c->sent_at = net_now();
	if (client_send(c, line, (size_t)len) != len)
		session_end(l, c, false);
}

/* What comes after a command that was taken. */
static enum stage
stage_after(const struct load *l, const struct client *c)
{
	switch (c->stage) {
	case AT_GREETING:
	case AT_HANDSHAKE:
		return AT_EHLO;
	case AT_EHLO:
		if (l->starttls && c->tls == NULL)
			return AT_STARTTLS;
		return l->auth ? AT_AUTH : AT_MAIL;
	case AT_MAIL:
		return AT_RCPT;
	case AT_RCPT:
		return AT_RSET;
	case AT_STARTTLS:
		return AT_HANDSHAKE;
	case AT_RSET:
	case AT_AUTH:
	case AT_QUIT:
		break;
	}
	return AT_QUIT;
}

static void
handshake(struct load *l, struct client *c)
{
	int done = client_tls_handshake(c->tls);

	if (done < 0)
		session_end(l, c, false);
	else if (done > 0)
		command(l, c, stage_after(l, c));
}

/* A whole reply came: ${line} is its last line. */
static void
reply(struct load *l, struct client *c, const char *line)
{
	uint64_t took = net_now() - c->sent_at;
	bool timed = c->stage == AT_RCPT || c->stage == AT_AUTH;

	if (line[0] != (timed ? l->expect : '2')) {
		if (l->unexpected++ < 5)
			warnx("unexpected: %s", line);
		session_end(l, c, false);
		return;
	}
	if (timed && c->counted) {
		l->total_ns += took;
		if (samples_add(&l->samples, took) != 0)
			err(EX_OSERR, "memory");
	}
	if (c->stage == AT_QUIT) {
		session_end(l, c, true);
	} else if (c->stage == AT_RCPT && --c->rcpts_left > 0) {
		command(l, c, AT_RCPT);
	} else if (c->stage == AT_STARTTLS) {
		c->tls = client_tls_new(l->tls, c->fd);
		c->stage = AT_HANDSHAKE;
		handshake(l, c);
	} else {
		command(l, c, stage_after(l, c));
	}
}

static ssize_t
client_recv(struct client *c, char *buf, size_t size)
{
	if (c->tls != NULL)
		return client_tls_recv(c->tls, buf, size);
	return recv(c->fd, buf, size, 0);
}

/* Read once.  False: nothing came. */
static bool
client_read(struct load *l, struct client *c)
{
	ssize_t n = client_recv(c, c->in + c->len, sizeof(c->in) - 1 - c->len);
	char *lf, *line = c->in;

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		session_end(l, c, false);
		return false;
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	while ((lf = strchr(line, '\n')) != NULL) {
		*lf = '\0';
		if (lf - line >= 4 && line[3] == '-') {
			line = lf + 1;
			continue;
		}
		/* Without pipelining nothing can follow the last line. */
		line[strcspn(line, "\r")] = '\0';
		c->len = 0;
		reply(l, c, line);
		return true;
	}
	c->len -= (size_t)(line - c->in);
	memmove(c->in, line, c->len);
	if (c->len + 1 == sizeof(c->in))
		session_end(l, c, false);
	return true;
}

/* Whether there is something to read of which the socket tells nothing. */
static bool
more_inside(const struct client *c)
{
	return c->tls != NULL && c->stage != AT_HANDSHAKE &&
	    client_tls_pending(c->tls);
}

/* Its socket is ready. */
static void
client_ready(struct load *l, struct client *c)
{
	struct epoll_event ev = { .data.ptr = c };

	if (c->stage == AT_HANDSHAKE)
		handshake(l, c);
	else
		while (client_read(l, c) && more_inside(c))
			;
	if (c->tls == NULL || client_tls_wants(c->tls) == c->events)
		return;
	ev.events = c->events = client_tls_wants(c->tls);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) != 0)
		err(EX_OSERR, "epoll_ctl");
}

static void
run(struct load *l)
{
	struct client *clients = calloc(l->clients, sizeof(*clients));
	struct epoll_event evs[256];
	unsigned long i;
	int n;

	if (clients == NULL || (l->epoll_fd = epoll_create1(0)) < 0)
		err(EX_OSERR, "start");
	for (i = 0; i < l->clients; i++)
		session_begin(l, &clients[i]);
	while (l->active > 0) {
		n = epoll_wait(l->epoll_fd, evs, 256, 60000);
		if (n == 0)
			errx(EX_UNAVAILABLE, "no reply for a minute");
		if (n < 0 && errno != EINTR)
			err(EX_OSERR, "epoll_wait");
		while (n-- > 0)
			client_ready(l, evs[n].data.ptr);
	}
	free(clients);
}

static void
print(struct load *l)
{
	double secs = (double)(l->end - l->start) / 1e9;
	size_t timed = l->samples.used;

	samples_sort(&l->samples);
	(void)printf(
	    "sessions=%lu seconds=%.3f rate=%.1f timed=%zu p50_us=%u "
	    "p90_us=%u p99_us=%u mean_us=%.0f unexpected=%lu failed=%lu "
	    "next=%lu\n",
	    l->counted, secs, secs > 0 ? (double)l->counted / secs : 0, timed,
	    samples_at(&l->samples, 50), samples_at(&l->samples, 90),
	    samples_at(&l->samples, 99),
	    timed > 0 ? (double)l->total_ns / 1e3 / (double)timed : 0,
	    l->unexpected, l->failed, l->next);
}

static const struct option options[] = {
	{ "to", required_argument, NULL, 't' },
	{ "clients", required_argument, NULL, 'c' },
	{ "sessions", required_argument, NULL, 'n' },
	{ "seconds", required_argument, NULL, 's' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "rcpts", required_argument, NULL, 'r' },
	{ "pool", required_argument, NULL, 'k' },
	{ "first", required_argument, NULL, 'f' },
	{ "prefix", required_argument, NULL, 'p' },
	{ "domain", required_argument, NULL, 'd' },
	{ "expect", required_argument, NULL, 'e' },
	{ "auth", no_argument, NULL, 'a' },
	{ "starttls", no_argument, NULL, 'T' },
	{ NULL, 0, NULL, 0 },
};

static void
option_take(struct load *l, int c, const char *arg)
{
	unsigned long max = 1000000000;

	switch (c) {
	case 't':
		l->to = arg;
		break;
	case 'c':
		l->clients = net_number(arg, CLIENTS_MAX);
		break;
	case 'n':
		l->sessions = net_number(arg, max);
		break;
	case 's':
		l->seconds = net_number(arg, 86400);
		break;
	case 'w':
		l->warm_up = net_number(arg, max);
		break;
	case 'r':
		l->rcpts = net_number(arg, 1000);
		break;
	case 'k':
		l->pool = net_number(arg, max);
		break;
	case 'f':
		l->next = net_number(arg, max);
		break;
	case 'p':
		l->prefix = arg;
		break;
	case 'd':
		l->domain = arg;
		break;
	case 'e':
		l->expect = arg[0];
		break;
	case 'a':
		l->auth = true;
		break;
	case 'T':
		l->starttls = true;
		break;
	default:
		errx(EX_USAGE, "see the top of bench/client.c");
	}
}

int
main(int argc, char **argv)
{
	struct load l = { .prefix = "user",
		.domain = "example.com",
		.clients = 16,
		.sessions = 1000,
		.rcpts = 1,
		.expect = '2' };
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		option_take(&l, c, optarg);
	if (optind != argc || l.to == NULL || l.clients == 0 || l.rcpts == 0)
		errx(EX_USAGE, "see the top of bench/client.c");
	(void)signal(SIGPIPE, SIG_IGN);
	net_raise_files();
	if (l.starttls)
		l.tls = client_tls_context_new();
	run(&l);
	print(&l);
	samples_release(&l.samples);
	client_tls_context_free(l.tls);
	return l.unexpected > 0 || l.failed > 0 ? 1 : 0;
}
