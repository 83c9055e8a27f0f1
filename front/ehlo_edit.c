/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/ehlo_edit.h"

#include <string.h>
#include <strings.h>

#include "common/strbuf.h"
#include "front/front.h"

static const struct {
	const char *keyword;
	unsigned int right;
} ours[] = {
	{ "XREMOTEIP", FRONT_XREMOTEIP },
	{ "XSETCONTEXT", FRONT_XSETCONTEXT },
	{ "XDUMPCONTEXT", FRONT_XDUMPCONTEXT },
};

#define N_OURS (sizeof(ours) / sizeof(ours[0]))

/* Is this the keyword of the line's text? */
static bool
line_is(const char *text, size_t len, const char *keyword)
{
	size_t n = strlen(keyword);

	return len >= n && strncasecmp(text, keyword, n) == 0 &&
	    (len == n || strchr(" \t=", text[n]) != NULL);
}

/* What the MTA says of these is not for the client. */
static bool
is_hidden(const char *text, size_t len, const struct ehlo_edit *e)
{
	size_t i;

	if (line_is(text, len, "XCLIENT"))
		return (e->rights & FRONT_XCLIENT) == 0;
	for (i = 0; i < N_OURS; i++)
		if (line_is(text, len, ours[i].keyword))
			return true;
	return line_is(text, len, "XFORWARD") || line_is(text, len, "STARTTLS");
}

/* Lines are held back until it is known whether another one follows. */
struct writer {
	struct strbuf *out;
	const char *text;
	size_t len;
	bool has;
};

static void
write_line(struct writer *w, char mark)
{
	if (!w->has)
		return;
	(void)strbuf_adds(w->out, "250");
	(void)strbuf_addch(w->out, mark);
	(void)strbuf_add(w->out, w->text, w->len);
	(void)strbuf_adds(w->out, "\r\n");
}

static void
next_line(struct writer *w, const char *text, size_t len)
{
	write_line(w, '-');
	w->text = text;
	w->len = len;
	w->has = true;
}

bool
ehlo_edit(const char *reply, size_t len, const struct ehlo_edit *e,
    struct strbuf *out, bool *chunking)
{
	struct writer w = { .out = out };
	size_t i;

	*chunking = false;
	while (len > 0) {
		const char *end = memchr(reply, '\n', len);
		size_t whole = end != NULL ? (size_t)(end - reply) + 1 : len;
		size_t n = whole - (end != NULL);
		size_t skip = n < 4 ? n : 4;

		while (n > skip && reply[n - 1] == '\r')
			n--;
		if (line_is(reply + skip, n - skip, "CHUNKING"))
			*chunking = true;
		/* The first line is no keyword. */
		if (!w.has || !is_hidden(reply + skip, n - skip, e))
			next_line(&w, reply + skip, n - skip);
		reply += whole;
		len -= whole;
	}
	for (i = 0; i < N_OURS; i++)
		if (e->rights & ours[i].right)
			next_line(&w, ours[i].keyword, strlen(ours[i].keyword));
	if (e->starttls)
		next_line(&w, "STARTTLS", 8);
	write_line(&w, ' ');
	return strbuf_ok(out);
}
