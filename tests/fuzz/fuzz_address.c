/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets into address_parse(): what comes out must be fit to stand between
 * < and > of an SMTP command, and must read back as the same.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

/* Nothing may end the path or the command before its end. */
static void
check_path(const struct address *a)
{
	bool quoted = false;
	size_t i;

	must(a->path_len <= ADDRESS_MAX && strlen(a->path) == a->path_len);
	for (i = 0; i < a->path_len; i++) {
		unsigned char c = (unsigned char)a->path[i];

		must(c >= 32 && c != 127);
		must(c < 128 || a->utf8);
		if (c == '\\' && quoted)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else
			must(quoted || (c != ' ' && c != '<' && c != '>'));
	}
	must(!quoted);
}

static void
check_same(enum address_result want, const struct address *a, const char *text)
{
	struct address b;

	must(address_parse(text, strlen(text), &b, NULL) == want);
	must(memcmp(a, &b, sizeof(b)) == 0);
	must(address_local_equal(a, &b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[ADDRESS_MAX + 3];
	struct address a, none = { 0 };
	enum address_result got;
	const char *why;

	memset(&a, 0xff, sizeof(a));
	got = address_parse((const char *)data, size, &a, &why);
	must((got == ADDRESS_BAD) == (why != NULL));
	if (got == ADDRESS_BAD) {
		must(memcmp(&a, &none, sizeof(a)) == 0);
		return 0;
	}
	check_path(&a);
	must(a.null == (got == ADDRESS_NULL));
	must((a.domain[0] != '\0') == (got == ADDRESS_OK));
	must(strlen(a.local) == a.local_len);
	must(strncmp(a.path, a.local, a.local_len) == 0);
	(void)snprintf(text, sizeof(text), "<%s>", a.path);
	check_same(got, &a, text);
	if (!a.null)
		check_same(got, &a, a.path);
	return 0;
}
