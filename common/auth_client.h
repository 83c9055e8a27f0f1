/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_client - who the client of a login is, as libsasl tells it
 *
 * A pure function.
 */
#ifndef POSTERN_COMMON_AUTH_CLIENT_H
#define POSTERN_COMMON_AUTH_CLIENT_H

#include <stdbool.h>

#include "common/session.h"

/*
 * auth_client_parse(text, out): take libsasl's ipremoteport apart.
 *
 *   text  "192.0.2.1;49152", "2001:db8::1;49152", "fe80::1%eth0;49152", the
 *         address alone, or ""
 *   out   addr and port are set, or "" when there is no address; an IPv4
 *         address wrapped into IPv6 is unwrapped, a zone is dropped
 *
 * Returns false when there is none.
 */
bool auth_client_parse(const char *text, struct session_client *out);

#endif /* POSTERN_COMMON_AUTH_CLIENT_H */
