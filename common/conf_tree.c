/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_tree.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/conf_suggest.h"
#include "common/number.h"

/* libconfuse's scanner is global, and its callbacks take no argument of the
 * caller's: hence a lock, and the source that is being scanner.source under it. */
static struct {
	pthread_mutex_t lock;
	struct conf_source *source;
} scanner = { PTHREAD_MUTEX_INITIALIZER, NULL };

/* A value is the number of one of the source's values. */
static int
take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct conf_value **out = result;
	long long number;

	(void)cfg;
	(void)opt;
	if (scanner.source->n_values == 0 ||
	    !number_parse(
		value, 0, (long long)scanner.source->n_values - 1, &number))
		return -1;
	*out = &scanner.source->values[number];
	return 0;
}

static void
free_options(cfg_opt_t *opts)
{
	size_t i;

	if (opts == NULL)
		return;
	for (i = 0; opts[i].name != NULL; i++)
		free_options(opts[i].subopts);
	free(opts);
}

/* The option list of a section, and of those inside it; NULL without
 * memory. */
static cfg_opt_t *
make_options(const struct conf_section *section)
{
	const struct conf_section *const *inner = section->inner;
	const struct conf_param *p;
	cfg_opt_t *opts, *o;
	size_t n = 1;

	for (p = section->params; p->name != NULL; p++)
		n++;
	for (; inner != NULL && *inner != NULL; inner++)
		n++;
	opts = calloc(n, sizeof(*opts));
	if (opts == NULL)
		return NULL;
	o = opts;
	for (p = section->params; p->name != NULL; p++, o++) {
		o->name = p->name;
		o->type = CFGT_PTR;
		o->flags = CFGF_NODEFAULT;
		if (p->kind == CONF_KIND_LIST)
			o->flags |= CFGF_LIST;
		o->parsecb = take_value;
	}
	for (inner = section->inner; inner != NULL && *inner != NULL;
	     inner++, o++) {
		o->name = (*inner)->name;
		o->type = CFGT_SEC;
		o->flags = CFGF_MULTI;
		if ((*inner)->titled)
			o->flags |= CFGF_TITLE | CFGF_NO_TITLE_DUPES;
		o->subopts = make_options(*inner);
		if (o->subopts == NULL) {
			free_options(opts);
			return NULL;
		}
	}
	return opts;
}

/* Every name of a section and, below it, the section that has it. */
static void
search(const struct conf_section *section, struct conf_suggest *near,
    const char **home)
{
	const struct conf_section *const *inner = section->inner;
	const struct conf_param *p;

	for (p = section->params; p->name != NULL; p++) {
		conf_suggest_try(near, p->name);
		if (*home == NULL && strcasecmp(p->name, near->given) == 0)
			*home = section->name;
	}
	for (; inner != NULL && *inner != NULL; inner++) {
		conf_suggest_try(near, (*inner)->name);
		if (*home == NULL &&
		    strcasecmp((*inner)->name, near->given) == 0)
			*home = section->name;
		search(*inner, near, home);
	}
}

static void
tell_unknown(cfg_t *cfg, const struct conf_line *line, const char *name)
{
	struct conf_suggest here, anywhere;
	const char *home = NULL;
	const char *what = line->section ? "section" : "option";
	char where[64] = "";
	cfg_opt_t *o;

	conf_suggest_init(&here, name);
	for (o = cfg->opts; o->name != NULL; o++)
		conf_suggest_try(&here, o->name);
	conf_suggest_init(&anywhere, name);
	search(&conf_section_root, &anywhere, &home);
	if (strcmp(cfg->name, "root") != 0)
		snprintf(where, sizeof(where), " in %s", cfg->name);
	if (home != NULL)
		conf_tell(scanner.source, line->at,
		    "unknown %s \"%s\"%s: it belongs %s%s", what, name, where,
		    home[0] != '\0' ? "into " : "outside",
		    home[0] != '\0' ? home : " of any section");
	else if (here.best != NULL)
		conf_tell(scanner.source, line->at,
		    "unknown %s \"%s\"%s: did you mean \"%s\"?", what, name,
		    where, here.best);
	else if (anywhere.best != NULL)
		conf_tell(scanner.source, line->at,
		    "unknown %s \"%s\"%s: did you mean \"%s\" of another "
		    "section?",
		    what, name, where, anywhere.best);
	else
		conf_tell(scanner.source, line->at, "unknown %s \"%s\"%s", what,
		    name, where);
}

