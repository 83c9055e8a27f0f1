/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_param.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/conf_suggest.h"
#include "common/number.h"
#include "common/secret.h"

#define FIELD(obj, param, type) \
 ((type *)(void *)((char *)(obj) + (param)->offset))
#define CONST_FIELD(obj, param, type) \
 ((type const *)(const void *)((const char *)(obj) + (param)->offset))

static bool
list_add(struct strlist *l, const char *text, size_t len)
{
	char **v = reallocarray(l->v, l->n + 1, sizeof(*v));

	if (v == NULL)
		return false;
	l->v = v;
	v[l->n] = strndup(text, len);
	if (v[l->n] == NULL)
		return false;
	l->n++;
	return true;
}

bool
conf_list_add(struct strlist *l, const char *text)
{
	return list_add(l, text, strlen(text));
}

void
conf_list_free(struct strlist *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		/* A peer's context may have a password. */
		explicit_bzero(l->v[i], strlen(l->v[i]));
		free(l->v[i]);
	}
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

static bool
list_copy(struct strlist *to, const struct strlist *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (!conf_list_add(to, from->v[i]))
			return false;
	return true;
}

/* The index of text among the words, or -1. */
static int
word_index(const char *words, const char *text)
{
	size_t len;
	int i;

	for (i = 0; *words != '\0'; i++) {
		len = strcspn(words, "|");
		if (strlen(text) == len && strncasecmp(words, text, len) == 0)
			return i;
		words += words[len] == '|' ? len + 1 : len;
	}
	return -1;
}

static int
parse_bool(const char *text)
{
	static const char *const words[] = { "false", "true", "no", "yes",
		"off", "on" };
	int i;

	for (i = 0; i < 6; i++)
		if (strcasecmp(text, words[i]) == 0)
			return i % 2;
	return -1;
}

/* A value in a message: short, and its last octet in sight. */
#define SHOWN      "\"%.60s%s\""
#define SHOW(text) (text), strlen(text) > 60 ? "..." : ""

static void
tell_enum(struct conf_source *s, const struct conf_param *p,
    const struct conf_value *v)
{
	struct conf_suggest near;
	char best[CONF_SUGGEST_MAX + 1];

	conf_suggest_init(&near, v->text);
	conf_suggest_words(&near, p->words, best, sizeof(best));
	if (near.best != NULL)
		conf_tell(s, v->at,
		    "%s: " SHOWN " is none of %s: did you mean \"%s\"?",
		    p->name, SHOW(v->text), p->words, near.best);
	else
		conf_tell(s, v->at, "%s: " SHOWN " is none of %s", p->name,
		    SHOW(v->text), p->words);
}

static void
tell_duration(struct conf_source *s, const struct conf_param *p,
    const struct conf_value *v)
{
	char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];
	int64_t ms;

	if (!duration_parse(v->text, &ms))
		conf_tell(s, v->at,
		    "%s: " SHOWN " is no duration, such as 500ms, 20s, 5m, "
		    "24h, 7d or seconds",
		    p->name, SHOW(v->text));
	else
		conf_tell(s, v->at, "%s: " SHOWN " is not within %s and %s",
		    p->name, SHOW(v->text),
		    duration_format(p->min, min, sizeof(min)),
		    duration_format(p->max, max, sizeof(max)));
}

/* The octet of a text that may not stand in it, or 0. */
static int
control_in(const struct conf_param *p, const char *text)
{
	bool lines = strcmp(p->words, "lines") == 0;

	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 32 || *text == 127) &&
		    !(lines && strchr("\t\r\n", *text) != NULL))
			return *text;
	return 0;
}

/* A number, duration, word or truth from text.  False when it is none. */
static bool
set_scalar(const struct conf_param *p, const char *text, void *obj)
{
	long long number;
	int64_t ms;
	int i;

	switch (p->kind) {
	case CONF_KIND_BOOL:
		i = parse_bool(text);
		if (i >= 0)
			*FIELD(obj, p, bool) = i == 1;
		return i >= 0;
	case CONF_KIND_INT:
		if (!number_parse(text, p->min, p->max, &number))
			return false;
		*FIELD(obj, p, long) = (long)number;
		return true;
	case CONF_KIND_DURATION:
		if (!duration_parse(text, &ms) || ms < p->min || ms > p->max)
			return false;
		*FIELD(obj, p, int64_t) = ms;
		return true;
	case CONF_KIND_ENUM:
		i = word_index(p->words, text);
		if (i >= 0)
			*FIELD(obj, p, int) = i;
		return i >= 0;
	case CONF_KIND_STRING:
	case CONF_KIND_SECRET:
	case CONF_KIND_LIST:
	default:
		return false;
	}
}

/* A string or secret from text.  False when memory is short. */
static bool
set_text(const struct conf_param *p, const char *text, void *obj)
{
	struct secret **secret;

	if (p->kind == CONF_KIND_STRING)
		return (*FIELD(obj, p, char *) = strdup(text)) != NULL;
	secret = FIELD(obj, p, struct secret *);
	*secret = calloc(1, sizeof(**secret));
	return *secret != NULL && secret_set(*secret, text, strlen(text));
}

