/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/mech_client.h"

#include <sasl/sasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	CALLBACKS = 5
};

struct mech_client {
	const char *user;
	struct secret first;
	bool has_first;
	bool bearer; /* not libsasl's */
	bool done;
	const char *answer; /* of a bearer to an error, once */
	sasl_conn_t *sasl;
	sasl_secret_t *pass; /* libsasl's form of it */
	sasl_callback_t callbacks[CALLBACKS];
};

/* -- XOAUTH2, OAUTHBEARER ---------------------------------------------- */

/* "=" and "," of a name have a meaning in OAUTHBEARER (RFC 5801). */
static bool
escape_name(const char *user, char *out, size_t size)
{
	size_t n = 0;

	for (; *user != '\0'; user++) {
		if (n + 4 > size)
			return false;
		if (*user == '=' || *user == ',') {
			memcpy(out + n, *user == '=' ? "=3D" : "=2C", 3);
			n += 3;
		} else {
			out[n++] = *user;
		}
	}
	out[n] = '\0';
	return true;
}

static bool
bearer_start(struct mech_client *c, bool xoauth2, const struct secret *token)
{
	char head[2048], name[1024];
	size_t len, n;
	const char *octets = secret_bytes(token, &len);
	char *text = NULL;
	bool ok = false;

	c->bearer = c->done = c->has_first = true;
	/* To an error, which says no more than the reply that follows. */
	c->answer = xoauth2 ? "" : "\001";
	if (!escape_name(c->user, name, sizeof(name)))
		return false;
	n = (size_t)snprintf(head, sizeof(head),
	    xoauth2 ? "user=%s\001auth=Bearer " : "n,a=%s,\001auth=Bearer ",
	    xoauth2 ? c->user : name);
	if (n < sizeof(head) && (text = malloc(n + len + 2)) != NULL) {
		memcpy(text, head, n);
		memcpy(text + n, octets, len);
		text[n + len] = text[n + len + 1] = '\001';
		ok = secret_set(&c->first, text, n + len + 2);
		explicit_bzero(text, n + len + 2);
	}
	free(text);
	return ok;
}

/* -- libsasl ------------------------------------------------------------ */

static int
give_name(void *arg, int id, const char **result, unsigned int *len)
{
	const struct mech_client *c = arg;

	/* No other identity is asked for. */
	*result = id == SASL_CB_AUTHNAME ? c->user : "";
	if (len != NULL)
		*len = (unsigned int)strlen(*result);
	return SASL_OK;
}

static int
give_pass(sasl_conn_t *conn, void *arg, int id, sasl_secret_t **result)
{
	const struct mech_client *c = arg;

	(void)conn;
	(void)id;
	*result = c->pass;
	return SASL_OK;
}

/* It reports plug-ins that it passes over. */
static int
say_nothing(void *arg, int level, const char *text)
{
	(void)arg;
	(void)level;
	(void)text;
	return SASL_OK;
}

/* A callback has its type in its number alone. */
static sasl_callback_t
callback(unsigned long id, int (*fn)(void), void *arg)
{
	return (sasl_callback_t){ .id = id, .proc = fn, .context = arg };
}

static void
set_callbacks(struct mech_client *c)
{
	c->callbacks[0] =
	    callback(SASL_CB_USER, (int (*)(void))(void (*)(void))give_name, c);
	c->callbacks[1] = callback(
	    SASL_CB_AUTHNAME, (int (*)(void))(void (*)(void))give_name, c);
	c->callbacks[2] =
	    callback(SASL_CB_PASS, (int (*)(void))(void (*)(void))give_pass, c);
	c->callbacks[3] = callback(
	    SASL_CB_LOG, (int (*)(void))(void (*)(void))say_nothing, c);
	c->callbacks[4] = callback(SASL_CB_LIST_END, NULL, NULL);
}

static bool
set_pass(struct mech_client *c, const struct secret *pass)
{
	size_t len;
	const char *octets = secret_bytes(pass, &len);

	c->pass = malloc(sizeof(*c->pass) + len + 1);
	if (c->pass == NULL)
		return false;
	c->pass->len = len;
	memcpy(c->pass->data, octets, len);
	c->pass->data[len] = '\0';
	return true;
}

static bool
sasl_start(struct mech_client *c, const char *mech, char *why, size_t len)
{
	static const char no_plugin[] =
	    "no SASL plug-in for it on this machine (Debian: libsasl2-modules)";
	const char *out = NULL, *chosen;
	unsigned int n = 0;
	int rc = sasl_client_init(c->callbacks);

	if (rc == SASL_OK)
		rc = sasl_client_new(
		    "smtp", "localhost", NULL, NULL, c->callbacks, 0, &c->sasl);
	if (rc == SASL_OK)
		rc = sasl_client_start(c->sasl, mech, NULL, &out, &n, &chosen);
	if (rc != SASL_OK && rc != SASL_CONTINUE) {
		snprintf(why, len, "%s",
		    rc == SASL_NOMECH ? no_plugin
				      : sasl_errstring(rc, NULL, NULL));
		return false;
	}
	c->done = rc == SASL_OK;
	c->has_first = out != NULL;
	return out == NULL || secret_set(&c->first, out, n);
}

/* -- both ---------------------------------------------------------------- */

struct mech_client *
mech_client_new(const char *mech, const char *user, const struct secret *pass,
    char *why, size_t len)
{
	struct mech_client *c = calloc(1, sizeof(*c));
	bool xoauth2 = strcasecmp(mech, "XOAUTH2") == 0;
	bool ok;

	snprintf(why, len, "out of memory");
	if (c == NULL)
		return NULL;
	c->user = user;
	set_callbacks(c);
	if (xoauth2 || strcasecmp(mech, "OAUTHBEARER") == 0)
		ok = bearer_start(c, xoauth2, pass);
	else
		ok = set_pass(c, pass) && sasl_start(c, mech, why, len);
	if (ok)
		return c;
	mech_client_free(c);
	return NULL;
}

const struct secret *
mech_client_first(const struct mech_client *c)
{
	return c->has_first ? &c->first : NULL;
}

bool
mech_client_next(struct mech_client *c, const struct secret *challenge,
    struct secret *response, char *why, size_t len)
{
	const char *in, *out = "";
	unsigned int n = 0;
	size_t in_len;
	int rc;

	if (c->bearer && c->answer == NULL) {
		snprintf(why, len, "the server does not come to an end");
		return false;
	} else if (c->bearer) {
		out = c->answer;
		n = (unsigned int)strlen(out);
		c->answer = NULL;
	} else {
		in = secret_bytes(challenge, &in_len);
		rc = sasl_client_step(
		    c->sasl, in, (unsigned int)in_len, NULL, &out, &n);
		if (rc != SASL_OK && rc != SASL_CONTINUE) {
			snprintf(why, len, "what the server says is wrong: %s",
			    sasl_errstring(rc, NULL, NULL));
			return false;
		}
		c->done = rc == SASL_OK;
	}
	if (secret_set(response, out != NULL ? out : "", n))
		return true;
	snprintf(why, len, "out of memory");
	return false;
}

bool
mech_client_done(const struct mech_client *c)
{
	return c->done;
}

void
mech_client_free(struct mech_client *c)
{
	if (c == NULL)
		return;
	if (c->sasl != NULL)
		sasl_dispose(&c->sasl);
	if (!c->bearer)
		sasl_client_done();
	if (c->pass != NULL) {
		explicit_bzero(c->pass->data, c->pass->len);
		free(c->pass);
	}
	secret_release(&c->first);
	free(c);
}
