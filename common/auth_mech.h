/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_mech - what must be known of a SASL mechanism to relay it
 *
 * Who wants to log in stands in a message of the client: that is read here
 * and nothing else is.  Pure functions.
 *
 *	CRAM-MD5                   RFC 2195; server first; before the last space
 *	SCRAM-SHA-1, SCRAM-SHA-256 RFC 5802, 7677; n= of the first message
 *	XOAUTH2                    user=
 *	OAUTHBEARER                RFC 7628; a= of the GS2 header
 */
#ifndef POSTERN_COMMON_AUTH_MECH_H
#define POSTERN_COMMON_AUTH_MECH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/login_name.h"

struct auth_mech {
	const char *name;
	bool password;     /* PLAIN, LOGIN: checked, not relayed */
	bool server_first; /* the upstream speaks before the user is known */
};

/* auth_mech_find(name): in any case; NULL for what is neither checked nor
 * relayed (SCRAM-*-PLUS cannot be: it is bound to the channel). */
const struct auth_mech *auth_mech_find(const char *name);

/*
 * auth_mech_user(m, data, len, out, why): the name in the client's first
 * message of a relayed mechanism.
 *
 *   why  set to a constant text on failure; may be NULL
 *
 * Returns false when the message is not one of that mechanism, asks for
 * channel binding, or for another identity than its own (authzid).
 */
bool auth_mech_user(const struct auth_mech *m, const void *data, size_t len,
    struct login_name *out, const char **why);

#endif /* POSTERN_COMMON_AUTH_MECH_H */
