/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/classify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/classify.h"

bool
classify_stream(FILE *in, FILE *out, const struct classify_rules *rules)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len = 0;
	bool ok = true;

	while (ok && (len = getline(&line, &size, in)) >= 0) {
		while (
		    len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			line[--len] = '\0';
		if (len == 0)
			continue;
		ok = fprintf(out, "%s\t%s\n",
			 refusal_name(classify_line(line, rules, NULL)),
			 line) >= 0;
	}
	ok = ok && !ferror(in) && fflush(out) == 0;
	free(line);
	return ok;
}
