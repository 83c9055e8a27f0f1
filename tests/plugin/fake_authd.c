/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/plugin/fake_authd.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void
pause_ms(int ms)
{
	if (ms > 0)
		(void)poll(NULL, 0, ms);
}

/* Wait until the other end hangs up, or the fake is stopped. */
static void
await_end(struct fake_authd *f, int fd)
{
	struct pollfd p[2] = {
		{ .fd = fd, .events = POLLRDHUP },
		{ .fd = f->listener, .events = POLLRDHUP },
	};

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (p[0].revents != 0)
		f->hung_up++;
}

/* One frame into s; its length, or 0 at the end of the connection. */
static size_t
read_frame(int fd, struct fake_seen *s)
{
	size_t have = 0, want = WIRE_HEADER;
	ssize_t n;
	long whole;

	while (have < want) {
		n = recv(fd, s->text + have, want - have, 0);
		if (n <= 0)
			return 0;
		have += (size_t)n;
		whole = wire_frame(s->text, have, NULL);
		if (whole < 0)
			return 0;
		if (whole > 0)
			want = (size_t)whole;
	}
	return wire_parse(s->text, have, &s->m, NULL) ? have : 0;
}

/* A question for the test to look at; false at the end of the connection, or
 * when there have been enough. */
static bool
see(struct fake_authd *f, int fd)
{
	struct fake_seen s, *kept;
	size_t len = read_frame(fd, &s);
	bool room;

	if (len == 0) {
		f->hung_up++;
		return false;
	}
	(void)pthread_mutex_lock(&f->lock);
	room = f->questions < FAKE_SEEN;
	if (room) {
		kept = &f->seen[f->questions];
		memcpy(kept->text, s.text, len);
		room = wire_parse(kept->text, len, &kept->m, NULL);
		f->questions += room;
	}
	(void)pthread_mutex_unlock(&f->lock);
	explicit_bzero(&s, sizeof(s));
	return room;
}

static void
set_item(struct wire_message *m, enum wire_tag tag, const char *s, size_t len)
{
	if (s == NULL)
		return;
	m->item[tag].data = (const unsigned char *)s;
	m->item[tag].len = len > 0 ? len : strlen(s);
}

/* False when the connection is to be closed. */
static bool
send_reply(const struct fake_plan *plan, const struct fake_reply *r, int fd)
{
	unsigned char buf[WIRE_MAX];
	const unsigned char *data = r->raw;
	struct wire_message m = { .type = r->type };
	size_t len = r->raw_len, i;

	if (r->raw == NULL) {
		set_item(&m, WIRE_USER, r->user, 0);
		set_item(&m, WIRE_DATA, r->data, r->data_len);
		set_item(&m, WIRE_REASON, r->reason, 0);
		len = wire_format(&m, buf, sizeof(buf));
		data = buf;
	}
	for (i = 0; i < len; i++) {
		if (plan->cut > 0 && i == plan->cut)
			return false;
		if (plan->octet_ms > 0)
			pause_ms(plan->octet_ms);
		else if (plan->cut == 0)
			return send(fd, data, len, MSG_NOSIGNAL) ==
			    (ssize_t)len;
		if (send(fd, data + i, 1, MSG_NOSIGNAL) != 1)
			return false;
	}
	return len > 0;
}

/* A login from its first question to its final answer; false when the
 * connection is to be closed. */
static bool
serve_login(struct fake_authd *f, int fd)
{
	const struct fake_reply *r = f->plan.reply;
	bool over = false;

	for (; !over && r < f->plan.reply + FAKE_SEEN; r++) {
		if (!see(f, fd))
			return false;
		if (f->plan.manner == FAKE_SILENT) {
			await_end(f, fd);
			return false;
		}
		if (!send_reply(&f->plan, r, fd))
			return false;
		over = r->raw != NULL || r->type != WIRE_CHALLENGE;
	}
	return true;
}

