/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule of reply_class in the first line, a reply in the rest.  Whatever
 * comes: 4yz is temporary and 2yz accepted, no stage but RCPT blames the
 * recipient, and a rule that parses answers what it says or nothing.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/classify.h"
#include "common/classify_rules.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
check_codes(const char *text, const struct classify_rules *rules)
{
	static const int codes[] = { 0, 250, 354, 450, 500, 550, 552, 600 };
	const char *why = NULL;
	size_t i = 0;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		enum refusal r =
		    classify_reply(STAGE_RCPT, codes[i], "", text, rules, &why);
		bool refused = codes[i] >= 500 && codes[i] <= 599;

		must(why != NULL);
		must((r == REFUSAL_ACCEPTED) == (codes[i] == 250));
		must(
		    refused || r == REFUSAL_ACCEPTED || r == REFUSAL_TEMPORARY);
		must(rules != NULL || !refused || r != REFUSAL_TEMPORARY);
	}
	must(classify_reply(STAGE_MAIL, 550, "5.1.1", text, rules, &why) ==
	    REFUSAL_US);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct classify_rules *rules = NULL;
	char err[256] = "";
	char *text = calloc(1, size + 1);
	char *line = NULL;
	const char *rule = text;

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	line = strchr(text, '\n');
	if (line == NULL)
		line = text + strlen(text);
	else
		*line++ = '\0';
	if (!classify_rules_parse(&rule, 1, &rules, err, sizeof(err)))
		must(rules == NULL && err[0] != '\0');

	(void)classify_line(line, NULL, NULL);
	(void)classify_line(line, rules, NULL);
	check_codes(line, NULL);
	check_codes(line, rules);
	classify_rules_free(rules);
	free(text);
	return 0;
}
