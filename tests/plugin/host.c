/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/plugin/host.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/number.h"

static struct host *current;
static const struct host_option *options_now;
static char workdir[] = "/tmp/postern-plugin.XXXXXX";

/* What make check says in the environment. */
static const char *
from_make(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		fail_msg("%s is not set; run this with make check", name);
	return value;
}

/* -- libsasl's callbacks ----------------------------------------------- */

static int
get_option(void *context, const char *plugin, const char *name,
    const char **value, unsigned int *len)
{
	const struct host_option *o;

	(void)context;
	(void)plugin;
	*value = NULL;
	for (o = options_now; o != NULL && o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			*value = o->value;
	if (len != NULL)
		*len = *value != NULL ? (unsigned int)strlen(*value) : 0;
	return *value != NULL ? SASL_OK : SASL_FAIL;
}

static int
get_path(void *context, const char **path)
{
	static char with[512];

	(void)context;
	(void)snprintf(with, sizeof(with), "%s/plugins:%s", workdir,
	    from_make("SASL_STOCKDIR"));
	*path = options_now != NULL ? with : from_make("SASL_STOCKDIR");
	return SASL_OK;
}

static int
take_log(void *context, int level, const char *message)
{
	size_t used = strlen(current->log);

	(void)context;
	/* what libsasl says of its own start is of no interest */
	if (level < SASL_LOG_DEBUG)
		(void)snprintf(current->log + used, sizeof(current->log) - used,
		    "%d %s\n", level, message);
	return SASL_OK;
}

static int
stock_check(sasl_conn_t *conn, void *context, const char *user,
    const char *pass, unsigned int passlen, struct propctx *props)
{
	(void)conn;
	(void)context;
	(void)user;
	(void)props;
	current->stock_checks++;
	return passlen == 5 && memcmp(pass, "stock", 5) == 0 ? SASL_OK
							     : SASL_BADAUTH;
}

/* libsasl wants functions of many types as one. */
#define CALLBACK(f) ((int (*)(void))(uintptr_t)(f))

static const sasl_callback_t *
callbacks(void)
{
	static sasl_callback_t list[5];

	list[0] =
	    (sasl_callback_t){ SASL_CB_GETOPT, CALLBACK(get_option), NULL };
	list[1] =
	    (sasl_callback_t){ SASL_CB_GETPATH, CALLBACK(get_path), NULL };
	list[2] = (sasl_callback_t){ SASL_CB_LOG, CALLBACK(take_log), NULL };
	list[3] = (sasl_callback_t){ SASL_CB_SERVER_USERDB_CHECKPASS,
		CALLBACK(stock_check), NULL };
	list[4] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	return list;
}

/* -- set-up ------------------------------------------------------------ */

int
host_begin(void **state)
{
	char target[1024];

	(void)state;
	(void)snprintf(target, sizeof(target),
	    "%s/saslauth-plugin/.libs/libpostern.so",
	    from_make("top_builddir"));
	assert_int_equal(access(target, R_OK), 0);
	assert_non_null(mkdtemp(workdir));
	assert_int_equal(chdir(workdir), 0);
	assert_int_equal(mkdir("plugins", 0700), 0);
	return symlink(target, "plugins/libpostern.so");
}

static void
remove_all(const char *dir)
{
	struct dirent *e;
	char path[600];
	DIR *d = opendir(dir);

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(void)unlink(path);
	}
	(void)closedir(d);
	(void)rmdir(dir);
}

int
host_end(void **state)
{
	(void)state;
	remove_all("plugins");
	if (chdir("/") != 0)
		return -1;
	remove_all(workdir);
	return 0;
}

void
host_start(struct host *h, const struct host_option *options)
{
	host_start_as(h, options, "host");
}

void
host_start_as(
    struct host *h, const struct host_option *options, const char *name)
{
	memset(h, 0, sizeof(*h));
	current = h;
	options_now = options;
	assert_int_equal(sasl_server_init(callbacks(), name), SASL_OK);
}

void
host_stop(struct host *h)
{
	host_disconnect(h);
	sasl_server_done();
}

void
host_connect(struct host *h, const char *realm)
{
	host_disconnect(h);
	assert_int_equal(
	    sasl_server_new("smtp", "mx.example.org", realm, "192.0.2.25;25",
		"192.0.2.1;49152", callbacks(), 0, &h->conn),
	    SASL_OK);
}

void
host_disconnect(struct host *h)
{
	if (h->conn != NULL)
		sasl_dispose(&h->conn);
	h->conn = NULL;
}

/* -- dialogues --------------------------------------------------------- */

const char *
host_mechs(struct host *h)
{
	const char *list = NULL;

	assert_int_equal(
	    sasl_listmech(h->conn, NULL, "", " ", "", &list, NULL, NULL),
	    SASL_OK);
	return list;
}

int
host_auth(struct host *h, const char *mech, const char *in, size_t len)
{
	h->out = NULL;
	h->outlen = 0;
	return sasl_server_start(
	    h->conn, mech, in, (unsigned int)len, &h->out, &h->outlen);
}

int
host_step(struct host *h, const char *in, size_t len)
{
	h->out = NULL;
	h->outlen = 0;
	return sasl_server_step(
	    h->conn, in, (unsigned int)len, &h->out, &h->outlen);
}

int
host_plain(struct host *h, const char *user, const char *pass)
{
	size_t ulen = strlen(user), plen = strlen(pass), len = ulen + plen + 2;
	char *in = malloc(len);
	int code;

	assert_non_null(in);
	in[0] = '\0';
	memcpy(in + 1, user, ulen);
	in[1 + ulen] = '\0';
	memcpy(in + 2 + ulen, pass, plen);
	code = host_auth(h, "PLAIN", in, len);
	explicit_bzero(in, len);
	free(in);
	return code;
}

const char *
host_user(struct host *h)
{
	const void *name = NULL;

	if (sasl_getprop(h->conn, SASL_USERNAME, &name) != SASL_OK)
		return NULL;
	return name;
}

const char *
host_challenge(const struct host *h)
{
	static char text[4096];

	if (h->out == NULL || h->outlen >= sizeof(text))
		return "(none)";
	memcpy(text, h->out, h->outlen);
	text[h->outlen] = '\0';
	return text;
}

int
host_patience(int ms)
{
	const char *factor = getenv("TEST_PATIENCE");
	long long n = 3;

	if (factor != NULL)
		(void)number_parse(factor, 1, 100, &n);
	return (int)(ms * n);
}
