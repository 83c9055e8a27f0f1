/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/route_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include <cmocka.h>

#include "common/log.h"
#include "tests/unit/conf_case.h"

static char dir[64];
char db[96], text_file[96];
struct strbuf logged;

static void
sink(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	strbuf_addf(&logged, "%s: %s\n", log_level_name(level), line);
}

void
run(const char *sql)
{
	sqlite3 *h;

	assert_int_equal(sqlite3_open(db, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

void
write_file(const char *text)
{
	FILE *fp = fopen(text_file, "we");

	assert_non_null(fp);
	assert_int_not_equal(fputs(text, fp), EOF);
	assert_int_equal(fclose(fp), 0);
}

int
set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test_route.XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(db, sizeof db, "%s/routes.db", dir);
	(void)snprintf(text_file, sizeof text_file, "%s/routes", dir);
	strbuf_init(&logged, 65536);
	log_set_sink(sink, NULL);
	return 0;
}

int
tear_down(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	strbuf_release(&logged);
	(void)unlink(db);
	(void)unlink(text_file);
	return rmdir(dir);
}

struct router *
try_router_for(enum route_for what, const char *text, char *why, size_t len)
{
	struct strbuf conf;
	struct conf_case k;
	struct router *r;

	strbuf_init(&conf, 65536);
	for (; *text != '\0'; text++) {
		if (strncmp(text, "DB", 2) == 0) {
			strbuf_addf(&conf, "\"sqlite:%s\"", db);
			text += 1;
		} else if (strncmp(text, "FILE", 4) == 0) {
			strbuf_addf(&conf, "\"file:%s\"", text_file);
			text += 3;
		} else {
			strbuf_addch(&conf, *text);
		}
	}
	conf_case_text(&k, strbuf_str(&conf));
	if (k.c == NULL)
		print_error("%s", strbuf_str(&k.said));
	assert_non_null(k.c);
	why[0] = '\0';
	r = router_new(k.c, what, why, len);
	conf_case_release(&k); /* the router has a reference of its own */
	strbuf_release(&conf);
	return r;
}

struct router *
try_router(const char *text, char *why, size_t len)
{
	return try_router_for(ROUTE_FOR_RCPT, text, why, len);
}

static struct router *
router_for(enum route_for what, const char *text)
{
	char why[500];
	struct router *r = try_router_for(what, text, why, sizeof why);

	if (r == NULL)
		print_error("%s\n", why);
	assert_non_null(r);
	return r;
}

struct router *
router(const char *text)
{
	return router_for(ROUTE_FOR_RCPT, text);
}

struct router *
router_auth(const char *text)
{
	return router_for(ROUTE_FOR_AUTH, text);
}

struct address
address(const char *text)
{
	struct address a;

	assert_int_equal(
	    address_parse(text, strlen(text), &a, NULL), ADDRESS_OK);
	return a;
}

struct route *
find(struct router *r, const char *rcpt)
{
	struct address a = address(rcpt);
	struct route *route;
	struct fault f;

	fault_clear(&f);
	assert_int_equal(
	    route_rcpt(r, &a, deadline_in(5000), &route, &f), OUTCOME_OK);
	return route;
}

struct login_name
login_name(const char *text)
{
	struct login_name n;

	assert_true(login_name_parse(text, strlen(text), &n, NULL));
	return n;
}

static const char *
shown(enum outcome oc, struct route *route, const struct fault *f)
{
	static char out[2000];
	char label[ENDPOINT_TEXT_MAX];
	int n;
	size_t i;
	static const char *const tls[] = { "none", "may", "encrypt", "verify",
		"implicit" };

	if (oc != OUTCOME_OK) {
		assert_null(route);
		(void)snprintf(out, sizeof out, "temp %s", f->text);
		return out;
	}
	if (route == NULL)
		return "none";
	n = snprintf(out, sizeof out, "%s", route_origin_name(route->origin));
	for (i = 0; i < route->n_hosts; i++)
		n += snprintf(out + n, sizeof out - (size_t)n, " %s/%s",
		    endpoint_format(
			&route->hosts[i].endpoint, label, sizeof label),
		    tls[route->hosts[i].tls]);
	route_unref(route);
	return out;
}

const char *
route_of(struct router *r, const char *rcpt)
{
	struct address a = address(rcpt);
	struct route *route;
	struct fault f;
	enum outcome oc;

	fault_clear(&f);
	oc = route_rcpt(r, &a, deadline_in(5000), &route, &f);
	return shown(oc, route, &f);
}

const char *
login_route_of(struct router *r, const char *user)
{
	struct login_name n = login_name(user);
	struct route *route;
	struct fault f;
	enum outcome oc;

	fault_clear(&f);
	oc = route_auth(r, &n, deadline_in(5000), &route, &f);
	return shown(oc, route, &f);
}
