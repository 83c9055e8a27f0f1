/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main() of a fuzz target that is built without libFuzzer: feed it every
 * file of its corpus, then truncations of each.
 *
 *	fuzz_NAME [DIRECTORY]
 *
 * Without an argument the corpus is $top_srcdir/tests/corpus/NAME. An empty
 * corpus is a failure: a target without seeds proves nothing.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

/* Every truncation of what is short; of what is long, so many more. The
 * whole would be quadratic, and slow under the sanitizers. */
#define TRUNCATE_ALL  256
#define TRUNCATE_MORE 64

/*
 * Each input is a block of exactly its own size, so that AddressSanitizer
 * and valgrind see the first octet read beyond it.
 */
static void
feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		err(EX_OSERR, "malloc");
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static uint8_t *
read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) != 0)
		err(EX_NOINPUT, "%s", path);
	*size = (size_t)st.st_size;
	if ((data = malloc(*size + 1)) == NULL)
		err(EX_OSERR, "malloc");
	if (fread(data, 1, *size, f) != *size)
		err(EX_IOERR, "%s", path);
	(void)fclose(f);
	return data;
}

static void
replay_file(const char *path)
{
	size_t size = 0;
	uint8_t *data = read_file(path, &size);
	size_t step;

	feed(data, size);
	for (size_t n = 0; n < size && n < TRUNCATE_ALL; n++)
		feed(data, n);
	step = size > TRUNCATE_ALL ? (size - TRUNCATE_ALL) / TRUNCATE_MORE : 0;
	for (size_t n = TRUNCATE_ALL; n < size; n += step + 1)
		feed(data, n);
	free(data);
}

static unsigned
replay_directory(const char *directory)
{
	struct dirent **entries = NULL;
	int n = scandir(directory, &entries, NULL, alphasort);
	unsigned replayed = 0;

	if (n < 0)
		err(EX_NOINPUT, "%s", directory);
	for (int i = 0; i < n; i++) {
		char *path = NULL;

		if (entries[i]->d_name[0] != '.') {
			if (asprintf(&path, "%s/%s", directory,
				entries[i]->d_name) < 0)
				err(EX_OSERR, "asprintf");
			replay_file(path);
			free(path);
			replayed++;
		}
		free(entries[i]);
	}
	free(entries);
	return replayed;
}

int
main(int argc, char **argv)
{
	const char *name = program_invocation_short_name;
	const char *top = getenv("top_srcdir");
	char *corpus = NULL;
	unsigned n;

	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	if (asprintf(&corpus, "%s/tests/corpus/%s", top != NULL ? top : ".",
		name) < 0)
		err(EX_OSERR, "asprintf");
	n = replay_directory(argc > 1 ? argv[1] : corpus);
	if (n == 0)
		errx(EX_NOINPUT, "%s: no seeds", argc > 1 ? argv[1] : corpus);
	printf("%s: %u files\n", program_invocation_short_name, n);
	free(corpus);
	return EX_OK;
}
