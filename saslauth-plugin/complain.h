/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * complain - a warning that somebody could make us repeat at will
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_COMPLAIN_H
#define POSTERN_SASLAUTH_PLUGIN_COMPLAIN_H

#include "common/log.h"

/*
 * complain(limit, fmt, ...): log_warning(), once in ten seconds for a limit,
 * and then with the number of those that were left out.  Any thread.
 */
void complain(struct log_limit *limit, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* POSTERN_SASLAUTH_PLUGIN_COMPLAIN_H */
