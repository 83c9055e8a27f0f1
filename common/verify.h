/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify - what to say about one recipient
 *
 * The whole use case: who is not asked about, the verdicts that are
 * remembered, the route, the probe, what is said while nobody can be asked.
 * One log line each.  Knows nothing of milters.  Any thread; blocks until
 * the configured timeout at most.
 */
#ifndef POSTERN_COMMON_VERIFY_H
#define POSTERN_COMMON_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/address.h"
#include "common/answer.h"
#include "common/cache.h"
#include "common/session.h"

struct catchall;
struct conf;
struct prober;
struct prober_params;
struct verifier;

struct verify_request {
	const char *id; /* queue or session id for the log; or "" */
	const char *to_text, *from_text; /* as the client wrote them */
	struct address to;               /* what they parse to */
	enum address_result to_result;
	struct address from; /* null for <> */
	enum address_result from_result;
	struct session_client client; /* addr is "" when not known */
	bool authenticated;
	bool bypass; /* __bypass_smtp_rcptto_proxy */
	bool direct; /* by hand: no skips, no memory */
	/* Whoever is not authenticated may send to recipients with a route and
	 * to nobody else: the MTA takes the client for a local one. */
	bool routed_only;
	/* Find out whether it has a route, even if nobody is asked. */
	bool find_route;
};

/*
 * verify_request_set(rq, from, to): the envelope, with or without < and >.
 * The texts are kept, as pointers.  What does not parse is decided upon by
 * verify_rcpt().
 */
void verify_request_set(
    struct verify_request *rq, const char *from, const char *to);

/* Whether a recipient has a route. */
enum verify_route {
	VERIFY_ROUTE_UNKNOWN = 0, /* a data source failed, or nobody looked */
	VERIFY_ROUTE_NONE,
	VERIFY_ROUTE_FOUND,
};

struct verify_result {
	enum verdict verdict; /* what the client is to be told */
	enum verdict would;   /* the same as if mode were enforce */
	bool observed;        /* mode = observe made a difference */
	bool barred;          /* routed_only said so, whatever the mode */
	bool reveal;          /* give answer.text to the client */
	struct answer answer;
	const char *word;  /* smtp_rcptto_proxy_result: pass fail transient
			    * skip */
	const char *cache; /* hit, refresh, miss, or none */
	enum verify_route route;
	int64_t delay_us;
};

/*
 * verifier_new(conf, pp, why, len): start; opens the data sources.
 *
 *   conf  referenced
 *   pp    for the prober; `answered` is verify's own and ignored
 *
 * Returns NULL with a message in why.
 */
struct verifier *verifier_new(
    struct conf *conf, const struct prober_params *pp, char *why, size_t len);
void verifier_free(struct verifier *v);

/* verifier_stop(v): answer all open questions with defer, end all upstream
 * sessions; whoever asks after that is deferred at once. */
void verifier_stop(struct verifier *v);

/* verifier_reload(v, conf, why, len): use another snapshot from now on.
 * Returns 0, or -1 with why, and goes on with the old one. */
int verifier_reload(
    struct verifier *v, struct conf *conf, char *why, size_t len);

/* verify_rcpt(v, rq, out): decide, and log the decision. */
void verify_rcpt(struct verifier *v, const struct verify_request *rq,
    struct verify_result *out);

/*
 * verify_explain(v, rq, fp): print which route rq would take and why, its
 * hosts in order with their breakers, and what is remembered.  Asks nobody.
 */
void verify_explain(
    struct verifier *v, const struct verify_request *rq, FILE *fp);

/* What it is made of, for the control socket; borrowed. */
struct cache *verifier_cache(struct verifier *v);
struct catchall *verifier_catchall(struct verifier *v);
struct prober *verifier_prober(struct verifier *v);

struct verify_counters {
	unsigned long long accepted, rejected, deferred, skipped, observed;
};

void verifier_count(struct verifier *v, struct verify_counters *out);

#endif /* POSTERN_COMMON_VERIFY_H */
