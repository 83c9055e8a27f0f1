/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlsctx - the server's TLS contexts, one for each certificate and option
 *
 * Contexts live as long as the program, so that a client may resume on its
 * second connection what it began on its first.  Thread-safe.
 */
#ifndef POSTERN_TESTS_UPSTREAM_TLSCTX_H
#define POSTERN_TESTS_UPSTREAM_TLSCTX_H

#include <stdbool.h>

#include <openssl/ssl.h>

struct tlsctx_store;

/*
 * tlsctx_store_new(dir): contexts are made of ${dir}/NAME.crt (the chain)
 * and ${dir}/NAME.key on demand.  ${dir} is borrowed.  NULL: out of memory.
 */
struct tlsctx_store *tlsctx_store_new(const char *dir);
void tlsctx_store_free(struct tlsctx_store *s);

/*
 * tlsctx_get(s, name, client_ca, old_tls): a context to accept with, owned
 * by the store.
 *
 *   client_ca  NULL, or: a client certificate signed by ${client_ca}.crt
 *              is required
 *   old_tls    TLS 1.2 at most
 *
 * Returns NULL after a message on stderr.
 */
SSL_CTX *tlsctx_get(struct tlsctx_store *s, const char *name,
    const char *client_ca, bool old_tls);

#endif /* POSTERN_TESTS_UPSTREAM_TLSCTX_H */
