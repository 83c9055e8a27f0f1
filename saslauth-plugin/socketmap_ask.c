/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/socketmap_ask.h"

#include <stdlib.h>
#include <string.h>

#include "saslauth-plugin/sendmail_reply.h"
#include "saslauth-plugin/serve.h"

/* By the server that it is connected to, first. */
static bool
ask_sendmail(struct socketmap_asked *out, const char **why)
{
	if (!sendmail_key_parse(out->key, &out->delivery, why))
		return false;
	sendmail_key_ask(&out->delivery, false, &out->question);
	return true;
}

bool
socketmap_asked(const struct socketmap_request *rq, struct socketmap_asked *out,
    const char **why)
{
	memset(&out->question, 0, sizeof(out->question));
	out->sendmail = false;
	if (rq->key.data == NULL)
		*why = "no key behind a name and a blank";
	else if (!serve_text(
		     rq->name.data, rq->name.len, out->name, sizeof(out->name)))
		*why = "a name that is too long or holds a NUL";
	else if (!serve_text(
		     rq->key.data, rq->key.len, out->key, sizeof(out->key)))
		*why = "a key that is too long or holds a NUL";
	else {
		out->question.binding = out->name;
		out->sendmail = sendmail_key_is(out->key);
		if (out->sendmail)
			return ask_sendmail(out, why);
		out->question.key = out->key;
		out->question.no_colon = true;
		return true;
	}
	return false;
}

bool
socketmap_asked_again(struct socketmap_asked *asked)
{
	if (!asked->sendmail || asked->delivery.hop == NULL ||
	    asked->question.nexthop == asked->delivery.hop)
		return false;
	sendmail_key_ask(&asked->delivery, true, &asked->question);
	return true;
}

static unsigned char *
put(const struct socketmap_text *v, size_t n, size_t *len)
{
	size_t size = SOCKETMAP_AROUND;
	unsigned char *out;

	for (size_t i = 0; i < n; i++)
		size += v[i].len;
	if ((out = malloc(size)) == NULL)
		return NULL;
	if ((*len = socketmap_write(v, n, out, size)) == 0) {
		free(out);
		return NULL;
	}
	return out;
}

unsigned char *
socketmap_say(const char *word, const char *reason, size_t *len)
{
	const struct socketmap_text v[] = { { word, strlen(word) }, { " ", 1 },
		{ reason, strlen(reason) } };

	return put(v, 3, len);
}

static unsigned char *
say_given(const struct outbound_answer *a, size_t *len)
{
	struct socketmap_text v[] = { { "OK ", 3 }, { a->user, 0 }, { ":", 1 },
		{ NULL, 0 } };

	v[1].len = strlen(a->user);
	v[3].data = secret_bytes(&a->pass, &v[3].len);
	return put(v, 4, len);
}

static unsigned char *
say_to_sendmail(const struct socketmap_asked *asked,
    const struct outbound_answer *a, size_t *len, const char **fault)
{
	char said[SENDMAIL_REPLY_MAX];
	const char *word = sendmail_reply(&asked->delivery, a, said, fault);
	unsigned char *out = socketmap_say(word, said, len);

	explicit_bzero(said, sizeof(said));
	return out;
}

unsigned char *
socketmap_answer(const struct socketmap_asked *asked,
    const struct outbound_answer *a, size_t *len, const char **fault)
{
	*fault = NULL;
	if (asked->sendmail)
		return say_to_sendmail(asked, a, len, fault);
	switch (a->verdict) {
	case OUTBOUND_GIVEN:
		return say_given(a, len);
	case OUTBOUND_NONE:
		return socketmap_say("NOTFOUND", "", len);
	case OUTBOUND_DEFER:
	default:
		return socketmap_say("TEMP",
		    a->reason[0] != '\0' ? a->reason : "cannot be told now",
		    len);
	}
}
