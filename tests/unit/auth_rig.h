/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_rig - logins with a configuration of their own and one or two
 * upstreams on loopback, for tests
 *
 * The log is kept at level debug, with every line of the dialogues.
 */
#ifndef POSTERN_TESTS_AUTH_RIG_H
#define POSTERN_TESTS_AUTH_RIG_H

#include "common/auth.h"
#include "tests/unit/login_upstream.h"

struct auth_rig {
	struct login_upstream *up[2]; /* NULL: not there, or stopped */
	struct auth *a;
	char hosts[64]; /* of smtp_auth_proxy */
};

/* auth_rig_setup(): a group's setup function for cmocka. */
int auth_rig_setup(void **state);

/* auth_rig_one(r, p, more), auth_rig_two(): start; `more` is text for the
 * section, and may close it and go on behind it: HOST0 and HOST1 in it stand
 * for the upstreams.  tls is none unless `more` begins with "tls". */
void auth_rig_one(
    struct auth_rig *r, const struct login_params *p, const char *more);
void auth_rig_two(struct auth_rig *r, const struct login_params *a,
    const struct login_params *b, const char *more);
void auth_rig_stop(struct auth_rig *r);
bool auth_rig_reload(struct auth_rig *r, const char *more);

/* check(r, user, pass): a login by PLAIN from 192.0.2.9; check_as(): as
 * said.  The answer is there until the next one. */
const struct auth_answer *check(
    const struct auth_rig *r, const char *user, const char *pass);
const struct auth_answer *check_as(const struct auth_rig *r,
    const struct auth_asker *who, const char *user, const char *pass);
extern const struct auth_asker usual_asker;

/* A dialogue. */
struct dialogue {
	struct auth_dialogue *x;
	struct auth_answer out;
	bool more;
	char challenge[1024];
};

/* initial: NULL for none */
void dialogue_begin(struct dialogue *d, const struct auth_rig *r,
    const char *mech, const char *initial);
void dialogue_step(struct dialogue *d, const char *response);
void dialogue_end(struct dialogue *d);

int auths(const struct auth_rig *r, int i); /* AUTH lines that came */

/* What was logged since it was last forgotten; a copy, until the next call. */
const char *logged(void);
void logged_forget(void);
int logged_times(const char *what);

#endif /* POSTERN_TESTS_AUTH_RIG_H */
