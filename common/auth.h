/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth - is this login right?  The upstream of the user's route is asked
 *
 * name -> canon -> route -> memory -> shield -> pool -> exchange -> verdict.
 *
 * Three answers.  accept: the upstream said 235.  reject: it said 535 to the
 * last response, or the credentials cannot be any (an empty password, a name
 * with control characters).  defer: everything else; with a warning in the
 * log where our own set-up looks wrong (RFC 4954 section 6: 500 to 504, 530,
 * 534, 538, no AUTH, certificates).  At most one attempt per login reaches
 * any upstream: the next host is asked only when nothing has been sent.
 *
 * Blocks: a thread per login that is under way; but for auth_quick().  Any
 * thread.
 */
#ifndef POSTERN_COMMON_AUTH_H
#define POSTERN_COMMON_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/login_name.h"
#include "common/pool.h"
#include "common/secret.h"
#include "common/verdict.h"

struct auth;
struct auth_dialogue;
struct auth_quick;
struct strbuf;

/* auth_new(conf, pp, why, len): with routes of that snapshot; keeps the
 * hosts of the `host` options warm.  NULL with a message on failure. */
struct auth *auth_new(
    struct conf *conf, const struct pool_params *pp, char *why, size_t len);

/* auth_reload(a, conf, why, len): put another snapshot in force.  False with
 * a message, and nothing changed, when its routes cannot be prepared. */
bool auth_reload(struct auth *a, struct conf *conf, char *why, size_t len);

/* auth_stop(a): those who wait are answered now, with defer. */
void auth_stop(struct auth *a);
void auth_free(struct auth *a); /* after the last call; NULL does nothing */

/* Who asks.  Borrowed for the call; none is NULL. */
struct auth_asker {
	const char *service; /* "smtp" */
	const char *realm;
	const char *client; /* libsasl's "192.0.2.1;49152", or "" */
	bool direct;        /* posternctl: neither memory nor shield */
	/* Gets a line for each step, or NULL; of a dialogue, to its end. */
	struct strbuf *explain;
};

struct auth_answer {
	enum verdict verdict;
	char user[LOGIN_NAME_OCTETS + 1]; /* as typed; "" when not known */
	char upstream[ENDPOINT_TEXT_MAX];
	int code; /* the upstream's reply, 0 when there was none */
	char esc[12];
	char text[512];  /* its words, or the fault's; for the log */
	char reason[64]; /* ours, in few words: "no route", "shield" */
	bool cached;     /* from memory */
	int64_t hold_ms; /* how long to hold a failing answer back */
};

/*
 * auth_check(a, who, mech, user, ulen, pass, d, out): PLAIN and LOGIN.
 *
 *   mech  for the log and option mechanisms; "" when the protocol does not
 *         tell
 *   d     absolute limit; option timeout counts too
 *
 * Always fills *out, and logs it (log_authentication).
 */
struct auth_login {
	const char *mech;
	const char *user; /* octets, not yet looked at */
	size_t user_len;
	const struct secret *pass;
};

void auth_check(struct auth *a, const struct auth_asker *who,
    const struct auth_login *login, struct deadline d, struct auth_answer *out);

/*
 * auth_quick(a, who, login, d, q, out): auth_check() for a thread that must
 * not wait.
 *
 * Returns
 *   AUTH_QUICK_ANSWERED  as auth_check() does: it was known without asking,
 *                        or the upstream was quick
 *   AUTH_QUICK_WAIT      AUTH is on its way on a session that was ready: poll
 *                        as auth_quick_poll() says
 *   AUTH_QUICK_SLOW      it would have to wait, or is not as simple as that:
 *                        have a thread run auth_check().  Nothing has been
 *                        sent, counted or claimed.
 *
 * Slow are: posternctl's; a route that a data source is asked for; a pair
 * that is being asked about, and a shield that is to be waited for; a client
 * that is to be announced; no session that is ready, or one without PLAIN; a
 * name and password too long for AUTH with its initial response.
 *
 * *q is set with AUTH_QUICK_WAIT, else NULL.
 *
 * auth_quick_step(q, out): there are events.  AUTH_QUICK_WAIT: poll again;
 * AUTH_QUICK_ANSWERED: *out is, and q is gone.
 *
 * auth_quick_late(q, out): there is no more time; likewise.
 *
 * One thread at a time for each q.
 */
enum auth_quick_said {
	AUTH_QUICK_SLOW,
	AUTH_QUICK_WAIT,
	AUTH_QUICK_ANSWERED,
};

struct auth_quick_poll {
	int fd;
	short events; /* of poll(2) */
	struct deadline until;
	bool again; /* the same socket may have been polled for another login */
};

enum auth_quick_said auth_quick(struct auth *a, const struct auth_asker *who,
    const struct auth_login *login, struct deadline d, struct auth_quick **q,
    struct auth_answer *out);
void auth_quick_poll(const struct auth_quick *q, struct auth_quick_poll *out);
enum auth_quick_said auth_quick_step(
    struct auth_quick *q, struct auth_answer *out);
void auth_quick_late(struct auth_quick *q, struct auth_answer *out);

/*
 * A relayed mechanism.  auth_begin() and auth_step() return true when
 * *challenge is for the client, whose response goes to auth_step(); false
 * when it is over, with *out filled in and logged.
 *
 *   initial    NULL: there was none
 *   challenge  set; the caller releases it
 *   x          set by auth_begin(); the caller ends it with auth_end() in
 *              any case, which hangs up when the dialogue is not over
 *
 * The whole has one deadline, given to auth_begin().  Option canon does not
 * change what is relayed; it names the account for the shield.
 */
bool auth_begin(struct auth *a, const struct auth_asker *who, const char *mech,
    const struct secret *initial, struct deadline d, struct auth_dialogue **x,
    struct secret *challenge, struct auth_answer *out);
bool auth_step(struct auth_dialogue *x, const struct secret *response,
    struct secret *challenge, struct auth_answer *out);
void auth_end(struct auth_dialogue *x); /* NULL does nothing */

/* auth_drop(a, user): forget the pairs and failures of an upstream name;
 * NULL: all.  Returns how many entries. */
size_t auth_drop(struct auth *a, const char *user);

/* auth_status(a, sb), auth_stats(a, sb): for posternctl, lines of
 * "key=value" as postern-milter gives them. */
void auth_status(struct auth *a, struct strbuf *sb);
void auth_stats(struct auth *a, struct strbuf *sb);

#endif /* POSTERN_COMMON_AUTH_H */
