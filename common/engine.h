/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine - what the files of the prober share; nobody else includes this
 *
 *   probe.c    the door: questions, joining, waiting
 *   engine.c   the thread: its inbox, its poll loop, its clock
 *   target.c   one endpoint: queue, choice of a session, batch, breaker
 *   target_grow.c  whether it gets one more session, and in whose place
 *   line.c     one upstream session in use: commands out, time, its end
 *   line_reply.c  what a reply means for who waits for it
 *   opener.c   short-lived threads that open sessions
 *
 * What the engine's thread alone touches needs no lock.  What others touch
 * too is marked "shared" and guarded by engine.lock, which is never held
 * across I/O.
 */
#ifndef POSTERN_COMMON_ENGINE_H
#define POSTERN_COMMON_ENGINE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

/* uthash would otherwise end the process when memory is out; an entry that
 * could not be added has no hh.tbl. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "common/breaker.h"
#include "common/log.h"
#include "common/probe.h"
#include "common/route.h"
#include "common/siphash.h"
#include "common/thread_chain.h"

/* How many recipients one transaction carries: RFC 5321 section 4.5.3.1.8
 * promises 100. */
#define LINE_RCPTS_MAX     100
/* RSETs on one session: Postfix counts them as junk past 100. */
#define LINE_RSETS_MAX     50
/* A reply that keeps others waiting longer than this, and longer than four
 * of the endpoint's usual ones, is slow. */
#define LINE_SLOW_MS       250
/* A reply is waited for at least so long where there is no other host to turn
 * to, whatever the timeout of those who ask: the answer of an upstream that is
 * always late can only be had that way. */
#define LINE_LATE_MS       20000
/* A session counts until the upstream has closed it, but no longer than this
 * after QUIT. */
#define LINE_QUIT_MS       1000
/* How long a batch stays at 1 after a slow refusal. */
#define TARGET_SLOW_MS     60000
/* How long an upstream that has enough sessions is asked for no more. */
#define TARGET_ENOUGH_MS   30000
/* How often deadlines are looked at. */
#define ENGINE_TICK_MS     20
/* Upstream sessions being opened at once, over all endpoints. */
#define ENGINE_OPENERS_MAX 128
/* Deaths of a session that one question may be part of as its first. */
#define PROBE_DEATHS_MAX   2
#define PROBE_REQUEUES_MAX 8

struct engine;
struct line;
struct target;

/* One question on its way.  The engine holds a reference until it is
 * finished, each place in a queue or on a session another. */
struct probe {
	struct probe_question q;
	atomic_uint refs;
	/* shared */
	UT_hash_handle hh; /* in engine.open, by q.key */
	pthread_cond_t cond;
	bool done;
	struct answer answer;
	STAILQ_ENTRY(probe) inbox_entry;
	/* the engine's */
	TAILQ_ENTRY(probe) queue_entry;
	struct target *queued_at; /* NULL when in no queue */
	bool finished;
	atomic_size_t host; /* index into the route's hosts; shared */
	int flights;        /* sessions that it is outstanding on */
	int deaths;         /* sessions that broke with this one in front */
	int requeues;       /* "too many recipients" and moves */
	int64_t end_ms;     /* when the engine gives up */
	struct fault last;  /* why the last host did not serve */
};

/* One command on a session that waits for its reply. */
enum sent_kind {
	SENT_RSET,
	SENT_MAIL,
	SENT_RCPT
};

struct sent {
	TAILQ_ENTRY(sent) entry;
	enum sent_kind kind;
	struct probe *probe; /* a reference; NULL but for SENT_RCPT */
	int64_t sent_ms;
};

/* What a session is opened as; sessions of different identity do not mix. */
struct identity {
	char helo[256];
	bool of_client; /* a refusal of it may be the client's own */
	enum conf_xclient xclient;
	struct session_client client; /* but with XCLIENT_NO */
};

/* One upstream session in use. */
struct line {
	TAILQ_ENTRY(line) entry;
	struct target *target;
	struct session *session;
	struct identity id;
	TAILQ_HEAD(, sent) sent;
	size_t outstanding; /* RCPTs in sent */
	struct address sender;
	bool in_mail;      /* MAIL was sent for sender */
	bool mail_utf8;    /* with SMTPUTF8 */
	bool mail_refused; /* and was not taken: RCPTs behind it are void */
	struct reply *mail_reply;     /* that refusal, or NULL */
	const struct sent *last_mail; /* while its reply is due */
	size_t rcpts;                 /* sent since MAIL */
	size_t rcpts_answered;        /* since MAIL, but for "too many" */
	int rsets, errors;
	bool slow;       /* its first RCPT waits too long: gets no more */
	bool retire;     /* ends when nothing is outstanding */
	bool dirty;      /* commands queued, not yet pumped */
	int64_t head_ms; /* since when its first command is the first */
	int64_t idle_ms; /* since when nothing is outstanding */
	int64_t quit_ms; /* when QUIT was sent; 0: it was not */
	short polled;    /* events the poll set knows of */
	unsigned epoch;
	char local[64]; /* shared, for prober_owns() */
	unsigned local_port;
	unsigned long commands; /* already counted */
};

