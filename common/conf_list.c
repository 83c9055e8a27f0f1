/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of lists, names and files that several sections share. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/conf_load.h"
#include "common/conf_suggest.h"
#include "common/endpoint.h"

cfg_t *
conf_section_only(struct conf_load *l, cfg_t *in, const char *name)
{
	size_t n = conf_tree_count(in, name);
	cfg_t *first = n > 0 ? cfg_getnsec(in, name, 0) : NULL;
	struct conf_place at;
	size_t i;

	for (i = 1; i < n; i++) {
		at = conf_tree_place(l->s, first);
		conf_tell(l->s,
		    conf_tree_place(
			l->s, cfg_getnsec(in, name, (unsigned int)i)),
		    "%s stands here twice, first at %s:%u", name,
		    l->s->files[at.file].name, at.line);
	}
	return first;
}

static int
by_name(const void *va, const void *vb)
{
	const struct conf_named *a = va;
	const struct conf_named *b = vb;
	int order = strcasecmp(a->name, b->name);

	if (order != 0)
		return order;
	if (a->at.file != b->at.file)
		return a->at.file < b->at.file ? -1 : 1;
	return a->at.line < b->at.line ? -1 : a->at.line > b->at.line;
}

void
conf_unique(
    struct conf_load *l, const char *what, struct conf_named *v, size_t n)
{
	size_t i;

	if (n == 0)
		return;
	qsort(v, n, sizeof(*v), by_name);
	for (i = 1; i < n; i++)
		if (strcasecmp(v[i].name, v[i - 1].name) == 0)
			conf_tell(l->s, v[i].at,
			    "%s \"%.80s\" is there twice, first at %s:%u", what,
			    v[i].name, l->s->files[v[i - 1].at.file].name,
			    v[i - 1].at.line);
}

struct conf_place
conf_set_at(struct conf_load *l, cfg_t *sec, const char *name)
{
	return conf_tree_option_place(l->s, sec, name);
}

struct conf_place
conf_item_place(struct conf_load *l, cfg_t *sec, const char *name,
    const struct strlist *list, size_t i)
{
	size_t n = conf_tree_count(sec, name);

	if (i + n >= list->n && n > 0)
		return conf_tree_value(sec, name, i + n - list->n)->at;
	return conf_set_at(l, sec, name);
}

/* The word of the table that is text, capitals not counted. */
static bool
find_word(const char *words, const char *text, char *buf, size_t size)
{
	size_t len;

	for (; *words != '\0'; words += words[len] == '|' ? len + 1 : len) {
		len = strcspn(words, "|");
		if (strlen(text) == len && len < size &&
		    strncasecmp(words, text, len) == 0) {
			memcpy(buf, words, len);
			buf[len] = '\0';
			return true;
		}
	}
	return false;
}

void
conf_list_words(struct conf_load *l, cfg_t *sec, const char *name,
    struct strlist *list, const char *words)
{
	struct conf_suggest near;
	char word[CONF_SUGGEST_MAX + 1];
	struct conf_place at;
	size_t i, j;

	if (sec == NULL || conf_tree_count(sec, name) == 0)
		return;
	for (i = 0; i < list->n; i++) {
		at = conf_item_place(l, sec, name, list, i);
		if (find_word(words, list->v[i], word, sizeof(word))) {
			/* The same length: the spelling alone changes. */
			memcpy(list->v[i], word, strlen(word));
			for (j = 0; j < i; j++)
				if (strcmp(list->v[j], word) == 0)
					conf_tell(l->s, at,
					    "%s: \"%s\" is there twice", name,
					    word);
			continue;
		}
		conf_suggest_init(&near, list->v[i]);
		conf_suggest_words(&near, words, word, sizeof(word));
		if (near.best != NULL)
			conf_tell(l->s, at,
			    "%s: \"%.60s\" is none of %s: did you mean \"%s\"?",
			    name, list->v[i], words, near.best);
		else
			conf_tell(l->s, at, "%s: \"%.60s\" is none of %s", name,
			    list->v[i], words);
	}
}

void
conf_list_endpoints(struct conf_load *l, cfg_t *sec, const char *name,
    const struct strlist *list)
{
	struct endpoint e;
	const char *why;
	size_t i;

	if (sec == NULL || conf_tree_count(sec, name) == 0)
		return;
	for (i = 0; i < list->n; i++)
		if (!endpoint_parse(list->v[i], &e, &why))
			conf_tell(l->s, conf_item_place(l, sec, name, list, i),
			    "%s: \"%.80s\": %s", name, list->v[i], why);
}

void
conf_own_path(
    struct conf_load *l, cfg_t *sec, const char *name, const char *path)
{
	if (path != NULL && path[0] != '\0' && path[0] != '/')
		conf_tell(l->s, conf_set_at(l, sec, name),
		    "%s: \"%.80s\" is not an absolute path", name, path);
}

void
conf_cert_pair(
    struct conf_load *l, cfg_t *sec, const char *cert, const char *key)
{
	bool has_cert = cert != NULL && cert[0] != '\0';
	bool has_key = key != NULL && key[0] != '\0';

	if (has_cert && !has_key)
		conf_tell(l->s, conf_set_at(l, sec, "tls_cert_file"),
		    "tls_cert_file without a tls_key_file");
	if (has_key && !has_cert)
		conf_tell(l->s, conf_set_at(l, sec, "tls_key_file"),
		    "tls_key_file without a tls_cert_file");
}
