/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines, put behind "250-", into ehlo_parse(): bits that are set must have
 * been said.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/ehlo.h"
#include "common/reply.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

static enum reply_state
add_line(struct reply *r, const char *p, size_t len, bool last)
{
	char line[REPLY_LINE_MAX];

	if (len > sizeof(line) - 4)
		len = sizeof(line) - 4;
	memcpy(line, last ? "250 " : "250-", 4);
	memcpy(line + 4, p, len);
	return reply_line(r, line, len + 4);
}

static void
check(const struct reply *r, const struct ehlo *e)
{
	must(memchr(e->domain, '\0', sizeof(e->domain)) != NULL);
	must(strpbrk(e->domain, " \n") == NULL);
	must(strncmp(r->text, e->domain, strlen(e->domain)) == 0);
	must((e->keywords & EHLO_STARTTLS) == 0 ||
	    strcasestr(r->text, "\nSTARTTLS") != NULL);
	must((e->keywords & EHLO_AUTH) == 0 ||
	    strcasestr(r->text, "\nAUTH") != NULL);
	must(e->mechs == 0 || (e->keywords & EHLO_AUTH) != 0);
	must(e->xclient == 0 || (e->keywords & EHLO_XCLIENT) != 0);
	must(e->size == 0 || (e->keywords & EHLO_SIZE) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum reply_state state = REPLY_MORE;
	const char *p = (const char *)data;
	struct ehlo e;
	struct reply r;

	reply_init(&r);
	while (state == REPLY_MORE) {
		const char *end = size > 0 ? memchr(p, '\n', size) : NULL;
		size_t len = end != NULL ? (size_t)(end - p) : size;

		state = add_line(&r, p, len, end == NULL);
		len += end != NULL;
		p += len;
		size -= len;
	}
	memset(&e, 0xff, sizeof(e));
	must(ehlo_parse(&r, &e) == (state == REPLY_DONE));
	check(&r, &e);
	return 0;
}
