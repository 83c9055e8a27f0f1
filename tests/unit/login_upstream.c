/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/login_upstream.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define TEXT_MAX 1024

#define CHALLENGE "<1896.697170952@mini.test>"
#define SALT      "r=clientnonceservernonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define ERROR     "{\"status\":\"401\",\"schemes\":\"bearer\"}"

/* What the next line of a connection is: its memo. */
enum expected {
	COMMAND = 0,
	PLAIN_MESSAGE,
	LOGIN_USER,
	LOGIN_PASSWORD,
	CRAM_RESPONSE,
	SCRAM_FIRST,
	SCRAM_FINAL,
	SCRAM_END,
	BEARER_MESSAGE,
	BAD_END, /* the client knows already */
	LOGGED_IN,
};

struct login_upstream {
	struct mini_upstream *mini;
	struct login_params params;
	pthread_mutex_t lock;
	struct login_counts counts; /* guarded by lock, as is params.reply */
	char auth[128], xclient[64];
};

static size_t
decode(const char *line, char *out)
{
	unsigned char raw[TEXT_MAX + 4];
	size_t len = strlen(line);
	int n;

	memset(out, 0, TEXT_MAX);
	if (strcmp(line, "=") == 0 || len >= TEXT_MAX)
		return 0;
	n = EVP_DecodeBlock(raw, (const unsigned char *)line, (int)len);
	for (size_t i = len; n > 0 && i > 0 && line[i - 1] == '='; i--)
		n--;
	if (n > 0)
		memcpy(out, raw, (size_t)n);
	return n > 0 ? (size_t)n : 0;
}

static void
challenge(const struct mini_talk *t, const char *text)
{
	char line[TEXT_MAX * 2] = "334 ";

	(void)EVP_EncodeBlock((unsigned char *)line + 4,
	    (const unsigned char *)text, (int)strlen(text));
	mini_say(t, line);
}

static void
set_user(struct login_upstream *u, const char *user)
{
	pthread_mutex_lock(&u->lock);
	(void)snprintf(u->counts.user, sizeof(u->counts.user), "%.255s", user);
	pthread_mutex_unlock(&u->lock);
}

static enum mini_said
conclude(
    struct login_upstream *u, struct mini_talk *t, bool good, const char *said)
{
	char text[TEXT_MAX + 64], raw[TEXT_MAX];
	const char *reply;

	pthread_mutex_lock(&u->lock);
	reply = u->params.reply;
	pthread_mutex_unlock(&u->lock);
	if (u->params.delay > 0)
		(void)poll(NULL, 0, u->params.delay);
	*mini_memo(t) = COMMAND;
	if (reply == NULL) {
		if (good)
			*mini_memo(t) = LOGGED_IN;
		mini_say(t,
		    good ? "235 2.7.0 welcome" : "535 5.7.8 bad credentials");
		return MINI_SAID;
	}
	if (strcmp(reply, "close") == 0)
		return MINI_END;
	if (strcmp(reply, "hang") == 0) {
		mini_hang(t);
		return MINI_END;
	}
	if (strcmp(reply, "echo") == 0) {
		(void)snprintf(text, sizeof(text), "535 5.7.8 no: %s", said);
		reply = text;
	}
	if (strcmp(reply, "repeat") == 0) {
		size_t n = decode(said, raw);

		for (size_t i = 0; i < n; i++)
			raw[i] = raw[i] != '\0' ? raw[i] : ' ';
		(void)snprintf(text, sizeof(text), "535 5.7.8 no: %s", raw);
		reply = text;
	}
	if (strncmp(reply, "235", 3) == 0)
		*mini_memo(t) = LOGGED_IN;
	mini_say(t, reply);
	return strncmp(reply, "421", 3) == 0 ? MINI_END : MINI_SAID;
}

