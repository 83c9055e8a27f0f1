/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/dialogue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "front/front.h"
#include "front/replies.h"
#include "front/requests.h"

/* How long, and over how many octets, a client that still sends is waited
 * for, so that what it was told last is not lost to a reset. */
#define LINGER_MS     2000
#define LINGER_OCTETS (1024L * 1024)

bool
front_quiet(const struct front *f)
{
	return f->queue.n == 0 && buffer_flushed(&f->up) &&
	    f->down.start == f->down.end && !f->reply_open && !f->reply_tail &&
	    f->own_sent == f->own.len;
}

void
front_say(struct front *f, const char *reply)
{
	(void)strbuf_adds(&f->own, reply);
	(void)strbuf_adds(&f->own, "\r\n");
}

void
front_doom(struct front *f, const char *reply)
{
	if (f->doom == NULL)
		f->doom = reply;
	f->mode = MODE_END;
}

/* Write what may be written; whether something was. */
static bool
flush_buffer(struct channel *to, struct buffer *b)
{
	ssize_t n;

	if (buffer_flushed(b) || !to->can_write || !channel_is_open(to))
		return false;
	n = channel_write(to, b->data + b->start, b->clear - b->start);
	if (n <= 0)
		return n != CHANNEL_WAIT;
	b->start += (size_t)n;
	return true;
}

/* An MTA that has closed may have said why. */
static bool
flush_up(struct front *f)
{
	bool moved = flush_buffer(&f->next, &f->up);

	if (f->next.failed) {
		f->next.failed = false;
		f->next_deaf = true;
	}
	if (f->next_deaf)
		f->up.start = f->up.clear;
	return moved;
}

static bool
flush_own(struct front *f)
{
	size_t left = f->own.len - f->own_sent;
	ssize_t n;

	if (left == 0 || !buffer_flushed(&f->down) || !f->client.can_write ||
	    !channel_is_open(&f->client))
		return false;
	n = channel_write(&f->client, f->own.data + f->own_sent, left);
	if (n <= 0)
		return n != CHANNEL_WAIT;
	f->own_sent += (size_t)n;
	if (f->own_sent == f->own.len) {
		strbuf_reset(&f->own);
		f->own_sent = 0;
	}
	return true;
}

static bool
fill(struct channel *from, struct buffer *b, bool *eof)
{
	size_t room;
	ssize_t n;

	if (*eof || !from->can_read || !channel_is_open(from) ||
	    (room = buffer_room(b)) == 0)
		return false;
	n = channel_read(from, b->data + b->end, room);
	if (n > 0)
		b->end += (size_t)n;
	else if (n != CHANNEL_WAIT)
		*eof = true;
	return n != CHANNEL_WAIT;
}

/* The MTA has gone; has it said so? */
static bool
next_ends(struct front *f)
{
	bool said = f->last_code == 221 || f->last_code == 421 ||
	    f->last_code == 521 || f->reply_tail;

	if (!said && !f->client_eof) {
		log_warning("%s: the MTA has closed the session", f->real);
		front_say(f, FRONT_NO_SERVICE);
	}
	f->closing = true;
	return true;
}

/* Half a command is none. */
static bool
has_line(const struct front *f)
{
	size_t len = buffer_rest_len(&f->up);

	return len > 0 && memchr(buffer_rest(&f->up), '\n', len) != NULL;
}

/* What is left to do when one side has no more to say. */
static bool
step_ends(struct front *f, bool moved)
{
	if (f->doom != NULL && !f->closing && front_quiet(f)) {
		front_say(f, f->doom);
		f->closing = true;
		return true;
	}
	/* Half a reply is none, either. */
	if (f->next_eof && !f->closing && !moved && buffer_flushed(&f->down) &&
	    f->own_sent == f->own.len) {
		f->down.end = f->down.clear;
		return next_ends(f);
	}
	if (f->client_eof && !f->next_shut && !f->closing &&
	    buffer_flushed(&f->up) && !has_line(f)) {
		(void)shutdown(f->next.fd, SHUT_WR);
		f->next_shut = true;
		return true;
	}
	return false;
}

static bool
step(struct front *f)
{
	bool moved = false;

	if (!f->closing) {
		while (requests_step(f))
			moved = true;
		moved |= flush_up(f);
		moved |= fill(&f->client, &f->up, &f->client_eof);
		while (replies_step(f))
			moved = true;
		moved |= fill(&f->next, &f->down, &f->next_eof);
	}
	moved |= flush_buffer(&f->client, &f->down);
	moved |= flush_own(f);
	moved |= step_ends(f, moved);
	return moved;
}

static bool
is_over(const struct front *f)
{
	if (!channel_is_open(&f->client))
		return true;
	return f->closing && buffer_flushed(&f->down) &&
	    f->own_sent == f->own.len;
}

/* False when neither side has stirred. */
static bool
wait_for_more(struct front *f)
{
	int64_t limit = f->conf->front.timeout;
	struct deadline d = deadline_in(limit);
	struct pollfd p[2];
	int n;

	channel_want(&f->client, &p[0],
	    !f->closing && !f->client_eof && buffer_room(&f->up) > 0,
	    !buffer_flushed(&f->down) || f->own_sent < f->own.len);
	channel_want(&f->next, &p[1],
	    !f->closing && !f->next_eof && buffer_room(&f->down) > 0,
	    !f->closing && !buffer_flushed(&f->up));
	do
		n = poll(p, 2, deadline_left_poll(d));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	channel_told(&f->client, &p[0]);
	channel_told(&f->next, &p[1]);
	return true;
}

/* A client that is silent is told so; one that does not read cannot be. */
static bool
timed_out(struct front *f)
{
	log_info("%s: timeout", f->real);
	if (f->closing || f->own_sent < f->own.len ||
	    !buffer_flushed(&f->down) || f->reply_open || f->reply_tail)
		return true;
	front_say(f, FRONT_TIMEOUT);
	f->closing = true;
	return false;
}

static void
linger(struct front *f)
{
	struct deadline d = deadline_in(LINGER_MS);
	struct pollfd p = { .fd = f->client.fd, .events = POLLIN };
	long octets = 0;
	ssize_t n;

	if (f->client.failed || f->client.ssl != NULL ||
	    shutdown(f->client.fd, SHUT_WR) != 0)
		return;
	while (octets < LINGER_OCTETS && !deadline_passed(d)) {
		n = recv(f->client.fd, f->up.data, BUFFER_SIZE, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		if (n > 0)
			octets += n;
		else
			(void)poll(&p, 1, deadline_left_poll(d));
	}
}

void
dialogue_run(struct front *f)
{
	while (!is_over(f)) {
		if (step(f))
			continue;
		if (!wait_for_more(f) && timed_out(f))
			break;
	}
	linger(f);
}
