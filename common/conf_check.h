/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_check - forms of values that only the configuration has
 *
 * Pure: no I/O, no allocation, no log.  Each sets *why to a constant text
 * when it says no.
 */
#ifndef POSTERN_COMMON_CONF_CHECK_H
#define POSTERN_COMMON_CONF_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * conf_check_domain(text, out, size, why): a domain, as in an address.
 *
 *   out  in lower case without a trailing dot; 256 octets are enough
 */
bool conf_check_domain(
    const char *text, char *out, size_t size, const char **why);

/* conf_check_ehlo(text, why): a name or address literal for EHLO, RFC 5321
 * section 4.1.1.1: letters, digits, hyphens and dots, or in brackets. */
bool conf_check_ehlo(const char *text, const char **why);

/* conf_check_socket(text, unix_only, why): "unix:/path", "inet:PORT@HOST". */
bool conf_check_socket(const char *text, bool unix_only, const char **why);

/* conf_check_account(text, why): a user or group, by name or number. */
bool conf_check_account(const char *text, const char **why);

/* conf_check_header(text, why): the name of a header that tag may add and
 * remove, RFC 5322 section 3.6.8; not one that mail cannot do without. */
bool conf_check_header(const char *text, const char **why);

#endif /* POSTERN_COMMON_CONF_CHECK_H */
