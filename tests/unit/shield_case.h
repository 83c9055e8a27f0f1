/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shield_case - what the tests of the shield have in common
 */
#ifndef POSTERN_TESTS_SHIELD_CASE_H
#define POSTERN_TESTS_SHIELD_CASE_H

#include <stddef.h>
#include <stdint.h>

#include "common/shield.h"

#define MINUTE 60000LL

/* 3 failures in 30 minutes; 10 of a client in 10 minutes. */
extern const struct shield_limits limits;

struct shield *make(size_t max);

struct shield_visit visit(const char *account, const char *client);

/* One login from beginning to end. */
enum shield_answer attempt(
    struct shield *s, struct shield_visit v, enum shield_end end, int64_t now);

/* One that is refused. */
enum shield_answer guess(
    struct shield *s, const char *account, const char *client, int64_t now);

/* Would an attempt pass?  Leaves no trace. */
enum shield_answer ask(
    struct shield *s, const char *account, const char *client, int64_t now);

#endif /* POSTERN_TESTS_SHIELD_CASE_H */
