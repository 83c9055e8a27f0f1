/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front_commands - what postern-front asks of postern-milter
 *
 *   front begin TOKEN real=ADDRESS;PORT [seen=ADDRESS] [login=NAME]
 *       [by=COMMAND] [xclient=yes|no]
 *   front claimed TOKEN              has the token come through the MTA?
 *   front move TOKEN NEW [seen=ADDRESS] [login=NAME] [by=COMMAND]
 *   front seen TOKEN ADDRESS         XREMOTEIP without XCLIENT in the MTA
 *   front hello TOKEN LINE           the client's EHLO or HELO
 *   front tls TOKEN NAME=VALUE...    of the TLS that the front has ended
 *   front set TOKEN NAME=VALUE...    XSETCONTEXT
 *   front user TOKEN                 as whom the client has logged in
 *   front dump TOKEN [idle]          the lines of XDUMPCONTEXT; idle: no
 *                                    message is under way
 *   front alive TOKEN                is its milter session there still?
 *   front end TOKEN
 *
 * LINE, NAME of login=, the answer to user and each VALUE are xtext.  The text of an error begins
 * with a reply code and an enhanced status for the client.
 */
#ifndef POSTERN_MILTER_FRONT_COMMANDS_H
#define POSTERN_MILTER_FRONT_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct milter_setup;

/* front_command(setup, words, n, out, why, len): words[0] is "front"; as a
 * control_handler. */
bool front_command(const struct milter_setup *setup, char *const *words,
    size_t n, FILE *out, char *why, size_t len);

#endif /* POSTERN_MILTER_FRONT_COMMANDS_H */
