/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/siphash.h"

struct item {
	struct table_entry link;
	char key[16];
};

static void
drop(void *arg, struct table_entry *e)
{
	unsigned *dropped = arg;

	(*dropped)++;
	free(e);
}

static struct item *
add(struct table *t, const char *key)
{
	struct item *i = calloc(1, sizeof *i);

	assert_non_null(i);
	(void)snprintf(i->key, sizeof i->key, "%s", key);
	assert_true(table_add(t, &i->link, i->key, strlen(i->key)));
	return i;
}

static struct item *
find(struct table *t, const char *key)
{
	return (struct item *)table_find(t, key, strlen(key));
}

/* The vector of the paper's appendix A, and two of the reference code. */
static void
test_siphash_vectors(void **state)
{
	const struct siphash_key key = { 0x0706050403020100U,
		0x0f0e0d0c0b0a0908U };
	unsigned char in[15];
	unsigned char i;

	(void)state;
	for (i = 0; i < sizeof in; i++)
		in[i] = i;
	assert_true(siphash(&key, in, 15) == 0xa129ca6149be45e5U);
	assert_true(siphash(&key, NULL, 0) == 0x726fdb47dd0e0e31U);
	assert_true(siphash(&key, in, 8) == 0x93f5f5799a932462U);
}

static void
test_forgets_what_was_used_longest_ago(void **state)
{
	unsigned dropped = 0;
	struct table *t = table_new(3, drop, &dropped);
	struct item *a;

	(void)state;
	assert_non_null(t);
	a = add(t, "a");
	add(t, "b");
	add(t, "c");
	table_touch(t, &a->link);
	add(t, "d");
	assert_int_equal(table_count(t), 3);
	assert_int_equal(dropped, 1);
	assert_int_equal(table_evicted(t), 1);
	assert_null(find(t, "b"));
	assert_ptr_equal(find(t, "a"), a);
	assert_non_null(find(t, "c"));
	assert_non_null(find(t, "d"));
	table_free(t);
	assert_int_equal(dropped, 4);
}

static void
test_order_of_use(void **state)
{
	unsigned dropped = 0;
	struct table *t = table_new(10, drop, &dropped);
	struct table_entry *e;
	char order[16] = "";
	size_t n = 0;

	(void)state;
	add(t, "a");
	add(t, "b");
	add(t, "c");
	table_touch(t, &find(t, "b")->link); /* from the middle */
	table_touch(t, &find(t, "a")->link); /* from the front */
	table_touch(t, &find(t, "a")->link); /* from the end */
	add(t, "d");
	for (e = table_oldest(t); e != NULL; e = table_newer(e))
		order[n++] = ((struct item *)e)->key[0];
	assert_string_equal(order, "cbad");
	table_remove(t, &find(t, "d")->link);
	table_touch(t, &find(t, "c")->link);
	assert_string_equal(((struct item *)table_oldest(t))->key, "b");
	table_clear(t);
	assert_int_equal(table_count(t), 0);
	assert_null(table_oldest(t));
	add(t, "e");
	table_touch(t, &find(t, "e")->link);
	assert_non_null(find(t, "e"));
	table_free(t);
}

static void
test_keys_are_octets(void **state)
{
	unsigned dropped = 0;
	struct table *t = table_new(10, drop, &dropped);
	struct item *one = calloc(1, sizeof *one);
	size_t len;

	(void)state;
	assert_non_null(one);
	memcpy(one->key, "a\0b", 3);
	assert_true(table_add(t, &one->link, one->key, 3));
	assert_null(table_find(t, "a\0c", 3));
	assert_null(table_find(t, "a", 1));
	assert_null(table_find(t, "a\0b\0", 4));
	assert_ptr_equal(table_find(t, "a\0b", 3), one);
	assert_memory_equal(table_key(&one->link, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	table_free(t);
	table_free(NULL);
}

/* Against a plain array, through every operation in a random order. */
static void
test_against_a_model(void **state)
{
	enum {
		KEYS = 200,
		MAX = 50
	};

	unsigned used[KEYS] = { 0 }, now = 0, dropped = 0, added = 0;
	struct table *t = table_new(MAX, drop, &dropped);
	uint32_t seed = 1;
	char key[16];
	int step;

	(void)state;
	for (step = 0; step < 20000; step++) {
		unsigned k, i, present = 0, oldest = KEYS;
		struct item *e;

		seed = seed * 1664525 + 1013904223;
		k = seed >> 16;
		i = k % KEYS;
		(void)snprintf(key, sizeof key, "%u", i);
		e = find(t, key);
		assert_int_equal(e != NULL, used[i] != 0);
		if (e != NULL && k / KEYS % 4 == 0) {
			table_remove(t, &e->link);
			used[i] = 0;
			continue;
		}
		if (e != NULL) {
			table_touch(t, &e->link);
			used[i] = ++now;
			continue;
		}
		for (k = 0; k < KEYS; k++) {
			present += used[k] != 0;
			if (used[k] != 0 &&
			    (oldest == KEYS || used[k] < used[oldest]))
				oldest = k;
		}
		if (present == MAX)
			used[oldest] = 0;
		add(t, key);
		added++;
		used[i] = ++now;
	}
	table_free(t);
	assert_int_equal(dropped, added);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash_vectors),
		cmocka_unit_test(test_forgets_what_was_used_longest_ago),
		cmocka_unit_test(test_order_of_use),
		cmocka_unit_test(test_keys_are_octets),
		cmocka_unit_test(test_against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
