/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/conf.h"
#include "common/control.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/xtext.h"

/* For an answer of the milter's; it asks nobody else. */
#define ANSWER_S 10

bool
registry_token(char token[FRONT_TOKEN_SIZE])
{
	unsigned char bits[(FRONT_TOKEN_SIZE - 1) / 2];
	size_t i;

	token[0] = '\0';
	if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		return false;
	for (i = 0; i < sizeof(bits); i++)
		(void)snprintf(token + 2 * i, 3, "%02x", bits[i]);
	return true;
}

static enum registry_answer
ask(struct front *f, struct strbuf *request, FILE *out, char *why, size_t len)
{
	static const char scheme[] = "unix:";
	const char *path = f->conf->milter.control + sizeof(scheme) - 1;
	enum registry_answer answer = REGISTRY_GONE;

	if (!strbuf_ok(request)) {
		(void)snprintf(why, len, "the request is too long");
		strbuf_release(request);
		return REGISTRY_REFUSED;
	}
	switch (control_ask_within(
	    path, strbuf_str(request), ANSWER_S, out, why, len)) {
	case 0:
		answer = REGISTRY_OK;
		break;
	case 1:
		log_debug("milter: %s", why);
		answer = REGISTRY_REFUSED;
		break;
	default:
		log_warning("milter: %s", why);
		break;
	}
	if (request->data != NULL) /* with passwords in it, maybe */
		explicit_bzero(request->data, request->len);
	strbuf_release(request);
	return answer;
}

/* The same about a session that is tied: when the milter does not know it any
 * more, there is nobody who could answer. */
static enum registry_answer
ask_tied(
    struct front *f, struct strbuf *request, FILE *out, char *why, size_t len)
{
	enum registry_answer answer = ask(f, request, out, why, len);

	if (answer != REGISTRY_REFUSED || strncmp(why, "421 ", 4) != 0)
		return answer;
	log_warning("milter: %s", why);
	return REGISTRY_GONE;
}

static void
request_begin(struct strbuf *sb, const char *what, const char *token)
{
	strbuf_init(sb, CONTROL_LINE_MAX - 2);
	(void)strbuf_addf(sb, "front %s %s", what, token);
}

/* A word "KEY=VALUE"; without a key the value alone. */
static void
add_value(struct strbuf *sb, const char *key, const char *value)
{
	char buf[XTEXT_ROOM(FRONT_HELLO_MAX)];

	if (value[0] == '\0')
		return;
	if (!xtext_encode(value, strlen(value), buf, sizeof(buf)))
		sb->failed = true;
	else if (key == NULL)
		(void)strbuf_addf(sb, " %s", buf);
	else
		(void)strbuf_addf(sb, " %s=%s", key, buf);
}

enum registry_answer
registry_begin(struct front *f, char *why, size_t len)
{
	char real[COMMAND_ADDRESS_MAX + 16];
	struct strbuf sb;

	(void)snprintf(real, sizeof(real), "%s;%u", f->real, f->port);
	request_begin(&sb, "begin", f->token);
	add_value(&sb, "real", real);
	if (strcmp(f->seen, f->real) != 0)
		add_value(&sb, "seen", f->seen);
	add_value(&sb, "login", f->login);
	if (f->login[0] != '\0')
		add_value(&sb, "by", "ALWAYS-ALLOW");
	add_value(&sb, "xclient",
	    f->conf->front.xclient == CONF_FRONT_XCLIENT_NO ? "no" : "yes");
	return ask(f, &sb, NULL, why, len);
}

enum registry_answer
registry_move(
    struct front *f, const struct registry_move *m, char *why, size_t len)
{
	struct strbuf sb;

	request_begin(&sb, "move", f->token);
	(void)strbuf_addf(&sb, " %s", m->token);
	add_value(&sb, "seen", m->seen);
	add_value(&sb, "login", m->login);
	add_value(&sb, "by", m->by);
	return ask_tied(f, &sb, NULL, why, len);
}

enum registry_answer
registry_seen(struct front *f, const char *addr, char *why, size_t len)
{
	struct strbuf sb;

	request_begin(&sb, "seen", f->token);
	add_value(&sb, NULL, addr);
	return ask_tied(f, &sb, NULL, why, len);
}

enum registry_answer
registry_hello(struct front *f, char *why, size_t len)
{
	struct strbuf sb;

	request_begin(&sb, "hello", f->token);
	add_value(&sb, NULL, f->hello);
	return ask_tied(f, &sb, NULL, why, len);
}

enum registry_answer
registry_set(
    struct front *f, const struct command *pairs, char *why, size_t len)
{
	const char *p = pairs->args, *word;
	size_t left = pairs->args_len, n;
	struct strbuf sb;

	request_begin(&sb, "set", f->token);
	while (command_next_word(&p, &left, &word, &n)) {
		(void)strbuf_addch(&sb, ' ');
		(void)strbuf_add(&sb, word, n);
	}
	return ask_tied(f, &sb, NULL, why, len);
}

enum registry_answer
registry_tls(struct front *f, char *why, size_t len)
{
	struct channel_tls t;
	struct strbuf sb;

	channel_tls(&f->client, &t);
	request_begin(&sb, "tls", f->token);
	add_value(&sb, "tls", "true");
	add_value(&sb, "tls_cipher", t.cipher);
	(void)strbuf_addf(&sb, " tls_cipher_algbits=%d tls_cipher_usebits=%d",
	    t.alg_bits, t.use_bits);
	return ask_tied(f, &sb, NULL, why, len);
}

/* Takes the request; *lines is new. */
static enum registry_answer
ask_lines(struct front *f, struct strbuf *request, char **lines, char *why,
    size_t len)
{
	enum registry_answer answer;
	size_t size = 0;
	FILE *out;

	*lines = NULL;
	if ((out = open_memstream(lines, &size)) == NULL) {
		(void)snprintf(why, len, "out of memory");
		strbuf_release(request);
		return REGISTRY_REFUSED;
	}
	answer = ask_tied(f, request, out, why, len);
	if (fclose(out) != 0 || answer != REGISTRY_OK) {
		free(*lines);
		*lines = NULL;
		answer = answer == REGISTRY_OK ? REGISTRY_REFUSED : answer;
	}
	return answer;
}

enum registry_answer
registry_dump(struct front *f, char **lines, char *why, size_t len)
{
	struct strbuf sb;

	request_begin(&sb, "dump", f->token);
	/* Of the end of a message the MTA tells the milter without waiting. */
	if (!f->in_transaction)
		(void)strbuf_adds(&sb, " idle");
	return ask_lines(f, &sb, lines, why, len);
}

enum registry_answer
registry_user(
    struct front *f, char user[COMMAND_LOGIN_MAX + 1], char *why, size_t len)
{
	enum registry_answer answer;
	char *lines = NULL;
	struct strbuf sb;
	size_t n, got = 0;

	user[0] = '\0';
	request_begin(&sb, "user", f->token);
	answer = ask_lines(f, &sb, &lines, why, len);
	n = lines != NULL ? strcspn(lines, "\n") : 0;
	if (answer == REGISTRY_OK &&
	    (!xtext_decode(lines, n, user, COMMAND_LOGIN_MAX + 1, &got) ||
		strlen(user) != got)) {
		user[0] = '\0';
		(void)snprintf(why, len, "a login that cannot be read");
		answer = REGISTRY_REFUSED;
	}
	free(lines);
	return answer;
}

enum registry_answer
registry_ask(struct front *f, const char *what, const char *token)
{
	char why[256];
	struct strbuf sb;

	request_begin(&sb, what, token);
	return ask(f, &sb, NULL, why, sizeof(why));
}
