/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned char frame[WIRE_MAX + 1];

static struct wire_item
text(const char *s)
{
	struct wire_item i = { (const unsigned char *)s, strlen(s) };

	return i;
}

/* A message of this type with "x" for each of the tags. */
static struct wire_message
message(unsigned int type, const char *tags)
{
	struct wire_message m = { .type = (enum wire_type)type };

	for (; *tags != '\0'; tags++)
		m.item[*tags - '0'] = text("x");
	return m;
}

static struct wire_message
check_message(void)
{
	struct wire_message m = { .type = WIRE_CHECK };

	m.item[WIRE_MECH] = text("PLAIN");
	m.item[WIRE_SERVICE] = text("smtp");
	m.item[WIRE_REALM] = text("");
	m.item[WIRE_CLIENT] = text("192.0.2.1;49152");
	m.item[WIRE_USER] = text("ann@example.org");
	m.item[WIRE_PASS].data = (const unsigned char *)"sec\0ret";
	m.item[WIRE_PASS].len = 7;
	return m;
}

/* The octets are what both ends agree on: they are spelled out once. */
static void
test_octets(void **state)
{
	static const unsigned char want[] = "PA\1\1\0\0\0\100"
					    "\1\0\005PLAIN"
					    "\2\0\004smtp"
					    "\3\0\0"
					    "\4\0\017192.0.2.1;49152"
					    "\5\0\017ann@example.org"
					    "\6\0\007sec\0ret";
	struct wire_message m = check_message(), got;
	const char *why = "";

	(void)state;
	assert_int_equal(
	    wire_format(&m, frame, sizeof(frame)), sizeof(want) - 1);
	assert_memory_equal(frame, want, sizeof(want) - 1);
	assert_true(wire_parse(want, sizeof(want) - 1, &got, &why));
	assert_null(why);
	assert_int_equal(got.type, WIRE_CHECK);
	assert_int_equal(got.item[WIRE_USER].len, 15);
	assert_memory_equal(got.item[WIRE_USER].data, "ann@example.org", 15);
	assert_int_equal(got.item[WIRE_PASS].len, 7);
	assert_memory_equal(got.item[WIRE_PASS].data, "sec\0ret", 7);
	/* empty is there, absent is not */
	assert_non_null(got.item[WIRE_REALM].data);
	assert_int_equal(got.item[WIRE_REALM].len, 0);
	assert_null(got.item[WIRE_DATA].data);
}

/* Every set of items against the table in the header. */
static void
test_items_of_types(void **state)
{
	static const struct {
		unsigned int type;
		const char *must, *all;
	} rows[] = {
		{ WIRE_CHECK, "1256", "123456" },
		{ WIRE_START, "12", "12347" },
		{ WIRE_STEP, "7", "7" },
		{ WIRE_GOOD, "5", "5" },
		{ WIRE_BAD, "", "5" },
		{ WIRE_UNSURE, "", "58" },
		{ WIRE_CHALLENGE, "7", "7" },
	};
	struct wire_message m, got;
	unsigned int set, tag;
	size_t i, len;
	bool fits;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (set = 0; set < 1U << WIRE_TAGS; set += 2) {
			memset(&m, 0, sizeof(m));
			m.type = (enum wire_type)rows[i].type;
			fits = true;
			for (tag = 1; tag < WIRE_TAGS; tag++) {
				int c = '0' + (int)tag;

				if (set & 1U << tag) {
					m.item[tag] = text("x");
					if (!strchr(rows[i].all, c))
						fits = false;
				} else if (strchr(rows[i].must, c)) {
					fits = false;
				}
			}
			len = wire_format(&m, frame, sizeof(frame));
			if ((len > 0) != fits)
				fail_msg("type %u, items %x: %zu octets",
				    rows[i].type, set, len);
			if (fits)
				assert_true(wire_parse(frame, len, &got, NULL));
		}
	}
}

static void
test_unknown_types(void **state)
{
	struct wire_message m;
	unsigned int type, known = 0;
	const char *why;

	(void)state;
	for (type = 0; type < 256; type++) {
		unsigned char head[WIRE_HEADER] = "PA\1";

		head[3] = (unsigned char)type;
		if (wire_frame(head, sizeof(head), &why) > 0) {
			known++;
			continue;
		}
		assert_string_equal(why, "a message of unknown type");
		assert_false(wire_parse(head, sizeof(head), &m, NULL));
		m = message(type, "");
		assert_int_equal(wire_format(&m, frame, sizeof(frame)), 0);
	}
	assert_int_equal(known, 7);
}

