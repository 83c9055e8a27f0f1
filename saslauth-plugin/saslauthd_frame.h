/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * saslauthd_frame - a request in the protocol of Cyrus saslauthd
 *
 *	request  login, password, service, realm; newer clients add their
 *	         client's "address;port"
 *	field    its length, two octets, big-endian; its octets
 *	reply    one such field, "OK" or "NO" and whatever else
 *
 * Nothing says how many fields will come: after four, a client may go on or
 * wait for the answer.  libsasl 2.1.28 sends four in one write(2) and cuts
 * the user name at its last '@' into login and realm.
 *
 * Pure: no I/O, nothing is allocated.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_SASLAUTHD_FRAME_H
#define POSTERN_SASLAUTH_PLUGIN_SASLAUTHD_FRAME_H

#include <stddef.h>

#define SASLAUTHD_REQUEST_MAX 8192

enum saslauthd_state {
	SASLAUTHD_BAD = -1,
	SASLAUTHD_MORE, /* a request may begin like this */
	SASLAUTHD_FOUR, /* whole, unless the fifth field follows */
	SASLAUTHD_FIVE, /* whole */
};

/* Octets that lie in the request. */
struct saslauthd_field {
	const unsigned char *data;
	size_t len;
};

struct saslauthd_request {
	struct saslauthd_field login, password, service, realm;
	struct saslauthd_field client; /* empty with four fields */
};

/*
 * saslauthd_parse(buf, len, out, why): what has come so far.
 *
 *   out  filled in with FOUR and FIVE; may be NULL
 *   why  set to a constant text with BAD; may be NULL
 *
 * SASLAUTHD_BAD when octets follow the fifth field, when the whole is longer
 * than SASLAUTHD_REQUEST_MAX or says that it will be.
 */
enum saslauthd_state saslauthd_parse(const unsigned char *buf, size_t len,
    struct saslauthd_request *out, const char **why);

#endif /* POSTERN_SASLAUTH_PLUGIN_SASLAUTHD_FRAME_H */
