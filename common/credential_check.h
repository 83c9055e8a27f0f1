/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * credential_check - can this be a user, a password, a type, a sender?
 *
 * The same for the configuration, a data source's row, a password file and
 * what comes with a message: nothing else goes to an MTA, which would put it
 * into its own protocol.  Pure: no I/O, no allocation.
 */
#ifndef POSTERN_COMMON_CREDENTIAL_CHECK_H
#define POSTERN_COMMON_CREDENTIAL_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* The name of the map without a binding. */
#define CREDENTIAL_DEFAULT "default"

#define OUTBOUND_USER_MAX 255  /* octets */
#define OUTBOUND_PASS_MAX 1024 /* octets */

/* credential_user_wrong(user), credential_pass_wrong(pass, len): what is
 * wrong, as a constant text that follows "the user name" or "the password",
 * or NULL.  Neither is empty; a user name has no control characters, a
 * password no NUL, CR or LF. */
const char *credential_user_wrong(const char *user);
const char *credential_pass_wrong(const char *pass, size_t len);

/* credential_type_parse(text, type): "PLAIN", "LOGIN" in any case into
 * OUTBOUND_PLAIN, OUTBOUND_LOGIN (conf.h); NULL or "" is -1, not said.  False
 * for all else. */
bool credential_type_parse(const char *text, int *type);

/* credential_type_name(type): the word; "" for -1. */
const char *credential_type_name(int type);

/* Longest sender that can be told from others; addresses have 320. */
#define CREDENTIAL_SENDER_MAX 1024

/*
 * credential_sender(text, out): what senders are compared by.
 *
 *   text  "ann@example.org" or "@example.org", of any octets
 *   out   room for CREDENTIAL_SENDER_MAX + 1 octets
 *
 * False, with "" in out, when there is no '@' with something behind it, or it
 * is too long.
 */
bool credential_sender(const char *text, char *out);

#endif /* POSTERN_COMMON_CREDENTIAL_CHECK_H */