static void
test_bad(void **state)
{
#define ROW(octets, why)          \
 {                                \
  octets, sizeof(octets) - 1, why \
 }

	static const struct {
		const char *octets;
		size_t len;
		const char *why;
	} rows[] = {
		ROW("", "not one whole frame"),
		ROW("P", "not one whole frame"),
		ROW("GET / HTTP/1.0\r\n\r\n", "not a frame of Postern"),
		ROW("PB\1\101\0\0\0\0", "not a frame of Postern"),
		ROW("PA\2\101\0\0\0\0", "a frame of another version"),
		ROW("PA\0\101\0\0\0\0", "a frame of another version"),
		ROW("PA\1\101\0\0\200\1", "a frame too long"),
		ROW("PA\1\101\377\377\377\377", "a frame too long"),
		ROW("PA\1\101\200\0\0\0", "a frame too long"),
		ROW("PA\1\101\0\0\0\1", "not one whole frame"),
		ROW("PA\1\101\0\0\0\0x", "not one whole frame"),
		ROW("PA\1\101\0\0\0\1\5", "an item is cut off"),
		ROW("PA\1\101\0\0\0\2\5\0", "an item is cut off"),
		ROW("PA\1\101\0\0\0\3\5\0\1", "an item is cut off"),
		ROW("PA\1\101\0\0\0\4\5\0\2x", "an item is cut off"),
		ROW("PA\1\101\0\0\0\4\5\377\377x", "an item is cut off"),
		ROW("PA\1\101\0\0\0\5\5\0\1xx", "an item is cut off"),
		ROW("PA\1\101\0\0\0\3\0\0\0",
		    "an item is unknown or out of order"),
		ROW("PA\1\101\0\0\0\3\11\0\0",
		    "an item is unknown or out of order"),
		ROW("PA\1\101\0\0\0\3\377\0\0",
		    "an item is unknown or out of order"),
		ROW("PA\1\101\0\0\0\6\5\0\0\5\0\0",
		    "an item is unknown or out of order"),
		ROW("PA\1\102\0\0\0\6\10\0\0\5\0\0",
		    "an item is unknown or out of order"),
		ROW("PA\1\100\0\0\0\0", "an item is missing"),
		ROW("PA\1\101\0\0\0\3\6\0\0", "an item does not belong here"),
	};

#undef ROW
	static const struct wire_message none;
	struct wire_message m;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&m, 0xff, sizeof(m));
		why = NULL;
		if (wire_parse((const unsigned char *)rows[i].octets,
			rows[i].len, &m, &why))
			fail_msg("row %zu was taken", i);
		if (why == NULL || strcmp(why, rows[i].why) != 0)
			fail_msg("row %zu: %s", i, why != NULL ? why : "?");
		assert_memory_equal(&m, &none, sizeof(m));
	}
	assert_false(wire_parse((const unsigned char *)"x", 1, &m, NULL));
	assert_int_equal(wire_frame((const unsigned char *)"x", 1, NULL), -1);
}

/* Cut anywhere, and with one octet more: never a message, and a reader knows
 * how much is still to come. */
static void
test_truncations(void **state)
{
	struct wire_message m = check_message(), got;
	size_t len = wire_format(&m, frame, sizeof(frame)), n;
	const char *why;

	(void)state;
	assert_true(len > WIRE_HEADER);
	for (n = 0; n <= len + 1; n++) {
		/* just this size: a sanitizer sees any look beyond */
		unsigned char *copy = malloc(n > 0 ? n : 1);

		assert_non_null(copy);
		memcpy(copy, frame, n);
		why = "";
		assert_int_equal(
		    wire_frame(copy, n, &why), n < WIRE_HEADER ? 0 : (long)len);
		assert_null(why);
		assert_int_equal(wire_parse(copy, n, &got, NULL), n == len);
		free(copy);
	}
}

static void
test_limits(void **state)
{
	static unsigned char big[WIRE_BODY_MAX + 1];
	struct wire_message m = { .type = WIRE_STEP }, got;
	size_t fit = WIRE_BODY_MAX - 3;

	(void)state;
	m.item[WIRE_DATA].data = big;
	m.item[WIRE_DATA].len = fit;
	assert_int_equal(wire_format(&m, frame, WIRE_MAX), WIRE_MAX);
	assert_int_equal(wire_frame(frame, WIRE_MAX, NULL), WIRE_MAX);
	assert_true(wire_parse(frame, WIRE_MAX, &got, NULL));
	assert_int_equal(got.item[WIRE_DATA].len, fit);
	assert_int_equal(wire_format(&m, frame, WIRE_MAX - 1), 0);
	m.item[WIRE_DATA].len = fit + 1;
	assert_int_equal(wire_format(&m, frame, sizeof(frame)), 0);
	/* nor one whose length would not fit in its two octets */
	m.item[WIRE_DATA].len = UINT16_MAX + 1UL;
	assert_int_equal(wire_format(&m, frame, sizeof(frame)), 0);
	m.item[WIRE_DATA].len = SIZE_MAX;
	assert_int_equal(wire_format(&m, frame, sizeof(frame)), 0);
}

/* No octet can be changed without the message changing, or ending to be. */
static void
test_one_reading(void **state)
{
	struct wire_message m = check_message(), got;
	size_t len = wire_format(&m, frame, sizeof(frame)), i;
	static unsigned char copy[WIRE_MAX], again[WIRE_MAX];
	unsigned int v;

	(void)state;
	for (i = 0; i < len; i++) {
		for (v = 0; v < 256; v++) {
			memcpy(copy, frame, len);
			copy[i] = (unsigned char)v;
			if (!wire_parse(copy, len, &got, NULL))
				continue;
			assert_int_equal(
			    wire_format(&got, again, sizeof(again)), len);
			assert_memory_equal(again, copy, len);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_items_of_types),
		cmocka_unit_test(test_unknown_types),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_one_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
