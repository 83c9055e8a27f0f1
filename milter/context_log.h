/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context_log - which values a message had, and who set them
 *
 * One line of level info for each message in whose contexts somebody has set
 * something: a peer section, or a client by XSETCONTEXT.
 */
#ifndef POSTERN_MILTER_CONTEXT_LOG_H
#define POSTERN_MILTER_CONTEXT_LOG_H

struct msession;

/* context_log(s, id): at the end of a message; id is its queue id or NULL. */
void context_log(struct msession *s, const char *id);

#endif /* POSTERN_MILTER_CONTEXT_LOG_H */
