/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * registry - requests to postern-milter, where the contexts live
 *
 * One connection to its control socket a request (common/control.h); values
 * are in xtext.  What a request means is the milter's to say; it judges the
 * rights of the client again, by its real address.
 *
 *	front begin TOKEN real=ADDR;PORT [seen=ADDR] [login=NAME] [by=COMMAND]
 *	    xclient=WORD
 *	front claimed TOKEN
 *	front move TOKEN NEWTOKEN [seen=ADDR] [login=NAME] [by=COMMAND]
 *	front seen TOKEN ADDR
 *	front hello TOKEN LINE
 *	front tls TOKEN NAME=VALUE...
 *	front set TOKEN NAME=VALUE...
 *	front user TOKEN
 *	front dump TOKEN [idle]
 *	front alive TOKEN
 *	front end TOKEN
 */
#ifndef POSTERN_FRONT_REGISTRY_H
#define POSTERN_FRONT_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "front/front.h"

struct strbuf;

enum registry_answer {
	REGISTRY_GONE = 0, /* no milter answers */
	REGISTRY_REFUSED,  /* with a message */
	REGISTRY_OK,
};

/* registry_token(token): 128 random bits; false when there are none. */
bool registry_token(char token[FRONT_TOKEN_SIZE]);

/* registry_begin(f, why, len): f->token, f->real, f->seen, f->login. */
enum registry_answer registry_begin(struct front *f, char *why, size_t len);

/* registry_move(f, m, why, len): as whom the session goes on; "" is left
 * out. */
struct registry_move {
	const char *token;
	const char *seen;
	const char *login;
	const char *by; /* the command that makes it so */
};
enum registry_answer registry_move(
    struct front *f, const struct registry_move *m, char *why, size_t len);

/* registry_seen(f, addr, why, len): for an MTA without XCLIENT: whom the
 * milter takes the client for. */
enum registry_answer registry_seen(
    struct front *f, const char *addr, char *why, size_t len);

/* registry_user(f, user, why, len): as whom the client has logged in, as far
 * as the milter was told; "" for nobody. */
enum registry_answer registry_user(
    struct front *f, char user[COMMAND_LOGIN_MAX + 1], char *why, size_t len);

/* registry_hello(f): f->hello. */
enum registry_answer registry_hello(struct front *f, char *why, size_t len);

/* registry_set(f, pairs, n, why, len): the words of XSETCONTEXT. */
enum registry_answer registry_set(
    struct front *f, const struct command *pairs, char *why, size_t len);

/* registry_tls(f, why, len): what is known of TLS with the client. */
enum registry_answer registry_tls(struct front *f, char *why, size_t len);

/* registry_dump(f, lines, why, len): *lines is new, to be freed; NULL unless
 * REGISTRY_OK. */
enum registry_answer registry_dump(
    struct front *f, char **lines, char *why, size_t len);

/* registry_ask(f, what, token): "claimed", "alive", "end". */
enum registry_answer registry_ask(
    struct front *f, const char *what, const char *token);

#endif /* POSTERN_FRONT_REGISTRY_H */
