/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin - libpostern.so, a server plug-in of Cyrus SASL
 *
 * Loaded into the MTA and every other SASL application of the machine, as
 * root and before a chroot.  Unless the application's configuration has
 * postern_socket, it is as if it were not there.  Nothing is opened or
 * started here: Sendmail initialises once and forks per connection, and
 * Postfix enters its chroot later.  From the first login on a process keeps
 * one connection to postern-authd.
 *
 *	postern_socket   socket of postern-authd; a relative path starts at
 *	                 the MTA's working directory
 *	postern_mechs    PLAIN LOGIN
 *	postern_timeout  25: seconds that one login may take
 *	postern_unsure   answer, or disconnect: under Sendmail, hang up where it
 *	                 cannot be told whether a login is right
 *
 * An option with a wrong value is logged, at start and with each login, and
 * the logins are answered with "cannot tell": to step aside would leave them
 * to stock plug-ins, which know no user and would refuse them all.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "common/number.h"
#include "saslauth-plugin/mech.h"

#define EXPORTED __attribute__((visibility("default")))

#define TIMEOUT_MAX_S 600

/* All that the plug-in keeps, in one piece of libsasl's memory.  The plugs
 * share it; the last one that is freed takes it along. */
struct plugin {
	struct settings settings;
	struct authd_kept kept;
	struct offer offer[MECHS];
	sasl_server_plug_t plug[MECHS];
	unsigned int count; /* mechanisms offered */
	unsigned int in_use;
};

EXPORTED sasl_server_plug_init_t sasl_server_plug_init;

/* NULL when the option is not set, or empty. */
static const char *
option(const sasl_utils_t *utils, const char *name)
{
	const char *value = NULL;

	if (utils->getopt(utils->getopt_context, "postern", name, &value,
		NULL) != SASL_OK)
		return NULL;
	return value != NULL && value[0] != '\0' ? value : NULL;
}

static void
fault(struct settings *s, const char *name, const char *value,
    const char *expected)
{
	if (s->fault[0] == '\0')
		(void)snprintf(s->fault, sizeof(s->fault),
		    "option %s: '%.64s': %s", name, value, expected);
}

static void
take_socket(struct settings *s, const char *value)
{
	size_t len = strlen(value);

	if (strncmp(value, "unix:", 5) == 0)
		fault(s, "postern_socket", value,
		    "a path is expected, without unix:");
	else if (len > AUTHD_PATH_MAX)
		fault(s, "postern_socket", value,
		    "longer than the path of a socket may be");
	else
		memcpy(s->path, value, len + 1);
}

static void
take_timeout(struct settings *s, const char *value)
{
	long long seconds = 25;

	if (value != NULL && !number_parse(value, 1, TIMEOUT_MAX_S, &seconds))
		fault(s, "postern_timeout", value,
		    "1 to 600 seconds are expected");
	s->timeout_ms = seconds * 1000;
}

static void
take_unsure(struct settings *s, const char *value)
{
	if (value == NULL || strcasecmp(value, "answer") == 0)
		return;
	if (strcasecmp(value, "disconnect") != 0)
		fault(s, "postern_unsure", value,
		    "answer or disconnect is expected");
	s->disconnect = true;
	s->parent = getpid();
}

static void
release_plug(void *glob, const sasl_utils_t *utils)
{
	struct plugin *p = ((struct offer *)glob)->plugin;

	if (--p->in_use > 0)
		return;
	authd_kept_release(&p->kept);
	utils->free(p);
}

static void
offer(struct plugin *p, const struct mech *mech)
{
	unsigned int i;

	for (i = 0; i < p->count; i++)
		if (p->offer[i].mech == mech)
			return;
	p->offer[i].plugin = p;
	p->offer[i].settings = &p->settings;
	p->offer[i].kept = &p->kept;
	p->offer[i].mech = mech;
	mech_fill(&p->offer[i], &p->plug[i]);
	p->plug[i].mech_free = release_plug;
	p->count++;
}

static void
take_mechs(struct plugin *p, const char *value)
{
	static const char between[] = " \t,";
	const char *name = value;
	const struct mech *mech;
	size_t len;

	for (; name[0] != '\0'; name += len) {
		name += strspn(name, between);
		len = strcspn(name, between);
		if (len == 0)
			continue;
		if ((mech = mech_find(name, len)) != NULL)
			offer(p, mech);
		else
			fault(&p->settings, "postern_mechs", value,
			    "PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-1, "
			    "SCRAM-SHA-256, XOAUTH2, OAUTHBEARER are known");
	}
	if (p->count == 0)
		fault(&p->settings, "postern_mechs", value, "none is named");
}

int
sasl_server_plug_init(const sasl_utils_t *utils, int max_version,
    int *out_version, sasl_server_plug_t **pluglist, int *plugcount)
{
	const char *path, *names;
	struct plugin *p;

	if (max_version < SASL_SERVER_PLUG_VERSION)
		return SASL_BADVERS;
	*out_version = SASL_SERVER_PLUG_VERSION;
	*pluglist = NULL;
	*plugcount = 0;
	/* Nothing to offer, and no error: libsasl logs those. */
	if ((path = option(utils, "postern_socket")) == NULL)
		return SASL_OK;
	if ((p = utils->malloc(sizeof(*p))) == NULL)
		return SASL_NOMEM;
	memset(p, 0, sizeof(*p));
	authd_kept_init(&p->kept, AUTHD_KEPT_MS);
	take_socket(&p->settings, path);
	take_timeout(&p->settings, option(utils, "postern_timeout"));
	take_unsure(&p->settings, option(utils, "postern_unsure"));
	names = option(utils, "postern_mechs");
	take_mechs(p, names != NULL ? names : "PLAIN LOGIN");
	if (p->count == 0)
		take_mechs(p, "PLAIN LOGIN");
	if (p->settings.fault[0] != '\0')
		utils->log(
		    NULL, SASL_LOG_ERR, "postern: %s", p->settings.fault);
	p->in_use = p->count;
	*pluglist = p->plug;
	*plugcount = (int)p->count;
	return SASL_OK;
}
