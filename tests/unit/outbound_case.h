/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound_case - outbound credentials of a configuration in memory, for tests
 */
#ifndef POSTERN_TESTS_UNIT_OUTBOUND_CASE_H
#define POSTERN_TESTS_UNIT_OUTBOUND_CASE_H

#include <stdbool.h>

#include "common/outbound.h"
#include "common/strbuf.h"

/* From the text of a configuration, which must be good. */
struct outbound *outbound_case_new(const char *conf);

/* outbound_reload(); why has room for 256 octets. */
bool outbound_case_reload(struct outbound *o, const char *conf, char *why);

/* Fail unless it is that: given, text is "user:pass"; else a part of the
 * reason. */
void outbound_case_is(const struct outbound_answer *a,
    enum outbound_verdict want, const char *text);

/* Log lines of all levels go to sb, as "level line\n" with "delay=*"; NULL
 * ends it. */
void outbound_case_log(struct strbuf *sb);

#endif /* POSTERN_TESTS_UNIT_OUTBOUND_CASE_H */
