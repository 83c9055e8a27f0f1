/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/context_print.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/context_names.h"
#include "common/strbuf.h"

struct printing {
	const char *which;
	struct strbuf *out;
};

/* May the octet stand there as it is? */
static bool
is_plain(const char *at)
{
	unsigned char c = (unsigned char)at[0];

	if (c == ' ')
		return at[1] != '\0';
	if (c == '+')
		return at[1] != '\0' &&
		    !(isxdigit((unsigned char)at[1]) &&
			isxdigit((unsigned char)at[2]));
	return c > 32 && c < 127;
}

static bool
print_value(const char *name, const char *value, const char *origin, void *arg)
{
	const struct printing *p = arg;
	char text[4];
	size_t used = 0;
	int n;

	(void)origin;
	if (context_name_secret(name))
		value = CONTEXT_MASK;
	strbuf_addf(p->out, "[%s] %s ", p->which, name);
	for (; *value != '\0'; value++) {
		if (is_plain(value))
			n = snprintf(text, sizeof(text), "%c", *value);
		else
			n = snprintf(text, sizeof(text), "+%02X",
			    (unsigned)(unsigned char)*value);
		if (used + (size_t)n > CONTEXT_PRINT_MAX) {
			strbuf_addf(p->out, "+\n[%s] %s ", p->which, name);
			used = 0;
		}
		strbuf_add(p->out, text, (size_t)n);
		used += (size_t)n;
	}
	return strbuf_addch(p->out, '\n');
}

bool
context_print(const struct context *c, const char *which, struct strbuf *out)
{
	struct printing p = { .which = which, .out = out };

	return context_foreach(c, print_value, &p);
}
