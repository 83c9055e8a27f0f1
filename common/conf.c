/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf.h"

#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
# include <malloc.h>
#endif

#include "common/conf_load.h"

/* libconfuse copies its whole option list for each section: some 20 kB, which
 * the process would keep as fragments for good. */
#define MANY_SECTIONS 100

static void
give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/* Everything but memory is told as it is found. */
static int
load_all(struct conf_load *l)
{
	cfg_t *rcptto = conf_section_only(l, l->tree, "smtp_rcptto_proxy");
	cfg_t *auth = conf_section_only(l, l->tree, "smtp_auth_proxy");

	if (conf_load_global(l) != 0 || conf_load_datasources(l) != 0)
		return -1;
	/* Domains take from these what they do not set themselves. */
	if (conf_load_rcptto(l, rcptto, &l->c->rcptto, NULL) != 0 ||
	    conf_load_auth(l, auth, &l->c->auth, NULL) != 0)
		return -1;
	if (conf_load_domains(l) != 0 || conf_load_bindings(l) != 0 ||
	    conf_load_credential(l) != 0)
		return -1;
	if (conf_load_peers(l) != 0 || conf_load_tags(l) != 0)
		return -1;
	return conf_load_programs(l);
}

int
conf_load_with(const char *path, conf_read_fn *read, void *read_arg,
    const struct conf_hearer *hearer, struct conf **out)
{
	struct conf_source source;
	struct conf_place at = { 0, 0 };
	struct conf_load l = { &source, NULL, NULL };
	size_t sections;
	int rc = -1;

	*out = NULL;
	conf_source_init(&source, hearer->say, hearer->arg);
	if (read != NULL) {
		source.read = read;
		source.read_arg = read_arg;
	}
	if (conf_source_read(&source, path) != 0)
		goto done;
	if (conf_tree_parse(&source, &l.tree) != 0)
		goto done;
	l.c = calloc(1, sizeof(*l.c));
	if (l.c == NULL || load_all(&l) != 0)
		goto done;
	if (source.errors > 0)
		goto done;
	atomic_init(&l.c->refs, 1);
	*out = l.c;
	l.c = NULL;
	rc = 0;
done:
	/* What fails without a word fails for want of memory. */
	if (rc != 0 && source.errors == 0)
		conf_tell(&source, at, "out of memory");
	if (l.c != NULL)
		conf_free_parts(l.c);
	free(l.c);
	conf_tree_free(l.tree);
	sections = source.n_sections;
	conf_source_release(&source);
	if (sections >= MANY_SECTIONS)
		give_back();
	return rc;
}

int
conf_load(const char *path, conf_say *say, void *arg, struct conf **out)
{
	struct conf_hearer hearer = { say, arg };

	return conf_load_with(path, NULL, NULL, &hearer, out);
}

void
conf_free_parts(struct conf *c)
{
	size_t i;

	conf_params_free(conf_params_global, c);
	free(c->relay_nets);
	for (i = 0; i < c->n_datasources; i++) {
		free(c->datasources[i].name);
		conf_params_free(conf_params_datasource, &c->datasources[i]);
	}
	free(c->datasources);
	conf_rcptto_free(&c->rcptto);
	conf_auth_free(&c->auth);
	conf_params_free(conf_params_credential, c);
	conf_outbound_release(&c->outbound);
	for (i = 0; i < c->n_domains; i++) {
		free(c->domains[i].name);
		conf_rcptto_free(&c->domains[i].rcptto);
		conf_auth_free(&c->domains[i].auth);
		conf_params_free(conf_params_outbound, &c->domains[i].outbound);
		conf_outbound_release(&c->domains[i].outbound);
	}
	free(c->domains);
	conf_bindings_free(c->bindings, c->n_bindings);
	conf_bindings_free(c->groups, c->n_groups);
	conf_logins_free(c->senders, c->n_senders);
	for (i = 0; i < c->n_peers; i++)
		conf_params_free(conf_params_peer, &c->peers[i]);
	free(c->peers);
	conf_params_free(conf_params_milter, &c->milter);
	conf_params_free(conf_params_authd, &c->authd);
	conf_params_free(conf_params_front, &c->front);
	for (i = 0; i < c->n_tags; i++) {
		free(c->tags[i].name);
		conf_params_free(conf_params_tag, &c->tags[i]);
	}
	free(c->tags);
}

struct conf *
conf_ref(struct conf *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
conf_unref(struct conf *c)
{
	if (c == NULL ||
	    atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	conf_free_parts(c);
	free(c);
}
