/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_hostname - the name this machine gives in EHLO
 *
 * Reads /etc/hosts; asks no name server, which might not answer.
 */
#ifndef POSTERN_COMMON_CONF_HOSTNAME_H
#define POSTERN_COMMON_CONF_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * conf_hostname(): a valid name, fully qualified where the machine or
 * /etc/hosts knows that, else the short one; "localhost" when the machine's
 * own is no name for EHLO.  The caller frees; NULL without memory.
 */
char *conf_hostname(void);

/*
 * conf_hosts_qualify(hosts, len, name, out, size): look a short name up in
 * the octets of a hosts file.
 *
 *   out  the first name with a dot on the first line that has name among its
 *        names: "127.0.1.1 mx.example.org mx"
 *
 * Returns whether there is one.
 */
bool conf_hosts_qualify(
    const char *hosts, size_t len, const char *name, char *out, size_t size);

#endif /* POSTERN_COMMON_CONF_HOSTNAME_H */
