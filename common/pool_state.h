/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_state - what the files of the pool share; nobody else includes this
 *
 *   pool.c          the door: taking, giving back, starting and stopping
 *   pool_target.c   one endpoint: its sessions, who waits, its breaker
 *   pool_place.c    finding targets; what those of one endpoint share
 *   pool_crew.c     threads that open sessions, each as long as that takes
 *   pool_begin.c    opening many at once without waiting for any
 *   pool_reset.c    having logins reset, and what comes of it
 *   pool_janitor.c  the thread that does so, and ends sessions, in time
 *
 * Everything is guarded by pool.lock, which is never held across I/O, but for
 * what a session is at work on: that belongs to the thread that has it, by
 * the lease's state.
 */
#ifndef POSTERN_COMMON_POOL_STATE_H
#define POSTERN_COMMON_POOL_STATE_H

#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>

/* uthash would otherwise end the process when memory is out; an entry that
 * could not be added has no hh.tbl. */
#define HASH_NONFATAL_OOM 1
/* The keys are short, and of our own configuration. */
#define HASH_FUNCTION     HASH_FNV
#include <uthash.h>

#include "common/breaker.h"
#include "common/dial.h"
#include "common/log.h"
#include "common/pool.h"
#include "common/thread_chain.h"

/* Threads of the crew at most; one without work leaves.  A slow upstream has
 * as many sessions being opened as logins wait for it. */
#define POOL_CREW_MAX       1200
#define POOL_CREW_IDLE_MS   30000
/* Beyond these it leaves at once, nearly: each has a stack. */
#define POOL_CREW_KEPT      96
#define POOL_CREW_SPARE_MS  100
/* Of these, busy opening sessions of one target: while it works (so that
 * something is left for others), and while nobody knows whether it does. */
#define POOL_OPENINGS_MAX   1000
#define POOL_OPENINGS_TRIAL 8
/* Limits of opening a session, and of having its login reset. */
#define POOL_CONNECT_MS     5000
#define POOL_REPLY_MS       10000
#define POOL_OPEN_MS        20000
#define POOL_RESET_MS       10000
/* Going straight to where a dial has led: the limit of that; how long others
 * still do so while one finds out whether it is still the place; how often
 * limits are looked at. */
#define POOL_AGAIN_MS       2000
#define POOL_RENEW_MS       1000
#define POOL_LATE_MS        100
/* Commands that the next login and its reset may take. */
#define POOL_LOGIN_COMMANDS 5
/* How long a host is kept warm after it was last asked for. */
#define POOL_KEEP_MS        600000
/* The pause of refilling after a failure, and how long an upstream that has
 * enough sessions is asked for no more. */
#define POOL_RETRY_MS       1000
#define POOL_ENOUGH_MS      5000
/* A session counts until the upstream has closed it, but no longer than this
 * after QUIT; how often that is looked at, and with somebody waiting for its
 * place. */
#define POOL_QUIT_MS        1000
#define POOL_TICK_MS        4
#define POOL_HASTE_MS       1
/* How long replies to those that are being opened may add up, while nobody
 * waits for a session: to wake for each costs more than to open one.  A tick,
 * while three quarters of those that are to be warm are ready. */
#define POOL_GATHER_MS      1
/* How often idle sessions are looked at. */
#define POOL_PASS_MS        1000

struct pool_target;

enum lease_state {
	LEASE_OPENING, /* by the crew or the janitor, or waiting for either; no
			  * session yet */
	LEASE_IDLE,    /* in target.idle */
	LEASE_IN_USE,  /* its taker's */
	LEASE_SPENT,   /* in pool.spent */
	LEASE_RESETTING, /* in target.resetting */
	LEASE_CHECKING,  /* the janitor's */
	LEASE_CLOSING,   /* in pool.closing, then the janitor's */
	LEASE_STATES
};

/* One session, from before it is opened until it is closed. */
struct pool_lease {
	TAILQ_ENTRY(pool_lease) all;   /* in target.leases, in order of age */
	TAILQ_ENTRY(pool_lease) entry; /* in the list of its state */
	struct pool_target *target;
	struct session *session;
	enum lease_state state;
	int64_t since_ms; /* opening, idle, resetting or closing since */
	bool was_reset;   /* another login was on it */
	bool trial;       /* to be the first with two */
	bool quit;        /* QUIT was sent */
	/* opening: the youngest waiter there was when it began, and a
	 * descriptor to break it off with, or -1 */
	unsigned long last_seq;
	int abort_fd;
};

TAILQ_HEAD(pool_leases, pool_lease);

/* A taker; on its stack. */
struct pool_waiter {
	TAILQ_ENTRY(pool_waiter) entry;
	pthread_cond_t cond;
	unsigned long seq;
	bool done;
	struct pool_lease *lease; /* NULL: it failed, for this reason */
	enum outcome outcome;
	struct fault fault;
	enum smtp_stage stage;
};

