/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * identity - who the MTA takes the client for
 *
 * A smtpd that is reached on this machine trusts its client until XCLIENT has
 * said who that is.  XCLIENT makes Postfix begin a new milter session, so a
 * token follows it, which ties that session to the one the milter knows: it
 * is registered on the control socket first and then said in-band.
 */
#ifndef POSTERN_FRONT_IDENTITY_H
#define POSTERN_FRONT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "front/commands.h"

struct front;
struct reply;
struct strbuf;

enum identity_result {
	IDENTITY_LOST = 0, /* the session cannot go on */
	IDENTITY_REFUSED,  /* by the MTA; all is as it was */
	IDENTITY_SET,
};

/* identity_line(sb, seen, port, login): XCLIENT for an address; port 0 and
 * login "" are left out. */
void identity_line(
    struct strbuf *sb, const char *seen, unsigned int port, const char *login);

/* identity_tie(f, token, d, why, len): say the token in-band, and ask the
 * milter whether it has come. */
bool identity_tie(struct front *f, const char *token, struct deadline d,
    char *why, size_t len);

/*
 * identity_change(f, line, x, answer): pass an XCLIENT on a session that is
 * under way; f is quiet.
 *
 *   line    without CRLF
 *   x       what it says
 *   answer  the MTA's reply is added
 */
enum identity_result identity_change(struct front *f, const char *line,
    const struct command_xclient *x, struct strbuf *answer);

/* identity_remote(f, addr, answer): the same for an address alone, in the midst
 * of a session: the login and EHLO are said again. */
enum identity_result identity_remote(
    struct front *f, const char *addr, struct strbuf *answer);

/* identity_hello(f): say the client's EHLO again, and keep the answer. */
bool identity_hello(struct front *f);

#endif /* POSTERN_FRONT_IDENTITY_H */
