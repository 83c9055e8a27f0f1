/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session - one SMTP or LMTP session with an upstream (RFC 5321, 2033, 2920)
 *
 * session_open() blocks, up to a deadline, until the upstream has been
 * greeted: connection, TLS, EHLO or LHLO, XCLIENT, AUTH.  From then on the
 * session is a pipeline that never blocks: commands are queued, each brings
 * one reply event, in order.  The owner polls session_fd() for
 * session_events().  session_command() is the same, waiting for the answer.
 *
 * The replies are held strictly to RFC 5321: anything else, a timeout of
 * session_command(), or bytes that nobody asked for, ends the session
 * (SESSION_DEAD); after that only session_free() is allowed.
 *
 * A session belongs to one thread at a time.
 */
#ifndef POSTERN_COMMON_SESSION_H
#define POSTERN_COMMON_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/ehlo.h"
#include "common/endpoint.h"
#include "common/outcome.h"
#include "common/reply.h"
#include "common/stage.h"
#include "common/tls.h"

struct secret;
struct session;
struct transport;

/* Who the client of the edge is: the values of XCLIENT.  "" is unknown and
 * is sent as [UNAVAILABLE]. */
struct session_client {
	char name[256];
	char addr[64]; /* "192.0.2.1", "2001:db8::1" */
	char port[8];
	char helo[256];
	char proto[8]; /* "SMTP" or "ESMTP" */
	char destaddr[64];
};

/* Told of every line, redacted where it holds a secret: '>' sent, '<'
 * received, '*' a remark (connected, TLS started). */
typedef void session_trace(void *arg, char direction, const char *line);

/* Opens the connection; dial_connect() unless a test brings its own. */
typedef enum outcome session_dial(void *arg, const struct endpoint *e,
    unsigned port, struct deadline d, struct transport **out, struct fault *f);

struct session_params {
	struct endpoint endpoint;
	unsigned port; /* when the endpoint has none */
	enum conf_tls tls;
	struct tls_client *tls_client; /* NULL only with TLS_NONE */
	const char *tls_verify_name;   /* "" or NULL: the host */
	const char *helo;
	enum conf_xclient xclient;
	const struct session_client *client; /* with xclient */
	const char *auth_user;               /* NULL: no AUTH */
	const struct secret *auth_pass;
	const char *auth_type; /* "PLAIN", "LOGIN", or NULL: PLAIN preferred */
	const char *own_name; /* an upstream that greets with it is ourselves */
	int64_t connect_ms;   /* limit of connecting; 0: the deadline only */
	int64_t reply_ms;     /* limit of one reply; 0: the deadline only */
	session_dial *dial;
	void *dial_arg;
	session_trace *trace;
	void *trace_arg;
	bool trace_debug; /* only while messages of level debug are wanted */
};

/*
 * session_open(p, d, out, f): connect and greet.
 *
 *   d      absolute limit of the whole
 *   stage  set to where it failed, STAGE_MAIL when it did not; may be NULL
 *
 * Nothing of *p is kept after return but what is about the trace.
 * Returns OUTCOME_OK with *out, which the caller frees; otherwise *out is
 * NULL and *f tells what happened: OUTCOME_TEMP (network, 4yz, TLS,
 * certificate), OUTCOME_PERM (5yz, a required feature is missing, the
 * upstream is ourselves).
 *
 * What the policies mean:
 *
 *   TLS       "loopback" is a Unix socket or a peer address of this machine.
 *             There TLS_ENCRYPT and TLS_VERIFY do without TLS when STARTTLS
 *             is not offered; elsewhere that is OUTCOME_PERM.  Where it is
 *             offered the certificate must hold, on loopback too.  TLS_MAY
 *             promises nothing: a STARTTLS that is refused is passed over, a
 *             handshake that fails is followed by one new connection in
 *             clear, unless AUTH is due.
 *   AUTH      only under TLS whose certificate holds, or on loopback;
 *             otherwise OUTCOME_PERM.  Only 235 is success.
 *   EHLO      HELO follows a 500 or 502 to EHLO and nothing else, and only
 *             when neither TLS, XCLIENT nor AUTH is required.
 *   own_name  is not looked at over LMTP and on loopback: what listens there
 *             rightly has this machine's name.
 */
enum outcome session_open(const struct session_params *p, struct deadline d,
    struct session **out, struct fault *f, enum smtp_stage *stage);

/*
 * The same without blocking, for what most upstreams on a trusted network
 * need: a greeting and EHLO, without TLS, XCLIENT and AUTH.
 *
 * session_begin(p, t): over a socket that is being connected (dial_again());
 * takes t.  *p stays until session_begin_free().  NULL: session_open() is to
 * be called.
 *
 * session_begin_step(b, out, end): go on, when the socket can be read; the
 * first time it may not have been connected:
 *
 *   SESSION_BEGUN_WAITS   poll session_begin_fd() for POLLIN
 *   SESSION_BEGUN_OPEN    *out is the caller's
 *   SESSION_BEGUN_FAILED  as session_open() fails: *end says how
 *   SESSION_BEGUN_BLOCKS  could not be connected, or there is more to do:
 *                         session_open() is to be called
 *
 * session_begin_late(b, end): nothing has come in time: SESSION_BEGUN_BLOCKS if
 * it has not been connected, SESSION_BEGUN_WAITS, once, if it has and the
 * greeting is due from now on, else SESSION_BEGUN_FAILED.
 *
 * session_begin_stage(b): what it waits for, with SESSION_BEGUN_WAITS.
 *
 * session_begin_free(b): what is there is closed.  NULL does nothing.
 *
 * session_begin_would(p, s): s is what session_open() has made of p: would this
 * have led to it, too?
 */
