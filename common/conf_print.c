/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf.h"

#include <inttypes.h>
#include <string.h>

#include "common/conf_param.h"
#include "common/context_names.h"
#include "common/context_print.h"
#include "common/number.h"

#define FIELD(obj, param, type) \
 ((type const *)(const void *)((const char *)(obj) + (param)->offset))

void
conf_print_string(FILE *fp, const char *text)
{
	fputc('"', fp);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', fp);
		if (*text == '\n')
			fputs("\\n", fp);
		else if ((unsigned char)*text < 32 || *text == 127)
			fprintf(fp, "\\x%02x", (unsigned int)*text);
		else
			fputc(*text, fp);
	}
	fputc('"', fp);
}

static void
print_word(FILE *fp, const char *words, int index)
{
	for (; index > 0 && *words != '\0'; index--)
		words += strcspn(words, "|") + 1;
	fprintf(fp, "\"%.*s\"", (int)strcspn(words, "|"), words);
}

/* Of a peer's context, some are name=PASSWORD. */
static void
print_list(FILE *fp, const char *name, const struct strlist *list)
{
	bool context = strcmp(name, "context") == 0;
	const char *text;
	size_t i;

	fputc('{', fp);
	for (i = 0; i < list->n; i++) {
		text = list->v[i];
		if (i > 0)
			fputs(", ", fp);
		if (context && context_pair_secret(text))
			fprintf(fp, "\"%.*s=%s\"", (int)strcspn(text, "="),
			    text, CONTEXT_MASK);
		else
			conf_print_string(fp, text);
	}
	fputc('}', fp);
}

void
conf_param_print(
    FILE *fp, int indent, const struct conf_param *param, const void *obj)
{
	char duration[DURATION_TEXT_MAX];
	const char *text;
	int word;

	fprintf(fp, "%*s%s = ", indent, "", param->name);
	switch (param->kind) {
	case CONF_KIND_BOOL:
		fputs(*FIELD(obj, param, bool) ? "true" : "false", fp);
		break;
	case CONF_KIND_INT:
		fprintf(fp, "%ld", *FIELD(obj, param, long));
		break;
	case CONF_KIND_DURATION:
		fputs(duration_format(*FIELD(obj, param, int64_t), duration,
			  sizeof(duration)),
		    fp);
		break;
	case CONF_KIND_STRING:
		text = *FIELD(obj, param, char *);
		if (text != NULL)
			conf_print_string(fp, text);
		else
			fputs("false", fp);
		break;
	case CONF_KIND_SECRET:
		fputs(*FIELD(obj, param, struct secret *) != NULL
			? "\"********\""
			: "false",
		    fp);
		break;
	case CONF_KIND_LIST:
		print_list(fp, param->name, FIELD(obj, param, struct strlist));
		break;
	case CONF_KIND_ENUM:
	default:
		word = *FIELD(obj, param, int);
		if (word >= 0)
			print_word(fp, param->words, word);
		else
			fputs("false", fp);
		break;
	}
	fputc('\n', fp);
}

/* Options that only the global section has (conf.h). */
static bool
only_global(const char *name)
{
	return strcmp(name, "ds_cache") == 0 || strcmp(name, "query") == 0 ||
	    strcmp(name, "domains") == 0 || strcmp(name, "cache_size") == 0;
}

static void
print_params(
    FILE *fp, int indent, const struct conf_param *params, const void *obj)
{
	for (; params->name != NULL; params++)
		conf_param_print(fp, indent, params, obj);
}

static void
open_section(FILE *fp, int indent, const char *name, const char *title)
{
	fprintf(fp, "%*s%s ", indent, "", name);
	if (title != NULL) {
		conf_print_string(fp, title);
		fputc(' ', fp);
	}
	fputs("{\n", fp);
}

static void
close_section(FILE *fp, int indent)
{
	fprintf(fp, "%*s}\n", indent, "");
}

