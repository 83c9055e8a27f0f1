/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_ticket - TLS sessions kept for resumption, one per key
 *
 * The key says all that a resumed session takes over without looking again:
 * endpoint, expected name, and whether the certificate had to hold.  Bounded;
 * the key that was used longest ago goes first.  Locked inside.
 */
#ifndef POSTERN_COMMON_TLS_TICKET_H
#define POSTERN_COMMON_TLS_TICKET_H

#include <openssl/ssl.h>

#define TLS_TICKET_MAX     256 /* keys held */
#define TLS_TICKET_KEY_MAX 640 /* octets of a key with its NUL */

struct tls_tickets;

struct tls_tickets *tls_tickets_new(void);    /* NULL: out of memory */
void tls_tickets_free(struct tls_tickets *t); /* NULL does nothing */

/*
 * tls_tickets_put(t, key, sess): keep sess in place of what key had.  Takes
 * the reference, which is dropped when there is no memory.
 */
void tls_tickets_put(struct tls_tickets *t, const char *key, SSL_SESSION *sess);

/*
 * tls_tickets_get(t, key): a new reference, or NULL.  The session stays: the
 * sessions that a pool opens side by side all resume from it.
 */
SSL_SESSION *tls_tickets_get(struct tls_tickets *t, const char *key);

/* tls_tickets_drop(t, key): forget it, after a handshake that failed. */
void tls_tickets_drop(struct tls_tickets *t, const char *key);

#endif /* POSTERN_COMMON_TLS_TICKET_H */
