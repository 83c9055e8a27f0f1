/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets into nexthop_parse(): what is read is a host that is read as the
 * same again, and nothing that a log or a query would stumble over.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nexthop.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nexthop none;
	char text[NEXTHOP_HOST_MAX + 16];
	struct nexthop a, b;
	const char *why, *p;
	int n;

	memset(&a, 0xff, sizeof(a));
	if (!nexthop_parse((const char *)data, size, &a, &why)) {
		must(why != NULL);
		must(memcmp(&a, &none, sizeof(a)) == 0);
		return 0;
	}
	must(why == NULL && a.host[0] != '\0');
	for (p = a.host; *p != '\0'; p++)
		must(*p > 32 && *p < 127 && strchr("[]@/%\"", *p) == NULL &&
		    !(*p >= 'A' && *p <= 'Z'));
	n = a.port != 0
	    ? snprintf(text, sizeof(text), "[%s]:%u", a.host, (unsigned)a.port)
	    : snprintf(text, sizeof(text), "[%s]", a.host);
	must(n > 0 && (size_t)n < sizeof(text));
	must(nexthop_parse(text, (size_t)n, &b, &why));
	must(memcmp(&a, &b, sizeof(a)) == 0);
	must(nexthop_covers(&a, &b));
	return 0;
}