static void take_error(cfg_t *cfg, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
take_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	static const struct conf_line nowhere;
	const struct conf_line *line = &nowhere;
	char text[256];

	if (scanner.source == NULL)
		return;
	if (cfg->line >= 1 && (size_t)cfg->line <= scanner.source->n_lines)
		line = &scanner.source->lines[cfg->line - 1];
	if (strcmp(fmt, "no such option '%s'") == 0) {
		tell_unknown(cfg, line, va_arg(ap, const char *));
	} else if (strcmp(fmt, "unexpected token '%s'") == 0) {
		/* All else is seen before libconfuse sees the text. */
		conf_tell(scanner.source, line->at,
		    "%.*s takes one value, not a list", (int)line->len,
		    line->name);
	} else {
		vsnprintf(text, sizeof(text), fmt, ap);
		conf_tell(scanner.source, line->at, "%.*s: %s", (int)line->len,
		    line->name, text);
	}
}

int
conf_tree_parse(struct conf_source *s, cfg_t **out)
{
	struct conf_place at = { 0, 0 };
	cfg_opt_t *opts;
	cfg_t *tree = NULL;
	unsigned int errors = s->errors;
	int rc = CFG_PARSE_ERROR;

	*out = NULL;
	opts = make_options(&conf_section_root);
	pthread_mutex_lock(&scanner.lock);
	scanner.source = s;
	if (opts != NULL)
		tree = cfg_init(opts, CFGF_NOCASE);
	if (tree != NULL) {
		cfg_set_error_function(tree, take_error);
		rc = cfg_parse_buf(tree, strbuf_str(&s->text));
	}
	scanner.source = NULL;
	pthread_mutex_unlock(&scanner.lock);
	free_options(opts);
	if (rc != CFG_SUCCESS) {
		if (s->errors == errors)
			conf_tell(s, at, "out of memory");
		conf_tree_free(tree);
		return -1;
	}
	*out = tree;
	return 0;
}

void
conf_tree_free(cfg_t *tree)
{
	if (tree == NULL)
		return;
	pthread_mutex_lock(&scanner.lock);
	cfg_free(tree);
	pthread_mutex_unlock(&scanner.lock);
}

size_t
conf_tree_count(cfg_t *sec, const char *name)
{
	return sec != NULL ? cfg_size(sec, name) : 0;
}

const struct conf_value *
conf_tree_value(cfg_t *sec, const char *name, size_t i)
{
	if (sec == NULL)
		return NULL;
	return cfg_getnptr(sec, name, (unsigned int)i);
}

bool
conf_tree_is_set(cfg_t *sec, const struct conf_param *param)
{
	cfg_opt_t *opt = sec != NULL ? cfg_getopt(sec, param->name) : NULL;

	if (opt == NULL || (opt->flags & CFGF_MODIFIED) == 0)
		return false;
	return !(param->kind != CONF_KIND_BOOL && cfg_opt_size(opt) == 1 &&
	    strcasecmp(conf_tree_value(sec, param->name, 0)->text, "false") ==
		0);
}

bool
conf_tree_has(cfg_t *sec, const struct conf_param *params, const char *name)
{
	for (; params->name != NULL; params++)
		if (strcmp(params->name, name) == 0)
			return conf_tree_is_set(sec, params);
	return false;
}

struct conf_place
conf_tree_place(const struct conf_source *s, cfg_t *sec)
{
	struct conf_place at = { 0, 0 };

	/* A section's line is that of its closing brace by now, and the line
	 * of a closing brace holds the place of the opening one. */
	if (sec != NULL && strcmp(sec->name, "root") != 0)
		if (sec->line >= 1 && (size_t)sec->line <= s->n_lines)
			at = s->lines[sec->line - 1].at;
	return at;
}

struct conf_place
conf_tree_option_place(
    const struct conf_source *s, cfg_t *sec, const char *name)
{
	const struct conf_value *value = conf_tree_value(sec, name, 0);

	return value != NULL ? value->at : conf_tree_place(s, sec);
}