/* The TLS context of one section of one snapshot; made when first needed. */
struct pool_tls {
	UT_hash_handle hh; /* in pool.tls, by up */
	const struct conf_upstream *up;
	struct conf *conf; /* keeps up alive */
	unsigned refs;
	pthread_mutex_t making; /* before client is there; held across I/O */
	struct tls_client *client;
};

/* What targets of one endpoint share: its sessions are counted together. */
struct pool_place {
	UT_hash_handle hh; /* in pool.places, by label */
	char label[ENDPOINT_TEXT_MAX];
	TAILQ_HEAD(, pool_target) targets;
	size_t sessions;
};

struct pool_key {
	const struct conf_upstream *up;
	int tls;
	char label[ENDPOINT_TEXT_MAX];
};

/* One endpoint with one set of options. */
struct pool_target {
	UT_hash_handle hh; /* in pool.targets, by key, while `known` */
	TAILQ_ENTRY(pool_target) all;
	TAILQ_ENTRY(pool_target) place_entry;
	struct pool_key key;
	size_t key_len;
	bool known;
	struct pool *pool;
	struct pool_place *place;
	struct pool_tls *tls;
	struct conf *conf;
	const struct conf_auth *options;
	struct endpoint endpoint;

	struct pool_leases leases, idle; /* idle: the freshest first */
	struct pool_leases resetting;    /* in the order of asking for it */
	size_t n[LEASE_STATES];
	TAILQ_HEAD(, pool_waiter) waiters;
	size_t n_waiting;
	unsigned long seq; /* of the last who began to wait */

	bool old;        /* of a configuration that is gone */
	bool warm;       /* until further notice */
	bool left_alone; /* it has said 421 */
	bool works;      /* the last opening succeeded */
	bool plain;      /* the last that the crew opened needs no crew */
	bool no_reset;   /* the upstream has shown that it cannot, */
	bool can_reset;  /* or that it can, */
	bool on_trial;   /* or is to show it, with one session */
	bool growing;    /* pool_target_grow() is at work */
	size_t enough;   /* sessions that it seems to take */
	int64_t asked_ms, retry_ms, enough_ms;
	int64_t life_ms;      /* when it was last seen alive */
	unsigned long doomed; /* see pool_target_failed() */
	struct breaker breaker;
	struct dial_where where; /* the last that the crew opened */
	struct fault last;       /* why the breaker is open */
	enum smtp_stage last_stage;
	unsigned long opened, failed, reused;
};

/* What wakes the janitor. */
enum pool_rest {
	POOL_AWAKE,   /* it will look before it rests again */
	POOL_GATHERS, /* only somebody who waits */
	POOL_RESTS,   /* whatever there is to do */
};

struct pool {
	struct pool_params params;
	pthread_mutex_t lock;
	pthread_condattr_t condattr;
	pthread_t janitor;
	bool stop;
	bool haste; /* somebody waits for a place: for the janitor */
	bool fresh; /* there is a new target: likewise */
	TAILQ_HEAD(, pool_target) all;
	struct pool_target *targets;
	struct pool_place *places;
	struct pool_tls *tls;
	struct conf *past; /* the snapshot that was in force before */
	struct pool_leases closing;
	struct pool_leases spent;  /* whose logins the janitor is to reset */
	struct pool_leases begins; /* to be opened by the janitor */
	size_t n_waiting;          /* for any target */
	enum pool_rest rest;
	int epoll, wake;
	/* the janitor's: */
	TAILQ_HEAD(pool_openings, pool_opening) openings;
	int64_t late_ms;
	bool heard;     /* something, when it rested last */
	bool had_spent; /* there were such, just now */
	/* the crew's: */
	struct pool_leases jobs;
	pthread_cond_t work;  /* there is one */
	pthread_cond_t ended; /* a thread of the crew has */
	size_t n_called; /* jobs that a thread is to come for; the others are
			  * done by those at work when they are through */
	size_t n_jobs, n_crew, n_resting;
	size_t n_threads; /* of the crew, with those that are leaving */
	struct thread_chain gone;
};

/* pool.c */

/* pool_wait(p, cond, at_ms): until signalled, or at_ms on clock_ms(). */
void pool_wait(struct pool *p, pthread_cond_t *cond, int64_t at_ms);
/* pool_thread(main, arg, thread): start a thread with a small stack and all
 * signals blocked; somebody joins it. */
bool pool_thread(void *(*start)(void *), void *arg, pthread_t *thread);

/* pool_place.c */

