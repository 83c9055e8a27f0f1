/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errtext - an errno in words, from any thread
 */
#ifndef POSTERN_COMMON_ERRTEXT_H
#define POSTERN_COMMON_ERRTEXT_H

#include <errno.h>

/* A buffer for one text, on the stack of the one who prints it. */
struct errtext {
	char buf[128];
};

/* errtext(e, err): the words for err; valid as long as *e. */
const char *errtext(struct errtext *e, int err);

/* ERRNO: the words for errno, until the end of the block. */
#define ERRNO errtext(&(struct errtext){ { 0 } }, errno)

#endif /* POSTERN_COMMON_ERRTEXT_H */
