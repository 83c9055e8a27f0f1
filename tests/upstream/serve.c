/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"
#include "play.h"
#include "script.h"
#include "tlsctx.h"
#include "transcript.h"

struct conn {
	struct conn *next;
	struct play play;
	pthread_t thread;
	int done_fd; /* borrowed: written to when the section is over */
};

struct server {
	const struct serve_params *sp;
	struct conn *conns;
	unsigned int accepted, over;
	int stop_fd; /* readable: peers give up */
	int done_fd;
};

int
serve_listen(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd, rc;

	if (path != NULL && strlen(path) >= sizeof(un.sun_path)) {
		(void)fprintf(
		    stderr, "scripted: %s: the path is too long\n", path);
		return -1;
	}
	fd = socket(path != NULL ? AF_UNIX : AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (path != NULL) {
		(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
		(void)unlink(path);
		rc = bind(fd, (struct sockaddr *)&un, sizeof(un));
	} else {
		rc = bind(fd, (struct sockaddr *)&in, sizeof(in));
	}
	if (fd < 0 || rc != 0 || listen(fd, 128) != 0 ||
	    (path == NULL &&
		getsockname(fd, (struct sockaddr *)&in, &len) != 0)) {
		warn("listening on %s", path != NULL ? path : "127.0.0.1");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (path != NULL)
		(void)printf("%s\n", path);
	else
		(void)printf("%u\n", (unsigned int)ntohs(in.sin_port));
	(void)fflush(stdout);
	return fd;
}

static void
ring(int event_fd)
{
	uint64_t one = 1;

	if (write(event_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		warn("eventfd");
}

static void *
conn_main(void *arg)
{
	struct conn *c = arg;

	play_section(&c->play);
	ring(c->done_fd);
	return NULL;
}

/* The section for the n-th connection, counted from 0. */
static const struct section *
section_for(const struct script *script, unsigned int n)
{
	const struct section *last = &script->sections[script->nsections - 1];

	if (n < script->nsections)
		return &script->sections[n];
	return last->any ? last : NULL;
}

static int
accept_one(struct server *s)
{
	const struct serve_params *sp = s->sp;
	const struct section *sec = section_for(sp->script, s->accepted);
	struct conn *c;
	int fd = accept4(sp->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return errno == EAGAIN || errno == ECONNABORTED ? 0 : -1;
	if (sec == NULL) {
		transcript_mismatch(sp->transcript, sp->script->file, 0,
		    s->accepted + 1, "the script does not expect it");
		close(fd);
		return 0;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return -1;
	}
	c->play = (struct play){ .peer = peer_new(fd, s->stop_fd),
		.section = sec,
		.file = sp->script->file,
		.conn = ++s->accepted,
		.transcript = sp->transcript,
		.certs = sp->certs };
	c->done_fd = s->done_fd;
	if (c->play.peer == NULL ||
	    pthread_create(&c->thread, NULL, conn_main, c) != 0) {
		peer_free(c->play.peer);
		free(c);
		return -1;
	}
	c->next = s->conns;
	s->conns = c;
	return 0;
}

static bool
all_over(const struct server *s)
{
	const struct script *script = s->sp->script;

	return s->over == s->accepted && s->accepted >= script->nsections &&
	    !script->sections[script->nsections - 1].any;
}

/* Returns 0 at the end, the signal or the limit, -1 on a failure of ours. */
static int
serve_loop(struct server *s)
{
	struct pollfd pfd[3] = {
		{ .fd = s->sp->listen_fd, .events = POLLIN },
		{ .fd = s->done_fd, .events = POLLIN },
		{ .fd = s->sp->signal_fd, .events = POLLIN },
	};
	time_t end = time(NULL) + (time_t)s->sp->secs;
	uint64_t n;

	while (!all_over(s)) {
		if (poll(pfd, 3, 1000) < 0 && errno != EINTR)
			return -1;
		if ((pfd[0].revents & POLLIN) != 0 && accept_one(s) != 0) {
			warn("a connection");
			return -1;
		}
		if ((pfd[1].revents & POLLIN) != 0 &&
		    read(s->done_fd, &n, sizeof(n)) == (ssize_t)sizeof(n))
			s->over += (unsigned int)n;
		if ((pfd[2].revents & POLLIN) != 0)
			return 0;
		if (time(NULL) > end) {
			transcript_mismatch(s->sp->transcript,
			    s->sp->script->file, 0, 0, "not over after %u s",
			    s->sp->secs);
			return 0;
		}
	}
	return 0;
}

int
serve_run(const struct serve_params *sp)
{
	struct server s = { .sp = sp,
		.stop_fd = eventfd(0, EFD_CLOEXEC),
		.done_fd = eventfd(0, EFD_CLOEXEC) };
	const struct script *script = sp->script;
	struct conn *c;
	unsigned int i;
	int rc = -1;

	if (s.stop_fd < 0 || s.done_fd < 0) {
		warn("eventfd");
		goto done;
	}
	rc = serve_loop(&s);
	ring(s.stop_fd);
	while ((c = s.conns) != NULL) {
		s.conns = c->next;
		pthread_join(c->thread, NULL);
		peer_free(c->play.peer);
		free(c);
	}
	for (i = s.accepted; i < script->nsections; i++)
		if (!script->sections[i].optional)
			transcript_mismatch(sp->transcript, script->file,
			    script->sections[i].line, i + 1, "never came");
done:
	if (s.stop_fd >= 0)
		close(s.stop_fd);
	if (s.done_fd >= 0)
		close(s.done_fd);
	return rc;
}
