/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets into wire_frame() and wire_parse(), as either end reads them from
 * its socket: what is a message is written as the same octets again, every
 * item lies within them, and what a reader was told of the length holds.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
check_message(
    const struct wire_message *m, const unsigned char *data, size_t size)
{
	unsigned char *again = malloc(size);
	size_t i;

	must(again != NULL);
	for (i = 1; i < WIRE_TAGS; i++) {
		if (m->item[i].data == NULL) {
			must(m->item[i].len == 0);
			continue;
		}
		must(m->item[i].data >= data + WIRE_HEADER);
		must(m->item[i].data + m->item[i].len <= data + size);
	}
	must(wire_format(m, again, size - 1) == 0);
	must(wire_format(m, again, size) == size);
	must(memcmp(again, data, size) == 0);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wire_message none;
	struct wire_message m;
	unsigned char *copy = malloc(size > 0 ? size : 1);
	const char *why;
	long whole;

	must(copy != NULL);
	/* An allocation of just this size: a sanitizer sees any look beyond. */
	if (size > 0)
		memcpy(copy, data, size);
	whole = wire_frame(copy, size, &why);
	must((whole == -1) == (why != NULL));
	must((whole == 0) == (whole != -1 && size < WIRE_HEADER));
	must(whole <= WIRE_MAX);

	memset(&m, 0xff, sizeof(m));
	if (wire_parse(copy, size, &m, &why)) {
		must(why == NULL && whole >= 0 && (size_t)whole == size);
		check_message(&m, copy, size);
	} else {
		must(why != NULL && memcmp(&m, &none, sizeof(m)) == 0);
	}
	free(copy);
	return 0;
}
