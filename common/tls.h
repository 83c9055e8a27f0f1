/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls - TLS client contexts and connections, by OpenSSL
 *
 * A struct tls_client holds what one set of tls_* options means: the CA
 * store (parsed once), a client certificate, the oldest version, and the
 * tickets for resumption, kept per endpoint.  Shared by all threads; it is
 * locked inside.
 */
#ifndef POSTERN_COMMON_TLS_H
#define POSTERN_COMMON_TLS_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/outcome.h"

struct tls_client;
struct transport;

/*
 * tls_client_new(up, why, len): read the certificates that the tls_* options
 * of up name.  With no tls_ca_file and tls_ca_path the system's store is
 * used.  Returns NULL with a message in why that names the file.
 */
struct tls_client *tls_client_new(
    const struct conf_upstream *up, char *why, size_t len);
struct tls_client *tls_client_ref(struct tls_client *c);
void tls_client_unref(struct tls_client *c);

/* What came of a handshake, for the log and for policy. */
struct tls_info {
	bool active;
	bool verified; /* chain and name */
	bool resumed;
	char protocol[16]; /* "TLSv1.3" */
	char cipher[64];
};

/*
 * tls_start(c, key, name, verify, d, t, info, f): handshake on *t.
 *
 *   key     identifies the endpoint for resumption, "host:port"
 *   name    expected in the certificate, and SNI when it is no IP literal
 *   verify  refuse when chain or name do not hold (else noted in info)
 *   t       replaced by the encrypted transport; on failure it is freed and
 *           set to NULL
 *
 * Returns OUTCOME_OK, or OUTCOME_TEMP with *f.
 */
struct tls_start_params {
	const char *key;
	const char *name;
	bool verify;
	struct deadline deadline;
};
enum outcome tls_start(struct tls_client *c, const struct tls_start_params *p,
    struct transport **t, struct tls_info *info, struct fault *f);

#endif /* POSTERN_COMMON_TLS_H */
