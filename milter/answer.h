/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer - a verdict in the words of SMTP
 *
 * What the client reads: the upstream's code and enhanced status with neutral
 * text, never a name of ours (CONTRACT: replies to the client).  Pure.
 */
#ifndef POSTERN_MILTER_ANSWER_H
#define POSTERN_MILTER_ANSWER_H

#include <stdbool.h>

#include "common/verify.h"

/* smfi_setreply() takes up to 980 octets of text and eats a lone '%'; we
 * stay far below. */
#define ANSWER_REPLY_MAX 512

struct answer_reply {
	char code[4];                /* "550" */
	char esc[12];                /* "5.1.1" */
	char text[ANSWER_REPLY_MAX]; /* for smfi_setreply(): '%' is doubled */
};

/*
 * answer_reply(r, out): the reply for a result that is not VERDICT_ACCEPT.
 * A reject always carries 5yz with 5.x.x, a defer 451 with 4.x.x.
 */
void answer_reply(const struct verify_result *r, struct answer_reply *out);

#endif /* POSTERN_MILTER_ANSWER_H */
