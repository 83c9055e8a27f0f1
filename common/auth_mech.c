/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_mech.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Hexadecimal digits of an MD5 digest. */
#define CRAM_DIGEST 32

/* Between the parts of XOAUTH2 and OAUTHBEARER. */
#define KVSEP '\x01'

static const struct auth_mech mechs[] = {
	{ "PLAIN", true, false },
	{ "LOGIN", true, false },
	{ "CRAM-MD5", false, true },
	{ "SCRAM-SHA-1", false, false },
	{ "SCRAM-SHA-256", false, false },
	{ "XOAUTH2", false, false },
	{ "OAUTHBEARER", false, false },
};

/* What is left of a message. */
struct input {
	const char *p, *end;
};

/* A name with its escapes undone. */
struct saslname {
	char text[LOGIN_NAME_OCTETS];
	size_t len;
};

const struct auth_mech *
auth_mech_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof mechs / sizeof mechs[0]; i++) {
		if (strcasecmp(mechs[i].name, name) == 0)
			return &mechs[i];
	}
	return NULL;
}

static bool
fail(const char **why, const char *text)
{
	*why = text;
	return false;
}

static bool
skip(struct input *in, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(in->end - in->p) < len || memcmp(in->p, text, len) != 0)
		return false;
	in->p += len;
	return true;
}

/* Everything up to a separator, which is passed over. */
static bool
until(struct input *in, char separator, struct input *part)
{
	const char *at = memchr(in->p, separator, (size_t)(in->end - in->p));

	if (at == NULL)
		return false;
	part->p = in->p;
	part->end = at;
	in->p = at + 1;
	return true;
}

/*
 * RFC 5802 section 7:
 *
 *	saslname = 1*(value-safe-char / "=2C" / "=3D")
 */
static bool
unescape(const struct input *in, struct saslname *out, const char **why)
{
	struct input rest = *in;
	char c;

	out->len = 0;
	while (rest.p < rest.end) {
		if (skip(&rest, "=2C"))
			c = ',';
		else if (skip(&rest, "=3D"))
			c = '=';
		else if (*rest.p == '=')
			return fail(why, "bad escape in user name");
		else
			c = *rest.p++;
		if (out->len == sizeof out->text)
			return fail(why, "user name too long");
		out->text[out->len++] = c;
	}
	return true;
}

/*
 * RFC 5801 section 4, without the name of a channel binding:
 *
 *	gs2-header    = gs2-cbind-flag "," [ gs2-authzid ] ","
 *	gs2-cbind-flag= "n" / "y"
 *	gs2-authzid   = "a=" saslname
 */
static bool
gs2_header(struct input *in, struct saslname *authzid, const char **why)
{
	struct input part;

	authzid->len = 0;
	if (skip(in, "p="))
		return fail(why, "channel binding cannot be relayed");
	if (!skip(in, "n,") && !skip(in, "y,"))
		return fail(why, "no GS2 header");
	if (!until(in, ',', &part))
		return fail(why, "GS2 header without an end");
	if (part.p == part.end)
		return true;
	if (!skip(&part, "a=") || part.p == part.end)
		return fail(why, "bad authorization identity");
	return unescape(&part, authzid, why);
}

/*
 * RFC 5802 section 7:
 *
 *	client-first-message-bare =
 *	    [reserved-mext ","] username "," nonce ["," extensions]
 *	username = "n=" saslname
 *	nonce    = "r=" 1*printable
 */
static bool
scram_user(struct input in, struct login_name *out, const char **why)
{
	struct saslname authzid, name;
	struct input part;

	if (!gs2_header(&in, &authzid, why))
		return false;
	if (skip(&in, "m="))
		return fail(why, "unknown mandatory extension");
	if (!skip(&in, "n=") || !until(&in, ',', &part))
		return fail(why, "no user name");
	if (!skip(&in, "r=") || in.p == in.end || *in.p == ',')
		return fail(why, "no nonce");
	if (!unescape(&part, &name, why))
		return false;
	if (authzid.len > 0 &&
	    (authzid.len != name.len ||
		memcmp(authzid.text, name.text, name.len) != 0))
		return fail(why, "another authorization identity");
	return login_name_parse(name.text, name.len, out, why);
}

/* RFC 2195: user name, space, digest; the name may hold spaces. */
static bool
cram_user(struct input in, struct login_name *out, const char **why)
{
	const char *at = memrchr(in.p, ' ', (size_t)(in.end - in.p));
	const char *p;

	if (at == NULL || in.end - at - 1 != CRAM_DIGEST)
		return fail(why, "no digest");
	for (p = at + 1; p < in.end; p++) {
		if (!isxdigit((unsigned char)*p))
			return fail(why, "no digest");
	}
	return login_name_parse(in.p, (size_t)(at - in.p), out, why);
}

static bool
begins(const struct input *part, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(part->end - part->p) >= len &&
	    strncasecmp(part->p, text, len) == 0;
}

/* Would some upstream take it for the user, instead of the one we took? */
static bool
names_user(const struct input *part)
{
	static const char *const names[] = { "user=", "a=", "n,", "y," };
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (begins(part, names[i]))
			return true;
	}
	return false;
}

/* Is one of the parts a token, does none say again what was said, and is the
 * end there? */
static bool
has_token(struct input in, const char **why)
{
	struct input part;
	bool found = false;

	while (until(&in, KVSEP, &part)) {
		if (part.p == part.end && found && in.p == in.end)
			return true;
		if (part.p == part.end)
			break;
		if (names_user(&part))
			return fail(why, "a second user name");
		if (!begins(&part, "auth="))
			continue;
		if (found)
			return fail(why, "a second token");
		found = part.end - part.p > 5;
	}
	return fail(why, "no token");
}

/* "user=" name ^A "auth=Bearer " token ^A ^A */
static bool
xoauth2_user(struct input in, struct login_name *out, const char **why)
{
	struct input part;

	if (!skip(&in, "user=") || !until(&in, KVSEP, &part))
		return fail(why, "no user name");
	if (!has_token(in, why))
		return false;
	return login_name_parse(part.p, (size_t)(part.end - part.p), out, why);
}

/*
 * RFC 7628 section 3.1:
 *
 *	client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
 */
static bool
bearer_user(struct input in, struct login_name *out, const char **why)
{
	struct saslname name;

	if (!gs2_header(&in, &name, why))
		return false;
	if (in.p == in.end || *in.p++ != KVSEP)
		return fail(why, "no token");
	if (!has_token(in, why))
		return false;
	return login_name_parse(name.text, name.len, out, why);
}

bool
auth_mech_user(const struct auth_mech *m, const void *data, size_t len,
    struct login_name *out, const char **why)
{
	struct input in;
	const char *unused;

	if (why == NULL)
		why = &unused;
	*why = NULL;
	memset(out, 0, sizeof *out);
	in.p = len > 0 ? data : "";
	in.end = in.p + len;
	if (m->password)
		return fail(why, "not a relayed mechanism");
	if (strcmp(m->name, "CRAM-MD5") == 0)
		return cram_user(in, out, why);
	if (strcmp(m->name, "XOAUTH2") == 0)
		return xoauth2_user(in, out, why);
	if (strcmp(m->name, "OAUTHBEARER") == 0)
		return bearer_user(in, out, why);
	return scram_user(in, out, why);
}