/* pool_target_get(p, r, i): the target of a host, made if need be; or NULL. */
struct pool_target *pool_target_get(struct pool *p, struct route *r, size_t i);
/* pool_target_forget(t): the next who asks for that host gets another target. */
void pool_target_forget(struct pool_target *t);
void pool_target_free(struct pool_target *t); /* has no leases and no waiters */
/* place_room(t): may the target have one more session?  If another target of
 * the endpoint has an idle one to spare, that is ended. */
bool place_room(struct pool_target *t, int64_t now_ms);
/* place_freed(pl): a session has ended: there may be room for who waits. */
void place_freed(struct pool_place *pl);
/* pool_tls_client(t, f): borrowed while t lives; NULL with *f.  Reads files:
 * without the lock. */
struct tls_client *pool_tls_client(struct pool_target *t, struct fault *f);

/* pool_target.c */

/* lease_set(l, state): the only way to change it. */
void lease_set(struct pool_lease *l, enum lease_state state);
/* lease_free(l): its session is gone already. */
void lease_free(struct pool_lease *l);
/* lease_end(l): it belongs to nobody; the janitor says QUIT. */
void lease_end(struct pool_lease *l);
/* lease_drop(l): its session is broken: end both at once.  The lock is given
 * up. */
void lease_drop(struct pool_lease *l);
/* lease_offer(t): it has a session to spare; who waits for another target of the
 * endpoint may have its place. */
void lease_offer(struct pool_target *t);
/* lease_ready(l): it can be used: whoever waits longest gets it. */
void lease_ready(struct pool_lease *l, int64_t now_ms);
/* pool_target_grow(t): open as many sessions as are wanted and may be. */
void pool_target_grow(struct pool_target *t, int64_t now_ms);
/* pool_target_is_warm(t): is it to have idle sessions? */
bool pool_target_is_warm(const struct pool_target *t, int64_t now_ms);
/* pool_target_barred(t): the breaker lets nothing be opened now. */
bool pool_target_barred(const struct pool_target *t, int64_t now_ms);
/* What came of an opening; *l is gone after pool_target_failed(). */
void pool_target_opened(struct pool_lease *l, struct session *s);
void pool_target_failed(struct pool_lease *l, enum outcome oc,
    const struct fault *f, enum smtp_stage stage);
/* pool_target_blame(t, f, refused): a session broke, or was refused with 421. */
void pool_target_blame(
    struct pool_target *t, const struct fault *f, bool refused);
/* pool_target_flush(t): end the idle sessions, and those that will be. */
void pool_target_flush(struct pool_target *t);
/* pool_target_fail(t, seq, oc, f, stage): those who wait, up to seq, fail. */
void pool_target_fail(struct pool_target *t, unsigned long seq, enum outcome oc,
    const struct fault *f, enum smtp_stage stage);

/* pool_reset.c */

/* lease_reset(l): have the login of one that is in use reset, or end it.
 * Without the lock. */
void lease_reset(struct pool_lease *l);
/* These with the lock held, which is given up.  reset_spent(p): have those in
 * pool.spent reset.  reset_take(t): one whose login has been reset, in use; or
 * NULL.  reset_settle(t): make idle all there are, or give them to who waits. */
void reset_spent(struct pool *p);
struct pool_lease *reset_take(struct pool_target *t);
void reset_settle(struct pool_target *t);
/* reset_is_waited_for(t): and whether somebody waits for such a one. */
bool reset_is_waited_for(const struct pool_target *t);
/* reset_no_more(t, why): the upstream cannot do it. */
void reset_no_more(struct pool_target *t, const char *why);

/* pool_begin.c */

/* begin_job(l): have the janitor open a lease.  False: it is none that can be
 * opened without waiting. */
bool begin_job(struct pool_lease *l, int64_t now_ms);
/* The rest is for the janitor, with the lock held, which is given up.
 * begin_all(p): begin what is to be opened.  begin_events(p, ev, n): there are
 * these.  begin_late(p): look at limits, if it is time.  begin_none(p): drop
 * all. */
struct epoll_event;
void begin_all(struct pool *p);
void begin_events(struct pool *p, const struct epoll_event *ev, int n);
void begin_late(struct pool *p);
void begin_none(struct pool *p);

/* pool_crew.c */

/* pool_session_params(t, sp): what its sessions are opened with, but for TLS
 * and dialling. */
void pool_session_params(
    const struct pool_target *t, struct session_params *sp);
/* crew_job(l): have a lease opened.  False: there is no thread. */
bool crew_job(struct pool_lease *l);
/* crew_hurry(p): somebody waits for what may have been put off. */
void crew_hurry(struct pool *p);

/* pool_janitor.c */

void *janitor_main(void *pool);
/* janitor_wake(p, hurry): there is something to do, and, perhaps, somebody
 * waits for it. */
void janitor_wake(struct pool *p, bool hurry);

#endif /* POSTERN_COMMON_POOL_STATE_H */
