/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "saslauth-plugin/authd_commands.h"

#include <string.h>
#include <unistd.h>

#include "common/auth.h"
#include "common/conf_holder.h"
#include "common/control.h"
#include "common/log.h"
#include "common/outbound.h"
#include "common/strbuf.h"
#include "saslauth-plugin/authd_put.h"
#include "saslauth-plugin/authd_roles.h"
#include "saslauth-plugin/authd_serve.h"
#include "saslauth-plugin/peers.h"

#define ANSWER_MAX (1024 * 1024)

/* What was settled when the daemon started, and stays until it starts anew. */
static void
compare(struct reload *r, const struct conf *conf)
{
	const struct conf_authd *a = &conf->authd;
	const struct authd *authd = r->arg;

	reload_list(r, "authd.socket", &a->socket);
	reload_list(r, "authd.saslauthd_socket", &a->saslauthd_socket);
	reload_list(r, "authd.socketmap_socket", &a->socketmap_socket);
	reload_string(r, "authd.socket_group", a->socket_group);
	reload_string(r, "authd.control", a->control);
	reload_string(r, "authd.state_directory", a->state_directory);
	if (authd->auth == NULL && authd_has_logins(conf))
		reload_tell(r,
		    "there were no logins to ask about: authd.socket and "
		    "authd.saslauthd_socket are opened by a restart");
	if (authd->outbound == NULL && authd_has_outbound(conf))
		reload_tell(r,
		    "there were no outbound credentials: "
		    "authd.socketmap_socket is opened by a restart");
}

/* Both have the same configuration, whatever becomes of this. */
static bool
apply_both(const struct authd *a, struct conf *fresh, char *why, size_t len)
{
	struct conf *old;
	char again[256];

	if (a->outbound != NULL &&
	    !outbound_reload(a->outbound, fresh, why, len))
		return false;
	if (a->auth == NULL || auth_reload(a->auth, fresh, why, len))
		return true;
	old = conf_holder_get(a->conf);
	if (a->outbound != NULL &&
	    !outbound_reload(a->outbound, old, again, sizeof(again)))
		log_error("outbound credentials: the old configuration cannot "
			  "be had back: %s",
		    again);
	conf_unref(old);
	return false;
}

static bool
apply(void *arg, struct conf *fresh, char *why, size_t len)
{
	const struct authd *authd = arg;
	struct peers *peers = peers_new(fresh, why, len);

	if (peers == NULL)
		return false;
	if (!apply_both(authd, fresh, why, len)) {
		peers_free(peers);
		return false;
	}
	server_peers(authd->server, peers);
	return true;
}

void
authd_commands_open(struct authd_commands *c, struct authd *authd)
{
	c->reload.holder = authd->conf;
	c->reload.apply = apply;
	c->reload.compare = compare;
	c->reload.arg = authd;
	c->authd = authd;
	reload_open(&c->reload);
}

void
authd_commands_close(struct authd_commands *c)
{
	reload_close(&c->reload);
}

/* The text goes out when no lock is held any more: whoever reads it may be
 * slow. */
static bool
print(struct strbuf *sb, FILE *out, char *why, size_t len)
{
	bool ok = strbuf_ok(sb);

	if (ok)
		control_lines(out, sb->data);
	else
		snprintf(why, len, "out of memory");
	strbuf_release(sb);
	return ok;
}

static void
add_list(struct strbuf *sb, const char *name, const struct strlist *list)
{
	for (size_t i = 0; i < list->n; i++)
		strbuf_addf(sb, " %s=%s", name, list->v[i]);
}

static bool
command_status(const struct authd_commands *c, FILE *out, char *why, size_t len)
{
	struct conf *conf = conf_holder_get(c->authd->conf);
	struct strbuf sb;

	strbuf_init(&sb, ANSWER_MAX);
	strbuf_addf(&sb, "program=postern-authd version=%s pid=%ld\n",
	    PACKAGE_VERSION, (long)getpid());
	strbuf_addf(&sb, "configuration=%s", c->reload.conf_file);
	/* those of the other are not open */
	if (c->authd->auth != NULL) {
		add_list(&sb, "socket", &conf->authd.socket);
		add_list(
		    &sb, "saslauthd_socket", &conf->authd.saslauthd_socket);
	}
	if (c->authd->outbound != NULL)
		add_list(
		    &sb, "socketmap_socket", &conf->authd.socketmap_socket);
	strbuf_addch(&sb, '\n');
	conf_unref(conf);
	server_status(c->authd->server, &sb);
	if (c->authd->auth != NULL)
		auth_status(c->authd->auth, &sb);
	if (c->authd->outbound != NULL)
		outbound_status(c->authd->outbound, &sb);
	return print(&sb, out, why, len);
}

static bool
command_stats(const struct authd_commands *c, FILE *out, char *why, size_t len)
{
	struct strbuf sb;

	strbuf_init(&sb, ANSWER_MAX);
	if (c->authd->auth != NULL)
		auth_stats(c->authd->auth, &sb);
	if (c->authd->outbound != NULL)
		outbound_stats(c->authd->outbound, &sb);
	server_stats(c->authd->server, &sb);
	return print(&sb, out, why, len);
}

static bool
command_cache(const struct authd_commands *c, char *const *words, size_t n,
    FILE *out, char *why, size_t len)
{
	const char *name = NULL;
	size_t dropped = 0;

	if (n == 3 && strcmp(words[1], "drop") == 0)
		name = words[2];
	else if (n != 2 || strcmp(words[1], "flush") != 0) {
		snprintf(why, len, "cache drop NAME, or cache flush");
		return false;
	}
	if (c->authd->auth != NULL)
		dropped += auth_drop(c->authd->auth, name);
	if (c->authd->outbound != NULL)
		dropped += outbound_drop(c->authd->outbound, name);
	fprintf(out, " dropped=%zu\n", dropped);
	return true;
}

bool
authd_commands_serve(
    void *arg, char *const *words, size_t n, FILE *out, char *why, size_t len)
{
	struct authd_commands *c = arg;

	if (strcmp(words[0], "status") == 0 && n == 1)
		return command_status(c, out, why, len);
	if (strcmp(words[0], "stats") == 0 && n == 1)
		return command_stats(c, out, why, len);
	if (strcmp(words[0], "reload") == 0 && n == 1)
		return reload_now(&c->reload, out, why, len);
	if (strcmp(words[0], "cache") == 0)
		return command_cache(c, words, n, out, why, len);
	if (strcmp(words[0], "outbound") == 0 && n >= 2 &&
	    strcmp(words[1], "put") == 0)
		return authd_put(
		    c->authd->outbound, words + 2, n - 2, why, len);
	snprintf(why, len, "unknown command: %s", words[0]);
	return false;
}
