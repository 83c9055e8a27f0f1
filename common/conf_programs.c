/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of the programs: milter, authd, front. */
#include <string.h>

#include "common/conf_check.h"
#include "common/conf_load.h"
#include "common/endpoint.h"

/* The sockets of one machine, for finding one that is named twice. */
struct socket_seen {
	const char *text;
	struct conf_place at;
};

struct sockets {
	struct socket_seen v[64];
	size_t n;
};

/* A socket at its place.  The milter's alone may be a TCP one: of the others
 * the peer's user must be known. */
static void
check_socket(struct conf_load *l, struct sockets *all, const char *name,
    const char *text, struct conf_place at)
{
	bool unix_only = text != l->c->milter.socket;
	const char *why;
	size_t i;

	if (!conf_check_socket(text, unix_only, &why)) {
		conf_tell(l->s, at, "%s: \"%.120s\": %s", name, text, why);
		return;
	}
	for (i = 0; i < all->n; i++)
		if (strcmp(all->v[i].text, text) == 0)
			conf_tell(l->s, at,
			    "%s: \"%.120s\" is in use for something else", name,
			    text);
	if (all->n < sizeof(all->v) / sizeof(all->v[0])) {
		all->v[all->n].text = text;
		all->v[all->n++].at = at;
	}
}

static void
check_sockets(struct conf_load *l, struct sockets *all, cfg_t *sec,
    const char *name, const struct strlist *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		check_socket(l, all, name, list->v[i],
		    conf_item_place(l, sec, name, list, i));
}

/* A group by its name or number. */
static bool
check_group(struct conf_load *l, cfg_t *sec, const char *group)
{
	const char *why;

	if (group == NULL || conf_check_account(group, &why))
		return true;
	conf_tell(l->s, conf_set_at(l, sec, "socket_group"),
	    "socket_group: \"%.60s\": %s", group, why);
	return false;
}

static void
check_milter(struct conf_load *l, cfg_t *sec, struct sockets *all)
{
	const struct conf_milter *m = &l->c->milter;

	check_socket(
	    l, all, "socket", m->socket, conf_set_at(l, sec, "socket"));
	check_socket(
	    l, all, "control", m->control, conf_set_at(l, sec, "control"));
	if (check_group(l, sec, m->socket_group) && m->socket_group != NULL &&
	    strncmp(m->socket, "inet:", 5) == 0)
		conf_tell(l->s, conf_set_at(l, sec, "socket_group"),
		    "socket_group: a TCP socket belongs to no group");
}

static void
check_authd(struct conf_load *l, cfg_t *sec, struct sockets *all)
{
	const struct conf_authd *a = &l->c->authd;

	check_sockets(l, all, sec, "socket", &a->socket);
	check_sockets(l, all, sec, "saslauthd_socket", &a->saslauthd_socket);
	check_sockets(l, all, sec, "socketmap_socket", &a->socketmap_socket);
	check_socket(
	    l, all, "control", a->control, conf_set_at(l, sec, "control"));
	check_group(l, sec, a->socket_group);
	conf_own_path(l, sec, "state_directory", a->state_directory);
}

static void
check_front(struct conf_load *l, cfg_t *sec)
{
	const struct conf_front *f = &l->c->front;
	struct endpoint e;
	const char *why;

	if (!endpoint_parse(f->next, &e, &why))
		conf_tell(l->s, conf_set_at(l, sec, "next"),
		    "next: \"%.120s\": %s", f->next, why);
	else if (e.lmtp)
		conf_tell(l->s, conf_set_at(l, sec, "next"),
		    "next: \"%.120s\": SMTP is spoken here, not LMTP", f->next);
	conf_own_path(l, sec, "tls_cert_file", f->tls_cert_file);
	conf_own_path(l, sec, "tls_key_file", f->tls_key_file);
	conf_cert_pair(l, sec, f->tls_cert_file, f->tls_key_file);
}

int
conf_load_programs(struct conf_load *l)
{
	struct sockets all;
	cfg_t *milter = conf_section_only(l, l->tree, "milter");
	cfg_t *authd = conf_section_only(l, l->tree, "authd");
	cfg_t *front = conf_section_only(l, l->tree, "front");

	memset(&all, 0, sizeof(all));
	if (conf_params_load(
		l->s, milter, conf_params_milter, &l->c->milter, NULL) != 0 ||
	    conf_params_load(
		l->s, authd, conf_params_authd, &l->c->authd, NULL) != 0 ||
	    conf_params_load(
		l->s, front, conf_params_front, &l->c->front, NULL) != 0)
		return -1;
	check_milter(l, milter, &all);
	check_authd(l, authd, &all);
	check_front(l, front);
	return 0;
}
