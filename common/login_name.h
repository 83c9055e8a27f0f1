/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login_name - the user name of a login, taken apart
 *
 * A pure value.  The name as typed is what the route is looked up by; which
 * name goes upstream is option canon of smtp_auth_proxy.
 */
#ifndef POSTERN_COMMON_LOGIN_NAME_H
#define POSTERN_COMMON_LOGIN_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* libsasl holds names of 1023 octets at most; an address has 320. */
#define LOGIN_NAME_OCTETS 320

struct login_name {
	char full[LOGIN_NAME_OCTETS + 1];   /* as typed */
	char local[LOGIN_NAME_OCTETS + 1];  /* before the last '@', or all */
	char domain[LOGIN_NAME_OCTETS + 1]; /* behind it, lower case, no final
					  * dot; or "" */
};

/*
 * login_name_parse(text, len, out, why): take a name apart.
 *
 *   why  set to a constant text on failure; may be NULL
 *
 * Returns false when it is empty, too long, holds a control character (NUL,
 * CR and LF among them), or has a blank at either end: libsasl takes those
 * off, so the MTA would know another user than the upstream.  Octets above
 * 127 are taken as they are.
 */
bool login_name_parse(
    const char *text, size_t len, struct login_name *out, const char **why);

/*
 * login_name_canon(n, canon, realm, out, size): the name that goes upstream.
 *
 *   canon  "none": as typed; "lower": in lower case (ASCII); "localpart";
 *          or a template with :username, :localpart, :domain and :realm
 *   realm  the application's, or ""
 *
 * Returns false when it does not fit, would be empty, or wants a realm that
 * is not there.
 */
bool login_name_canon(const struct login_name *n, const char *canon,
    const char *realm, char *out, size_t size);

/* login_name_canon_ok(canon, why): can that be an option's value? */
bool login_name_canon_ok(const char *canon, const char **why);

#endif /* POSTERN_COMMON_LOGIN_NAME_H */