static void
print_section(FILE *fp, const char *name, const char *title,
    const struct conf_param *params, const void *obj)
{
	fputc('\n', fp);
	open_section(fp, 0, name, title);
	print_params(fp, 4, params, obj);
	close_section(fp, 0);
}

/* Of a domain: what it has in effect, and its own hosts if it has any. */
static void
print_proxy(FILE *fp, const char *name, const struct conf_param *params,
    const void *obj, bool has_host)
{
	open_section(fp, 4, name, NULL);
	for (; params->name != NULL; params++) {
		if (only_global(params->name) ||
		    (!has_host && strcmp(params->name, "host") == 0))
			continue;
		conf_param_print(fp, 8, params, obj);
	}
	close_section(fp, 4);
}

static void
print_domain(FILE *fp, const struct conf_domain *d)
{
	fputc('\n', fp);
	open_section(fp, 0, "domain", d->name);
	if (d->rcptto_given)
		print_proxy(fp, "smtp_rcptto_proxy", conf_params_rcptto,
		    &d->rcptto, d->has_rcptto);
	if (d->auth_given)
		print_proxy(fp, "smtp_auth_proxy", conf_params_auth, &d->auth,
		    d->has_auth);
	print_params(fp, 4, conf_params_outbound, &d->outbound);
	close_section(fp, 0);
}

static void
print_logins(FILE *fp, int indent, const char *name,
    const struct conf_login *logins, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		open_section(fp, indent, name, logins[i].name);
		print_params(
		    fp, indent + 4, conf_params_outbound, &logins[i].outbound);
		close_section(fp, indent);
	}
}

static void
print_bindings(FILE *fp, int indent, const char *name,
    const struct conf_binding *bindings, size_t n)
{
	const struct conf_binding *b;
	size_t i;

	for (i = 0; i < n; i++) {
		b = &bindings[i];
		fputc('\n', fp);
		open_section(fp, indent, name, b->name);
		print_params(fp, indent + 4, conf_params_binding, b);
		print_logins(
		    fp, indent + 4, "domain", b->domains, b->n_domains);
		print_logins(
		    fp, indent + 4, "sender", b->senders, b->n_senders);
		print_bindings(
		    fp, indent + 4, "binding", b->bindings, b->n_bindings);
		close_section(fp, indent);
	}
}

void
conf_print(const struct conf *c, FILE *fp)
{
	char net[CIDR_TEXT_MAX];
	size_t i;

	print_params(fp, 0, conf_params_global, c);
	for (i = 0; i < c->n_datasources; i++)
		print_section(fp, "datasource", c->datasources[i].name,
		    conf_params_datasource, &c->datasources[i]);
	print_section(fp, "smtp_auth_proxy", NULL, conf_params_auth, &c->auth);
	print_section(
	    fp, "smtp_rcptto_proxy", NULL, conf_params_rcptto, &c->rcptto);
	for (i = 0; i < c->n_domains; i++)
		print_domain(fp, &c->domains[i]);
	print_bindings(fp, 0, "binding_group", c->groups, c->n_groups);
	print_bindings(fp, 0, "binding", c->bindings, c->n_bindings);
	print_logins(fp, 0, "sender", c->senders, c->n_senders);
	print_section(
	    fp, "outbound_smtp_auth", NULL, conf_params_credential, c);
	for (i = 0; i < c->n_peers; i++)
		print_section(fp, "peer",
		    cidr_format(&c->peers[i].net, net, sizeof(net)),
		    conf_params_peer, &c->peers[i]);
	print_section(fp, "milter", NULL, conf_params_milter, &c->milter);
	print_section(fp, "authd", NULL, conf_params_authd, &c->authd);
	print_section(fp, "front", NULL, conf_params_front, &c->front);
	for (i = 0; i < c->n_tags; i++)
		print_section(
		    fp, "tag", c->tags[i].name, conf_params_tag, &c->tags[i]);
}
