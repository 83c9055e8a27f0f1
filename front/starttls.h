/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * starttls - TLS with the client, ended here (RFC 3207)
 *
 * The MTA behind does not see it.
 */
#ifndef POSTERN_FRONT_STARTTLS_H
#define POSTERN_FRONT_STARTTLS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"

struct channel;
struct conf;
struct server_tls;

/* server_tls_new(conf, out, why, len): front.tls_cert_file and its key; *out
 * is NULL when none is configured.  False with a message that names the
 * file. */
bool server_tls_new(
    const struct conf *conf, struct server_tls **out, char *why, size_t len);
void server_tls_free(struct server_tls *t); /* NULL does nothing */

/* server_tls_start(t, c, d, why, len): the handshake, on a plain channel of
 * which nothing has been read ahead.  False with a message. */
bool server_tls_start(struct server_tls *t, struct channel *c,
    struct deadline d, char *why, size_t len);

#endif /* POSTERN_FRONT_STARTTLS_H */
