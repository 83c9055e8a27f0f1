/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ds_text.h"
#include "common/outbound_state.h"

static void
note_params(struct outbound_setup *s, const char *text)
{
	struct ds_name name;
	size_t i;

	while (ds_text_next(&text, &name)) {
		for (i = 0; i < OUTBOUND_PARAMS; i++) {
			const char *known = outbound_params[i];

			if (strlen(known) == name.len &&
			    memcmp(known, name.at, name.len) == 0)
				s->wants[i] = true;
		}
	}
}

/* Of our own, whose cache holds passwords alone. */
static bool
open_source(struct outbound_setup *s, char *why, size_t len)
{
	const struct conf_credential *c = &s->conf->credential;
	const struct conf_datasource *section;
	struct conf_datasource own;
	struct fault f;

	if (c->ds_cache == NULL || c->query == NULL)
		return true;
	section = conf_datasource_find(s->conf, c->ds_cache);
	if (section == NULL) {
		(void)snprintf(why, len,
		    "outbound_smtp_auth: there is no datasource \"%s\"",
		    c->ds_cache);
		return false;
	}
	/* One row is an answer; a second one is a reason not to take it. */
	own = *section;
	own.max_rows = 2;
	s->source = datasource_open(&own, why, len);
	if (s->source == NULL)
		return false;
	note_params(s, c->query);
	fault_clear(&f);
	switch (datasource_check(s->source, c->query, outbound_params, &f)) {
	case OUTCOME_OK:
		return true;
	case OUTCOME_TEMP:
		log_warning("outbound_smtp_auth: query: %s", f.text);
		return true;
	case OUTCOME_PERM:
		break;
	}
	(void)snprintf(why, len, "outbound_smtp_auth: query: %s", f.text);
	return false;
}

/* The first one whose password could not be read, or NULL. */
static const char *
fault_of(const struct conf_outbound *o)
{
	return o->pass_fault;
}

static const char *
fault_of_logins(const struct conf_login *v, size_t n)
{
	const char *fault = NULL;
	size_t i;

	for (i = 0; i < n && fault == NULL; i++)
		fault = fault_of(&v[i].outbound);
	return fault;
}

static const char *
fault_of_bindings(const struct conf_binding *v, size_t n)
{
	const char *fault = NULL;
	size_t i;

	for (i = 0; i < n && fault == NULL; i++) {
		fault = fault_of(&v[i].outbound);
		if (fault == NULL)
			fault = fault_of_logins(v[i].domains, v[i].n_domains);
		if (fault == NULL)
			fault = fault_of_logins(v[i].senders, v[i].n_senders);
		if (fault == NULL)
			fault =
			    fault_of_bindings(v[i].bindings, v[i].n_bindings);
	}
	return fault;
}

const char *
outbound_conf_fault(const struct conf *c)
{
	const char *fault = fault_of(&c->outbound);
	size_t i;

	for (i = 0; i < c->n_domains && fault == NULL; i++)
		fault = fault_of(&c->domains[i].outbound);
	if (fault == NULL)
		fault = fault_of_logins(c->senders, c->n_senders);
	if (fault == NULL)
		fault = fault_of_bindings(c->groups, c->n_groups);
	if (fault == NULL)
		fault = fault_of_bindings(c->bindings, c->n_bindings);
	return fault;
}

struct outbound_setup *
outbound_setup_new(struct conf *conf, char *why, size_t len)
{
	struct outbound_setup *s = calloc(1, sizeof(*s));

	(void)snprintf(why, len, "out of memory");
	if (s == NULL)
		return NULL;
	atomic_init(&s->refs, 1);
	s->conf = conf_ref(conf);
	s->credentials = credentials_new(conf);
	if (s->credentials == NULL || !open_source(s, why, len)) {
		outbound_setup_unref(s);
		return NULL;
	}
	return s;
}

void
outbound_setup_unref(struct outbound_setup *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	datasource_free(s->source);
	credentials_free(s->credentials);
	conf_unref(s->conf);
	free(s);
}
