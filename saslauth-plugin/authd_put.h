/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd_put - a message's own credentials, as the milter hands them over
 *
 * A request on the control socket:
 *
 *	outbound put QUEUEID [binding=X] [user=X pass=X] [type=X] [key=X]
 *
 * with X as xtext (RFC 3461), so that no blank or line break is in it.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_AUTHD_PUT_H
#define POSTERN_SASLAUTH_PLUGIN_AUTHD_PUT_H

#include <stdbool.h>
#include <stddef.h>

struct outbound;

/*
 * authd_put(o, words, n, why, len): do what the request says.
 *
 *   o         NULL: there is nobody to keep them
 *   words, n  from QUEUEID on
 *
 * Returns false with a message, which never has a value in it: then the
 * message must not be taken.
 */
bool authd_put(
    struct outbound *o, char *const *words, size_t n, char *why, size_t len);

#endif /* POSTERN_SASLAUTH_PLUGIN_AUTHD_PUT_H */
