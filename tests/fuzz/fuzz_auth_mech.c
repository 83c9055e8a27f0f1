/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First messages of clients: the first octet chooses the mechanism.  A name
 * that comes out is one, and stands in the message.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/auth_mech.h"

static const char *const names[] = { "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256",
	"XOAUTH2", "OAUTHBEARER", "PLAIN" };

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
check_name(const struct login_name *n)
{
	struct login_name again;
	size_t len = strlen(n->full), i;

	must(len > 0 && len <= LOGIN_NAME_OCTETS);
	for (i = 0; i < len; i++)
		must((unsigned char)n->full[i] >= 32 && n->full[i] != 127);
	must(login_name_parse(n->full, len, &again, NULL));
	must(memcmp(&again, n, sizeof again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct auth_mech *m;
	struct login_name n;
	const char *why;

	if (size == 0)
		return 0;
	m = auth_mech_find(names[(data[0] - (unsigned)'0') % 6]);
	must(m != NULL);
	if (!auth_mech_user(m, data + 1, size - 1, &n, &why)) {
		must(why != NULL && n.full[0] == '\0');
		return 0;
	}
	must(why == NULL && !m->password);
	check_name(&n);
	/* Without escapes the name is there as it is. */
	if (memchr(data + 1, '=', size - 1) == NULL ||
	    strcmp(m->name, "CRAM-MD5") == 0 || strcmp(m->name, "XOAUTH2") == 0)
		must(
		    memmem(data + 1, size - 1, n.full, strlen(n.full)) != NULL);
	return 0;
}
