/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_reply - what the bench upstream answers to a command, and counts
 *
 * Pure: no I/O.
 */
#ifndef POSTERN_BENCH_UPSTREAM_REPLY_H
#define POSTERN_BENCH_UPSTREAM_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "login.h"

struct counters {
	uint64_t connections, active, active_max;
	uint64_t commands; /* all verbs, those below included */
	uint64_t ehlo, mail, rcpt, rset, noop, quit, data, other;
	uint64_t auth, xclient;
	uint64_t turns; /* times that it was the upstream's turn to speak: the
			 * greeting, and each time commands came, one or more:
			 * a round trip for who waits */
	uint64_t accepted, refused; /* replies to RCPT */
	uint64_t logins, denied;    /* 235 and 535 */
	uint64_t messages;
};

/* What the upstream does. */
struct rules {
	const char *known; /* NULL, or: only local parts and user names that
			    * begin with it are taken */
	bool xclient;      /* offer XCLIENT, as Postfix to a trusted host */
};

/* What is expected on the next line of AUTH. */
enum auth_step {
	AUTH_NONE,
	AUTH_PLAIN, /* the response */
	AUTH_USER,  /* LOGIN's two */
	AUTH_PASSWORD
};

struct transaction {
	bool greeted; /* EHLO was said */
	bool mail;    /* MAIL was taken */
	bool in_data; /* between DATA and the dot */
	unsigned int recipients;
	enum auth_step auth;
	bool logged_in; /* no second AUTH, RFC 4954 section 4 */
	char user[LOGIN_USER_MAX];
};

struct answer {
	const char *text; /* with CRLF, static; NULL: nothing to say yet */
	bool refusal;     /* of a recipient: may be delayed */
	bool closes;
};

/* upstream_reply(tr, line, len, r, c): answer one line without its line
 * end. */
struct answer upstream_reply(struct transaction *tr, const char *line,
    size_t len, const struct rules *r, struct counters *c);

#endif /* POSTERN_BENCH_UPSTREAM_REPLY_H */
