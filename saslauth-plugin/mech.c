/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/mech.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/secret.h"
#include "common/utf8.h"

/* libsasl offers the mechanism of that name which it thinks strongest.  With
 * everything else as the stock plug-in has it, this lets ours come first. */
#define FIRST SASL_SET_HASH_STRENGTH_BITS(4096U)

/* What libsasl has room for, the realm that it appends included.  Given more,
 * it loses memory. */
#define NAME_MAX_OCTETS 1023

/* No response of a client is longer; MTAs stop at 12288 octets of base64. */
#define RESPONSE_MAX 16384

/* A login that is under way: libsasl's conn_context. */
struct login {
	const struct offer *offer;
	struct authd_client authd;
	struct secret user; /* LOGIN: until the password is there */
	bool begun;         /* something has been said to the client or authd */
};

/* One response of the client, and where libsasl wants what comes of it. */
struct turn {
	const struct settings *settings;
	const sasl_server_params_t *params;
	const char *in; /* NULL: there was none, as against an empty one */
	unsigned int inlen;
	const char **out;
	unsigned int *outlen;
	sasl_out_params_t *result;
};

struct mech {
	const char *name;
	unsigned int security, features;
	int (*step)(struct login *l, const struct turn *t);
};

static int step_plain(struct login *l, const struct turn *t);
static int step_login(struct login *l, const struct turn *t);
static int step_relay(struct login *l, const struct turn *t);

/* Security and features as the stock plug-ins have them, where there is one:
 * a flag less and theirs would come first.  SCRAM says that it can bind to
 * the channel for no other reason; a client that does is refused. */
#define PASSWORD (SASL_SEC_NOANONYMOUS | SASL_SEC_PASS_CREDENTIALS)
#define DIGEST   (SASL_SEC_NOANONYMOUS | SASL_SEC_NOPLAINTEXT)
#define SCRAM    (DIGEST | SASL_SEC_NOACTIVE | SASL_SEC_MUTUAL_AUTH)
#define BINDING  (SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_CHANNEL_BINDING)

static const struct mech mechs[MECHS] = {
	{ "PLAIN", PASSWORD, SASL_FEAT_WANT_CLIENT_FIRST, step_plain },
	{ "LOGIN", PASSWORD, 0, step_login },
	{ "CRAM-MD5", DIGEST, SASL_FEAT_SERVER_FIRST, step_relay },
	{ "SCRAM-SHA-1", SCRAM, BINDING, step_relay },
	{ "SCRAM-SHA-256", SCRAM, BINDING, step_relay },
	{ "XOAUTH2", PASSWORD, SASL_FEAT_WANT_CLIENT_FIRST, step_relay },
	{ "OAUTHBEARER", PASSWORD, SASL_FEAT_WANT_CLIENT_FIRST, step_relay },
};

/* -- what libsasl is told ---------------------------------------------- */

/* Refused: the MTA logs that, with the client's address. */
static int
refuse(const struct turn *t, int code, const char *why)
{
	const sasl_utils_t *u = t->params->utils;

	u->seterror(u->conn, SASL_NOLOG, "postern: %s", why);
	return code;
}

/*
 * Sendmail gives every connection a process of its own, and a reply of 535 to
 * all that is not a login.  The end of that process is the only way to say
 * neither yes nor no.  Anywhere else, and in the process that would take the
 * other connections along, this does nothing.
 */
static void
disconnect(const struct turn *t)
{
	const char *app = t->params->appname;

	if (t->settings->disconnect && app != NULL &&
	    strcmp(app, "Sendmail") == 0 && getpid() != t->settings->parent)
		_exit(EX_TEMPFAIL);
}

static int
cannot_tell(const struct turn *t, const char *why)
{
	const sasl_utils_t *u = t->params->utils;

	u->log(u->conn, SASL_LOG_WARN, "postern: cannot tell: %s", why);
	disconnect(t);
	u->seterror(u->conn, SASL_NOLOG, "postern: cannot tell: %s", why);
	return SASL_UNAVAIL;
}

static int
challenge(const struct turn *t, const void *data, size_t len)
{
	*t->out = data;
	*t->outlen = (unsigned int)len;
	return SASL_CONTINUE;
}

/*
 * Would libsasl know this user under this very name?  It takes white space
 * from both ends, stops at a NUL, and has a limit.  Control characters have
 * no place in an MTA's log either.
 */
static bool
name_is_kept(const char *name, size_t len, const char *realm)
{
	size_t rlen = realm != NULL ? strlen(realm) + 1 : 0, i;

	if (len == 0 || len > NAME_MAX_OCTETS || rlen > NAME_MAX_OCTETS - len)
		return false;
	if (name[0] == ' ' || name[len - 1] == ' ')
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == '\177')
			return false;
	return true;
}

/*
 * Tell libsasl who it is about: before a failure, too, or the MTA logs it
 * without a name.  libsasl looks beyond the length that it is given, so the
 * name has its NUL (as a secret's octets have).  EXTERNALLY_VERIFIED: no
 * auxprop plug-in need know the user.
 *
 * Returns SASL_OK; SASL_BADAUTH for what cannot be a name; another code.
 */
