/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line into command_parse() and what reads its arguments; and the same into
 * ehlo_edit(). What smtpd(8) would take for XCLIENT must be known for it.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/strbuf.h"
#include "front/commands.h"
#include "front/ehlo_edit.h"
#include "front/front.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

/* The first word as an MTA reads it: blanks before it, up to a blank or NUL. */
static bool
mta_reads(const char *line, size_t len, const char *word)
{
	static const char blanks[] = " \t\n\v\f\r";
	size_t n = strlen(word);

	while (len > 0 && memchr(blanks, line[0], 6) != NULL) {
		line++;
		len--;
	}
	return len >= n && strncasecmp(line, word, n) == 0 &&
	    (len == n || memchr(blanks, line[n], 7) != NULL);
}

static void
check_arguments(const struct command *c)
{
	struct command_xclient x;
	char addr[COMMAND_ADDRESS_MAX];
	uint64_t size;
	bool last;

	if (command_xclient(c, &x)) {
		must(command_clean(c));
		must(strlen(x.addr) < sizeof(x.addr));
		must(strlen(x.login) < sizeof(x.login));
	}
	if (command_bdat(c, &size, &last))
		must(command_clean(c) && c->args_len > 0);
	if (command_address(c->args, c->args_len, addr))
		must(strspn(addr, "0123456789abcdef.:") == strlen(addr));
	else
		must(addr[0] == '\0');
}

static void
check_ehlo(const char *p, size_t len)
{
	const struct ehlo_edit e = { .rights = FRONT_XSETCONTEXT };
	const char *line, *end;
	struct strbuf out;
	bool chunking;

	strbuf_init(&out, 1 << 20);
	if (len > 0 && ehlo_edit(p, len, &e, &out, &chunking)) {
		for (line = strbuf_str(&out) + 4;
		     (end = memchr(line, '\n',
			  (size_t)(out.data + out.len - line))) != NULL &&
		     end + 1 < out.data + out.len;
		     line = end + 5)
			must(end[4] == '-' || end[4] == ' ');
	}
	strbuf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;
	const char *lf = size > 0 ? memchr(line, '\n', size) : NULL;
	size_t len = lf != NULL ? (size_t)(lf - line) : size;
	struct command c;

	command_parse(line, len, &c);
	must(c.args_len <= len);
	must(c.args_len == 0 ||
	    (c.args >= line && c.args + c.args_len <= line + len));
	must(c.word <= len);
	if (mta_reads(line, len, "XCLIENT"))
		must(c.kind == COMMAND_XCLIENT || c.kind == COMMAND_DISGUISED);
	if (mta_reads(line, len, "STARTTLS"))
		must(c.kind == COMMAND_STARTTLS || c.kind == COMMAND_DISGUISED);
	if (mta_reads(line, len, "BDAT"))
		must(c.kind == COMMAND_BDAT || c.kind == COMMAND_DISGUISED);
	if (c.kind == COMMAND_DISGUISED)
		must(c.word < len);
	if (c.args != NULL)
		check_arguments(&c);
	check_ehlo(line, size);
	return 0;
}
