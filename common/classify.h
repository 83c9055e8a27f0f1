/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify - what an upstream's refusal means
 *
 * Only a refusal of this very recipient may be passed on to the client as
 * "no such user".  A server that refuses us (our address, our name, our
 * sender, relaying, its policy) says so with the same codes, hence the text
 * is read too: RFC 5321 section 4.2, RFC 3463, and the habits of real
 * servers, gathered in classify_table.c.
 *
 * When in doubt the answer is REFUSAL_US: mail is deferred and somebody is
 * told, nothing is lost.  REFUSAL_NOUSER wants evidence and no hint of
 * anything else.  Pure, no state: any thread.
 */
#ifndef POSTERN_COMMON_CLASSIFY_H
#define POSTERN_COMMON_CLASSIFY_H

#include <stddef.h>

#include "common/stage.h"

struct classify_rules;

enum refusal {
	REFUSAL_TEMPORARY = 0, /* 4yz, or no reply at all: try again */
	REFUSAL_ACCEPTED,      /* 2yz */
	REFUSAL_NOUSER,        /* this recipient does not exist */
	REFUSAL_MAILBOX,       /* it does, and cannot take mail: full, off */
	REFUSAL_US,            /* we are refused, or nobody can tell */
};

/*
 * refusal_name(r): temporary, accepted, nouser, mailbox or refused_us.
 */
const char *refusal_name(enum refusal r);

/*
 * classify_reply(stage, code, esc, text, overrides, why): judge one reply.
 *
 *   stage      what it answers; away from STAGE_RCPT no reply is NOUSER or
 *              MAILBOX
 *   code       reply code; outside 200..599 counts as temporary
 *   esc        enhanced status ("5.1.1") or ""
 *   text       the rest, without code and status; lines joined by '\n' or
 *              " | "; octets beyond CLASSIFY_TEXT_MAX are not read
 *   overrides  the route's own rules, or NULL
 *   why        if not NULL, set to what decided: a static string for logs
 */
enum refusal classify_reply(enum smtp_stage stage, int code, const char *esc,
    const char *text, const struct classify_rules *overrides, const char **why);

/*
 * classify_line(line, overrides, why): judge a reply to RCPT written as one
 * line: "550 5.1.1 text", "550-5.1.1 text", "550 text"; any run of spaces
 * and tabs separates.  A line that is no reply is REFUSAL_TEMPORARY.
 */
enum refusal classify_line(
    const char *line, const struct classify_rules *overrides, const char **why);

#endif /* POSTERN_COMMON_CLASSIFY_H */
