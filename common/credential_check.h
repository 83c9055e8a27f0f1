/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * credential_check - can this be a user, a password, a type?
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

#endif /* POSTERN_COMMON_CREDENTIAL_CHECK_H */
