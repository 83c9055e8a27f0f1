/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

static bool
set_address(const char *text, size_t len, struct session_client *out)
{
	const char *zone = memchr(text, '%', len);
	char addr[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	struct in_addr v4;

	if (zone != NULL)
		len = (size_t)(zone - text);
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (inet_pton(AF_INET, addr, &v4) == 1)
		return inet_ntop(AF_INET, &v4, out->addr, sizeof(out->addr)) !=
		    NULL;
	if (inet_pton(AF_INET6, addr, &v6) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6))
		return inet_ntop(AF_INET, v6.s6_addr + 12, out->addr,
			   sizeof(out->addr)) != NULL;
	return inet_ntop(AF_INET6, &v6, out->addr, sizeof(out->addr)) != NULL;
}

bool
auth_client_parse(const char *text, struct session_client *out)
{
	const char *end = strchr(text, ';');
	long long port;

	memset(out, 0, sizeof(*out));
	(void)snprintf(out->proto, sizeof(out->proto), "ESMTP");
	if (end == NULL)
		end = text + strlen(text);
	if (!set_address(text, (size_t)(end - text), out))
		return false;
	if (*end == ';' && number_parse(end + 1, 1, 65535, &port))
		(void)snprintf(
		    out->port, sizeof(out->port), "%hu", (unsigned short)port);
	return true;
}
