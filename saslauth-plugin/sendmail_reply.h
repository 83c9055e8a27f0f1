/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sendmail_reply - an answer in the form that Sendmail's authinfo wants
 *
 *	"U=base64" "P=base64" "M:PLAIN"
 *
 * base64, so that no octet needs quoting, which Sendmail does not undo.  It
 * has no tokens of more than 256 octets: longer names and passwords cannot be
 * carried.  To the rule set, which must not take silence for consent, even
 * "no login" is said, and each answer begins with the queue id of its key:
 *
 *	ID due            there is a login for it
 *	ID "U=..." ...    that is it
 *	ID none           there is none to be
 *
 * Pure: no I/O, nothing is allocated.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_SENDMAIL_REPLY_H
#define POSTERN_SASLAUTH_PLUGIN_SENDMAIL_REPLY_H

#include "common/outbound.h"
#include "saslauth-plugin/sendmail_key.h"

/* Octets of a user name, and of a password: in base64, and with "U= around
 * it, it is one token. */
#define SENDMAIL_CREDENTIAL_MAX 189

#define SENDMAIL_REPLY_MAX 1024

/*
 * sendmail_reply(k, a, out, fault): what to say to k, where a is the answer.
 *
 *   out    the text, SENDMAIL_REPLY_MAX octets of room; to be wiped
 *   fault  a constant text when a login is due that cannot be carried, and
 *          the reply therefore a temporary failure; else NULL
 *
 * Returns the word in front of it: "OK", "NOTFOUND", "TEMP".
 */
const char *sendmail_reply(const struct sendmail_key *k,
    const struct outbound_answer *a, char *out, const char **fault);

#endif /* POSTERN_SASLAUTH_PLUGIN_SENDMAIL_REPLY_H */
