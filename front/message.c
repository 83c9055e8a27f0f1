/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/message.h"

#include <string.h>

void
message_init(struct message *m)
{
	memset(m, 0, sizeof(*m));
}

/* Text up to its LF, or to the end of what is there. */
static size_t
skip_text(struct message *m, const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);
	bool cr;

	if (lf == NULL) {
		m->at = data[len - 1] == '\r' ? MESSAGE_TEXT_CR : MESSAGE_TEXT;
		return len;
	}
	cr = lf > data ? lf[-1] == '\r' : m->at == MESSAGE_TEXT_CR;
	m->bare = !cr;
	m->at = MESSAGE_BEGIN;
	return (size_t)(lf - data) + 1;
}

/* A line that begins with a dot, as long as nothing else is in it. */
static enum message_found
dot_line(struct message *m, char c)
{
	if (c == '\r') {
		m->at = m->at == MESSAGE_DOT ? MESSAGE_DOT_CR : MESSAGE_DOT_ODD;
		return MESSAGE_GOES_ON;
	}
	if (c != '\n') {
		m->at = MESSAGE_TEXT;
		return MESSAGE_GOES_ON;
	}
	return m->at == MESSAGE_DOT_CR && !m->bare ? MESSAGE_ENDS
						   : MESSAGE_AMBIGUOUS;
}

enum message_found
message_scan(struct message *m, const char *data, size_t len, size_t *used)
{
	enum message_found found;
	size_t i = 0;

	while (i < len) {
		switch (m->at) {
		case MESSAGE_BEGIN:
			if (data[i] == '.') {
				m->at = MESSAGE_DOT;
				i++;
			} else {
				m->at = MESSAGE_TEXT;
			}
			break;
		case MESSAGE_DOT:
		case MESSAGE_DOT_CR:
		case MESSAGE_DOT_ODD:
			found = dot_line(m, data[i]);
			if (found == MESSAGE_AMBIGUOUS) {
				*used = i;
				return found;
			}
			if (found == MESSAGE_ENDS) {
				*used = i + 1;
				return found;
			}
			i++;
			break;
		case MESSAGE_TEXT:
		case MESSAGE_TEXT_CR:
		default:
			i += skip_text(m, data + i, len - i);
			break;
		}
	}
	*used = len;
	return MESSAGE_GOES_ON;
}
