/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socketmap_ask - what a look-up asks for, and the form of its answer
 *
 * NAME is a binding, or "default"; KEY is what Postfix's smtp(8) asks with: a
 * sender, or a next hop; or what Sendmail does (sendmail_key.h).  Answers:
 *
 *	OK user:password   or, to Sendmail, as sendmail_reply.h has it
 *	NOTFOUND           nothing is configured: send without AUTH
 *	TEMP reason        something is, and cannot be had: the mail waits
 *	PERM reason        no such question can ever have an answer
 *
 * Pure, but for memory.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_SOCKETMAP_ASK_H
#define POSTERN_SASLAUTH_PLUGIN_SOCKETMAP_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/outbound.h"
#include "saslauth-plugin/sendmail_key.h"
#include "saslauth-plugin/socketmap_frame.h"

/* Octets of a NAME. */
#define SOCKETMAP_NAME_MAX 255

/* A question, with room for what it points to. */
struct socketmap_asked {
	struct outbound_question question;
	bool sendmail;
	struct sendmail_key delivery; /* of Sendmail's */
	char name[SOCKETMAP_NAME_MAX + 1];
	char key[OUTBOUND_KEY_MAX + 1];
};

/* socketmap_asked(rq, out, why): what is asked.  False with a constant text
 * when it makes no sense. */
bool socketmap_asked(const struct socketmap_request *rq,
    struct socketmap_asked *out, const char **why);

/* socketmap_asked_again(asked): nothing is configured for what was asked; is
 * there another way to ask?  The question is that, then. */
bool socketmap_asked_again(struct socketmap_asked *asked);

/*
 * socketmap_say(word, text, len): a reply.  socketmap_answer(asked, a, len,
 * fault): the one that says this; fault is set to a constant text when the
 * credentials cannot be said in that form, else to NULL.  Both return len
 * octets, for free(), of which those of the second are to be wiped before;
 * NULL without memory.
 */
unsigned char *socketmap_say(const char *word, const char *text, size_t *len);
unsigned char *socketmap_answer(const struct socketmap_asked *asked,
    const struct outbound_answer *a, size_t *len, const char **fault);

#endif /* POSTERN_SASLAUTH_PLUGIN_SOCKETMAP_ASK_H */
