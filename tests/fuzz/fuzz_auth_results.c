/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A value that came in, and one that we write with the same octets for a
 * user: it is found to be ours and stays on its lines.  Whatever comes behind
 * our own name, the header is ours.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "milter/auth_results.h"

#define TEXT_MAX 1500

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
check_written(const char *user)
{
	const char *p;
	struct strbuf out;

	strbuf_init(&out, 8192);
	must(auth_results_write("edge.test", user, user, &out));
	for (p = strbuf_str(&out); *p != '\0'; p++)
		must((*p >= ' ' && *p <= '~') ||
		    (*p == '\n' && (p[1] == '\t' || p[1] == ' ')) ||
		    (*p == '\t' && p[-1] == '\n'));
	must(auth_results_whose(strbuf_str(&out), "edge.test") ==
	    AUTH_RESULTS_OURS);
	must(auth_results_whose(strbuf_str(&out), "other.test") ==
	    AUTH_RESULTS_OTHERS);
	strbuf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 32];
	enum auth_results_whose whose;

	if (size > TEXT_MAX)
		size = TEXT_MAX;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_written(text);
	whose = auth_results_whose(text, "edge.test");
	must(whose == auth_results_whose(text, "EDGE.test."));
	/* Whatever comes behind our name, it is ours. */
	memmove(text + 10, text, strlen(text) + 1);
	memcpy(text, "edge.test;", 10);
	must(auth_results_whose(text, "edge.test") == AUTH_RESULTS_OURS);
	memcpy(text, "edge.test ", 10);
	must(auth_results_whose(text, "edge.test") == AUTH_RESULTS_OURS);
	return 0;
}
