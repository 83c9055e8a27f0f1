/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_load - the steps between libconfuse's tree and a snapshot
 *
 * Internal to conf*.c.  Each step fills a part of the snapshot and checks it;
 * errors are told and counted in the source, and only a lack of memory ends a
 * step early: it returns -1 then.
 */
#ifndef POSTERN_COMMON_CONF_LOAD_H
#define POSTERN_COMMON_CONF_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/conf_param.h"
#include "common/conf_source.h"
#include "common/conf_tree.h"

struct conf_load {
	struct conf_source *s;
	struct conf *c;
	cfg_t *tree;
};

/* Who is told errors and warnings. */
struct conf_hearer {
	conf_say *say;
	void *arg;
};

/*
 * conf_load_with(path, read, read_arg, hearer, out): conf_load() with another
 * reader of files, for tests; NULL is conf_read_file.
 */
int conf_load_with(const char *path, conf_read_fn *read, void *read_arg,
    const struct conf_hearer *hearer, struct conf **out);

/* What a section is about, for finding it twice. */
struct conf_named {
	const char *name;
	struct conf_place at;
};

/*
 * conf_section_only(l, name): the one section of a name, or NULL.  A second
 * one is told as an error.
 */
cfg_t *conf_section_only(struct conf_load *l, cfg_t *in, const char *name);

/* conf_unique(l, what, v, n): tell those that are there twice.  Sorts v. */
void conf_unique(
    struct conf_load *l, const char *what, struct conf_named *v, size_t n);

/* conf_set_at(l, sec, name): the place of an option, or of its section. */
struct conf_place conf_set_at(
    struct conf_load *l, cfg_t *sec, const char *name);

/*
 * conf_list_words(l, sec, name, list, words): every value of a list is one of
 * words ("A|B"), none twice; they get the spelling of the table.
 */
void conf_list_words(struct conf_load *l, cfg_t *sec, const char *name,
    struct strlist *list, const char *words);

/* conf_list_endpoints(l, sec, name, list): every value is an endpoint. */
void conf_list_endpoints(struct conf_load *l, cfg_t *sec, const char *name,
    const struct strlist *list);

/* conf_item_place(l, sec, name, list, i): the place of one value of a list,
 * the first of which may come from the default that += added to. */
struct conf_place conf_item_place(struct conf_load *l, cfg_t *sec,
    const char *name, const struct strlist *list, size_t i);

/* conf_own_path(l, sec, name, path): "" or an absolute path. */
void conf_own_path(
    struct conf_load *l, cfg_t *sec, const char *name, const char *path);

/* conf_cert_pair(l, sec, cert, key): both or neither. */
void conf_cert_pair(
    struct conf_load *l, cfg_t *sec, const char *cert, const char *key);

/* conf_check_upstream(l, sec, params, up, in_domain): what the sections
 * smtp_rcptto_proxy and smtp_auth_proxy have in common. */
void conf_check_upstream(struct conf_load *l, cfg_t *sec,
    const struct conf_param *params, struct conf_upstream *up, bool in_domain);

/* conf_limit_timeout(l, sec, timeout, most, who): lower it to what `who'
 * waits, with a warning. */
void conf_limit_timeout(struct conf_load *l, cfg_t *sec, int64_t *timeout,
    int64_t most, const char *who);

/* Step by step.  `sec` is the section, NULL when the file has none. */
int conf_load_global(struct conf_load *l);
int conf_load_datasources(struct conf_load *l);
int conf_load_rcptto(struct conf_load *l, cfg_t *sec, struct conf_rcptto *r,
    const struct conf_rcptto *base);
int conf_load_auth(struct conf_load *l, cfg_t *sec, struct conf_auth *a,
    const struct conf_auth *base);
int conf_load_domains(struct conf_load *l);
int conf_load_bindings(struct conf_load *l);
int conf_load_credential(struct conf_load *l);
int conf_load_peers(struct conf_load *l);
int conf_load_tags(struct conf_load *l);
int conf_load_programs(struct conf_load *l); /* milter, authd, front */

/* conf_secret_at(l, at, name): a password stands there: warn, once a file, if
 * everybody can read it. */
void conf_secret_at(
    struct conf_load *l, struct conf_place at, const char *name);

/*
 * conf_check_outbound(l, sec, o): user and password, and who can read it.  A
 * password "file:/path" is read here; see conf.h.  0, or -1 without memory.
 */
int conf_check_outbound(
    struct conf_load *l, cfg_t *sec, struct conf_outbound *o);

/* conf_outbound_release(o): what its options do not own. */
void conf_outbound_release(struct conf_outbound *o);

/* conf_check_nexthops(l, sec, list): every value is a next hop. */
void conf_check_nexthops(
    struct conf_load *l, cfg_t *sec, const struct strlist *list);

/* conf_warn_unreachable(l, sec, o, has_nexthops), conf_warn_no_nexthop(l, sec,
 * domain, o): say so when no next hop can get the credential. */
void conf_warn_unreachable(struct conf_load *l, cfg_t *sec,
    const struct conf_outbound *o, bool has_nexthops);
void conf_warn_no_nexthop(struct conf_load *l, cfg_t *sec, const char *domain,
    const struct conf_outbound *o);

/*
 * conf_check_query(l, sec, ds, query, allowed, has_host): ds_cache and query.
 *
 *   allowed   the parameters there are, "username|domain"
 *   has_host  without the query there are still hosts: what cannot work is
 *             then passed over with a warning, and *ds and *query are freed
 */
void conf_check_query(struct conf_load *l, cfg_t *sec, char **ds, char **query,
    const char *allowed, bool has_host);

/* conf_check_reply_class(l, sec, r): reply_class, into r->rules. */
int conf_check_reply_class(
    struct conf_load *l, cfg_t *sec, struct conf_rcptto *r);
void conf_free_reply_class(struct conf_rcptto *r);

/* conf_free_parts(c): everything that a snapshot owns. */
void conf_free_parts(struct conf *c);
void conf_rcptto_free(struct conf_rcptto *r);
void conf_auth_free(struct conf_auth *a);
void conf_bindings_free(struct conf_binding *b, size_t n);
void conf_logins_free(struct conf_login *v, size_t n);

#endif /* POSTERN_COMMON_CONF_LOAD_H */
