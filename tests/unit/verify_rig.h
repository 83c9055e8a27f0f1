/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify_rig - a verifier with a configuration of its own and one or two
 * upstreams on loopback, for tests
 */
#ifndef POSTERN_TESTS_VERIFY_RIG_H
#define POSTERN_TESTS_VERIFY_RIG_H

#include <pthread.h>

#include "common/verify.h"
#include "tests/unit/mini_upstream.h"

struct rig {
	struct mini_upstream *up[2]; /* NULL: not there, or stopped */
	struct conf *conf;
	struct verifier *v;
};

/* rig_setup(): a group's setup function for cmocka. */
int rig_setup(void **state);

/* rig_one(r, p, more), rig_two(): start; `more` is text for the section. */
void rig_one(struct rig *r, const struct mini_params *p, const char *more);
void rig_two(struct rig *r, const struct mini_params *a,
    const struct mini_params *b, const char *more);
void rig_stop(struct rig *r);

/* ask(): from 192.0.2.9 with the null sender; ask_as(): as said. */
void ask(const struct rig *r, const char *rcpt, struct verify_result *out);
void ask_as(const struct rig *r, const char *rcpt, const char *sender,
    const char *addr, struct verify_result *out);

/* One who asks on a thread of its own. */
struct asker {
	const struct rig *rig;
	char rcpt[64];
	struct verify_result r;
	pthread_t thread;
};

/* asker_start(a, rig, rcpt), asker_join(a). */
void asker_start(struct asker *a, const struct rig *rig, const char *rcpt);
void asker_join(struct asker *a);

/* ask_many(rig, a, n, local): n at once: local0@example.org and so on, or,
 * when local has a domain, all the same. */
void ask_many(const struct rig *rig, struct asker *a, int n, const char *local);

#endif /* POSTERN_TESTS_VERIFY_RIG_H */
