/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route_fixture - configurations and data sources for the tests of routes
 *
 * A test has a directory of its own, with the names of a database and of a
 * text file in it, and the log in memory.
 */
#ifndef POSTERN_TESTS_UNIT_ROUTE_FIXTURE_H
#define POSTERN_TESTS_UNIT_ROUTE_FIXTURE_H

#include <stddef.h>

#include "common/address.h"
#include "common/login_name.h"
#include "common/route.h"
#include "common/strbuf.h"

extern char db[96], text_file[96];
extern struct strbuf logged;

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int set_up(void **state);
int tear_down(void **state);

/* run(sql): change the database, which is made if need be. */
void run(const char *sql);
void write_file(const char *text);

/*
 * try_router(text, why, len): a router of a configuration in which DB and
 * FILE stand for the uris of the two; NULL with the reason in why.
 */
struct router *try_router(const char *text, char *why, size_t len);
struct router *try_router_for(
    enum route_for what, const char *text, char *why, size_t len);
struct router *router(const char *text);
struct router *router_auth(const char *text);

struct address address(const char *text);

/* find(r, rcpt): a recipient's route; the look-up succeeds. */
struct route *find(struct router *r, const char *rcpt);

/* route_of(r, rcpt): the same as text: "global mx1:25/may mx2:26/verify",
 * "none", or "temp" and the fault. */
const char *route_of(struct router *r, const char *rcpt);

/* login_route_of(r, user): the same of a login. */
const char *login_route_of(struct router *r, const char *user);
struct login_name login_name(const char *text);

#define ROUTES "datasource \"routes\" { uri = {DB} no_cache = true }\n"
#define BY_DOMAIN         \
 " ds_cache = \"routes\"" \
 " query = \"SELECT host, port, tls FROM r WHERE d = :domain\""

#endif /* POSTERN_TESTS_UNIT_ROUTE_FIXTURE_H */
