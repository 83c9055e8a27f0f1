/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration file into conf_load(): what is taken must print as a file
 * that is taken too, and prints the same.  What follows the first octet 0x1e
 * is the file that include("a") reads.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_load.h"

/* Longer ones teach nothing new and take their time. */
#define INPUT_MAX 16384

struct input {
	const char *data;
	size_t len;
	const char *more;
	size_t more_len;
	unsigned int told;
};

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
say(void *arg, bool error, const char *line)
{
	struct input *in = arg;

	if (error)
		in->told++;
	for (; *line != '\0'; line++)
		must((unsigned char)*line >= 32 && *line != 127);
}

static const char *
read_input(
    void *arg, const char *path, struct conf_bytes *out, char *why, size_t whyl)
{
	const struct input *in = arg;
	bool first = strcmp(path, "f") == 0;

	(void)why;
	(void)whyl;
	memset(out, 0, sizeof(*out));
	if (!first && (strcmp(path, "a") != 0 || in->more == NULL))
		return "No such file or directory";
	out->len = first ? in->len : in->more_len;
	out->data = malloc(out->len + 1);
	must(out->data != NULL);
	if (out->len > 0)
		memcpy(out->data, first ? in->data : in->more, out->len);
	out->ino = first ? 1 : 2;
	return NULL;
}

static struct conf *
load(struct input *in)
{
	struct conf_hearer hearer = { say, in };
	struct conf *c = NULL;
	int rc;

	in->told = 0;
	rc = conf_load_with("f", read_input, in, &hearer, &c);
	must((rc == 0) == (c != NULL));
	must((rc == 0) == (in->told == 0));
	return c;
}

static char *
print(const struct conf *c, size_t *len)
{
	char *text = NULL;
	FILE *fp = open_memstream(&text, len);

	must(fp != NULL);
	conf_print(c, fp);
	fclose(fp);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size, NULL, 0, 0 };
	struct input again = { NULL, 0, NULL, 0, 0 };
	char *once, *twice;
	const char *cut;
	struct conf *c;
	size_t len;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	cut = memchr(data, 0x1e, size);
	if (cut != NULL) {
		in.len = (size_t)(cut - in.data);
		in.more = cut + 1;
		in.more_len = size - in.len - 1;
	}
	c = load(&in);
	if (c == NULL)
		return 0;
	once = print(c, &again.len);
	conf_unref(c);
	again.data = once;
	c = load(&again);
	must(c != NULL);
	twice = print(c, &len);
	must(len == again.len && memcmp(once, twice, len) == 0);
	conf_unref(c);
	free(once);
	free(twice);
	return 0;
}
