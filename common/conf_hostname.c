/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_hostname.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/conf_check.h"
#include "common/conf_source.h"

#define NAME_SIZE 256

/* One line without its comment: the dotted name, if name is on it too. */
static bool
qualify_line(
    const char *line, size_t len, const char *name, char *out, size_t size)
{
	const char *dotted = NULL;
	size_t dotted_len = 0;
	size_t at, word;
	bool found = false;

	at = strcspn(line, " \t");
	while (at < len) {
		at += strspn(line + at, " \t");
		word = strcspn(line + at, " \t\r\n#");
		if (at >= len || word == 0)
			break;
		if (dotted == NULL && memchr(line + at, '.', word) != NULL) {
			dotted = line + at;
			dotted_len = word;
		}
		if (strlen(name) == word &&
		    strncasecmp(line + at, name, word) == 0)
			found = true;
		at += word;
	}
	if (!found || dotted == NULL || dotted_len >= size)
		return false;
	memcpy(out, dotted, dotted_len);
	out[dotted_len] = '\0';
	return true;
}

bool
conf_hosts_qualify(
    const char *hosts, size_t len, const char *name, char *out, size_t size)
{
	const char *end = hosts + len;
	const char *p = hosts;
	char line[1024];
	size_t n;

	while (p < end) {
		for (n = 0; p + n < end && p[n] != '\n' && p[n] != '#'; n++)
			;
		if (n < sizeof(line)) {
			memcpy(line, p, n);
			line[n] = '\0';
			if (qualify_line(line, n, name, out, size))
				return true;
		}
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			break;
		p++;
	}
	return false;
}

char *
conf_hostname(void)
{
	struct conf_bytes hosts;
	char name[NAME_SIZE];
	char full[NAME_SIZE];
	char why[128];
	const char *reason;

	if (gethostname(name, sizeof(name)) != 0)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	if (name[0] != '\0' && strchr(name, '.') == NULL) {
		reason = conf_read_file(
		    NULL, "/etc/hosts", &hosts, why, sizeof(why));
		if (reason == NULL &&
		    conf_hosts_qualify(
			hosts.data, hosts.len, name, full, sizeof(full)) &&
		    conf_check_ehlo(full, &reason)) {
			free(hosts.data);
			return strdup(full);
		}
		free(hosts.data);
	}
	if (!conf_check_ehlo(name, &reason))
		return strdup("localhost");
	return strdup(name);
}