TAILQ_HEAD(probe_queue, probe);

/* One endpoint with one set of options. */
struct target {
	UT_hash_handle hh; /* in engine.targets, by key */
	TAILQ_ENTRY(target) dirty_entry;
	bool dirty;
	struct engine *engine;
	char key[1024];
	char label[300]; /* "host:port", for logs */
	struct endpoint endpoint;
	/* options, from the last question that came */
	struct conf *conf;
	const struct conf_upstream *up;
	enum conf_tls tls;
	struct tls_client *tls_client;
	unsigned epoch;
	long batch, max_probe_rate;
	const char *auth_user, *auth_type;
	const struct secret *auth_pass;

	struct probe_queue queue;
	size_t n_queue;
	TAILQ_HEAD(, line) lines;
	size_t n_lines, n_opening;
	TAILQ_HEAD(, opened) openings; /* n_opening of them */
	size_t lines_max;              /* as many as the upstream takes */
	int64_t lines_max_ms;          /* until then */
	struct breaker *breaker;       /* of the engine, per endpoint */
	struct breaker own;    /* of these credentials and TLS options */
	int64_t slow_until_ms; /* batch is 1 until then */
	double usual_ms;       /* mean time of a good reply */
	size_t rcpts_max;      /* recipients that a transaction may have */
	double tokens;         /* of max_probe_rate */
	int64_t tokens_ms;
	int64_t used_ms;
	struct log_limit refused_log; /* its refusals of us */
	unsigned long long probes, accepts, refusals, temps;
};

/* The breaker outlives the targets of its endpoint. */
struct endpoint_state {
	UT_hash_handle hh; /* in engine.endpoints, by label */
	char label[300];
	struct breaker breaker;
};

/* A session that an opener brings. */
struct opened {
	STAILQ_ENTRY(opened) entry;
	TAILQ_ENTRY(opened) opening_entry; /* the engine's */
	char key[1024];                    /* of the target */
	struct identity id;
	unsigned epoch;
	struct tls_client *tls_client; /* made by the opener, or NULL */
	struct session *session;       /* or NULL */
	enum outcome outcome;
	struct fault fault;
	enum smtp_stage stage;
};

/* Something to be done on the engine's thread while the caller waits. */
struct engine_call {
	STAILQ_ENTRY(engine_call) entry;
	void (*fn)(struct engine *, void *);
	void *arg;
	bool done; /* shared */
};

struct engine {
	struct prober_params params;
	struct siphash_key hash_key;
	pthread_t thread;
	int poll_fd, wake_fd;

	pthread_mutex_t lock;
	/* shared */
	pthread_cond_t cond; /* a call is done, an opener has ended */
	struct probe *open;  /* questions by key */
	STAILQ_HEAD(, probe) inbox;
	STAILQ_HEAD(, opened) arrivals;
	STAILQ_HEAD(, engine_call) calls;
	bool woken, stop, stopped;
	unsigned n_openers;
	struct thread_chain gone; /* openers */
	struct line **owned;      /* open lines, for prober_owns() */
	size_t n_owned, max_owned;

	/* the engine's */
	struct target *targets;
	struct endpoint_state *endpoints;
	TAILQ_HEAD(, target) dirty;
	int64_t next_tick_ms;
	unsigned epoch;

	atomic_ullong questions, joined, opened, failed, commands, moved;
	atomic_ullong waiting, sessions;
};

/*
 * ENGINE_FIND(e, head, octets, len, out), ENGINE_ADD(e, head, octets, len, in):
 * uthash with a keyed hash.  Recipients are among the keys, and strangers
 * choose them.
 */
#define ENGINE_HASH(e, octets, len) \
 ((unsigned)(siphash(&(e)->hash_key, octets, len) & UINT_MAX))
#define ENGINE_FIND(e, head, octets, len, out)                         \
 do {                                                                  \
  unsigned engine_hash = ENGINE_HASH(e, octets, len);                  \
  HASH_FIND_BYHASHVALUE(hh, (e)->head, octets, len, engine_hash, out); \
 } while (0)
