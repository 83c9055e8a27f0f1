/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage - where in the SMTP dialogue a reply was given
 *
 * What a reply means depends on the command it answers: a 550 to RCPT may
 * speak of the recipient, a 550 to EHLO never does.  A plain value, no state.
 */
#ifndef POSTERN_COMMON_STAGE_H
#define POSTERN_COMMON_STAGE_H

/* In the order of RFC 5321 section 3; LHLO of LMTP counts as EHLO. */
enum smtp_stage {
	STAGE_CONNECT = 0, /* dialling; no octet has been read */
	STAGE_GREETING,    /* 220, or whatever came instead */
	STAGE_EHLO,        /* EHLO, HELO or LHLO */
	STAGE_STARTTLS,    /* STARTTLS and the handshake */
	STAGE_XCLIENT,     /* XCLIENT */
	STAGE_AUTH,        /* AUTH and its continuations */
	STAGE_MAIL,        /* MAIL FROM */
	STAGE_RCPT,        /* RCPT TO */
	STAGE_DATA,        /* DATA, never sent by a probe */
	STAGE_RSET,        /* RSET or NOOP between transactions */
	STAGE_QUIT,        /* QUIT; the answer changes nothing */
};

/*
 * stage_name(stage): the stage's name in lower case, as in the log.
 *
 * Returns a static string; "?" for a value outside the enum.
 */
const char *stage_name(enum smtp_stage stage);

#endif /* POSTERN_COMMON_STAGE_H */
