/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRBUF_FIRST 64

/* Make room for len more octets and the final NUL. */
static bool
grow(struct strbuf *sb, size_t len)
{
	size_t want, size;
	char *p;

	if (sb->failed)
		return false;
	if (len > sb->max - sb->len || sb->len + len > SIZE_MAX / 2 - 1)
		goto refuse;
	want = sb->len + len + 1;
	if (want <= sb->size)
		return true;
	size = sb->size < STRBUF_FIRST ? STRBUF_FIRST : sb->size;
	while (size < want)
		size *= 2;
	/* Doubling must not take more than the ceiling can ever need. */
	if (size - 1 > sb->max)
		size = sb->max + 1;
	if ((p = realloc(sb->data, size)) == NULL)
		goto refuse;
	sb->data = p;
	sb->size = size;
	return true;
refuse:
	sb->failed = true;
	return false;
}

void
strbuf_init(struct strbuf *sb, size_t max)
{
	*sb = (struct strbuf){ .max = max };
}

void
strbuf_release(struct strbuf *sb)
{
	free(sb->data);
	strbuf_init(sb, sb->max);
}

void
strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	sb->failed = false;
	if (sb->data != NULL)
		sb->data[0] = '\0';
}

bool
strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (!grow(sb, len))
		return false;
	if (len > 0)
		memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
	return true;
}

bool
strbuf_addch(struct strbuf *sb, char c)
{
	return strbuf_add(sb, &c, 1);
}

bool
strbuf_adds(struct strbuf *sb, const char *s)
{
	return strbuf_add(sb, s, strlen(s));
}

bool
strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap, again;
	bool ok = false;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		sb->failed = true;
	} else if (grow(sb, (size_t)n)) {
		(void)vsnprintf(sb->data + sb->len, (size_t)n + 1, fmt, again);
		sb->len += (size_t)n;
		ok = true;
	}
	va_end(again);
	return ok;
}

const char *
strbuf_str(const struct strbuf *sb)
{
	return sb->data != NULL ? sb->data : "";
}

bool
strbuf_ok(const struct strbuf *sb)
{
	return !sb->failed;
}
