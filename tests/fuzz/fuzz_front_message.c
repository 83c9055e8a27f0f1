/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message into message_scan(), in pieces, whose size the first octet says:
 * it ends in the same place as in one piece, and no line with a dot alone goes
 * by before.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "front/message.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

/* By the book: LF "." CR* LF, and whether all of it is CR LF "." CR LF. */
static enum message_found
by_the_book(const char *p, size_t len, size_t *used)
{
	size_t i, j;

	for (i = 0; i < len; i++) {
		if (p[i] != '.' || (i > 0 && p[i - 1] != '\n'))
			continue;
		for (j = i + 1; j < len && p[j] == '\r';)
			j++;
		if (j == len || p[j] != '\n')
			continue;
		if (j == i + 2 && (i == 0 || (i > 1 && p[i - 2] == '\r'))) {
			*used = j + 1;
			return MESSAGE_ENDS;
		}
		*used = j;
		return MESSAGE_AMBIGUOUS;
	}
	*used = len;
	return MESSAGE_GOES_ON;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum message_found want, got = MESSAGE_GOES_ON;
	const char *p = (const char *)data + 1;
	size_t piece, at = 0, book;
	struct message m;

	if (size < 2)
		return 0;
	piece = data[0] > 0 ? data[0] : size;
	size--;
	want = by_the_book(p, size, &book);
	message_init(&m);
	while (at < size && got == MESSAGE_GOES_ON) {
		size_t len = size - at < piece ? size - at : piece, used = 0;

		got = message_scan(&m, p + at, len, &used);
		must(used <= len && (used == len || got != MESSAGE_GOES_ON));
		at += used;
		must(at <= size);
	}
	must(got == want);
	must(at == book);
	return 0;
}
