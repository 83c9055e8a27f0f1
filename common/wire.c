/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/wire.h"

#include <stdint.h>
#include <string.h>

#define ITEM_HEADER 3
#define ITEM_MAX    UINT16_MAX

#define HAS(tag) (1U << (tag))

/* Who asks, in every question that begins a login. */
#define MUST_SAY (HAS(WIRE_MECH) | HAS(WIRE_SERVICE))
#define MAY_SAY  (HAS(WIRE_REALM) | HAS(WIRE_CLIENT))

/* What a message of each type must and may carry. */
static const struct rule {
	enum wire_type type;
	unsigned int must, may;
} rules[] = {
	{ WIRE_CHECK, MUST_SAY | HAS(WIRE_USER) | HAS(WIRE_PASS), MAY_SAY },
	{ WIRE_START, MUST_SAY, MAY_SAY | HAS(WIRE_DATA) },
	{ WIRE_STEP, HAS(WIRE_DATA), 0 },
	{ WIRE_GOOD, HAS(WIRE_USER), 0 },
	{ WIRE_BAD, 0, HAS(WIRE_USER) },
	{ WIRE_UNSURE, 0, HAS(WIRE_USER) | HAS(WIRE_REASON) },
	{ WIRE_CHALLENGE, HAS(WIRE_DATA), 0 },
};

static const struct rule *
rule_of(unsigned int type)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].type == type)
			return &rules[i];
	return NULL;
}

/* NULL when these items make a message of that type. */
static const char *
misfit(const struct wire_message *m, const struct rule *r)
{
	unsigned int tag, has = 0;

	for (tag = 1; tag < WIRE_TAGS; tag++)
		if (m->item[tag].data != NULL)
			has |= HAS(tag);
	if ((has & r->must) != r->must)
		return "an item is missing";
	if ((has & ~(r->must | r->may)) != 0)
		return "an item does not belong here";
	return NULL;
}

static unsigned char *
put_item(unsigned char *p, unsigned int tag, const struct wire_item *item)
{
	*p++ = (unsigned char)tag;
	*p++ = (unsigned char)(item->len >> 8);
	*p++ = (unsigned char)item->len;
	if (item->len > 0)
		memcpy(p, item->data, item->len);
	return p + item->len;
}

size_t
wire_format(const struct wire_message *m, unsigned char *buf, size_t size)
{
	const struct rule *r = rule_of(m->type);
	unsigned int tag, shift;
	size_t body = 0;
	unsigned char *p = buf;

	if (r == NULL || misfit(m, r) != NULL)
		return 0;
	for (tag = 1; tag < WIRE_TAGS; tag++) {
		if (m->item[tag].data == NULL)
			continue;
		if (m->item[tag].len > ITEM_MAX)
			return 0;
		body += ITEM_HEADER + m->item[tag].len;
	}
	if (body > WIRE_BODY_MAX || size < WIRE_HEADER + body)
		return 0;

	*p++ = 'P';
	*p++ = 'A';
	*p++ = WIRE_VERSION;
	*p++ = (unsigned char)m->type;
	for (shift = 32; shift > 0; shift -= 8)
		*p++ = (unsigned char)(body >> (shift - 8));
	for (tag = 1; tag < WIRE_TAGS; tag++)
		if (m->item[tag].data != NULL)
			p = put_item(p, tag, &m->item[tag]);
	return WIRE_HEADER + body;
}

static const char *
frame_fault(const unsigned char *buf, size_t len)
{
	if (len > 0 && buf[0] != 'P')
		return "not a frame of Postern";
	if (len > 1 && buf[1] != 'A')
		return "not a frame of Postern";
	if (len > 2 && buf[2] != WIRE_VERSION)
		return "a frame of another version";
	if (len > 3 && rule_of(buf[3]) == NULL)
		return "a message of unknown type";
	return NULL;
}

long
wire_frame(const unsigned char *buf, size_t len, const char **why)
{
	const char *fault = frame_fault(buf, len);
	uint32_t body = 0;
	size_t i;

	for (i = 4; i < WIRE_HEADER && i < len; i++)
		body = body << 8 | buf[i];
	if (fault == NULL && len >= WIRE_HEADER && body > WIRE_BODY_MAX)
		fault = "a frame too long";
	if (why != NULL)
		*why = fault;
	if (fault != NULL)
		return -1;
	return len < WIRE_HEADER ? 0 : (long)(WIRE_HEADER + body);
}

/* Returns what is wrong with the items from p up to end, or NULL. */
static const char *
take_items(
    const unsigned char *p, const unsigned char *end, struct wire_message *m)
{
	unsigned int last = 0;
	struct wire_item *item;

	while (p < end) {
		if (end - p < ITEM_HEADER)
			return "an item is cut off";
		if (p[0] <= last || p[0] >= WIRE_TAGS)
			return "an item is unknown or out of order";
		last = p[0];
		item = &m->item[last];
		item->len = (size_t)p[1] << 8 | p[2];
		p += ITEM_HEADER;
		if ((size_t)(end - p) < item->len)
			return "an item is cut off";
		item->data = p;
		p += item->len;
	}
	return NULL;
}

bool
wire_parse(const unsigned char *buf, size_t len, struct wire_message *m,
    const char **why)
{
	const char *fault = NULL;
	long whole = wire_frame(buf, len, &fault);

	memset(m, 0, sizeof(*m));
	if (whole >= 0 && (whole == 0 || (size_t)whole != len))
		fault = "not one whole frame";
	if (fault == NULL) {
		m->type = (enum wire_type)buf[3];
		fault = take_items(buf + WIRE_HEADER, buf + len, m);
	}
	if (fault == NULL)
		fault = misfit(m, rule_of(m->type));
	if (fault != NULL)
		memset(m, 0, sizeof(*m));
	if (why != NULL)
		*why = fault;
	return fault == NULL;
}
