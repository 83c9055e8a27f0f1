/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/requests.h"

#include <stdio.h>
#include <string.h>

#include "common/conf.h"
#include "common/log.h"
#include "front/extensions.h"
#include "front/registry.h"

#define AMBIGUOUS "521 5.5.2 Bare line feed around a dot, closing connection"
#define BAD_BDAT  "521 5.5.4 Syntax: BDAT count [LAST]"
#define TOO_LONG  "500 5.5.2 Line too long"
#define NEED_MAIL "503 5.5.1 Error: need MAIL command"

void
requests_expect(struct front *f, enum front_pending p)
{
	struct front_queue *q = &f->queue;

	q->v[(q->first + q->n) % FRONT_PENDING_MAX] = (unsigned char)p;
	q->n++;
	f->asked = p == PENDING_ASKED || p == PENDING_EHLO || p == PENDING_HELO;
}

void
requests_discard(struct front *f)
{
	f->up.end = f->up.clear;
}

static void
clear(struct front *f, size_t n)
{
	f->up.clear += n;
}

/* Must the MTA not get this from a client?  One without XCLIENT does not know
 * the word any better than an unknown one. */
static bool
is_kept_away(const struct front *f, enum command_kind kind)
{
	bool xclient = f->conf->front.xclient != CONF_FRONT_XCLIENT_NO;

	switch ((int)kind) {
	case COMMAND_STARTTLS:
	case COMMAND_DISGUISED:
	case COMMAND_XPOSTERN:
		return true;
	case COMMAND_BDAT:
		return !f->chunking;
	case COMMAND_XCLIENT:
	case COMMAND_XFORWARD:
	case COMMAND_XREMOTEIP: /* smtpd_command_filter may know it */
		return xclient;
	default:
		return false;
	}
}

/* The MTA's own words for a command that it does not know: the word becomes
 * another one of the same length. */
static void
spoil(struct front *f, const struct command *c)
{
	char *p = f->up.data + f->up.clear + c->word;

	*p = *p == 'Y' || *p == 'y' ? 'Z' : 'Y';
}

/* BDAT: the octets belong to it whatever is answered (RFC 3030 section 2). */
static void
begin_chunk(struct front *f, const struct command *c, size_t len)
{
	bool last;

	if (!command_bdat(c, &f->chunk, &last)) {
		front_doom(f, BAD_BDAT);
		return;
	}
	clear(f, len);
	requests_expect(f, last ? PENDING_FINAL : PENDING_CHUNK);
	f->mode = f->chunk > 0 ? MODE_CHUNK : MODE_LINE;
}

/* No message begins without its context.  Where the MTA takes everybody for
 * itself, the milter alone keeps it from relaying: it is asked for each
 * recipient, too. */
static bool
milter_holds(struct front *f, enum command_kind kind)
{
	if (kind != COMMAND_MAIL &&
	    (kind != COMMAND_RCPT ||
		f->conf->front.xclient != CONF_FRONT_XCLIENT_NO))
		return true;
	if (registry_ask(f, "alive", f->token) == REGISTRY_OK)
		return true;
	log_warning("%s: postern-milter no longer knows this session: closing",
	    f->real);
	front_doom(f, FRONT_NO_SERVICE);
	return false;
}

static void
keep_hello(struct front *f, size_t len)
{
	const char *line = buffer_rest(&f->up);
	size_t i;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len > FRONT_HELLO_MAX)
		len = FRONT_HELLO_MAX;
	memcpy(f->hello_said, line, len);
	f->hello_said[len] = '\0';
	for (i = 0; i < len; i++)
		if (f->hello_said[i] < ' ' || f->hello_said[i] > '~')
			f->hello_said[i] = '?';
}

static enum front_pending
pending_for(enum command_kind kind)
{
	switch ((int)kind) {
	case COMMAND_MAIL:
		return PENDING_MAIL;
	case COMMAND_RSET:
		return PENDING_RESET;
	case COMMAND_HELO:
		return PENDING_HELO;
	case COMMAND_EHLO:
		return PENDING_EHLO;
	case COMMAND_DATA:
	case COMMAND_AUTH:
	case COMMAND_ODD:
	case COMMAND_DISGUISED:
	case COMMAND_XCLIENT:
		return PENDING_ASKED;
	default:
		return PENDING_OTHER;
	}
}

/* A line for the MTA; len with its line end. */
static void
pass_line(struct front *f, const struct command *c, size_t len)
{
	if (is_kept_away(f, c->kind)) {
		spoil(f, c);
		clear(f, len);
		requests_expect(f, PENDING_ASKED);
		return;
	}
	if (c->kind == COMMAND_BDAT) {
		begin_chunk(f, c, len);
		return;
	}
	if (!milter_holds(f, c->kind))
		return;
	if (c->kind == COMMAND_EHLO || c->kind == COMMAND_HELO)
		keep_hello(f, len);
	clear(f, len);
	requests_expect(f, pending_for(c->kind));
}

/* One that does not fit: what its beginning says goes for all of it, if it
 * says anything. */
