/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quick_rig - logins of auth_quick(), in an auth_rig, for tests
 */
#ifndef POSTERN_TESTS_QUICK_RIG_H
#define POSTERN_TESTS_QUICK_RIG_H

#include "tests/unit/auth_rig.h"

#define QUICK_PATIENCE_MS 60000

/* What was said last. */
extern struct auth_answer quick_answer;

/* quick_try(r, user, pass, q): begin, from 192.0.2.9; quick_try_as(): as
 * said. */
enum auth_quick_said quick_try(const struct auth_rig *r, const char *user,
    const char *pass, struct auth_quick **q);
enum auth_quick_said quick_try_as(const struct auth_rig *r,
    const struct auth_asker *who, const char *user, const char *pass,
    struct auth_quick **q);

/* quick_begin(r, user, pass): one that is put to the upstream, and waits. */
struct auth_quick *quick_begin(
    const struct auth_rig *r, const char *user, const char *pass);

/* quick_wait(q): for events.  quick_go_on(q): to its end, as an event loop
 * would. */
void quick_wait(const struct auth_quick *q);
const struct auth_answer *quick_go_on(struct auth_quick *q);

/* quick_login(r, user, pass): the whole; a near upstream may have answered
 * before it is polled for. */
const struct auth_answer *quick_login(
    const struct auth_rig *r, const char *user, const char *pass);

/* quick_warm(r): wait for an idle session. */
void quick_warm(const struct auth_rig *r);

/* quick_figure(r, name): the number behind the first such "name=" of status
 * and stats; 0 when there is none. */
long quick_figure(const struct auth_rig *r, const char *name);

#endif /* POSTERN_TESTS_QUICK_RIG_H */