static bool
set_default(const struct conf_param *p, void *obj)
{
	struct strlist *list;
	const char *at;
	size_t len;

	if (p->dflt == NULL) {
		if (p->kind == CONF_KIND_ENUM)
			*FIELD(obj, p, int) = -1;
		return true;
	}
	if (p->kind == CONF_KIND_STRING || p->kind == CONF_KIND_SECRET)
		return set_text(p, p->dflt, obj);
	if (p->kind != CONF_KIND_LIST)
		return set_scalar(p, p->dflt, obj);
	list = FIELD(obj, p, struct strlist);
	for (at = p->dflt; *at != '\0'; at += len + strspn(at + len, " ")) {
		len = strcspn(at, " ");
		if (!list_add(list, at, len))
			return false;
	}
	return true;
}

static bool
copy_field(const struct conf_param *p, void *obj, const void *base)
{
	const struct secret *secret;
	const char *text;
	size_t len;

	switch (p->kind) {
	case CONF_KIND_BOOL:
		*FIELD(obj, p, bool) = *CONST_FIELD(base, p, bool);
		return true;
	case CONF_KIND_INT:
		*FIELD(obj, p, long) = *CONST_FIELD(base, p, long);
		return true;
	case CONF_KIND_DURATION:
		*FIELD(obj, p, int64_t) = *CONST_FIELD(base, p, int64_t);
		return true;
	case CONF_KIND_ENUM:
		*FIELD(obj, p, int) = *CONST_FIELD(base, p, int);
		return true;
	case CONF_KIND_STRING:
		text = *CONST_FIELD(base, p, char *);
		return text == NULL || set_text(p, text, obj);
	case CONF_KIND_SECRET:
		secret = *CONST_FIELD(base, p, struct secret *);
		if (secret == NULL)
			return true;
		text = secret_bytes(secret, &len);
		return set_text(p, text, obj);
	case CONF_KIND_LIST:
	default:
		return list_copy(FIELD(obj, p, struct strlist),
		    CONST_FIELD(base, p, struct strlist));
	}
}

/* One that is not set, or whose value is wrong. */
static bool
set_unset(const struct conf_param *p, void *obj, const void *base)
{
	return base != NULL ? copy_field(p, obj, base) : set_default(p, obj);
}

static int
load_list(struct conf_source *s, cfg_t *sec, const struct conf_param *p,
    void *obj, const void *base)
{
	struct strlist *list = FIELD(obj, p, struct strlist);
	size_t n = conf_tree_count(sec, p->name);
	const struct conf_value *v = conf_tree_value(sec, p->name, 0);
	size_t i;

	if (n > 0 && v->append && !set_unset(p, obj, base))
		return -1;
	for (i = 0; i < n; i++) {
		v = conf_tree_value(sec, p->name, i);
		if (v->text[0] == '\0' || strcasecmp(v->text, "false") == 0)
			conf_tell(s, v->at,
			    "%s: " SHOWN " cannot stand in this list", p->name,
			    SHOW(v->text));
		else if (control_in(p, v->text) != 0)
			conf_tell(s, v->at, "%s: a value with octet 0x%02x",
			    p->name, (unsigned int)control_in(p, v->text));
		else if (!conf_list_add(list, v->text))
			return -1;
	}
	return 0;
}

static int
load_one(struct conf_source *s, cfg_t *sec, const struct conf_param *p,
    void *obj, const void *base)
{
	const struct conf_value *v;

	if (sec == NULL || !conf_tree_is_set(sec, p))
		return set_unset(p, obj, base) ? 0 : -1;
	if (p->kind == CONF_KIND_LIST)
		return load_list(s, sec, p, obj, base);
	v = conf_tree_value(sec, p->name, 0);
	if (v == NULL)
		return set_unset(p, obj, base) ? 0 : -1;
	if (p->kind == CONF_KIND_STRING || p->kind == CONF_KIND_SECRET) {
		if (control_in(p, v->text) == 0)
			return set_text(p, v->text, obj) ? 0 : -1;
		conf_tell(s, v->at, "%s: a value with octet 0x%02x", p->name,
		    (unsigned int)control_in(p, v->text));
	} else if (set_scalar(p, v->text, obj)) {
		return 0;
	} else if (p->kind == CONF_KIND_BOOL) {
		conf_tell(s, v->at,
		    "%s: " SHOWN " is none of true, false, yes, no, on, off",
		    p->name, SHOW(v->text));
	} else if (p->kind == CONF_KIND_INT) {
		conf_tell(s, v->at,
		    "%s: " SHOWN " is not a whole number from %lld to %lld",
		    p->name, SHOW(v->text), p->min, p->max);
	} else if (p->kind == CONF_KIND_DURATION) {
		tell_duration(s, p, v);
	} else {
		tell_enum(s, p, v);
	}
	return set_unset(p, obj, base) ? 0 : -1;
}

int
conf_params_load(struct conf_source *s, cfg_t *sec,
    const struct conf_param *params, void *obj, const void *base)
{
	for (; params->name != NULL; params++)
		if (load_one(s, sec, params, obj, base) != 0)
			return -1;
	return 0;
}

void
conf_params_free(const struct conf_param *params, void *obj)
{
	struct secret **secret;
	char **text;

	for (; params->name != NULL; params++) {
		if (params->kind == CONF_KIND_STRING) {
			text = FIELD(obj, params, char *);
			free(*text);
			*text = NULL;
		} else if (params->kind == CONF_KIND_LIST) {
			conf_list_free(FIELD(obj, params, struct strlist));
		} else if (params->kind == CONF_KIND_SECRET) {
			secret = FIELD(obj, params, struct secret *);
			if (*secret != NULL)
				secret_release(*secret);
			free(*secret);
			*secret = NULL;
		}
	}
}