#define ENGINE_ADD(e, head, octets, len, in)                                \
 do {                                                                       \
  unsigned engine_hash = ENGINE_HASH(e, octets, len);                       \
  HASH_ADD_KEYPTR_BYHASHVALUE(hh, (e)->head, octets, len, engine_hash, in); \
 } while (0)

/* probe.c */
void probe_ref(struct probe *p);
void probe_unref(struct probe *p);
/* probe_finish(e, p, a): the end of a question; on the engine's thread. */
void probe_finish(struct engine *e, struct probe *p, const struct answer *a);
/* probe_fail(e, p, reason): finish with defer, for the reason in p->last. */
void probe_fail(struct engine *e, struct probe *p, const char *reason);

/* engine.c */
struct engine *engine_new(const struct prober_params *params);
void engine_stop(struct engine *e); /* ends its thread; once or twice */
void engine_free(struct engine *e); /* after engine_stop() */
/* engine_wake(e): with the lock held: something is in the inbox. */
void engine_wake(struct engine *e);
/* engine_place(e, p): hand a probe to the target of its present host; one
 * whose hosts are used up is finished. */
void engine_place(struct engine *e, struct probe *p);
/* engine_next_host(e, p, f): the present host does not serve; f says why. */
void engine_next_host(struct engine *e, struct probe *p, const struct fault *f);
void engine_poll(struct engine *e, struct line *l, bool first);
void engine_call(
    struct engine *e, void (*fn)(struct engine *, void *), void *arg);

/* target.c */
struct target *target_get(struct engine *e, const struct probe *p);
void target_free(struct target *t); /* has no lines, queue or openers */
void target_enqueue(struct target *t, struct probe *p, bool front);
void target_dequeue(struct probe *p);
void target_touch(struct target *t); /* look at its queue before polling */
void target_dispatch(struct target *t, int64_t now_ms);
void target_tick(struct target *t, int64_t now_ms);
void target_arrived(struct target *t, struct opened *o);
/* target_window(t, now): recipients that one session may have in flight. */
long target_window(const struct target *t, int64_t now_ms);
/* How long p may be kept waiting before another host is turned to. */
int64_t target_reply_limit(const struct target *t, const struct probe *p);
/* target_down(t, f): everybody in the queue moves to the next host. */
void target_down(struct target *t, const struct fault *f);
void target_bad(struct target *t, const struct fault *f);
void target_good(struct target *t);
void target_refused(struct target *t, const struct fault *f);
void target_print(const struct target *t, int64_t now_ms, FILE *fp);

/* target_grow.c */
/* target_lines_max(t, now): sessions that it may have. */
size_t target_lines_max(const struct target *t, int64_t now_ms);
/* target_wants_more(t, id, now): what waits is worth opening a session of this
 * identity, beside those that are coming. */
bool target_wants_more(
    const struct target *t, const struct identity *id, int64_t now_ms);
/* target_grow(t, p, id, now): open a session for p, whose identity is id, when
 * the caps and the breakers allow.  False when p has none to wait for and none
 * can be begun: it cannot be served here. */
bool target_grow(struct target *t, const struct probe *p,
    const struct identity *id, int64_t now_ms);

/* line.c */
struct line *line_new(struct target *t, struct opened *o); /* takes session */
bool line_fits(const struct line *l, const struct probe *p);
/* line_send(l, p): queue the commands; false when p cannot be sent here. */
bool line_send(struct line *l, struct probe *p);
/* line_pump(l): write, read, act on replies; may free the line. */
void line_pump(struct line *l);
void line_tick(struct line *l, int64_t now_ms); /* may free the line */
/* line_end(l, f): close; what was outstanding is asked again elsewhere. */
void line_end(struct line *l, const struct fault *f, bool blame);
/* line_quit(l): nothing is outstanding: send QUIT, and close when the upstream
 * has; it may refuse a successor before that.  l may be gone afterwards. */
void line_quit(struct line *l);
void line_close(struct line *l); /* likewise, at once */

/* sent_remove(l, s): the command s is over.  NULL does nothing. */
void sent_remove(struct line *l, struct sent *s);

/* line_reply.c */
/* line_reply(l, s, r): r has come for s, the oldest command.  False when that
 * was the end of the line. */
bool line_reply(struct line *l, struct sent *s, const struct reply *r);

/* opener.c */
void identity_of(const struct probe_question *q, struct identity *out);
bool identity_equal(const struct identity *a, const struct identity *b);

enum opener_result {
	OPENER_STARTED,
	OPENER_FULL,  /* too many are at work: later */
	OPENER_FAILED /* no thread or memory */
};

/* opener_start(t, p): open a session for p. */
enum opener_result opener_start(struct target *t, const struct probe *p);

#endif /* POSTERN_COMMON_ENGINE_H */
