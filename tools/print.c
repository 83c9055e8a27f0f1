/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/print.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void
print_line(const char *text, char instead)
{
	for (; *text != '\0'; text++)
		putchar((unsigned char)*text < 32 || *text == 127 ? instead
								  : *text);
}

static int
exit_status(enum verdict v)
{
	if (v == VERDICT_DEFER)
		return EX_TEMPFAIL;
	return v == VERDICT_REJECT ? 1 : EX_OK;
}

int
print_text(const char *name, enum verdict v, const char *text)
{
	print_line(name, '?');
	printf(" %s ", verdict_name(v));
	print_line(text, ' ');
	putchar('\n');
	return exit_status(v);
}

int
print_result(const struct result *r)
{
	print_line(r->name, '?');
	printf(" %s", verdict_name(r->verdict));
	if (r->code != 0) {
		printf(" %d", r->code);
		if (r->esc[0] != '\0')
			printf(" %s", r->esc);
		putchar(' ');
		print_line(r->text, ' ');
	}
	putchar('\n');
	return exit_status(r->verdict);
}

void
print_reason(const struct result *r, bool explain)
{
	if (explain)
		printf("verdict: %s, because: %s\n", verdict_name(r->verdict),
		    r->reason);
	else if (r->code == 0)
		fprintf(stderr, "posternctl: %s: %s%s%s\n", r->name, r->reason,
		    r->text[0] != '\0' ? ": " : "", r->text);
}
