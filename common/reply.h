/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reply - one SMTP reply, gathered line by line
 *
 * What an upstream answers with: a three-digit reply code and one or more
 * lines of text (RFC 5321 section 4.2).  The text may begin with an enhanced
 * status (RFC 2034); see esc.h.  No I/O, no allocation, no log.  A struct
 * reply belongs to one session, hence to one thread at a time.
 */
#ifndef POSTERN_COMMON_REPLY_H
#define POSTERN_COMMON_REPLY_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 5321 section 4.5.3.1.5 gives a line 512 octets; whole multi-line
 * replies are held up to this, text beyond it is dropped. */
#define REPLY_TEXT_MAX 2048

/* Past either of these it is no longer a reply but a flood: REPLY_BAD.  The
 * reader of lines must stop at REPLY_LINE_MAX octets without CRLF of its own
 * accord, since it is the one who needs a buffer. */
#define REPLY_LINES_MAX 512
#define REPLY_LINE_MAX  4096

enum reply_state {
	REPLY_MORE, /* a further call may complete the reply */
	REPLY_DONE, /* one whole reply is in *r */
	REPLY_BAD,  /* not an SMTP reply; the session is unusable */
};

struct reply {
	int code;        /* 200..599, or 0 before the first full line */
	size_t text_len; /* octets in text, without the final NUL */
	char text[REPLY_TEXT_MAX]; /* printable; lines joined with '\n' */
	unsigned int lines;        /* lines taken */
	bool cut;                  /* text did not hold all of it */
	enum reply_state state;    /* what reply_line() returned last */
};

/*
 * reply_init(r): make *r ready for a fresh reply.  Cannot fail.
 */
void reply_init(struct reply *r);

/*
 * reply_line(r, line, len): take one reply line without its CRLF.
 *
 *   r     reply being gathered, from reply_init()
 *   line  the octets; not NUL-terminated, not kept after return
 *   len   octets at line
 *
 * Returns REPLY_MORE after "250-text", REPLY_DONE after "250 text" or a bare
 * "250", REPLY_BAD for anything else: another form, a code outside 200..599,
 * a code that differs from that of the line before (RFC 5321 section 4.2.1),
 * a line over REPLY_LINE_MAX, more than REPLY_LINES_MAX lines, a call after
 * REPLY_DONE.  After REPLY_BAD the code is 0, the text is empty and every
 * further call is REPLY_BAD.  Text too long to hold is cut, which is no
 * error.  What is not printable UTF-8 is stored as '?'.
 */
enum reply_state reply_line(struct reply *r, const char *line, size_t len);

/*
 * reply_first_line(r, buf, size): copy the first line of the text, cut to
 * what fits, with its NUL.  Returns its octets without the NUL.
 */
size_t reply_first_line(const struct reply *r, char *buf, size_t size);

/*
 * reply_is_closing(r): does the upstream say that it closes the session: 421
 * (RFC 5321 section 3.8)?
 */
bool reply_is_closing(const struct reply *r);

#endif /* POSTERN_COMMON_REPLY_H */
