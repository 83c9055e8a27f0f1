/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_case - what the tests of the login memory have in common
 */
#ifndef POSTERN_TESTS_MEMORY_CASE_H
#define POSTERN_TESTS_MEMORY_CASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/auth_memory.h"

#define MINUTE 60000LL

/* Lives go by a clock that is this far ahead, waits by the real one. */
extern _Atomic int64_t ahead_ms;
int rewind_clock(void **state); /* a teardown */

struct auth_memory *make(size_t max);

enum auth_memory_answer begin_by(struct auth_memory *m, const char *route,
    const char *account, const char *pass, int64_t wait_ms,
    struct auth_claim **claim);

/* begin_by() with a route and a wait that will do. */
enum auth_memory_answer begin(struct auth_memory *m, const char *account,
    const char *pass, struct auth_claim **claim);

/* Ask about a pair, and be told. */
void told(struct auth_memory *m, const char *account, const char *pass,
    enum auth_end end, int64_t life_ms);

/* What would be answered?  Leaves no trace. */
enum auth_memory_answer look(
    struct auth_memory *m, const char *account, const char *pass);

/* Is it the known pair? */
bool known(struct auth_memory *m, const char *account, const char *pass);

#endif /* POSTERN_TESTS_MEMORY_CASE_H */
