/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/endpoint.h"
#include "common/number.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

bool
conf_check_domain(const char *text, char *out, size_t size, const char **why)
{
	struct address a;
	char path[ADDRESS_DOMAIN_MAX + 4];
	int n;

	*why = "not a domain";
	if (strpbrk(text, "@<>\"\\ ") != NULL)
		return false;
	n = snprintf(path, sizeof(path), "x@%s", text);
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	if (address_parse(path, (size_t)n, &a, why) != ADDRESS_OK) {
		if (*why == NULL)
			*why = "not a domain";
		return false;
	}
	n = snprintf(out, size, "%s", a.domain);
	return n >= 0 && (size_t)n < size;
}

bool
conf_check_ehlo(const char *text, const char **why)
{
	char domain[ADDRESS_DOMAIN_MAX + 1];
	size_t len = strlen(text);

	if (!conf_check_domain(text, domain, sizeof(domain), why))
		return false;
	if (text[0] == '[')
		return true;
	*why = "no name for EHLO: letters, digits, \"-\" and \".\" alone";
	return strspn(text, LETTERS DIGITS "-.") == len && text[0] != '-' &&
	    text[len - 1] != '-' && text[len - 1] != '.';
}

bool
conf_check_socket(const char *text, bool unix_only, const char **why)
{
	struct endpoint e;
	const char *at;
	char port[8];
	long long number;
	size_t len;

	if (strncmp(text, "unix:", 5) == 0)
		return endpoint_parse(text, &e, why);
	*why = unix_only
	    ? "not a socket of the form unix:/path"
	    : "not a socket of the form unix:/path or inet:PORT@HOST";
	if (unix_only || strncmp(text, "inet:", 5) != 0)
		return false;
	at = strchr(text, '@');
	len = at != NULL ? (size_t)(at - text) - 5 : 0;
	if (at == NULL || len >= sizeof(port))
		return false;
	snprintf(port, sizeof(port), "%.*s", (int)len, text + 5);
	if (!number_parse(port, 1, 65535, &number))
		return false;
	return endpoint_parse(at + 1, &e, why) && e.kind == ENDPOINT_INET &&
	    e.port == 0 && !e.lmtp;
}

bool
conf_check_account(const char *text, const char **why)
{
	size_t len = strlen(text);

	*why = "not the name or number of an account";
	return len >= 1 && len <= 32 && text[0] != '-' && text[0] != '.' &&
	    strspn(text, LETTERS DIGITS "_.-") == len;
}

bool
conf_check_header(const char *text, const char **why)
{
	/* What other programs and people read must not be taken away by a
	 * tag, which removes copies that came in. */
	static const char *const taken[] = { "From", "Sender", "Reply-To", "To",
		"Cc", "Bcc", "Date", "Subject", "Message-ID", "In-Reply-To",
		"References", "Received", "Return-Path", "MIME-Version",
		"Content-Type", "Content-Transfer-Encoding",
		"Content-Disposition", "DKIM-Signature", "ARC-Seal",
		"ARC-Message-Signature", "ARC-Authentication-Results",
		"Authentication-Results", "List-Id", "List-Unsubscribe" };
	size_t len = strlen(text);
	size_t i;

	*why = "not the name of a header";
	if (len < 1 || len > 64)
		return false;
	for (i = 0; i < len; i++)
		if (text[i] < 33 || text[i] > 126 || text[i] == ':')
			return false;
	*why = "a header of Postern's own";
	if (strcasecmp(text, "X-Postern-Binding") == 0)
		return false;
	*why = "a header that mail cannot do without";
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcasecmp(text, taken[i]) == 0)
			return false;
	return true;
}
