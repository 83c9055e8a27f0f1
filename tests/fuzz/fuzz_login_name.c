/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "name NUL canon NUL realm": what goes upstream is bounded and can be sent,
 * and an option that was let through fails only for names it has no part of.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/login_name.h"

#define TEXT_MAX 1024

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
check_canon(const struct login_name *n, const char *canon, const char *realm)
{
	char out[LOGIN_NAME_OCTETS + 1], less[LOGIN_NAME_OCTETS + 1];
	const char *why = NULL;
	bool fits;
	size_t i, len;

	must(login_name_canon_ok(canon, &why) == (why == NULL));
	fits = login_name_canon(n, canon, realm, out, sizeof out);
	len = strlen(out);
	must(len < sizeof out && fits == (len > 0));
	for (i = 0; i < len; i++)
		must((unsigned char)out[i] >= 32 && out[i] != 127);
	/* One octet less must be noticed; not one more is needed. */
	must(!login_name_canon(n, canon, realm, less, len));
	if (fits)
		must(login_name_canon(n, canon, realm, less, len + 1) &&
		    strcmp(less, out) == 0);
	/* The name alone always serves. */
	must(login_name_canon(n, "none", realm, out, sizeof out) &&
	    strcmp(out, n->full) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 3];
	const char *canon, *realm;
	struct login_name n;
	size_t len;

	if (size > TEXT_MAX)
		size = TEXT_MAX;
	memset(text, 0, sizeof text);
	if (size > 0)
		memcpy(text, data, size);
	(void)login_name_parse(text, size, &n, NULL);
	len = strlen(text);
	canon = text + len + 1;
	realm = canon + strlen(canon) + 1;
	if (realm > text + sizeof text - 1)
		realm = "";
	if (login_name_parse(text, len, &n, NULL))
		check_canon(&n, canon, realm);
	return 0;
}
