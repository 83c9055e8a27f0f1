/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "column text": what comes out may be sent, and reads back as the text with
 * a ? for each octet or character that cannot stand in a header.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/header_value.h"
#include "common/strbuf.h"
#include "common/utf8.h"
#include "tests/unit/header_reader.h"

#define TEXT_MAX 1024

static void
must(bool what)
{
	if (!what)
		abort();
}

/* The text with ? for what is not fit to be shown. */
static void
cleaned(const char *text, char *out)
{
	size_t n;

	for (; *text != '\0'; text += n == 0 ? 1 : n) {
		n = utf8_sequence(text, strlen(text));
		if (n == 0 || !utf8_printable(text, n)) {
			*out++ = '?';
		} else {
			memcpy(out, text, n);
			out += n;
		}
	}
	*out = '\0';
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1], want[TEXT_MAX + 1], got[TEXT_MAX + 2];
	struct strbuf out;
	size_t column;

	if (size == 0)
		return 0;
	column = data[0] % 67;
	if (--size > TEXT_MAX)
		size = TEXT_MAX;
	memcpy(text, data + 1, size);
	text[size] = '\0';
	cleaned(text, want);
	/* as much room as the milter has */
	strbuf_init(&out, 8 * TEXT_MAX);
	must(header_value_encode(column, text, &out));
	header_reader_lines(column, strbuf_str(&out));
	header_reader_decode(strbuf_str(&out), got, sizeof(got));
	must(strcmp(got, want) == 0);
	strbuf_release(&out);
	return 0;
}
