/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mech - the SASL mechanisms that the plug-in offers
 *
 *	PLAIN                      RFC 4616
 *	LOGIN                      "Username:" "Password:"; with or without an
 *	                           initial response
 *	CRAM-MD5                   RFC 2195, relayed
 *	SCRAM-SHA-1, SCRAM-SHA-256 RFC 5802, 7677, relayed
 *	XOAUTH2, OAUTHBEARER       RFC 7628 and its forerunner, relayed
 *
 * PLAIN and LOGIN end here and become one question to postern-authd; the
 * others pass octet by octet.  What libsasl returns is told apart so that
 * MTAs can: SASL_OK, SASL_BADAUTH (and SASL_BADPROT, SASL_NOAUTHZ) when the
 * login is refused, SASL_UNAVAIL when it cannot be told.  To Sendmail these
 * are one and the same, a refusal: there, if wished, the connection ends
 * instead, and with it the process that Sendmail has forked for it.
 *
 * Libc and libbase, and what libsasl hands over; not a symbol of libsasl.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_MECH_H
#define POSTERN_SASLAUTH_PLUGIN_MECH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "saslauth-plugin/authd_client.h"

/* How many there are. */
#define MECHS 7

/* What the options say, for all logins of the process.  Not changed after
 * the plug-in has been initialised. */
struct settings {
	char path[AUTHD_PATH_MAX + 1];
	int64_t timeout_ms;
	bool disconnect; /* Sendmail's child ends where it cannot be told */
	pid_t parent;    /* the process that initialised us */
	char fault[256]; /* an option is wrong: every answer is SASL_UNAVAIL */
};

struct mech;
struct plugin;

/* One mechanism as libsasl knows it: its glob_context. */
struct offer {
	struct plugin *plugin;           /* for plugin.c */
	const struct settings *settings; /* borrowed */
	struct authd_kept *kept;         /* borrowed */
	const struct mech *mech;
};

/* mech_find(name, len): in any case; NULL when there is none. */
const struct mech *mech_find(const char *name, size_t len);

/*
 * mech_fill(offer, plug): make *plug describe the mechanism of *offer.
 *
 * *plug points to *offer; both outlive the last login.  mech_free is left
 * NULL.
 */
void mech_fill(struct offer *offer, sasl_server_plug_t *plug);

#endif /* POSTERN_SASLAUTH_PLUGIN_MECH_H */
