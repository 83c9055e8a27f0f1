/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/conf_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_load.h"

struct files {
	const struct conf_case_file *v;
	size_t n;
};

static const char *
read_memory(
    void *arg, const char *path, struct conf_bytes *out, char *why, size_t whyl)
{
	const struct files *files = arg;
	const struct conf_case_file *f;
	size_t i;

	(void)why;
	(void)whyl;
	memset(out, 0, sizeof(*out));
	for (i = 0; i < files->n; i++) {
		f = &files->v[i];
		if (strcmp(f->name, path) != 0)
			continue;
		out->len = f->len > 0 ? f->len : strlen(f->text);
		out->data = malloc(out->len + 1);
		if (out->data == NULL)
			return "out of memory";
		memcpy(out->data, f->text, out->len);
		out->ino = i + 1;
		out->world_readable = f->world_readable;
		return NULL;
	}
	return "No such file or directory";
}

void
conf_case_say(void *arg, bool error, const char *line)
{
	struct conf_case *k = arg;

	if (error)
		k->errors++;
	else
		k->warnings++;
	strbuf_addf(&k->said, "%s: %s\n", error ? "error" : "warning", line);
}

static void
begin(struct conf_case *k)
{
	memset(k, 0, sizeof(*k));
	strbuf_init(&k->said, 1048576);
}

void
conf_case_load(
    struct conf_case *k, const struct conf_case_file *files, size_t n)
{
	struct conf_hearer hearer = { conf_case_say, k };
	struct files all = { files, n };

	begin(k);
	(void)conf_load_with(files[0].name, read_memory, &all, &hearer, &k->c);
}

void
conf_case_text(struct conf_case *k, const char *text)
{
	struct conf_case_file file = { "t.conf", text, 0, false };

	conf_case_load(k, &file, 1);
}

void
conf_case_data(struct conf_case *k, const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[1024];

	begin(k);
	snprintf(path, sizeof(path), "%s/tests/data/conf/%s",
	    top != NULL ? top : ".", name);
	(void)conf_load(path, conf_case_say, k, &k->c);
}

void
conf_case_release(struct conf_case *k)
{
	conf_unref(k->c);
	strbuf_release(&k->said);
	memset(k, 0, sizeof(*k));
}

char *
conf_case_print(const struct conf *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);

	if (fp == NULL)
		return NULL;
	conf_print(c, fp);
	fclose(fp);
	return text;
}
