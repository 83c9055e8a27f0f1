/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets through xtext: any octets survive encoding and decoding, and what
 * is decoded encodes to the same meaning.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/xtext.h"

#define OCTETS_MAX 4096

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
check_round_trip(const char *data, size_t len)
{
	static char text[XTEXT_ROOM(OCTETS_MAX)], back[OCTETS_MAX + 1];
	size_t i, n;

	must(xtext_encode(data, len, text, XTEXT_ROOM(len)));
	for (i = 0; text[i] != '\0'; i++)
		must(text[i] > 32 && text[i] < 127 && text[i] != '=');
	must(xtext_decode(text, i, back, len + 1, &n));
	must(n == len && memcmp(back, data, len) == 0);
	/* One octet less must be noticed. */
	must(!xtext_encode(data, len, text, i));
	must(!xtext_decode(text, strlen(text), back, 0, &n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[OCTETS_MAX + 1];
	const char *text = size > 0 ? (const char *)data : "";
	size_t n;

	if (size > OCTETS_MAX)
		size = OCTETS_MAX;
	check_round_trip(text, size);
	if (xtext_decode(text, size, out, sizeof(out), &n))
		check_round_trip(out, n);
	else
		must(n == 0 && out[0] == '\0');
	return 0;
}
