/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading with memory running out at step n, for every n: it is said, nothing
 * is lost, nothing is half loaded.  The linker puts these functions in front
 * of our own calls (--wrap); libconfuse's are left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/conf_case.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static unsigned long left; /* calls that succeed; 0: no limit */
static bool limited;

static bool
fails(void)
{
	if (!limited)
		return false;
	if (left == 0)
		return true;
	left--;
	return false;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : __real_strndup(s, n);
}

struct heard {
	unsigned int errors;
};

static void
hear(void *arg, bool error, const char *line)
{
	struct heard *heard = arg;

	(void)line;
	if (error)
		heard->errors++;
}

static void
test_every_step(void **state)
{
	const char *top = getenv("top_srcdir");
	char path[1024];
	struct heard heard;
	struct conf *c;
	unsigned long n;
	int rc;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/data/conf/odd.conf",
	    top != NULL ? top : ".");
	for (n = 0; n < 100000; n++) {
		heard.errors = 0;
		left = n;
		limited = true;
		rc = conf_load(path, hear, &heard, &c);
		limited = false;
		if (rc == 0)
			break;
		assert_null(c);
		if (heard.errors == 0)
			fail_msg("call %lu failed and nothing was said", n);
	}
	assert_in_range(n, 100, 99999);
	assert_int_equal(heard.errors, 0);
	assert_string_equal(c->hostname, "[192.0.2.1]");
	conf_unref(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
