/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines into reply_line(): whatever comes, what is kept must be printable,
 * and a reply that is not one must leave no code behind.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/esc.h"
#include "common/reply.h"
#include "common/utf8.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
check(const struct reply *r, enum reply_state state)
{
	char first[64];
	struct esc e;
	size_t i, n;

	must(r->state == state);
	must(r->text_len < sizeof(r->text));
	must(strlen(r->text) == r->text_len);
	must(r->lines <= REPLY_LINES_MAX);
	for (i = 0; i < r->text_len; i += n) {
		n = utf8_sequence(r->text + i, r->text_len - i);
		must(n > 0);
		must(r->text[i] == '\n' || utf8_printable(r->text + i, n));
	}
	if (state == REPLY_BAD)
		must(r->code == 0 && r->text_len == 0);
	else
		must(r->code >= 200 && r->code <= 599);
	must(reply_first_line(r, first, sizeof(first)) == strlen(first));
	must(strchr(first, '\n') == NULL);
	must(esc_parse(r->text, r->code, &e) <= r->text_len);
	must(e.class == 0 || e.class == r->code / 100);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct reply r;

	reply_init(&r);
	while (size > 0) {
		const char *end = memchr(p, '\n', size);
		size_t len = end != NULL ? (size_t)(end - p) : size;
		enum reply_state state = reply_line(&r, p, len);

		check(&r, state);
		if (state == REPLY_DONE)
			reply_init(&r);
		len += end != NULL;
		p += len;
		size -= len;
	}
	return 0;
}
