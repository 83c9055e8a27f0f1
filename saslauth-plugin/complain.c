/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/complain.h"

#include <stdarg.h>
#include <stdio.h>

#define COMPLAIN_MS 10000

void
complain(struct log_limit *limit, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	unsigned int more;
	va_list ap;

	if (log_limited(limit, COMPLAIN_MS))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	more = log_limit_left_out(limit);
	if (more > 0)
		log_warning("%s (%u more)", text, more);
	else
		log_warning("%s", text);
}
