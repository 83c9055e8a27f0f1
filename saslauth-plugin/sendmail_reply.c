/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/sendmail_reply.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define CODED_MAX ((SENDMAIL_CREDENTIAL_MAX + 2) / 3 * 4)

static void
code(const char *octets, size_t len, char *out)
{
	(void)EVP_EncodeBlock(
	    (unsigned char *)out, (const unsigned char *)octets, (int)len);
}

static const char *
unfit(const struct outbound_answer *a)
{
	size_t user = strlen(a->user), pass;
	const char *octets = secret_bytes(&a->pass, &pass);

	if (user == 0 || pass == 0)
		return "an empty user name or password";
	if (user > SENDMAIL_CREDENTIAL_MAX)
		return "Sendmail takes no user name of more than 189 octets";
	if (pass > SENDMAIL_CREDENTIAL_MAX)
		return "Sendmail takes no password of more than 189 octets";
	if (memchr(octets, '\0', pass) != NULL)
		return "Sendmail takes no password with a NUL in it";
	return NULL;
}

static const char *
mechanisms(int type)
{
	if (type == OUTBOUND_PLAIN)
		return "PLAIN";
	return type == OUTBOUND_LOGIN ? "LOGIN" : "PLAIN LOGIN";
}

/* At most 64 + 1 + 2 * (252 + 4) + 20 octets. */
static void
write_login(
    const struct sendmail_key *k, const struct outbound_answer *a, char *out)
{
	char user[CODED_MAX + 1], pass[CODED_MAX + 1];
	const char *octets;
	size_t len;

	code(a->user, strlen(a->user), user);
	octets = secret_bytes(&a->pass, &len);
	code(octets, len, pass);
	(void)snprintf(out, SENDMAIL_REPLY_MAX,
	    "%s%s\"U=%s\" \"P=%s\" \"M:%s\"", k->id != NULL ? k->id : "",
	    k->id != NULL ? " " : "", user, pass, mechanisms(a->type));
	explicit_bzero(user, sizeof(user));
	explicit_bzero(pass, sizeof(pass));
}

const char *
sendmail_reply(const struct sendmail_key *k, const struct outbound_answer *a,
    char *out, const char **fault)
{
	*fault = NULL;
	out[0] = '\0';
	if (a->verdict == OUTBOUND_GIVEN)
		*fault = unfit(a);
	if (*fault != NULL || a->verdict == OUTBOUND_DEFER) {
		(void)snprintf(out, SENDMAIL_REPLY_MAX, "%s",
		    *fault != NULL ? *fault : a->reason);
		return "TEMP";
	}
	if (a->verdict == OUTBOUND_GIVEN && !k->due)
		write_login(k, a, out);
	else if (k->id == NULL)
		return "NOTFOUND";
	else
		(void)snprintf(out, SENDMAIL_REPLY_MAX, "%s %s", k->id,
		    a->verdict == OUTBOUND_GIVEN ? "due" : "none");
	return "OK";
}
