/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_rig - a pool, and an upstream on loopback for it
 */
#ifndef POSTERN_TESTS_POOL_RIG_H
#define POSTERN_TESTS_POOL_RIG_H

#include <pthread.h>

#include "common/pool.h"
#include "tests/unit/mini_upstream.h"

struct pool_rig {
	struct mini_upstream *up;
	int port;
	struct conf *conf;
	struct route *route;
	struct pool *pool;
};

/* rig_open(rig, mp, more): an upstream, and a route whose section has `more`
 * in it.  rig_close() ends what there is. */
void rig_open(
    struct pool_rig *rig, const struct mini_params *mp, const char *more);
void rig_close(struct pool_rig *rig);

/* rig_conf(rig, more): another snapshot and its route, in place of the one
 * there was. */
void rig_conf(struct pool_rig *rig, const char *more);

/* Take a session within ms; NULL with *f. */
struct pool_lease *take(struct pool_rig *rig, int ms, struct fault *f);
/* The same, where it must not fail. */
struct pool_lease *must_take(struct pool_rig *rig);

/* One login with the session; true when it was good. */
bool lease_login(struct pool_lease *l);

/* Numbers of all targets together; the breaker of the last. */
void stats(struct pool_rig *rig, struct pool_stats *out);
struct mini_counts counts(const struct pool_rig *rig);

/* Wait until the condition holds; the test fails when it never does. */
#define WAIT_FOR(cond)                                       \
 do {                                                        \
  int waited;                                                \
  for (waited = 0; !(cond); waited++) {                      \
   if (waited > 6000)                                        \
    fail_msg("%s:%d: never: %s", __FILE__, __LINE__, #cond); \
   (void)poll(NULL, 0, 10);                                  \
  }                                                          \
 } while (0)
int patience(void); /* $TEST_PATIENCE */

/* Threads that take, log in and give back. */
struct taker {
	pthread_t thread;
	struct pool_rig *rig;
	int rounds, wait_ms, hold_ms;
	enum pool_fate fate;
	int good, bad;
	struct fault last;
};

void takers_start(struct taker *t, int n, const struct taker *how);
/* Returns how many logins were good. */
int takers_join(struct taker *t, int n);

#endif /* POSTERN_TESTS_POOL_RIG_H */