static bool
long_line(struct front *f, const struct command *c)
{
	if (extensions_is_ours(f, c) || c->kind == COMMAND_BDAT ||
	    c->kind == COMMAND_EHLO || c->kind == COMMAND_HELO ||
	    c->kind == COMMAND_ODD) {
		if (!buffer_flushed(&f->up))
			return false;
		f->mode = MODE_SKIP;
		return true;
	}
	pass_line(f, c, buffer_rest_len(&f->up));
	if (f->mode == MODE_LINE)
		f->mode = MODE_REST;
	return true;
}

/* An MTA may refuse BDAT without a look at its octets: as long as it wants
 * TLS first, say.  One that has taken MAIL is beyond that; any other does not
 * get them. */
static bool
lone_chunk(struct front *f, const struct command *c, size_t len)
{
	bool last;

	if (!front_quiet(f))
		return false;
	if (!command_bdat(c, &f->chunk, &last)) {
		front_doom(f, BAD_BDAT);
		return true;
	}
	buffer_take(&f->up, len);
	f->mode = MODE_LOST;
	return true;
}

static bool
step_line(struct front *f)
{
	const char *line = buffer_rest(&f->up);
	size_t len = buffer_rest_len(&f->up);
	const char *end = len > 0 ? memchr(line, '\n', len) : NULL;
	struct command c;

	if (len == 0 || f->asked || f->queue.n == FRONT_PENDING_MAX)
		return false;
	if (end == NULL) {
		if (len < BUFFER_SIZE)
			return false;
		command_parse(line, len, &c);
		return long_line(f, &c);
	}
	len = (size_t)(end - line) + 1;
	command_parse(line, len, &c);
	if (c.kind == COMMAND_BDAT && f->chunking && !f->in_transaction)
		return lone_chunk(f, &c, len);
	if (!extensions_is_ours(f, &c)) {
		pass_line(f, &c, len);
		return true;
	}
	/* In its turn, and with nothing to write before its answer. */
	if (!front_quiet(f))
		return false;
	extensions_do(f, &c, len);
	return true;
}

/* The rest of a line that began in a full buffer. */
static bool
step_rest(struct front *f)
{
	const char *line = buffer_rest(&f->up);
	size_t len = buffer_rest_len(&f->up);
	const char *end = len > 0 ? memchr(line, '\n', len) : NULL;

	if (len == 0)
		return false;
	clear(f, end != NULL ? (size_t)(end - line) + 1 : len);
	if (end != NULL)
		f->mode = MODE_LINE;
	return true;
}

static bool
step_skip(struct front *f)
{
	const char *line = buffer_rest(&f->up);
	size_t len = buffer_rest_len(&f->up);
	const char *end = len > 0 ? memchr(line, '\n', len) : NULL;

	if (len == 0 || !buffer_flushed(&f->up))
		return false;
	if (end == NULL) {
		buffer_take(&f->up, len);
		return true;
	}
	if (!front_quiet(f))
		return false;
	buffer_take(&f->up, (size_t)(end - line) + 1);
	front_say(f, TOO_LONG);
	f->mode = MODE_LINE;
	return true;
}

/* One line of the client, then one reply. */
static bool
step_auth(struct front *f)
{
	if (f->asked || !step_rest(f))
		return false;
	if (f->mode == MODE_LINE)
		requests_expect(f, PENDING_ASKED);
	return true;
}

static bool
step_data(struct front *f)
{
	size_t len = buffer_rest_len(&f->up), used;

	if (len == 0)
		return false;
	switch (message_scan(&f->message, buffer_rest(&f->up), len, &used)) {
	case MESSAGE_ENDS:
		clear(f, used);
		f->mode = MODE_LINE;
		requests_expect(f, PENDING_FINAL);
		break;
	case MESSAGE_AMBIGUOUS:
		clear(f, used);
		log_warning(
		    "%s: a line feed alone around a dot: closing", f->real);
		front_doom(f, AMBIGUOUS);
		break;
	case MESSAGE_GOES_ON:
	default:
		clear(f, used);
		break;
	}
	return true;
}

static bool
step_chunk(struct front *f)
{
	size_t len = buffer_rest_len(&f->up);

	if (len == 0)
		return false;
	if (len > f->chunk)
		len = (size_t)f->chunk;
	clear(f, len);
	f->chunk -= len;
	if (f->chunk == 0)
		f->mode = MODE_LINE;
	return true;
}

static bool
step_lost(struct front *f)
{
	size_t len = buffer_rest_len(&f->up);

	if (len == 0 && f->chunk > 0)
		return false;
	if (len > f->chunk)
		len = (size_t)f->chunk;
	buffer_take(&f->up, len);
	f->chunk -= len;
	if (f->chunk == 0) {
		front_say(f, NEED_MAIL);
		f->mode = MODE_LINE;
	}
	return true;
}

bool
requests_step(struct front *f)
{
	switch (f->mode) {
	case MODE_LINE:
		return step_line(f);
	case MODE_REST:
		return step_rest(f);
	case MODE_SKIP:
		return step_skip(f);
	case MODE_AUTH:
		return step_auth(f);
	case MODE_DATA:
		return step_data(f);
	case MODE_CHUNK:
		return step_chunk(f);
	case MODE_LOST:
		return step_lost(f);
	case MODE_END:
	default:
		return false;
	}
}