static int
name_user(const struct turn *t, const struct secret *user)
{
	const sasl_server_params_t *p = t->params;
	size_t len;
	const char *name = secret_bytes(user, &len);

	if (!name_is_kept(name, len, p->user_realm))
		return SASL_BADAUTH;
	return p->canon_user(p->utils->conn, name, (unsigned int)len,
	    SASL_CU_AUTHID | SASL_CU_AUTHZID | SASL_CU_EXTERNALLY_VERIFIED,
	    t->result);
}

static int
logged_in(const struct turn *t)
{
	t->result->doneflag = 1;
	t->result->mech_ssf = 0;
	t->result->maxoutbuf = 0;
	t->result->encode_context = NULL;
	t->result->encode = NULL;
	t->result->decode_context = NULL;
	t->result->decode = NULL;
	t->result->param_version = 0;
	return SASL_OK;
}

/* -- what postern-authd is asked --------------------------------------- */

static struct wire_item
octets(const void *data, size_t len)
{
	struct wire_item item = { data != NULL ? data : "", len };

	return item;
}

static struct wire_item
string(const char *s)
{
	return octets(s, s != NULL ? strlen(s) : 0);
}

static void
introduce(struct wire_message *m, enum wire_type type, const struct login *l,
    const sasl_server_params_t *p)
{
	memset(m, 0, sizeof(*m));
	m->type = type;
	m->item[WIRE_MECH] = string(l->offer->mech->name);
	m->item[WIRE_SERVICE] = string(p->service);
	m->item[WIRE_REALM] = string(p->user_realm);
	m->item[WIRE_CLIENT] = string(p->ipremoteport);
}

/* cannot_tell(), with the daemon's own words. */
static int
unsure(const struct turn *t, const struct wire_item *reason)
{
	char why[256] = "no reason given";
	size_t len = reason->len;

	if (len >= sizeof(why))
		len = sizeof(why) - 1;
	if (len > 0) {
		memcpy(why, reason->data, len);
		why[len] = '\0';
		utf8_clean(why, len);
	}
	return cannot_tell(t, why);
}

static int
verdict_bad(const struct turn *t)
{
	return refuse(t, SASL_BADAUTH, "the login is refused");
}

/* -- PLAIN and LOGIN --------------------------------------------------- */

static bool
same(const struct wire_item *item, const struct secret *s)
{
	size_t len;
	const char *octets_of = secret_bytes(s, &len);

	return item->len == len && memcmp(item->data, octets_of, len) == 0;
}

/* What it would say next could be about another login. */
static int
nonsense(struct login *l, const struct turn *t, const char *why)
{
	authd_client_release(&l->authd);
	return cannot_tell(t, why);
}

static int
check(struct login *l, const struct turn *t, const struct secret *user,
    const struct wire_item *pass)
{
	int named = name_user(t, user);
	struct wire_message question, answer;

	/* A name that libsasl cannot hold is asked about nevertheless: the
	 * daemon has one place where bad logins are counted and logged. */
	if (named != SASL_OK && named != SASL_BADAUTH)
		return cannot_tell(t, "libsasl does not take the user name");
	introduce(&question, WIRE_CHECK, l, t->params);
	question.item[WIRE_USER] = octets(user->data, user->len);
	question.item[WIRE_PASS] = *pass;
	if (!authd_client_ask(&l->authd, &question, &answer))
		return cannot_tell(t, l->authd.why);
	if (answer.type == WIRE_CHALLENGE)
		return nonsense(l, t, "a challenge where there is none");
	if (answer.type == WIRE_GOOD && !same(&answer.item[WIRE_USER], user))
		return nonsense(l, t, "an answer about another user");
	authd_client_keep(&l->authd);
	if (answer.type == WIRE_BAD)
		return verdict_bad(t);
	if (answer.type == WIRE_UNSURE)
		return unsure(t, &answer.item[WIRE_REASON]);
	return named == SASL_OK ? logged_in(t) : verdict_bad(t);
}

/*
 * RFC 4616:  message = [authzid] UTF8NUL authcid UTF8NUL passwd
 *
 * None of the three holds a NUL.  Nobody may act for somebody else.
 */
static int
step_plain(struct login *l, const struct turn *t)
{
	const char *end = t->in + t->inlen, *authcid, *passwd;
	struct secret user = { 0 };
	struct wire_item pass;
	size_t zlen, ulen;
	int code;

	authcid = memchr(t->in, '\0', t->inlen);
	if (authcid == NULL)
		return refuse(t, SASL_BADPROT, "not a message of PLAIN");
	zlen = (size_t)(authcid++ - t->in);
	passwd = memchr(authcid, '\0', (size_t)(end - authcid));
	if (passwd == NULL)
		return refuse(t, SASL_BADPROT, "not a message of PLAIN");
	ulen = (size_t)(passwd++ - authcid);
	pass = octets(passwd, (size_t)(end - passwd));
	if (memchr(pass.data, '\0', pass.len) != NULL)
		return refuse(t, SASL_BADPROT, "not a message of PLAIN");

	if (!secret_set(&user, authcid, ulen)) {
		code = cannot_tell(t, "out of memory");
	} else if (zlen > 0 &&
	    (zlen != ulen || memcmp(t->in, authcid, ulen) != 0)) {
		(void)name_user(t, &user);
		code = refuse(t, SASL_NOAUTHZ, "a login for somebody else");
	} else {
		code = check(l, t, &user, &pass);
	}
	secret_release(&user);
	return code;
}

