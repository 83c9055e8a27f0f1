/* SPDX-License-Identifier: BSD-2-Clause */
/* login - the application of host.h and the daemon of fake_authd.h, together
 * in a test: how it begins and how it ends */
#ifndef POSTERN_TESTS_LOGIN_H
#define POSTERN_TESTS_LOGIN_H

#include "tests/plugin/fake_authd.h"
#include "tests/plugin/host.h"

/* login_begin(h, f, plan): from now on the daemon does as planned, and the
 * application has a new client and an empty log. */
void login_begin(
    struct host *h, struct fake_authd *f, const struct fake_plan *plan);

/* login_end(h, f): both end.  The password "wonder" is not in the log, and the
 * stock plug-ins were never asked. */
void login_end(struct host *h, struct fake_authd *f);

#endif /* POSTERN_TESTS_LOGIN_H */
