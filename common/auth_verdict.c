/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_verdict.h"

#include <stddef.h>
#include <string.h>

/* Replies that a rightly configured edge is not given: the upstream lacks
 * AUTH or the mechanism, or wants TLS or another login first. */
static const struct {
	int code;
	const char *reason;
} wrong[] = {
	{ 500, "AUTH not known upstream" },
	{ 501, "AUTH not understood upstream" },
	{ 502, "AUTH not available upstream" },
	{ 503, "AUTH out of place upstream" },
	{ 504, "mechanism not available upstream" },
	{ 530, "upstream wants TLS first" },
	{ 534, "upstream wants a stronger mechanism" },
	{ 538, "upstream wants encryption" },
};

static struct auth_verdict
cannot_tell(const char *reason, bool ours)
{
	struct auth_verdict v = { VERDICT_DEFER, false, ours, reason };

	return v;
}

/* "5.7.0" and "5.7.3" speak of the server's policy, not of the password. */
static bool
is_policy(const char *esc)
{
	const char *rest = strchr(esc, '.');

	return rest != NULL &&
	    (strcmp(rest, ".7.0") == 0 || strcmp(rest, ".7.3") == 0);
}

static struct auth_verdict
refused(const char *esc)
{
	struct auth_verdict v = { VERDICT_REJECT, is_policy(esc), false,
		"refused" };

	if (v.policy)
		v.reason = "refused by policy";
	return v;
}

struct auth_verdict
auth_verdict_of(int code, const char *esc, bool final)
{
	struct auth_verdict good = { VERDICT_ACCEPT, false, false, "" };
	size_t i;

	if (code == 235)
		return final ? good
			     : cannot_tell("235 before the credentials", true);
	if (code == 535)
		return final ? refused(esc)
			     : cannot_tell("535 before the credentials", false);
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (wrong[i].code == code)
			return cannot_tell(wrong[i].reason, true);
	}
	if (code == 421)
		return cannot_tell("upstream closes", false);
	if (code >= 400 && code <= 499)
		return cannot_tell("temporary refusal", false);
	if (code >= 500 && code <= 599)
		return cannot_tell("refusal of another kind", false);
	return cannot_tell("unexpected reply", false);
}
