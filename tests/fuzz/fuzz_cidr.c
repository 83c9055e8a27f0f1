/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text into cidr_parse(): what is read must be written so that it reads the
 * same, and a network must hold its own first address.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
check(const struct cidr *a)
{
	char buf[CIDR_TEXT_MAX];
	struct cidr b;

	must(cidr_format(a, buf, sizeof(buf))[0] != '\0');
	must(cidr_parse(buf, &b, NULL));
	must(memcmp(a, &b, sizeof(b)) == 0);
	must(strchr(buf, '/') != NULL);
	buf[strcspn(buf, "/")] = '\0';
	must(cidr_match_text(a, buf));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cidr a, none = { 0 }, all;
	char *text = malloc(size + 1);
	const char *why;

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	memset(&a, 0xff, sizeof(a));
	if (cidr_parse(text, &a, &why)) {
		must(why == NULL);
		check(&a);
	} else {
		must(why != NULL);
		must(memcmp(&a, &none, sizeof(a)) == 0);
	}
	must(cidr_parse("0.0.0.0/0", &all, NULL));
	must(!cidr_match_text(&all, text) || strchr(text, '/') == NULL);
	free(text);
	return 0;
}