/* False when it is to be closed. */
static bool
serve_after(struct fake_authd *f, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	switch (f->plan.after) {
	case FAKE_LEAVE:
		return false;
	case FAKE_RESET:
		(void)poll(&p, 1, -1);
		return false;
	case FAKE_MUTE:
		(void)see(f, fd);
		return false;
	case FAKE_SHUT:
		(void)shutdown(fd, SHUT_RD);
		f->shut++;
		p.events = 0;
		(void)poll(&p, 1, -1);
		return false;
	case FAKE_STAY:
	default:
		return true;
	}
}

static void *
serve_peer(void *arg)
{
	struct fake_peer *peer = arg;
	struct fake_authd *f = peer->fake;
	int fd = peer->fd;

	if (f->plan.manner == FAKE_DEAF)
		await_end(f, fd);
	else if (f->plan.manner != FAKE_SLAM)
		while (serve_login(f, fd) && serve_after(f, fd))
			;
	(void)pthread_mutex_lock(&f->lock);
	peer->fd = -1;
	(void)close(fd);
	(void)pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void *
serve(void *arg)
{
	struct fake_authd *f = arg;
	struct fake_peer *peer;
	int fd;

	while (f->n_peers < FAKE_PEERS) {
		pause_ms(f->plan.before_ms);
		fd = accept(f->listener, NULL, NULL);
		if (fd < 0 && errno == EINTR)
			continue;
		if (fd < 0)
			return NULL;
		f->connections++;
		peer = &f->peers[f->n_peers];
		peer->fake = f;
		peer->fd = fd;
		if (pthread_create(&peer->thread, NULL, serve_peer, peer) == 0)
			f->n_peers++;
		else
			(void)close(fd);
	}
	return NULL;
}

void
fake_listen(struct fake_authd *f, const char *path, int backlog)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	memset(f, 0, sizeof(*f));
	(void)pthread_mutex_init(&f->lock, NULL);
	assert_true(strlen(path) < sizeof(sa.sun_path));
	memcpy(sa.sun_path, path, strlen(path));
	(void)unlink(path);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->listener >= 0);
	assert_int_equal(
	    bind(f->listener, (const struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(f->listener, backlog), 0);
}

void
fake_serve(struct fake_authd *f, const struct fake_plan *plan)
{
	f->plan = *plan;
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	f->running = true;
}

void
fake_stop(struct fake_authd *f)
{
	int i;

	if (f->listener <= 0)
		return;
	/* wakes accept(), await_end() and recv() up */
	(void)shutdown(f->listener, SHUT_RDWR);
	if (f->running)
		(void)pthread_join(f->thread, NULL);
	(void)pthread_mutex_lock(&f->lock);
	for (i = 0; i < f->n_peers; i++)
		if (f->peers[i].fd >= 0)
			(void)shutdown(f->peers[i].fd, SHUT_RDWR);
	(void)pthread_mutex_unlock(&f->lock);
	for (i = 0; i < f->n_peers; i++)
		(void)pthread_join(f->peers[i].thread, NULL);
	f->n_peers = 0;
	(void)pthread_mutex_destroy(&f->lock);
	(void)close(f->listener);
	f->listener = -1;
	f->running = false;
}

void
fake_wipe(struct fake_authd *f)
{
	explicit_bzero(f->seen, sizeof(f->seen));
}

bool
fake_hung_up(struct fake_authd *f, int n, int ms)
{
	for (; ms > 0 && f->hung_up < n; ms -= 5)
		pause_ms(5);
	return f->hung_up >= n;
}

const char *
fake_item(const struct fake_authd *f, int question, enum wire_tag tag)
{
	static char text[WIRE_MAX + 1];
	const struct wire_item *item;

	if (question >= f->questions)
		return "(no question)";
	item = &f->seen[question].m.item[tag];
	if (item->data == NULL)
		return "(none)";
	memcpy(text, item->data, item->len);
	text[item->len] = '\0';
	return text;
}
