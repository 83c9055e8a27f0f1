/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/context_names.h"

#include <string.h>
#include <strings.h>

#include "common/context.h"

/* With a final '*': all names that begin so. */
static const char *const reserved[] = { "auth_*", "tls*", "client_*", "ehlo_*",
	"mailfrom_*", "rcptto_*", "outbound_*", "__bypass_*", "binding",
	"can_relay", "smtp_rcptto_proxy_result", "connection_message_count",
	"connection_rcpt_count", "message_rcpt_count" };

static bool
matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

/* What of the table holds the name, or NULL. */
static const char *
reserve(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (matches(reserved[i], name))
			return reserved[i];
	return NULL;
}

bool
context_name_reserved(const char *name)
{
	return reserve(name) != NULL;
}

bool
context_name_mistaken(const char *name)
{
	static const char begin[] = "outbound_";

	return (strncasecmp(name, begin, strlen(begin)) == 0 ||
		   strcasecmp(name, "binding") == 0) &&
	    strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

bool
context_name_allowed(const char *name, char *const *patterns, size_t n)
{
	const char *held = reserve(name);
	size_t need = held != NULL ? strcspn(held, "*") : 0;
	size_t i;

	if (context_name_mistaken(name))
		return false;
	if (n == 0)
		return held == NULL;
	for (i = 0; i < n; i++) {
		if (!matches(patterns[i], name))
			continue;
		if (held == NULL || strncmp(patterns[i], held, need) == 0)
			return true;
	}
	return false;
}

bool
context_name_secret(const char *name)
{
	static const char *const ends[] = { "pass", "password", "secret" };
	size_t len = strlen(name), i, n;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		n = strlen(ends[i]);
		if (len < n || strcasecmp(name + len - n, ends[i]) != 0)
			continue;
		/* A word of its own: "bypass" is none. */
		if (len == n || strchr("_.-", name[len - n - 1]) != NULL)
			return true;
	}
	return false;
}

bool
context_pair_secret(const char *pair)
{
	char name[CONTEXT_NAME_MAX + 1];
	size_t len = strcspn(pair, "=");

	if (pair[len] == '\0' || len >= sizeof(name) || pair[len + 1] == '\0' ||
	    strcasecmp(pair + len + 1, "false") == 0)
		return false;
	memcpy(name, pair, len);
	name[len] = '\0';
	return context_name_secret(name);
}
