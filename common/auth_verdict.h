/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_verdict - what the end of an AUTH dialogue says about the credentials
 *
 * RFC 4954 section 6, read with suspicion: 235 accepts, 535 to the last
 * response rejects, and nothing else says anything about the credentials.
 * A pure function.
 */
#ifndef POSTERN_COMMON_AUTH_VERDICT_H
#define POSTERN_COMMON_AUTH_VERDICT_H

#include <stdbool.h>

#include "common/verdict.h"

struct auth_verdict {
	enum verdict verdict;
	bool policy;        /* a reject that is not the password's (X.7.0,
			    * X.7.3): given, not remembered */
	bool ours;          /* our set-up looks wrong: somebody should look */
	const char *reason; /* constant, few words; "" with accept */
};

/*
 * auth_verdict_of(code, esc, final): judge a reply.
 *
 *   esc    enhanced status "5.7.8", or ""
 *   final  it answers the last response of the mechanism
 */
struct auth_verdict auth_verdict_of(int code, const char *esc, bool final);

#endif /* POSTERN_COMMON_AUTH_VERDICT_H */
