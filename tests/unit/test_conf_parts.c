/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of conf that stand alone: holder, nearest name, host name. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/conf_check.h"
#include "common/conf_holder.h"
#include "common/conf_hostname.h"
#include "common/conf_suggest.h"
#include "tests/unit/conf_case.h"

static const char *
nearest(const char *given)
{
	static const char *const names[] = { "timeout", "tls", "tls_ca_file",
		"tls_ca_path", "host", "hostname", "max_sessions" };
	struct conf_suggest near;
	size_t i;

	conf_suggest_init(&near, given);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		conf_suggest_try(&near, names[i]);
	return near.best != NULL ? near.best : "";
}

static void
test_suggest(void **state)
{
	char longer[200];

	(void)state;
	assert_string_equal(nearest("timeuot"), "timeout");
	assert_string_equal(nearest("TimeOut"), "timeout");
	assert_string_equal(nearest("time-out"), "timeout");
	assert_string_equal(nearest("hosts"), "host");
	assert_string_equal(nearest("hots"), "host");
	assert_string_equal(nearest("hostnam"), "hostname");
	assert_string_equal(nearest("tls_cafile"), "tls_ca_file");
	assert_string_equal(nearest("tls_ca_pth"), "tls_ca_path");
	assert_string_equal(nearest("max-session"), "max_sessions");
	assert_string_equal(nearest("max"), "max_sessions");
	assert_string_equal(nearest("xyzzy"), "");
	assert_string_equal(nearest(""), "");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_string_equal(nearest(longer), "");
}

static void
test_hosts(void **state)
{
	static const char hosts[] = "127.0.0.1\tlocalhost\n"
				    "#127.0.1.1 no.example.org mx\n"
				    "127.0.1.1 other mx.example.org MX # mx3\n"
				    "192.0.2.1 mx2.example.org\n"
				    "192.0.2.2 mx4";
	char out[64] = "";

	(void)state;
	assert_true(conf_hosts_qualify(
	    hosts, sizeof(hosts) - 1, "mx", out, sizeof(out)));
	assert_string_equal(out, "mx.example.org");
	assert_false(conf_hosts_qualify(
	    hosts, sizeof(hosts) - 1, "mx2", out, sizeof(out)));
	assert_false(conf_hosts_qualify(
	    hosts, sizeof(hosts) - 1, "mx3", out, sizeof(out)));
	assert_false(conf_hosts_qualify(
	    hosts, sizeof(hosts) - 1, "mx4", out, sizeof(out)));
	assert_false(
	    conf_hosts_qualify(hosts, sizeof(hosts) - 1, "mx", out, 5));
	assert_false(conf_hosts_qualify("", 0, "mx", out, sizeof(out)));
}

static void
test_hostname(void **state)
{
	char *name = conf_hostname();
	const char *why;

	(void)state;
	assert_non_null(name);
	assert_true(conf_check_ehlo(name, &why));
	free(name);
	assert_true(conf_check_ehlo("mx1.example.org", &why));
	assert_true(conf_check_ehlo("[192.0.2.1]", &why));
	assert_true(conf_check_ehlo("[IPv6:2001:db8::1]", &why));
	assert_false(conf_check_ehlo("", &why));
	assert_false(conf_check_ehlo("a b", &why));
	assert_false(conf_check_ehlo("a\r\nMAIL", &why));
	assert_false(conf_check_ehlo("b\xc3\xbc"
				     "cher.example",
	    &why));
}

static void
put(const char *path, const char *text)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static void
begin(struct conf_case *k)
{
	memset(k, 0, sizeof(*k));
	strbuf_init(&k->said, 65536);
}

static void
test_holder(void **state)
{
	char path[] = "/tmp/test_conf.XXXXXX";
	struct conf *first, *seen, *later, *fresh;
	struct conf_holder *h;
	struct conf_case k;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	begin(&k);
	put(path, "user = one\n");
	assert_int_equal(conf_load(path, NULL, NULL, &first), 0);
	h = conf_holder_new(first);
	assert_non_null(h);
	seen = conf_holder_get(h);
	assert_ptr_equal(seen, first);

	/* A good one is for those who come later. */
	put(path, "user = two\n");
	assert_int_equal(conf_load(path, conf_case_say, &k, &fresh), 0);
	conf_holder_set(h, fresh);
	conf_unref(fresh);
	later = conf_holder_get(h);
	assert_string_equal(later->user, "two");
	assert_string_equal(seen->user, "one");
	conf_unref(seen);
	conf_holder_free(h);
	assert_string_equal(later->user, "two");
	conf_unref(later);
	conf_holder_free(NULL);
	conf_unref(NULL);
	unlink(path);
	conf_case_release(&k);
}

struct race {
	struct conf_holder *h;
	const char *path;
	atomic_bool over;
};

static void *
read_often(void *arg)
{
	struct race *r = arg;
	struct conf *c;
	size_t total = 0;

	while (!atomic_load(&r->over)) {
		c = conf_holder_get(r->h);
		total += strlen(c->user);
		conf_unref(c);
	}
	return total > 0 ? r : NULL;
}

static void *
reload_often(void *arg)
{
	struct race *r = arg;
	struct conf *fresh;
	intptr_t failed = 0;
	int i;

	for (i = 0; i < 25; i++) {
		if (conf_load(r->path, NULL, NULL, &fresh) != 0) {
			failed++;
			continue;
		}
		conf_holder_set(r->h, fresh);
		conf_unref(fresh);
	}
	return (void *)failed;
}

static void
test_holder_threads(void **state)
{
	char path[] = "/tmp/test_conf.XXXXXX";
	struct race r = { NULL, path, false };
	pthread_t readers[2], loaders[2];
	struct conf *first;
	void *out;
	int i, fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	put(path, "user = one\ndomain \"a.b\" { }\n");
	assert_int_equal(conf_load(path, NULL, NULL, &first), 0);
	r.h = conf_holder_new(first);
	assert_non_null(r.h);
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    pthread_create(&readers[i], NULL, read_often, &r), 0);
		assert_int_equal(
		    pthread_create(&loaders[i], NULL, reload_often, &r), 0);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(loaders[i], &out);
		assert_null(out);
	}
	atomic_store(&r.over, true);
	for (i = 0; i < 2; i++)
		pthread_join(readers[i], &out);
	conf_holder_free(r.h);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_hostname),
		cmocka_unit_test(test_holder),
		cmocka_unit_test(test_holder_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
