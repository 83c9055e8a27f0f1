/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fronts - sessions that came through postern-front
 *
 * postern-front registers each session here, over the control socket, under
 * a token of 128 random bits, and then sends the token through the MTA as a
 * command that no MTA knows.  The milter session in which it arrives is that
 * session's: the two are tied, once, and only if the MTA tells of the client
 * that was registered.  From then on the front's requests reach the contexts
 * of that milter session.
 *
 * XCLIENT makes the MTA begin a new milter session.  The front registers it
 * beforehand, under a new token, as the continuation of the old one: what
 * clients have set, and what was counted, goes along.
 *
 * Any thread.  The registry's lock comes before a milter session's; nothing
 * is logged and nothing waits under either.
 *
 * What fails says so in `why` in the words of SMTP, "550 5.7.1 text", for the
 * front to pass on.
 */
#ifndef POSTERN_MILTER_FRONTS_H
#define POSTERN_MILTER_FRONTS_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct fronts;
struct msession;
struct strbuf;

#define FRONT_TOKEN_LEN    32 /* hexadecimal digits */
#define FRONT_HELLO_MAX    1024
#define FRONT_LOGIN_MAX    255
/* Sessions at once, those among them that are not tied yet, and how long
 * these may take. */
#define FRONTS_MAX         20000
#define FRONTS_PENDING_MAX 1000
#define FRONTS_PENDING_MS  60000

/* The command that carries a token, in front of it. */
#define FRONT_COMMAND "XPOSTERN-"

struct front_params {
	const char *token; /* FRONT_TOKEN_LEN of 0-9 a-f */
	const char *real;  /* who is connected to the front: "ADDRESS;PORT" */
	const char *seen;  /* the address it passes for; NULL: the real one */
	const char *login; /* it passes for this user; NULL: for nobody */
	const char *by;    /* the command that made it so; NULL */
	bool xclient;      /* the MTA is told the client by XCLIENT */
};

struct fronts *fronts_new(void); /* NULL without memory */
void fronts_free(struct fronts *f);

/* fronts_begin(f, conf, p, why, len): expect a session of that client. */
bool fronts_begin(struct fronts *f, const struct conf *conf,
    const struct front_params *p, char *why, size_t len);

/*
 * fronts_move(f, conf, token, p, why, len): expect its continuation; p->real
 * and p->xclient are not looked at.  The old session goes on until it ends.
 */
bool fronts_move(struct fronts *f, const struct conf *conf, const char *token,
    const struct front_params *p, char *why, size_t len);

/*
 * fronts_tie(f, conf, command, s): a command that the MTA does not know has
 * come in session s.  If it carries a token, tie them.  On the thread of s.
 */
void fronts_tie(struct fronts *f, const struct conf *conf, const char *command,
    struct msession *s);

/* fronts_gone(f, s): session s ends.  On the thread of s. */
void fronts_gone(struct fronts *f, struct msession *s);

/* fronts_tied(f, token, why, len): is it tied, and its milter session alive? */
bool fronts_tied(struct fronts *f, const char *token, char *why, size_t len);

/* fronts_end(f, token): no more requests; the contexts stay as they are. */
void fronts_end(struct fronts *f, const char *token);

/* fronts_seen(f, conf, token, seen, why, len): XREMOTEIP where the MTA has no
 * XCLIENT: the milter alone takes the client for another. */
bool fronts_seen(struct fronts *f, const struct conf *conf, const char *token,
    const char *seen, char *why, size_t len);

/* fronts_hello(f, token, line, why, len): the client's EHLO or HELO as it was
 * typed. */
bool fronts_hello(struct fronts *f, const char *token, const char *line,
    char *why, size_t len);

/*
 * fronts_set(f, conf, token, words, n, why, len): XSETCONTEXT.  All of it or
 * nothing.
 *
 *   words, n  name=value each, in xtext
 */
bool fronts_set(struct fronts *f, const struct conf *conf, const char *token,
    char *const *words, size_t n, char *why, size_t len);

/* fronts_tls(f, token, words, n, why, len): what is known of the TLS that the
 * front has ended: the same with the names tls and tls_* alone. */
bool fronts_tls(struct fronts *f, const char *token, char *const *words,
    size_t n, char *why, size_t len);

/* fronts_user(f, token, out, why, len): who the client has logged in as, in
 * xtext, as the MTA has told it last; nothing for nobody. */
bool fronts_user(struct fronts *f, const char *token, struct strbuf *out,
    char *why, size_t len);

/* What is dumped, and for whom. */
struct front_dump {
	const struct conf *conf;
	const char *token;
	bool idle; /* no message is under way: the MTA may tell so later */
};

/* fronts_dump(f, d, out, why, len): the lines of XDUMPCONTEXT but for the
 * last; see context_print(). */
bool fronts_dump(struct fronts *f, const struct front_dump *d,
    struct strbuf *out, char *why, size_t len);

/* fronts_count(f, tied, pending): how many there are. */
void fronts_count(struct fronts *f, size_t *tied, size_t *pending);

#endif /* POSTERN_MILTER_FRONTS_H */
