/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fronts_state - what the files of fronts.h share; nobody else includes it
 *
 *   fronts.c         the registry: who is expected, tied, gone
 *   front_tie.c      how a milter session becomes a front session
 *   front_context.c  what the front asks of a tied session
 */
#ifndef POSTERN_MILTER_FRONTS_STATE_H
#define POSTERN_MILTER_FRONTS_STATE_H

#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/context.h"
#include "common/log.h"
#include "milter/fronts.h"
#include "milter/msession.h"

#define FRONTS_BUCKETS 256

/* One session.  `s` is NULL until it is tied; when s ends the entry goes. */
struct front {
	LIST_ENTRY(front) entry;
	TAILQ_ENTRY(front) wait; /* while it is not tied */
	char token[FRONT_TOKEN_LEN + 1];
	int64_t expires_ms;
	struct msession *s;
	bool xclient;
	char real[MSESSION_ADDR_MAX], seen[MSESSION_ADDR_MAX];
	char was[MSESSION_ADDR_MAX]; /* of the session it continues, or "" */
	unsigned short port;         /* of the real client */
	char by[16];                 /* the command that made it, or "" */
	char *login, *hello;         /* or NULL */
	struct context set, tls;     /* by XSETCONTEXT, by the front */
	struct msession_counts counts;
};

struct fronts {
	pthread_mutex_t lock; /* before that of a milter session */
	LIST_HEAD(, front) buckets[FRONTS_BUCKETS];
	TAILQ_HEAD(, front) waiting; /* the longest first */
	size_t n_tied, n_waiting;
	struct log_limit refused; /* needs no lock */
};

/* Under the lock, all but front_address() and front_account_log(). */

/* fronts_find(f, token): the session, tied or not; NULL. */
struct front *fronts_find(struct fronts *f, const char *token);

/* fronts_find_tied(f, token, why, len): the same with a milter session. */
struct front *fronts_find_tied(
    struct fronts *f, const char *token, char *why, size_t len);

/* front_address(text, out): an address, as it is written everywhere. */
bool front_address(const char *text, char *out);

/* fronts_remove(f, fr): forget and free it. */
void fronts_remove(struct fronts *f, struct front *fr);

/* Under the lock of s too.  Each puts a part of what fr says into s, and
 * returns false when not all could be, for want of memory or room. */
bool front_apply_hello(const struct front *fr, struct msession *s);
bool front_apply_client(
    const struct front *fr, const struct conf *conf, struct msession *s);

/* For the log line that says who passes for whom; written without locks. */
struct front_account {
	char by[16], real[MSESSION_ADDR_MAX], seen[MSESSION_ADDR_MAX];
	char was[MSESSION_ADDR_MAX], login[FRONT_LOGIN_MAX + 1];
};

void front_account(struct front_account *a, const struct front *fr);
void front_account_log(const struct front_account *a);

/* front_may(conf, fr, extension, why, len): has the real peer the right? */
bool front_may(const struct conf *conf, const struct front *fr,
    const char *extension, char *why, size_t len);

#endif /* POSTERN_MILTER_FRONTS_STATE_H */
