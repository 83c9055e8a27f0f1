/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text into endpoint_parse(): what is read must be written so that it reads
 * the same.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/endpoint.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), buf[ENDPOINT_TEXT_MAX];
	struct endpoint a, b, none = { 0 };
	const char *why;

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	memset(&a, 0xff, sizeof(a));
	if (endpoint_parse(text, &a, &why)) {
		must(why == NULL);
		must(endpoint_format(&a, buf, sizeof(buf))[0] != '\0');
		must(endpoint_parse(buf, &b, &why));
		must(endpoint_equal(&a, &b));
		must(endpoint_is_loopback(&a) == endpoint_is_loopback(&b));
		must(a.kind == ENDPOINT_INET || a.host[0] == '/');
	} else {
		must(why != NULL);
		must(memcmp(&a, &none, sizeof(a)) == 0);
	}
	free(text);
	return 0;
}
