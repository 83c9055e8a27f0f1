/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf - the configuration, as an immutable snapshot
 *
 * postern.conf is read by libconfuse from the table of params.h into one
 * struct conf.  A snapshot is never changed after conf_load() has returned
 * it; any thread may read it while it holds a reference.  A reload loads a
 * second snapshot and swaps (conf_holder.h); a bad file keeps the first.
 *
 * The syntax is libconfuse's, with these differences, all of them refusals
 * where something would otherwise be lost without a word: a comment does not
 * begin inside a word, an option is not given twice in one section, include()
 * is relative to the including file, and "${X}" is four plain characters: a
 * configuration means the same whatever the environment holds.
 */
#ifndef POSTERN_COMMON_CONF_H
#define POSTERN_COMMON_CONF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/cidr.h"
#include "common/params.h"

struct classify_rules;
struct secret;

struct strlist {
	char **v; /* NUL-terminated strings */
	size_t n;
};

/* What the SASL plug-in waits for an answer (postern_timeout). */
#define CONF_AUTH_TIMEOUT_MAX_MS 25000

/* Hosts that one list may name. */
#define CONF_HOSTS_MAX 16

enum conf_tls {
	TLS_NONE,
	TLS_MAY,
	TLS_ENCRYPT,
	TLS_VERIFY,
	TLS_IMPLICIT
};

enum conf_xclient {
	XCLIENT_NO,
	XCLIENT_IFAVAILABLE,
	XCLIENT_REQUIRED
};

enum conf_helo {
	HELO_OWN,
	HELO_REPLAY
};

enum conf_on_down {
	ON_DOWN_DEFER,
	ON_DOWN_ACCEPT,
	ON_DOWN_LEARNED
};

enum conf_mode {
	MODE_ENFORCE,
	MODE_OBSERVE
};

enum conf_tls_protocol {
	TLS_PROTOCOL_1_2,
	TLS_PROTOCOL_1_3
};

enum conf_outbound_type {
	OUTBOUND_PLAIN,
	OUTBOUND_LOGIN
}; /* -1: unset */

enum conf_front_xclient {
	CONF_FRONT_XCLIENT_REQUIRED,
	CONF_FRONT_XCLIENT_NO
};

enum conf_log_target {
	LOG_TARGET_SYSLOG,
	LOG_TARGET_STDERR
};

#define CONF_TYPE_BOOL     bool
#define CONF_TYPE_INT      long
#define CONF_TYPE_DURATION int64_t
#define CONF_TYPE_STRING   char *
#define CONF_TYPE_SECRET   struct secret *
#define CONF_TYPE_LIST     struct strlist
#define CONF_TYPE_ENUM     int
#define CONF_FIELD(kind, name, dflt, min, max, words, help) \
 CONF_TYPE_##kind name;

struct conf_upstream {
	PARAMS_UPSTREAM(CONF_FIELD, "", "", "")
};

/*
 * smtp_rcptto_proxy, global or of a domain.  In a domain every option that
 * is not set there has the global value, but for host, which is the
 * domain's own; ds_cache, query, domains and cache_size are of the global
 * section alone, and empty in a domain.
 *
 * Every host has passed endpoint_parse(); ds_cache names a datasource and
 * query is set, or both are NULL.  mailfrom is "", "original" or an address.
 */
struct conf_rcptto {
	struct conf_upstream up;
	PARAMS_RCPTTO(CONF_FIELD)
	struct classify_rules *rules; /* reply_class, or NULL */
};

/*
 * smtp_auth_proxy; the same holds.  timeout is CONF_AUTH_TIMEOUT_MAX_MS at
 * most, canon is never NULL and has passed login_name_canon_ok(), mechanisms
 * are words of the table, and with tls = may every host here is a loopback
 * address or a Unix socket.
 */
struct conf_auth {
	struct conf_upstream up;
	PARAMS_AUTH(CONF_FIELD)
};

/*
 * Of one scope, and of that scope alone: a credential is never put together
 * from two.  User and password are both set, or neither.  A password from a
 * file ("file:/path") is what the file says; when it could not be read,
 * pass_fault says why and the password is empty, not to be used.
 */
struct conf_outbound {
	PARAMS_OUTBOUND(CONF_FIELD) /* type: -1 when unset */
	char *pass_fault;           /* NULL: nothing is wrong */
};

