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

struct counters {
	uint64_t connections, active, active_max;
	uint64_t commands; /* all verbs, those below included */
	uint64_t ehlo, mail, rcpt, rset, noop, quit, data, other;
	uint64_t accepted, refused; /* replies to RCPT */
	uint64_t messages;
};

struct transaction {
	bool mail;    /* MAIL was taken */
	bool in_data; /* between DATA and the dot */
	unsigned int recipients;
};

struct answer {
	const char *text; /* with CRLF, static; NULL: nothing to say yet */
	bool refusal;     /* of a recipient: may be delayed */
	bool closes;
};

/*
 * upstream_reply(tr, line, len, known, c): answer one line without its
 * line end.
 *
 *   known  NULL, or: only local parts that begin with it are taken
 */
struct answer upstream_reply(struct transaction *tr, const char *line,
    size_t len, const char *known, struct counters *c);

#endif /* POSTERN_BENCH_UPSTREAM_REPLY_H */
