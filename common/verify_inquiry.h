/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify_inquiry - what the files of verify.h share; nobody else includes it
 *
 *   verifier.c        life, reload, what is remembered
 *   verify.c          one question from its skips to its log line
 *   verify_explain.c  the same as text, asking nobody
 */
#ifndef POSTERN_COMMON_VERIFY_INQUIRY_H
#define POSTERN_COMMON_VERIFY_INQUIRY_H

#include <stdatomic.h>

#include "common/probe.h"
#include "common/route.h"
#include "common/setup.h"
#include "common/verify.h"

struct verifier {
	struct setup_holder setups;
	struct cache *cache;
	struct catchall *catchall;
	struct prober *prober;
	atomic_ullong accepted, rejected, deferred, skipped, observed;
};

/* One question on its way through this file. */
struct inquiry {
	struct verifier *v;
	struct setup *setup;
	const struct verify_request *rq;
	struct verify_result *out;
	struct route *route;
	struct deadline deadline;
	struct probe_question *q;
};

/* inquiry_skipped(in): this one is not asked about; *in->out says why. */
bool inquiry_skipped(struct inquiry *in);

/* inquiry_route(in): find in->route.  False when the answer is in *in->out
 * without asking. */
bool inquiry_route(struct inquiry *in);

/* question_new(in): the question to put, for free().  NULL when it cannot be
 * put; *in->out says why. */
struct probe_question *question_new(struct inquiry *in);

#endif /* POSTERN_COMMON_VERIFY_INQUIRY_H */