static enum mini_said
plain(struct login_upstream *u, struct mini_talk *t, const char *line)
{
	char text[TEXT_MAX];
	const char *pass = "";
	size_t n = decode(line, text);

	if (n > 2) {
		set_user(u, text + 1);
		pass = text + 2 + strlen(text + 1);
	}
	return conclude(u, t, strncmp(pass, "good", 4) == 0, line);
}

static enum mini_said
scram_first(struct login_upstream *u, struct mini_talk *t, const char *line)
{
	char text[TEXT_MAX], *at;

	(void)decode(line, text);
	if ((at = strstr(text, "n=")) != NULL) {
		at[2 + strcspn(at + 2, ",")] = '\0';
		set_user(u, at + 2);
	}
	*mini_memo(t) = SCRAM_FINAL;
	challenge(t, SALT);
	return MINI_SAID;
}

static enum mini_said
scram_final(struct login_upstream *u, struct mini_talk *t, const char *line)
{
	char text[TEXT_MAX];

	(void)decode(line, text);
	if (strstr(text, ",p=good") != NULL) {
		*mini_memo(t) = SCRAM_END;
		challenge(t, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
	} else if (u->params.tell) {
		*mini_memo(t) = BAD_END;
		challenge(t, "e=invalid-proof");
	} else {
		return conclude(u, t, false, line);
	}
	return MINI_SAID;
}

static enum mini_said
bearer(struct login_upstream *u, struct mini_talk *t, const char *line)
{
	char text[TEXT_MAX];

	(void)decode(line, text);
	if (strstr(text, "auth=Bearer good") != NULL)
		return conclude(u, t, true, line);
	*mini_memo(t) = BAD_END;
	challenge(t, ERROR);
	return MINI_SAID;
}

static enum mini_said
respond(struct login_upstream *u, struct mini_talk *t, const char *line)
{
	char text[TEXT_MAX], *at;

	pthread_mutex_lock(&u->lock);
	if (strcmp(line, "*") == 0)
		u->counts.aborts++;
	else
		u->counts.responses++;
	pthread_mutex_unlock(&u->lock);
	if (strcmp(line, "*") == 0) {
		*mini_memo(t) = COMMAND;
		mini_say(t, "501 5.7.0 given up");
		return MINI_SAID;
	}
	switch ((enum expected) * mini_memo(t)) {
	case PLAIN_MESSAGE:
		return plain(u, t, line);
	case LOGIN_USER:
		(void)decode(line, text);
		set_user(u, text);
		*mini_memo(t) = LOGIN_PASSWORD;
		challenge(t, "Password:");
		return MINI_SAID;
	case LOGIN_PASSWORD:
		(void)decode(line, text);
		return conclude(u, t, strncmp(text, "good", 4) == 0, line);
	case CRAM_RESPONSE:
		(void)decode(line, text);
		if ((at = strrchr(text, ' ')) != NULL)
			*at = '\0';
		set_user(u, text);
		return conclude(
		    u, t, at != NULL && strncmp(at + 1, "900d", 4) == 0, line);
	case SCRAM_FIRST:
		return scram_first(u, t, line);
	case SCRAM_FINAL:
		return scram_final(u, t, line);
	case SCRAM_END:
		return conclude(u, t, true, line);
	case BEARER_MESSAGE:
		return bearer(u, t, line);
	case BAD_END:
	case COMMAND:
	case LOGGED_IN:
		break;
	}
	return conclude(u, t, false, line);
}

static enum mini_said
auth(struct login_upstream *u, struct mini_talk *t, const char *args)
{
	static const struct {
		const char *name;
		enum expected first;
		const char *challenge;
	} mechs[] = {
		{ "PLAIN", PLAIN_MESSAGE, "" },
		{ "LOGIN", LOGIN_USER, "Username:" },
		{ "CRAM-MD5", CRAM_RESPONSE, CHALLENGE },
		{ "SCRAM-SHA-1", SCRAM_FIRST, "" },
		{ "SCRAM-SHA-256", SCRAM_FIRST, "" },
		{ "XOAUTH2", BEARER_MESSAGE, "" },
		{ "OAUTHBEARER", BEARER_MESSAGE, "" },
	};

	size_t len = strcspn(args, " ");

	pthread_mutex_lock(&u->lock);
	u->counts.auths++;
	pthread_mutex_unlock(&u->lock);
	if (*mini_memo(t) == LOGGED_IN) {
		mini_say(t, "503 5.5.1 already");
		return MINI_SAID;
	}
	if (u->params.begin != NULL && strcmp(u->params.begin, "close") == 0)
		return MINI_END;
	if (u->params.begin != NULL) {
		mini_say(t, u->params.begin);
		return strncmp(u->params.begin, "421", 3) == 0 ? MINI_END
							       : MINI_SAID;
	}
	for (size_t i = 0; i < sizeof(mechs) / sizeof(mechs[0]); i++) {
		if (strlen(mechs[i].name) != len ||
		    strncmp(mechs[i].name, args, len) != 0)
			continue;
		*mini_memo(t) = (int)mechs[i].first;
		if (args[len] == ' ')
			return respond(u, t, args + len + 1);
		challenge(t, mechs[i].challenge);
		return MINI_SAID;
	}
	mini_say(t, "504 5.5.4 no such mechanism");
	return MINI_SAID;
}

static enum mini_said
line(void *arg, struct mini_talk *t, const char *text)
{
	struct login_upstream *u = arg;
	const char *first;

	if (*mini_memo(t) != COMMAND && *mini_memo(t) != LOGGED_IN)
		return respond(u, t, text);
	if (strncmp(text, "AUTH ", 5) == 0)
		return auth(u, t, text + 5);
	if (strncmp(text, "XCLIENT ", 8) != 0 || u->params.xclient == NULL)
		return MINI_NOT_MINE;
	pthread_mutex_lock(&u->lock);
	first = u->counts.xclient[0] == '\0' ? u->params.announced : NULL;
	(void)snprintf(
	    u->counts.xclient, sizeof(u->counts.xclient), "%.255s", text + 8);
	pthread_mutex_unlock(&u->lock);
	if (first != NULL) {
		if (strcmp(first, "hang") == 0)
			mini_hang(t);
		return MINI_END;
	}
	if (strstr(text, "LOGIN=") != NULL && !u->params.wants_ehlo)
		*mini_memo(t) = COMMAND;
	mini_say(t, "220 mini.test ESMTP");
	return MINI_SAID;
}

struct login_upstream *
login_start(const struct login_params *p)
{
	struct login_upstream *u = calloc(1, sizeof(*u));
	struct mini_params m = { .line = line, .fail = p->fail, .how = p->how };

	if (u == NULL)
		abort();
	u->params = *p;
	pthread_mutex_init(&u->lock, NULL);
	if (p->mechs != NULL)
		(void)snprintf(u->auth, sizeof(u->auth), "AUTH %s", p->mechs);
	if (p->xclient != NULL)
		(void)snprintf(
		    u->xclient, sizeof(u->xclient), "XCLIENT %s", p->xclient);
	m.line_arg = u;
	m.keywords[0] = u->auth;
	m.keywords[1] = u->xclient;
	u->mini = mini_start(&m);
	return u;
}

void
login_stop(struct login_upstream *u)
{
	if (u == NULL)
		return;
	mini_stop(u->mini);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

int
login_port(const struct login_upstream *u)
{
	return mini_port(u->mini);
}

void
login_count(struct login_upstream *u, struct login_counts *out)
{
	struct mini_counts m;

	mini_count(u->mini, &m);
	pthread_mutex_lock(&u->lock);
	*out = u->counts;
	pthread_mutex_unlock(&u->lock);
	out->connections = m.connections;
	out->quits = m.quits;
}

void
login_set_reply(struct login_upstream *u, const char *reply)
{
	pthread_mutex_lock(&u->lock);
	u->params.reply = reply;
	pthread_mutex_unlock(&u->lock);
}
