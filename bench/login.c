/* SPDX-License-Identifier: BSD-2-Clause */
#include "login.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

void
login_password(const char *user, char *out, size_t size)
{
	(void)snprintf(out, size, "secret-of-%s", user);
}

bool
login_plain(const char *user, char *out, size_t size)
{
	char text[LOGIN_TEXT_MAX], password[LOGIN_USER_MAX + 16];
	size_t ulen = strlen(user), plen;

	login_password(user, password, sizeof(password));
	plen = strlen(password);
	if (ulen >= LOGIN_USER_MAX || 4 * ((ulen + plen + 4) / 3) + 1 > size)
		return false;
	text[0] = '\0';
	memcpy(text + 1, user, ulen + 1);
	memcpy(text + ulen + 2, password, plen);
	(void)EVP_EncodeBlock((unsigned char *)out, (unsigned char *)text,
	    (int)(ulen + plen + 2));
	return true;
}

long
login_decode(const char *text, size_t len, char *out, size_t size)
{
	unsigned char whole[LOGIN_TEXT_MAX + 4];
	long n;

	if (len == 0 || len % 4 != 0 || len > LOGIN_TEXT_MAX ||
	    (n = EVP_DecodeBlock(
		 whole, (const unsigned char *)text, (int)len)) < 0)
		return -1;
	/* the padding has been decoded too */
	n -= (text[len - 1] == '=') + (text[len - 2] == '=');
	if ((size_t)n >= size)
		return -1;
	memcpy(out, whole, (size_t)n);
	out[n] = '\0';
	return n;
}

bool
login_parse(const char *text, size_t len, char *user, bool *right)
{
	char message[LOGIN_TEXT_MAX], password[LOGIN_USER_MAX + 16];
	long n = login_decode(text, len, message, sizeof(message));
	const char *name, *pass;

	/* authzid NUL authcid NUL passwd */
	if (n < 2 || (name = memchr(message, '\0', (size_t)n)) == NULL)
		return false;
	name++;
	pass = memchr(name, '\0', (size_t)(message + n - name));
	if (pass == NULL || pass - name >= LOGIN_USER_MAX)
		return false;
	memcpy(user, name, (size_t)(pass - name) + 1);
	login_password(user, password, sizeof(password));
	*right = strcmp(pass + 1, password) == 0;
	return true;
}
