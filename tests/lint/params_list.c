/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * params_list - every option of the table, for the comparison with the manual
 *
 * One line each, blanks between: section ("-" is the top level), option, and
 * its default as one would write it in the file.
 */
#include <stdio.h>
#include <string.h>

#include "common/conf_table.h"

static void
print_default(const struct conf_param *p)
{
	const char *at;
	size_t len;

	if (p->dflt == NULL) {
		fputs("false", stdout);
		return;
	}
	switch (p->kind) {
	case CONF_KIND_STRING:
	case CONF_KIND_SECRET:
	case CONF_KIND_ENUM:
		printf("\"%s\"", p->dflt);
		break;
	case CONF_KIND_LIST:
		putchar('{');
		for (at = p->dflt; *at != '\0';
		     at += len + strspn(at + len, " ")) {
			len = strcspn(at, " ");
			printf("%s\"%.*s\"", at == p->dflt ? "" : ", ",
			    (int)len, at);
		}
		putchar('}');
		break;
	case CONF_KIND_BOOL:
	case CONF_KIND_INT:
	case CONF_KIND_DURATION:
	default:
		fputs(p->dflt, stdout);
		break;
	}
}

static void
list(const struct conf_section *section)
{
	const struct conf_section *const *inner = section->inner;
	const char *name = section->name[0] != '\0' ? section->name : "-";
	const struct conf_param *p;

	for (p = section->params; p->name != NULL; p++) {
		printf("%s %s ", name, p->name);
		print_default(p);
		putchar('\n');
	}
	for (; inner != NULL && *inner != NULL; inner++)
		list(*inner);
}

int
main(void)
{
	list(&conf_section_root);
	return fflush(stdout) == 0 ? 0 : 1;
}