struct session_begin;

struct session_begin_end {
	enum outcome outcome;
	struct fault fault;
	enum smtp_stage stage;
};

enum session_begun {
	SESSION_BEGUN_WAITS,
	SESSION_BEGUN_OPEN,
	SESSION_BEGUN_FAILED,
	SESSION_BEGUN_BLOCKS,
};

struct session_begin *session_begin(
    const struct session_params *p, struct transport *t);
enum session_begun session_begin_step(struct session_begin *b,
    struct session **out, struct session_begin_end *end);
enum session_begun session_begin_late(
    struct session_begin *b, struct session_begin_end *end);
int session_begin_fd(const struct session_begin *b);
enum smtp_stage session_begin_stage(const struct session_begin *b);
void session_begin_free(struct session_begin *b);
bool session_begin_would(
    const struct session_params *p, const struct session *s);

void session_free(struct session *s); /* closes at once; NULL does nothing */

const struct ehlo *session_ehlo(const struct session *s);
const struct tls_info *session_tls(const struct session *s);
bool session_is_lmtp(const struct session *s);
bool session_is_local(const struct session *s); /* peer: this machine */

/* The numeric address of this end, "192.0.2.1" and port, for the loop guard;
 * "" and 0 over a Unix socket. */
void session_local(
    const struct session *s, char *addr, size_t len, unsigned *port);

/*
 * Commands.  Each is queued with a cookie that comes back with its reply.
 * Without PIPELINING the session still takes them and sends the next one
 * only when the reply of the one before has come.
 *
 * Each returns false, and queues nothing, when the session is dead, the
 * argument may not be put into a command (the address did not come out of
 * address_parse, or needs SMTPUTF8 which the upstream lacks), or memory is
 * out.
 */
bool session_mail(struct session *s, const struct address *sender,
    bool smtputf8, void *cookie);
bool session_rcpt(struct session *s, const struct address *rcpt, void *cookie);
bool session_rset(struct session *s, void *cookie);
bool session_quit(struct session *s, void *cookie);

/* A raw command line without CRLF, for the AUTH dialogue and XCLIENT;
 * `shown` is what the trace gets instead (NULL: the line itself).  Lines with
 * CR, LF or NUL are refused. */
bool session_line(struct session *s, const char *line, size_t len,
    const char *shown, void *cookie);

/* Commands queued and not yet answered; of these, the ones not yet sent;
 * commands sent since connect. */
size_t session_outstanding(const struct session *s);
size_t session_unsent(const struct session *s);
unsigned long session_commands(const struct session *s);

int session_fd(const struct session *s);
short session_events(const struct session *s); /* POLLIN, POLLIN|POLLOUT */

enum session_event {
	SESSION_NONE,  /* nothing more for now: poll */
	SESSION_REPLY, /* *r answers the oldest command; *cookie is its own */
	SESSION_DEAD,  /* *f tells why; EOF and a 421 nobody asked for too */
};

/*
 * session_pump(s, r, cookie, f): write what can be written, read what has
 * come, and return one event.  Call until SESSION_NONE or SESSION_DEAD.
 * Replies that arrived before the connection broke are returned first.
 */
enum session_event session_pump(
    struct session *s, struct reply *r, void **cookie, struct fault *f);

/*
 * session_command(s, line, len, shown, d, r, f): send one line and wait for its
 * reply; nothing else may be outstanding.  OUTCOME_OK means that a reply is
 * in *r, whatever its code; else the session is dead.
 */
struct session_line {
	const char *line;
	size_t len;
	const char *shown; /* for the trace; NULL: the line itself */
};
enum outcome session_command(struct session *s, const struct session_line *l,
    struct deadline d, struct reply *r, struct fault *f);

/*
 * session_tell_client(s, a, d, f): XCLIENT and EHLO on a session that was
 * opened without XCLIENT, as session_open() does it.
 *
 * Blocks until d.  Returns OUTCOME_OK, also when XCLIENT_IFAVAILABLE could
 * not be had; otherwise as session_open(), and the session is dead.
 */
struct session_again {
	const char *helo; /* ours */
	enum conf_xclient xclient;
	const struct session_client *client;
};
enum outcome session_tell_client(struct session *s,
    const struct session_again *a, struct deadline d, struct fault *f);

/* session_can_reset_login(s): does the upstream offer XCLIENT LOGIN, HELO and
 * PROTO? */
bool session_can_reset_login(const struct session *s);

/*
 * After a login, have the session as if there had been none (Postfix): XCLIENT
 * LOGIN=[UNAVAILABLE].  HELO and PROTO go with it, so that no EHLO is due, and
 * one round trip is enough.  Not after session_tell_client(), whose values
 * would stay.  Does not block.
 *
 * session_reset_begin(s, helo, f): say it.  False: the session is dead.
 *
 * session_reset_step(s, oc, f): look for the reply.  True when it is over: *oc
 * is OUTCOME_OK, or the session is dead; false: poll session_fd() for
 * session_events(), or look again.
 *
 * session_reset_late(s, f): it has taken too long: the session is dead.
 */
bool session_reset_begin(struct session *s, const char *helo, struct fault *f);
bool session_reset_step(struct session *s, enum outcome *oc, struct fault *f);
void session_reset_late(struct session *s, struct fault *f);

/* session_leave(s): say QUIT where nothing is outstanding, without blocking;
 * session_free() is due when the upstream has closed.  False: it cannot be
 * said. */
bool session_leave(struct session *s);

/* session_alive(s): an idle session that has neither been closed nor said
 * anything; does not block. */
bool session_alive(struct session *s);

#endif /* POSTERN_COMMON_SESSION_H */
