/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mech_client - the client's side of the mechanisms that are relayed
 *
 * XOAUTH2 and OAUTHBEARER (RFC 7628) are a message each; CRAM-MD5 and SCRAM
 * (RFC 5802) are libsasl's, whose plug-ins a machine may lack.
 */
#ifndef POSTERN_TOOLS_MECH_CLIENT_H
#define POSTERN_TOOLS_MECH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/secret.h"

struct mech_client;

/*
 * mech_client_new(mech, user, pass, why, len): begin.
 *
 *   user, pass  borrowed until mech_client_free(); pass may be a token
 *   why, len    for the text of a failure
 *
 * Returns NULL when this machine cannot do it.
 */
struct mech_client *mech_client_new(const char *mech, const char *user,
    const struct secret *pass, char *why, size_t len);

/* mech_client_first(c): the initial response, or NULL: the server speaks
 * first.  Borrowed. */
const struct secret *mech_client_first(const struct mech_client *c);

/*
 * mech_client_next(c, challenge, response, why, len): answer the server.
 *
 * Returns false with a message when what the server says is no challenge of
 * the mechanism, or its proof is wrong: the dialogue is to be given up.
 */
bool mech_client_next(struct mech_client *c, const struct secret *challenge,
    struct secret *response, char *why, size_t len);

/* mech_client_done(c): has the server proved all that the mechanism wants of
 * it? */
bool mech_client_done(const struct mech_client *c);

void mech_client_free(struct mech_client *c); /* NULL does nothing */

#endif /* POSTERN_TOOLS_MECH_CLIENT_H */
