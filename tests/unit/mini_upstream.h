/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mini_upstream - an SMTP server on loopback for tests of what asks one
 *
 * A thread per connection.  The local part of a recipient says what becomes
 * of it, by its beginning:
 *
 *   unknown   550 5.1.1          full      552 5.2.2
 *   policy    550 5.7.1          temp      451 4.3.0
 *   tarpit    550 after 1 s (*)  slow      250 after 600 ms
 *   close     the connection     hang      nothing
 *   busy      421                anything else: 250
 *
 * And a HELO name, by its beginning: bad 550, later 421, gone the connection,
 * slow 250 after 1 s (*).  (*) or params.long_ms
 */
#ifndef POSTERN_TESTS_MINI_UPSTREAM_H
#define POSTERN_TESTS_MINI_UPSTREAM_H

#include <stdbool.h>

struct mini_upstream;

enum mini_stage {
	MINI_NONE,
	MINI_GREETING,
	MINI_EHLO,
	MINI_MAIL
};

enum mini_how {
	MINI_421,
	MINI_554,
	MINI_451,
	MINI_CLOSE,
	MINI_HANG
};

struct mini_talk; /* one connection */

/* Answers a line before the upstream itself does, on the connection's
 * thread. */
enum mini_said {
	MINI_NOT_MINE,
	MINI_SAID,
	MINI_END, /* close the connection */
};
typedef enum mini_said mini_line(
    void *arg, struct mini_talk *t, const char *line);

struct mini_params {
	mini_line *line; /* or NULL */
	void *line_arg;
	const char *keywords[4]; /* more of them for EHLO; "" is left out */
	int rcpt_limit;          /* 452 4.5.3 past so many; 0: none */
	bool limit_all;          /* the refused ones count too */
	bool no_pipelining;
	bool catchall;        /* unknown recipients are taken */
	int delay;            /* of each reply to RCPT, milliseconds */
	int long_ms;          /* tarpit, slow HELO; 0: 1000 */
	int most;             /* 421 to connections past so many; 0: none */
	enum mini_stage fail; /* where every connection fails */
	enum mini_how how;
	bool auth;      /* AUTH PLAIN: every login is good, and the last */
	bool xclient;   /* which begins a new session */
	bool mute_quit; /* no reply to QUIT, and it does not close */
	int port;       /* 0: any */
};

struct mini_counts {
	int connections, commands, mails, rcpts, rsets, quits, auths, xclients;
	int most; /* connections at once */
};

/* Starts serving; aborts the test when it cannot. */
struct mini_upstream *mini_start(const struct mini_params *p);
/* Closes all connections and the listener. */
void mini_stop(struct mini_upstream *u);
int mini_port(const struct mini_upstream *u);
void mini_count(struct mini_upstream *u, struct mini_counts *out);
/* From now on every recipient is taken, or not. */
void mini_set_catchall(struct mini_upstream *u, bool on);
/* From now on every connection fails there. */
void mini_set_fail(
    struct mini_upstream *u, enum mini_stage fail, enum mini_how how);
/* Close the connections that there are. */
void mini_drop(struct mini_upstream *u);

/* For a mini_line.  mini_say() adds CRLF; mini_hang() returns when the
 * upstream stops; mini_memo() is the connection's own, 0 at first. */
void mini_say(const struct mini_talk *t, const char *line);
void mini_hang(const struct mini_talk *t);
int *mini_memo(struct mini_talk *t);

#endif /* POSTERN_TESTS_MINI_UPSTREAM_H */
