/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/credential_check.h"

#include <string.h>
#include <strings.h>

#include "common/conf.h"

static const char *const types[] = {
	[OUTBOUND_PLAIN] = "PLAIN",
	[OUTBOUND_LOGIN] = "LOGIN",
};

const char *
credential_user_wrong(const char *user)
{
	size_t len = strlen(user), i;

	if (len == 0)
		return "is empty";
	if (len > OUTBOUND_USER_MAX)
		return "is longer than 255 octets";
	for (i = 0; i < len; i++)
		if ((unsigned char)user[i] < 32 || user[i] == 127)
			return "has a control character";
	return NULL;
}

const char *
credential_pass_wrong(const char *pass, size_t len)
{
	size_t i;

	if (len == 0)
		return "is empty";
	if (len > OUTBOUND_PASS_MAX)
		return "is longer than 1024 octets";
	for (i = 0; i < len; i++)
		if (pass[i] == '\0' || pass[i] == '\r' || pass[i] == '\n')
			return "has a NUL octet or a line end";
	return NULL;
}

bool
credential_type_parse(const char *text, int *type)
{
	*type = -1;
	if (text == NULL || text[0] == '\0')
		return true;
	if (strcasecmp(text, types[OUTBOUND_PLAIN]) == 0)
		*type = OUTBOUND_PLAIN;
	else if (strcasecmp(text, types[OUTBOUND_LOGIN]) == 0)
		*type = OUTBOUND_LOGIN;
	return *type >= 0;
}

const char *
credential_type_name(int type)
{
	return type == OUTBOUND_PLAIN || type == OUTBOUND_LOGIN ? types[type]
								: "";
}
