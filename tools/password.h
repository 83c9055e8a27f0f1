/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password - a password or token, from a terminal or a pipe
 *
 * Never from the command line, where everybody could read it.
 */
#ifndef POSTERN_TOOLS_PASSWORD_H
#define POSTERN_TOOLS_PASSWORD_H

#include <stddef.h>

struct secret;

/*
 * password_read(out, why, len): the first line of standard input, without
 * its newline; nothing behind that is read.  From a terminal it is asked for
 * on standard error, and not shown; a signal that ends the process meanwhile
 * ends it, with the terminal as it was.
 *
 *   out  initialised; the caller releases it
 *
 * Returns 0, or -1 with a message: there is no line, or a longer one than a
 * secret may be.  An empty line is an empty password.  From here on the
 * process leaves no core file.
 */
int password_read(struct secret *out, char *why, size_t len);

#endif /* POSTERN_TOOLS_PASSWORD_H */