struct conf_domain {
	char *name;        /* lower case, no final dot */
	bool has_rcptto;   /* a smtp_rcptto_proxy with a host of its own */
	bool has_auth;     /* the same of smtp_auth_proxy */
	bool rcptto_given; /* a smtp_rcptto_proxy, with or without a host */
	bool auth_given;
	struct conf_rcptto rcptto;
	struct conf_auth auth;
	struct conf_outbound outbound;
};

struct conf_datasource {
	char *name;
	PARAMS_DATASOURCE(CONF_FIELD)
};

struct conf_peer {
	struct cidr net;
	PARAMS_PEER(CONF_FIELD)
};

struct conf_milter {
	PARAMS_MILTER(CONF_FIELD)
};

struct conf_authd {
	PARAMS_AUTHD(CONF_FIELD)
};

struct conf_front {
	PARAMS_FRONT(CONF_FIELD)
};

struct conf_tag {
	char *name; /* the header's, without the colon */
	PARAMS_TAG(CONF_FIELD)
};

/* sender, and domain inside a binding */
struct conf_login {
	char *name; /* of a sender: "ann@example.org" or "@example.org" */
	struct conf_outbound outbound;
};

/* binding or binding_group */
struct conf_binding {
	char *name;
	PARAMS_NEXTHOPS(CONF_FIELD)
	struct conf_outbound outbound;
	struct conf_login *domains;
	size_t n_domains;
	struct conf_login *senders;
	size_t n_senders;
	struct conf_binding *bindings; /* of a group */
	size_t n_bindings;
};

/* outbound_smtp_auth, beside what every scope has */
struct conf_credential {
	PARAMS_NEXTHOPS(CONF_FIELD)
	PARAMS_OUTBOUND_QUERY(CONF_FIELD)
};

struct conf {
	PARAMS_GLOBAL(CONF_FIELD) /* hostname is never NULL after loading */
	struct cidr *relay_nets;  /* relay_hosts, parsed */
	size_t n_relay_nets;
	struct conf_datasource *datasources;
	size_t n_datasources;
	struct conf_rcptto rcptto;
	struct conf_auth auth;
	struct conf_outbound outbound; /* outbound_smtp_auth: global scope */
	struct conf_credential credential;
	struct conf_domain *domains; /* sorted by name */
	size_t n_domains;
	struct conf_binding *bindings;
	size_t n_bindings;
	struct conf_binding *groups;
	size_t n_groups;
	struct conf_login *senders; /* outside of any binding */
	size_t n_senders;
	struct conf_peer *peers; /* most specific network first */
	size_t n_peers;
	struct conf_milter milter;
	struct conf_authd authd;
	struct conf_front front;
	struct conf_tag *tags;
	size_t n_tags;
	atomic_uint refs; /* conf_ref(), conf_unref() */
};

/*
 * conf_load(path, say, arg, out): read and check a configuration file.
 *
 *   path  the file; include() in it is relative to its directory
 *   say   told each error and warning as one line "FILE:LINE: message"
 *   out   the new snapshot with one reference, or NULL
 *
 * Returns 0, or -1 after at least one error has been told.
 */
typedef void conf_say(void *arg, bool error, const char *line);

int conf_load(const char *path, conf_say *say, void *arg, struct conf **out);

/*
 * conf_print(c, fp): the effective configuration, in the file's own syntax.
 * Loading what was printed gives the same snapshot again, but for secrets,
 * which are printed as "********".
 */
void conf_print(const struct conf *c, FILE *fp);

struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf *c); /* NULL does nothing */

/* conf_domain_find(c, name): the scope of a lower-case domain, or NULL. */
const struct conf_domain *conf_domain_find(
    const struct conf *c, const char *name);

const struct conf_datasource *conf_datasource_find(
    const struct conf *c, const char *name);

/*
 * conf_binding_find(c, name, group): a binding, inside a group or not.
 *
 *   group  the group it stands in, or NULL
 */
const struct conf_binding *conf_binding_find(
    const struct conf *c, const char *name, const struct conf_binding **group);

/* conf_is_relay_host(c, ip): whether the textual address is in relay_hosts. */
bool conf_is_relay_host(const struct conf *c, const char *ip);

/* conf_peer_find(c, ip): the most specific peer section, or NULL. */
const struct conf_peer *conf_peer_find(const struct conf *c, const char *ip);

/* conf_peer_may(peer, extension): does smtp_extensions have that word?  peer
 * may be NULL, who may nothing. */
bool conf_peer_may(const struct conf_peer *peer, const char *extension);

/* conf_outbound_sets(o): is any option of outbound_smtp_auth_* set there? */
bool conf_outbound_sets(const struct conf_outbound *o);

#endif /* POSTERN_COMMON_CONF_H */
