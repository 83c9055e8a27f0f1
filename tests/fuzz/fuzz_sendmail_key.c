/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets as a key of Sendmail's, and as a user name and a password: what is
 * read lies inside the key, and no part of it is in two; what is written is
 * one line that any octet comes back from.
 */
#include "tests/fuzz/fuzz.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "saslauth-plugin/sendmail_key.h"
#include "saslauth-plugin/sendmail_reply.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

/* Behind `after', of which it is no part; returns its end. */
static const char *
follows(const char *part, const char *after, const char *end)
{
	must(part >= after && part <= end);
	must(part + strlen(part) <= end);
	return part + strlen(part);
}

static void
read_key(const uint8_t *data, size_t size)
{
	char key[OUTBOUND_KEY_MAX + 16];
	struct sendmail_key k;
	const char *at = key, *end, *why = NULL;

	if (size > OUTBOUND_KEY_MAX)
		size = OUTBOUND_KEY_MAX;
	(void)snprintf(
	    key, sizeof(key), "authinfo:%.*s", (int)size, (const char *)data);
	end = key + strlen(key);
	if (!sendmail_key_parse(key, &k, &why)) {
		must(why != NULL);
		return;
	}
	must(why == NULL && k.to != NULL && k.to[0] != '\0');
	must((k.id == NULL) == (k.message == NULL));
	if (k.id == NULL) {
		must(!k.due && k.hop == NULL && k.sender == NULL);
		(void)follows(k.to, at, end);
		return;
	}
	must(k.id[0] != '\0' && strlen(k.id) <= OUTBOUND_QUEUE_MAX);
	must(strchr(k.to, ';') == NULL);
	at = follows(k.id, at, end);
	if (k.message != k.id)
		at = follows(k.message, at, end);
	at = follows(k.to, at, end);
	if (k.hop != NULL) {
		must(k.hop[0] != '\0' && strchr(k.hop, ';') == NULL);
		at = follows(k.hop, at, end);
	}
	if (k.sender != NULL) {
		must(strchr(k.sender, '@') != NULL);
		must(strstr(k.sender, ";from:") == NULL);
		(void)follows(k.sender, at, end);
	} else
		must(k.message == k.id);
}

/* The octets that the token "T=... at text stands for. */
static const char *
token(const char *text, char tag, const void *octets, size_t len)
{
	unsigned char back[SENDMAIL_REPLY_MAX];
	const char *end;
	int n;

	must(text[0] == '"' && text[1] == tag && text[2] == '=');
	must((end = strchr(text + 1, '"')) != NULL);
	must(end + 1 - text <= 256);
	n = EVP_DecodeBlock(
	    back, (const unsigned char *)text + 3, (int)(end - text - 3));
	must(n >= (int)len && n < (int)len + 3);
	must(memcmp(back, octets, len) == 0);
	return end + 1;
}

static void
write_reply(const uint8_t *data, size_t size)
{
	struct sendmail_key k = { .to = "mx.test", .id = "A1" };
	struct outbound_answer a = { .verdict = OUTBOUND_GIVEN, .type = -1 };
	char out[SENDMAIL_REPLY_MAX];
	const char *fault, *at;
	size_t half = size / 2;

	memcpy(
	    a.user, data, half < OUTBOUND_USER_MAX ? half : OUTBOUND_USER_MAX);
	if (!secret_set(&a.pass, data + half, size - half))
		return;
	if (strcmp(sendmail_reply(&k, &a, out, &fault), "OK") == 0) {
		must(fault == NULL && strncmp(out, "A1 ", 3) == 0);
		at = token(out + 3, 'U', a.user, strlen(a.user));
		must(*at++ == ' ');
		at = token(at, 'P', data + half, size - half);
		must(strcmp(at, " \"M:PLAIN LOGIN\"") == 0);
	} else
		must(fault != NULL);
	secret_release(&a.pass);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_key(data, size);
	write_reply(data, size);
	return 0;
}
