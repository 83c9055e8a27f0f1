/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe - ask an upstream whether it would take a recipient
 *
 * A prober owns one thread that holds all upstream sessions (engine.h) and
 * writes every RCPT that is waiting into them, many to a batch.  Whoever asks
 * about an address that is already being asked about joins that probe.  A
 * caller waits until its own deadline; the probe goes on without it and its
 * answer is still reported, so that it can be remembered.
 *
 * All functions may be called from any thread.
 */
#ifndef POSTERN_COMMON_PROBE_H
#define POSTERN_COMMON_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/address.h"
#include "common/answer.h"
#include "common/cache.h"
#include "common/clock.h"
#include "common/session.h"

struct conf;
struct prober;
struct route;

struct probe_question {
	struct conf *conf;   /* the snapshot that route is made from */
	struct route *route; /* at least one host */
	struct address rcpt;
	struct address sender; /* null for <> */
	char helo[256];
	bool catchall; /* a random address: reported, not remembered as one */
	bool direct;   /* one host, asked whatever its breaker says */
	struct session_client client; /* told upstream when xclient says so */
	struct cache_key key;         /* equal keys are the same question */
};

/* Called on the prober's thread with the answer, before anybody who waits
 * for it; must not block. */
typedef void probe_answered(
    void *arg, const struct probe_question *q, const struct answer *a);

struct prober_params {
	probe_answered *answered; /* may be NULL */
	void *answered_arg;
	session_dial *dial; /* NULL: dial_connect() */
	void *dial_arg;
	session_trace *trace; /* NULL: none; called on several threads */
	void *trace_arg;
	bool trace_debug; /* as in session.h */
};

/* Returns NULL when the thread or a descriptor cannot be had. */
struct prober *prober_new(const struct prober_params *p);

/* prober_stop(p): end all sessions and answer every open question with defer,
 * later ones too.  Waits for connections that are being opened, up to their
 * own limit. */
void prober_stop(struct prober *p);
void prober_free(struct prober *p); /* stops first if need be */

/*
 * probe_ask(p, q, d, out): ask, or join the same question, and wait.
 *
 * *q is copied; conf and route are referenced.  Returns true with the answer
 * in *out, or false when the deadline passed first (or memory ran out: *out
 * is a defer in any case).
 */
bool probe_ask(struct prober *p, const struct probe_question *q,
    struct deadline d, struct answer *out);

/* probe_start(p, q): ask without waiting, unless the same question is open. */
void probe_start(struct prober *p, const struct probe_question *q);

/*
 * prober_owns(p, addr, port, rcpt): whether a client with this numeric address
 * and port, who names this recipient, is one of our own upstream sessions,
 * come round to us.
 */
bool prober_owns(struct prober *p, const char *addr, unsigned port,
    const struct address *rcpt);

/* prober_reloaded(p): sessions opened so far end after their present work, so
 * that certificates and options are read anew. */
void prober_reloaded(struct prober *p);

struct prober_counters {
	unsigned long long questions; /* probes made, joins not counted */
	unsigned long long joined;
	unsigned long long opened;   /* upstream sessions */
	unsigned long long failed;   /* attempts to open one */
	unsigned long long commands; /* sent on them */
	unsigned long long moved;    /* recipients moved on from a slow one */
	unsigned long long waiting;  /* questions open now */
	unsigned long long sessions; /* open now */
};

void prober_count(struct prober *p, struct prober_counters *out);

/*
 * prober_show(p, host, fp): one line per endpoint: state of its breaker,
 * sessions, queue, batch.
 *
 *   host  only this endpoint, as "host:port"; NULL: all
 */
void prober_show(struct prober *p, const char *host, FILE *fp);

#endif /* POSTERN_COMMON_PROBE_H */
