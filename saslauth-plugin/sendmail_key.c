/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/sendmail_key.h"

#include <string.h>
#include <strings.h>

#define PREFIX "authinfo:"
#define DUE    "due:"

bool
sendmail_key_is(const char *key)
{
	return strncasecmp(key, PREFIX, strlen(PREFIX)) == 0;
}

static bool
has_controls(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static bool
starts(char **at, const char *word)
{
	if (strncmp(*at, word, strlen(word)) != 0)
		return false;
	*at += strlen(word);
	return true;
}

/* The value behind `name', up to a ';', which is cut off. */
static char *
field(char **at, const char *name)
{
	char *value, *end;

	if (!starts(at, name))
		return NULL;
	value = *at;
	if ((end = strchr(value, ';')) == NULL)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return value;
}

static bool
is_queue_id(const char *text)
{
	static const char may[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strspn(text, may);

	return len > 0 && len <= OUTBOUND_QUEUE_MAX && text[len] == '\0';
}

/* All behind the prefix: id:...from:... */
static bool
parse_delivery(char *at, struct sendmail_key *out, const char **why)
{
	const char *message, *hop;
	char *sender;

	if ((out->id = field(&at, "id:")) == NULL ||
	    (message = field(&at, "msg:")) == NULL ||
	    (out->to = field(&at, "to:")) == NULL ||
	    (hop = field(&at, "hop:")) == NULL || !starts(&at, "from:")) {
		*why = "not id:, msg:, to:, hop: and from: one after the other";
		return false;
	}
	sender = at;
	/* One of them in a host, and another stood for its end. */
	if (strstr(sender, ";from:") != NULL) {
		*why = "from: twice";
		return false;
	}
	if (!is_queue_id(out->id) ||
	    (message[0] != '\0' && !is_queue_id(message))) {
		*why = "no queue id";
		return false;
	}
	if (out->to[0] == '\0') {
		*why = "no server";
		return false;
	}
	if (hop[0] != '\0' && strcasecmp(hop, out->to) != 0)
		out->hop = hop;
	if (strchr(sender, '@') != NULL)
		out->sender = sender;
	/* A bounce belongs to Sendmail, not to the message that it is of. */
	out->message = out->id;
	if (message[0] != '\0' && out->sender != NULL)
		out->message = message;
	return true;
}

bool
sendmail_key_parse(char *key, struct sendmail_key *out, const char **why)
{
	char *at = key + strlen(PREFIX);

	memset(out, 0, sizeof(*out));
	if (has_controls(key)) {
		*why = "a control character";
		return false;
	}
	out->due = starts(&at, DUE);
	if (out->due || strncmp(at, "id:", 3) == 0)
		return parse_delivery(at, out, why);
	out->to = at;
	if (at[0] == '\0') {
		*why = "no server";
		return false;
	}
	return true;
}

void
sendmail_key_ask(
    const struct sendmail_key *k, bool hop, struct outbound_question *q)
{
	q->key = NULL;
	q->no_colon = false;
	q->only_whether = k->due;
	q->queue_id = k->message;
	q->sender = k->sender;
	q->nexthop = hop ? k->hop : k->to;
}
