/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/replies.h"

#include <string.h>

#include "common/log.h"
#include "front/ehlo_edit.h"
#include "front/front.h"
#include "front/registry.h"
#include "front/starttls.h"

/* What the MTA and the front make of the next octets is no longer the same:
 * none of them goes out any more, and no answer is waited for. */
static void
confused(struct front *f, int code, const char *to)
{
	log_warning("%s: the MTA answers %d to %s: closing", f->real, code, to);
	f->up.clear = f->up.end = f->up.start;
	f->queue.n = 0;
	front_doom(f, FRONT_NO_SERVICE);
}

/* The MTA speaks of its own accord: to say farewell, or else each reply would
 * be taken for the next command's. */
static void
unasked(struct front *f, int code)
{
	if (code != 221 && code != 421 && code != 521) {
		confused(f, code, "nothing that was asked");
		return;
	}
	f->up.clear = f->up.end = f->up.start;
	f->mode = MODE_END;
	f->closing = true;
}

static void
told_hello(struct front *f)
{
	char why[256];

	f->in_transaction = false;
	f->must_greet = false;
	memcpy(f->hello, f->hello_said, sizeof(f->hello));
	if (registry_hello(f, why, sizeof(why)) == REGISTRY_REFUSED)
		log_warning("milter: %s", why);
}

/* DATA, AUTH, and what the MTA may take for them. */
static void
told_asked(struct front *f, int code)
{
	f->asked = false;
	switch (code) {
	case 354:
		f->mode = MODE_DATA;
		message_init(&f->message);
		break;
	case 334:
		f->mode = MODE_AUTH;
		break;
	case 235:
		f->authenticated = true;
		break;
	case 220:
		confused(f, code, "a command that it should not know");
		break;
	default:
		break;
	}
}

static void
told(struct front *f, enum front_pending p, int code)
{
	bool in_line = f->mode == MODE_LINE || f->mode == MODE_END;

	if (p != PENDING_ASKED && (code == 354 || code == 334)) {
		confused(f, code, "a command that ends with its line");
		return;
	}
	switch (p) {
	case PENDING_ASKED:
		if (in_line)
			told_asked(f, code);
		else
			confused(f, code, "half a line");
		break;
	case PENDING_MAIL:
		if (code == 250)
			f->in_transaction = true;
		break;
	case PENDING_EHLO:
	case PENDING_HELO:
		f->asked = false;
		if (code == 250)
			told_hello(f);
		break;
	case PENDING_RESET:
		if (code == 250)
			f->in_transaction = false;
		break;
	case PENDING_FINAL:
	case PENDING_CHUNK:
		/* An MTA that does not wait for the octets would take them for
		 * commands. */
		if (f->mode == MODE_CHUNK && f->queue.n == 0)
			confused(f, code, "half of a chunk");
		else if (p == PENDING_FINAL)
			f->in_transaction = false;
		break;
	case PENDING_OTHER:
	default:
		break;
	}
}

/* The last line of a reply has been seen. */
static void
reply_ends(struct front *f, int code)
{
	struct front_queue *q = &f->queue;
	enum front_pending p;

	f->last_code = code;
	f->reply_open = false;
	if (q->n == 0) {
		unasked(f, code);
		return;
	}
	p = (enum front_pending)q->v[q->first];
	q->first = (q->first + 1) % FRONT_PENDING_MAX;
	q->n--;
	told(f, p, code);
}

/* A line's code; 0 when it is none. */
static int
line_code(const char *line, size_t len, bool *last)
{
	size_t i;

	if (len < 4)
		return 0;
	for (i = 0; i < 3; i++)
		if (line[i] < '0' || line[i] > '9')
			return 0;
	*last = line[3] != '-';
	if (memchr(" -\r\n", line[3], 4) == NULL)
		return 0;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
}

static void
garbage(struct front *f)
{
	log_warning("front.next: what it says is no SMTP: closing");
	f->queue.n = 0;
	f->down.start = f->down.clear = f->down.end;
	f->last_code = 0;
	f->reply_open = f->reply_tail = false;
	f->next_eof = true;
}

/* The octets of a whole reply that is in the buffer; 0: not yet. */
static size_t
whole_reply(const char *p, size_t len)
{
	size_t used = 0;

	for (;;) {
		const char *end = memchr(p + used, '\n', len - used);
		size_t n;
		bool last = true;

		if (end == NULL)
			return 0;
		n = (size_t)(end - p) - used + 1;
		if (line_code(p + used, n, &last) == 0)
			return 0;
		used += n;
		if (last)
			return used;
		if (used == len)
			return 0;
	}
}

static bool
step_ehlo(struct front *f)
{
	const char *reply = buffer_rest(&f->down);
	size_t n = whole_reply(reply, buffer_rest_len(&f->down));
	const struct ehlo_edit e = {
		.rights = f->rights,
		.starttls = f->tls != NULL && f->client.ssl == NULL,
	};

	if (n == 0 && f->down.end - f->down.start == BUFFER_SIZE) {
		garbage(f);
		return true;
	}
	/* It is taken out of the buffer, in its turn. */
	if (n == 0 || !buffer_flushed(&f->down))
		return false;
	if (!ehlo_edit(reply, n, &e, &f->own, &f->chunking)) {
		garbage(f);
		return true;
	}
	buffer_take(&f->down, n);
	reply_ends(f, 250);
	return true;
}

static bool
step_tail(struct front *f)
{
	const char *line = buffer_rest(&f->down);
	size_t len = buffer_rest_len(&f->down);
	const char *end = memchr(line, '\n', len);

	f->down.clear += end != NULL ? (size_t)(end - line) + 1 : len;
	f->reply_tail = end == NULL;
	if (end != NULL && !f->reply_open)
		reply_ends(f, f->last_code);
	return true;
}

bool
replies_step(struct front *f)
{
	const char *line = buffer_rest(&f->down);
	size_t len = buffer_rest_len(&f->down), n = len;
	const char *end;
	bool last = true;
	int code;

	/* What the front has said itself goes first. */
	if (len == 0 || f->own_sent < f->own.len)
		return false;
	/* It has its last word. */
	if (f->doom != NULL && f->queue.n == 0 && !f->reply_open &&
	    !f->reply_tail) {
		f->down.end = f->down.clear;
		return false;
	}
	if (f->reply_tail)
		return step_tail(f);
	end = memchr(line, '\n', len);
	if (end != NULL)
		n = (size_t)(end - line) + 1;
	else if (len < BUFFER_SIZE)
		return false;
	if ((code = line_code(line, n, &last)) == 0) {
		garbage(f);
		return true;
	}
	if (code == 250 && f->queue.n > 0 &&
	    f->queue.v[f->queue.first] == PENDING_EHLO)
		return step_ehlo(f);
	f->down.clear += n;
	f->reply_open = !last;
	f->last_code = code;
	f->reply_tail = end == NULL;
	if (last && end != NULL)
		reply_ends(f, code);
	return true;
}
