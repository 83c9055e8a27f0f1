/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
make_printable(char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < 32 || *s > 126)
			*s = '?';
	}
}

void
fault_clear(struct fault *f)
{
	if (f != NULL)
		memset(f, 0, sizeof(*f));
}

void
fault_set(struct fault *f, enum fault_origin origin, const char *fmt, ...)
{
	/* Built aside: callers add to a text by naming f->text. */
	struct fault new = { .origin = origin };
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, fmt);
	if (vsnprintf(new.text, sizeof(new.text), fmt, ap) < 0)
		new.text[0] = '\0';
	va_end(ap);
	make_printable(new.text);
	*f = new;
}

void
fault_set_reply(struct fault *f, int code, const char *esc, const char *text)
{
	if (f == NULL)
		return;
	fault_set(f, FAULT_REPLY, "%s", text != NULL ? text : "");
	f->code = code;
	if (esc != NULL && strlen(esc) < sizeof(f->esc)) {
		memcpy(f->esc, esc, strlen(esc) + 1);
		make_printable(f->esc);
	}
}

const char *
fault_origin_name(enum fault_origin origin)
{
	switch (origin) {
	case FAULT_NONE:
		return "none";
	case FAULT_LOCAL:
		return "local";
	case FAULT_CONNECTION:
		return "connection";
	case FAULT_PROTOCOL:
		return "protocol";
	case FAULT_FEATURE:
		return "feature";
	case FAULT_REPLY:
		return "reply";
	}
	return "unknown";
}

const char *
outcome_name(enum outcome oc)
{
	switch (oc) {
	case OUTCOME_TEMP:
		return "temp";
	case OUTCOME_OK:
		return "ok";
	case OUTCOME_PERM:
		return "perm";
	}
	return "unknown";
}
