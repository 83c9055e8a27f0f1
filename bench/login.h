/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login - the users of the benchmarks: each has a password of its own
 *
 * The password is made from the name, so that client and upstream know it
 * without telling each other, and an answer for somebody else shows.
 */
#ifndef POSTERN_BENCH_LOGIN_H
#define POSTERN_BENCH_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

enum {
	LOGIN_USER_MAX = 256, /* room for a name with its NUL */
	LOGIN_TEXT_MAX = 1024 /* room for a PLAIN response in base64 */
};

/* The password of a user; LOGIN_USER_MAX + 16 octets are enough. */
void login_password(const char *user, char *out, size_t size);

/* The user's PLAIN response (RFC 4616) in base64.  False: ${out} of ${size}
 * octets is too small. */
bool login_plain(const char *user, char *out, size_t size);

/*
 * login_parse(text, len, user, right): read a PLAIN response in base64.
 *
 *   user   gets the name, LOGIN_USER_MAX octets
 *   right  set to whether it is that user's password
 *
 * Returns false when it is no such response.
 */
bool login_parse(const char *text, size_t len, char *user, bool *right);

/* login_decode(text, len, out, size): base64 that stands for text.  Returns
 * its length, NUL-terminated in ${out}; -1 when it is none or too long. */
long login_decode(const char *text, size_t len, char *out, size_t size);

#endif /* POSTERN_BENCH_LOGIN_H */