static int
step_login(struct login *l, const struct turn *t)
{
	static const char ask_user[] = "Username:", ask_pass[] = "Password:";
	struct wire_item pass;

	if (t->in == NULL)
		return challenge(t, ask_user, sizeof(ask_user) - 1);
	if (!l->begun) {
		l->begun = true;
		if (!secret_set(&l->user, t->in, t->inlen))
			return cannot_tell(t, "out of memory");
		return challenge(t, ask_pass, sizeof(ask_pass) - 1);
	}
	pass = octets(t->in, t->inlen);
	return check(l, t, &l->user, &pass);
}

/* -- relayed mechanisms ------------------------------------------------ */

/* Name the user that the daemon has read from the dialogue, if it did. */
static int
name_answered(const struct turn *t, const struct wire_item *name)
{
	struct secret user = { 0 };
	int code;

	if (name->data == NULL)
		return SASL_BADAUTH;
	if (!secret_set(&user, name->data, name->len))
		return SASL_NOMEM;
	code = name_user(t, &user);
	secret_release(&user);
	return code;
}

static int
step_relay(struct login *l, const struct turn *t)
{
	struct wire_message question = { .type = WIRE_STEP }, answer;
	int named;

	if (!l->begun)
		introduce(&question, WIRE_START, l, t->params);
	if (l->begun || t->in != NULL)
		question.item[WIRE_DATA] = octets(t->in, t->inlen);
	l->begun = true;
	if (!authd_client_ask(&l->authd, &question, &answer))
		return cannot_tell(t, l->authd.why);
	if (answer.type == WIRE_CHALLENGE)
		return challenge(
		    t, answer.item[WIRE_DATA].data, answer.item[WIRE_DATA].len);
	authd_client_keep(&l->authd);
	named = name_answered(t, &answer.item[WIRE_USER]);
	if (answer.type == WIRE_UNSURE)
		return unsure(t, &answer.item[WIRE_REASON]);
	if (answer.type == WIRE_BAD || named == SASL_BADAUTH)
		return verdict_bad(t);
	if (named != SASL_OK)
		return cannot_tell(t, "libsasl does not take the user name");
	return logged_in(t);
}

/* -- as libsasl calls it ----------------------------------------------- */

static int
new_login(void *glob, sasl_server_params_t *params, const char *first,
    unsigned int firstlen, void **conn)
{
	const struct offer *offer = glob;
	struct login *l;

	(void)first;
	(void)firstlen;
	if ((l = params->utils->malloc(sizeof(*l))) == NULL)
		return SASL_NOMEM;
	memset(l, 0, sizeof(*l));
	l->offer = offer;
	authd_client_init(&l->authd, offer->settings->path, offer->kept,
	    offer->settings->timeout_ms);
	*conn = l;
	return SASL_OK;
}

static int
step(void *conn, sasl_server_params_t *params, const char *in,
    unsigned int inlen, const char **out, unsigned int *outlen,
    sasl_out_params_t *result)
{
	struct login *l = conn;
	const struct settings *s;
	struct turn t;

	if (l == NULL)
		return SASL_BADPROT;
	*out = NULL;
	*outlen = 0;
	s = l->offer->settings;
	t = (struct turn){ s, params, in, inlen, out, outlen, result };
	if (s->fault[0] != '\0')
		return cannot_tell(&t, s->fault);
	if (inlen > RESPONSE_MAX)
		return refuse(&t, SASL_BADPROT, "a response too long");
	if (in == NULL && !l->begun &&
	    (l->offer->mech->features & SASL_FEAT_WANT_CLIENT_FIRST) != 0)
		return challenge(&t, "", 0);
	return l->offer->mech->step(l, &t);
}

static void
dispose(void *conn, const sasl_utils_t *utils)
{
	struct login *l = conn;

	if (l == NULL)
		return;
	authd_client_release(&l->authd);
	secret_release(&l->user);
	explicit_bzero(l, sizeof(*l));
	utils->free(l);
}

const struct mech *
mech_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < MECHS; i++)
		if (strncasecmp(mechs[i].name, name, len) == 0 &&
		    mechs[i].name[len] == '\0')
			return &mechs[i];
	return NULL;
}

void
mech_fill(struct offer *offer, sasl_server_plug_t *plug)
{
	memset(plug, 0, sizeof(*plug));
	plug->mech_name = offer->mech->name;
	plug->max_ssf = 0;
	plug->security_flags = offer->mech->security | FIRST;
	plug->features = offer->mech->features;
	plug->glob_context = offer;
	plug->mech_new = new_login;
	plug->mech_step = step;
	plug->mech_dispose = dispose;
}
