/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes out of the arguments of XSETCONTEXT fits a context, and what is
 * printed of it fits a reply. */
#include <stdlib.h>
#include <string.h>

#include "common/context_names.h"
#include "common/context_print.h"
#include "common/strbuf.h"
#include "common/xsetcontext.h"
#include "tests/fuzz/fuzz.h"

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
print(const struct context *c)
{
	struct strbuf out;
	const char *line, *end;

	strbuf_init(&out, 1 << 20);
	must(context_print(c, "connection", &out));
	for (line = strbuf_str(&out); *line != '\0'; line = end + 1) {
		must((end = strchr(line, '\n')) != NULL);
		must(end - line + 6 <= 512);
		for (const char *p = line; p < end; p++)
			must(*p >= 32 && *p < 127);
	}
	strbuf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *why = NULL;
	struct xsetcontext_pair pair;
	enum xsetcontext_result r;
	struct context c = { 0 };
	char bad[CONTEXT_NAME_MAX + 1];
	size_t left = size, n = 0;

	while ((r = xsetcontext_next(&text, &left, &pair, &why)) ==
	    XSETCONTEXT_PAIR) {
		must(why == NULL && context_name_ok(pair.name));
		must(context_set(&c, pair.name, pair.value, "fuzz", NULL) ||
		    c.count == CONTEXT_NAMES_MAX);
		/* Either alone: whatever is listed by its name may be set, but
		 * for what would be taken for another name. */
		must(context_name_allowed(pair.name, (char *[]){ pair.name },
			 1) != context_name_mistaken(pair.name));
		n++;
	}
	must((r == XSETCONTEXT_BAD) == (why != NULL));
	must(xsetcontext_check((const char *)data, size, bad, &why) ==
	    (r == XSETCONTEXT_BAD ? 0 : n));
	print(&c);
	context_release(&c);
	return 0;
}
