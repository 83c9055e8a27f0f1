/* SPDX-License-Identifier: BSD-2-Clause */
/* Every kind of wrong value is refused, by place and name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/conf_case.h"

#define DS "datasource \"d\" { uri = \"sqlite:/d\" }\n"

/* A text, and what must be said about it, from the place on. */
struct row {
	const char *text;
	const char *said;
};

static void
run(const struct row *rows, size_t n, bool error)
{
	struct conf_case k;
	size_t i;

	for (i = 0; i < n; i++) {
		conf_case_text(&k, rows[i].text);
		if (error != (k.c == NULL) || error != (k.errors > 0) ||
		    strstr(strbuf_str(&k.said), rows[i].said) == NULL)
			fail_msg("of\n%s\nwas said\n%s\nwanted\n%s",
			    rows[i].text, strbuf_str(&k.said), rows[i].said);
		conf_case_release(&k);
	}
}

#define RUN(rows)      run(rows, sizeof(rows) / sizeof(rows[0]), true)
#define RUN_WARN(rows) run(rows, sizeof(rows) / sizeof(rows[0]), false)

static void
test_names(void **state)
{
	static const struct row rows[] = {
		{ "\nhostnam = \"a\"\n",
		    "error: t.conf:2: unknown option \"hostnam\": did you mean "
		    "\"hostname\"?" },
		{ "smtp_rcpto_proxy { }",
		    "t.conf:1: unknown section \"smtp_rcpto_proxy\": did you "
		    "mean \"smtp_rcptto_proxy\"?" },
		{ "milter {\n\tsokcet = \"unix:/x\"\n}",
		    "t.conf:2: unknown option \"sokcet\" in milter: did you "
		    "mean \"socket\"?" },
		{ "batch = 3",
		    "t.conf:1: unknown option \"batch\": it belongs into "
		    "smtp_rcptto_proxy" },
		{ "milter { hostname = \"a\" }",
		    "unknown option \"hostname\" in milter: it belongs outside "
		    "of any section" },
		{ "milter { positiv_life = 3 }",
		    "unknown option \"positiv_life\" in milter: did you mean "
		    "\"positive_life\" of another section?" },
		{ "xyzzy = 3", "t.conf:1: unknown option \"xyzzy\"\n" },
		{ "policy { script = \"/x\" }",
		    "t.conf:1: unknown section \"policy\"" },
		{ "store { uri = \"sqlite:/x\" }",
		    "t.conf:1: unknown section \"store\"" },
		{ "binding \"a\" { smtp_rcptto_proxy { } }",
		    "unknown section \"smtp_rcptto_proxy\" in binding" },
		{ "smtp_auth_proxy|port = 3",
		    "t.conf:1: the name of an option "
		    "or section expected" },
		{ "\"hostname\" = \"a\"",
		    "the name of an option or section expected, not a string" },
	};

	(void)state;
	RUN(rows);
}

static void
test_kinds(void **state)
{
	static const struct row rows[] = {
		{ "milter = 3", "milter: missing opening brace" },
		{ "hostname { }", "hostname: missing equal sign" },
		{ "domain { }", "domain: missing title" },
		{ "milter \"x\" { }", "milter: missing opening brace" },
		{ "smtp_auth_proxy {\nport = {25}\n}",
		    "t.conf:2: port takes one value, not a list" },
		{ "smtp_auth_proxy { port += 25 }", "port: attempt to append" },
		{ "smtp_auth_proxy {\n\n port = 0 }",
		    "t.conf:3: port: \"0\" is not a whole number from 1 to "
		    "65535" },
		{ "smtp_auth_proxy { port = 65536 }",
		    "port: \"65536\" is not" },
		{ "smtp_auth_proxy { port = -1 }", "port: \"-1\" is not" },
		{ "smtp_auth_proxy { port = 25x }", "port: \"25x\" is not" },
		{ "smtp_auth_proxy { port = \"\" }", "port: \"\" is not" },
		{ "smtp_auth_proxy { port = 99999999999999999999 }",
		    "port: \"99999999999999999999\" is not" },
		{ "smtp_auth_proxy { timeout = 5 minutes }",
		    "\"=\" or \"{\" expected" },
		{ "smtp_auth_proxy { timeout = 5min }",
		    "timeout: \"5min\" is no duration" },
		{ "smtp_auth_proxy { timeout = -5 }", "is no duration" },
		{ "smtp_auth_proxy { timeout = 0 }",
		    "timeout: \"0\" is not within 100ms and 1h" },
		{ "smtp_rcptto_proxy { positive_life = 366d }",
		    "positive_life: \"366d\" is not within 0s and 365d" },
		{ "smtp_auth_proxy { tls = verifyy }",
		    "tls: \"verifyy\" is none of none|may|encrypt|verify|implicit"
		    ": did you mean \"verify\"?" },
		{ "log_level = 3",
		    "log_level: \"3\" is none of error|warning|info|debug" },
		{ "authentication_results = maybe",
		    "authentication_results: \"maybe\" is none of true, false" },
		{ "authentication_results = \"\"", "is none of true, false" },
		{ "hostname = \"a\\nb\"", "hostname: a value with octet 0x0a" },
		{ "relay_hosts = {\"::1\", \"\"}",
		    "relay_hosts: \"\" cannot stand in this list" },
		{ "relay_hosts = {\"::1\", false}",
		    "relay_hosts: \"false\" cannot stand in this list" },
		{ "smtp_auth_proxy { xclient = sometimes }",
		    "xclient: \"sometimes\" is none of" },
	};

	(void)state;
	RUN(rows);
}

static void
test_values(void **state)
{
	static const struct row rows[] = {
		{ "hostname = \"a_b.example\"", "hostname: \"a_b.example\":" },
		{ "hostname = \"-a\"", "hostname: \"-a\":" },
		{ "hostname = \"\"", "hostname: \"\":" },
		{ "user = \"a b\"", "user: \"a b\": not the name" },
		{ "allow_users = {\"ok\",\n\"n o\"}",
		    "t.conf:2: allow_users: \"n o\": not" },
		{ "relay_hosts = {\"10.0.0.1/8\"}",
		    "relay_hosts: \"10.0.0.1/8\":" },
		{ "relay_hosts = {\"300.0.0.1\"}",
		    "relay_hosts: \"300.0.0.1\":" },
		{ "smtp_auth_proxy { host = {\"ok\",\n\"a:0\"} }",
		    "t.conf:2: host: \"a:0\":" },
		{ "smtp_auth_proxy { host = \"unix:relative\" }",
		    "host: \"unix:relative\":" },
		{ "smtp_auth_proxy { host = {a, b, c, d, e, f, g, h, i, j, "
		  "k, l, m, n, o, p, q} }",
		    "host: more than 16 of them" },
		{ "smtp_auth_proxy { host = {\"a\", \"A\"} }",
		    "host: \"A\" is there twice" },
		{ "smtp_auth_proxy { host = \"lmtp:a\" }",
		    "there are no logins in LMTP" },
		{ "smtp_auth_proxy { tls_ca_file = \"ca.pem\" }",
		    "tls_ca_file: \"ca.pem\" is not an absolute path" },
		{ "smtp_auth_proxy { tls_verify_name = \"a b\" }",
		    "tls_verify_name: \"a b\":" },
		{ "smtp_rcptto_proxy { domains = {\"a b\"} host = h }",
		    "domains: \"a b\":" },
		{ "smtp_rcptto_proxy { domains = {\"a.b\", \"A.B.\"} host = h }",
		    "domains: \"a.b\" is there twice" },
		{ "smtp_rcptto_proxy { mailfrom = \"postmaster\" }",
		    "mailfrom: \"postmaster\" is neither" },
		{ "smtp_rcptto_proxy { mailfrom = \"a b@c\" }",
		    "mailfrom: \"a b@c\" is neither" },
		{ "smtp_rcptto_proxy { on_down = learned }",
		    "on_down: \"learned\" is not available yet" },
		{ "smtp_rcptto_proxy { reply_class = {\"5xx = nouser\",\n"
		  "\"4xx = nouser\"} }",
		    "t.conf:2: reply_class: " },
		{ "datasource \"d\" { uri = \"sqlit:/d\" }",
		    "uri: unknown driver \"sqlit\": did you mean \"sqlite\"?" },
		{ "datasource \"d\" { uri = \"/d\" }", "is not of the form" },
		{ "datasource \"d\" { uri = \"sqlite:d\" }",
		    "uri: \"d\" is not an absolute path" },
		{ "datasource \"d\" { uri = \"pgsql:\" }",
		    "nothing behind it" },
		{ "datasource \"d\" { }", "datasource \"d\": uri is missing" },
		{ "datasource \"\" { uri = \"file:/d\" }",
		    "the name is empty" },
		{ "peer \"192.0.2.1/24\" { }", "peer \"192.0.2.1/24\":" },
		{ "peer \"192.0.2.0/24\" { smtp_extensions = {\"XCLIEN\"} }",
		    "did you mean \"XCLIENT\"?" },
		{ "peer \"192.0.2.0/24\" { context = {\"tenant\"} }",
		    "context: \"tenant\" is not of the form name=value" },
		{ "peer \"192.0.2.0/24\" { context = {\"a b=c\"} }",
		    "context: \"a b\":" },
		{ "peer \"192.0.2.0/24\" { context = {\"a=b\", \"a=c\"} }",
		    "context: a is set twice" },
		{ "peer \"192.0.2.0/24\" { smtp_extensions = XSETCONTEXT "
		  "setcontext_names = {\"a*b\"} }",
		    "setcontext_names: \"a*b\" is neither" },
		{ "tag \"X-A:\" { variable = a }", "not the name of a header" },
		{ "tag \"Received\" { variable = a }", "cannot do without" },
		{ "tag \"x-postern-binding\" { variable = a }",
		    "Postern's own" },
		{ "tag \"X-A\" { }", "tag \"X-A\": variable is missing" },
		{ "tag \"X-A\" { variable = outbound_smtp_auth_pass }",
		    "a password does not go into a header" },
		{ "tag \"X-A\" { variable = my_secret }",
		    "a password does not go into a header" },
		{ "tag \"X-A\" { variable = \"a b\" }",
		    "variable: \"a b\" is not" },
		{ "domain \"a b\" { }", "domain \"a b\":" },
		{ "sender \"ann\" { }", "sender \"ann\":" },
		{ "binding \"a b\" { }", "binding \"a b\": a name of" },
		{ "binding \"a\" { nexthops = {\"a:b:c:\"} }", "nexthops: " },
	};

	(void)state;
	RUN(rows);
}

static void
test_sockets(void **state)
{
	static char too_long[160];
	static const struct row rows[] = {
		{ "milter { socket = \"/run/x\" }",
		    "socket: \"/run/x\": not a socket of the form unix:/path or "
		    "inet:PORT@HOST" },
		{ "milter { socket = \"unix:run/x\" }",
		    "socket: \"unix:run/x\":" },
		{ "milter { socket = \"inet:25\" }", "socket: \"inet:25\":" },
		{ "milter { socket = \"inet:0@127.0.0.1\" }", "socket: " },
		{ "milter { socket = \"inet:25@\" }", "socket: \"inet:25@\":" },
		{ "milter { socket = \"inet:25@a:b\" }", "socket: " },
		{ "milter { control = \"inet:25@127.0.0.1\" }",
		    "control: \"inet:25@127.0.0.1\": not a socket of the form "
		    "unix:/path" },
		{ too_long, "socket: \"unix:/" },
		{ "milter { socket = \"unix:/a\"\ncontrol = \"unix:/a\" }",
		    "t.conf:2: control: \"unix:/a\" is in use" },
		{ "milter { socket = \"inet:25@::1\" socket_group = \"g\" }",
		    "socket_group: a TCP socket belongs to no group" },
		{ "authd { socket = {\"unix:/a\",\n\"b\"} }",
		    "t.conf:2: socket: \"b\":" },
		{ "authd { control = false saslauthd_socket = "
		  "\"unix:/run/postern/milter.ctl\" }",
		    "is in use for something else" },
		{ "authd { socket = {\"unix:/a\",\n\"inet:25@127.0.0.1\"} }",
		    "t.conf:2: socket: \"inet:25@127.0.0.1\": not a socket of "
		    "the form unix:/path" },
		{ "authd { saslauthd_socket = \"inet:25@::1\" }",
		    "saslauthd_socket: \"inet:25@::1\": not a socket of the "
		    "form unix:/path" },
		{ "authd { socket_group = \"a b\" }",
		    "socket_group: \"a b\":" },
		{ "front { next = \"lmtp:a\" }", "not LMTP" },
		{ "front { next = \"a:b:c:\" }", "next: \"a:b:c:\":" },
		{ "front { tls_cert_file = \"/a\" }",
		    "tls_cert_file without a tls_key_file" },
	};
	char path[120];

	(void)state;
	memset(path, 'p', sizeof(path));
	path[103] = '\0';
	/* unix:/ and 107 octets in all with the slash, one more is too long */
	snprintf(too_long, sizeof(too_long),
	    "milter { socket = \"unix:/%s%s\" }", path, "pppp");
	RUN(rows);
}

static void
test_contradictions(void **state)
{
	static const struct row rows[] = {
		{ "smtp_auth_proxy { query = \"SELECT :username\" host = h }",
		    "query: no ds_cache says where to ask" },
		{ DS "smtp_auth_proxy { ds_cache = d host = h }",
		    "t.conf:2: ds_cache: no query says what to ask" },
		{ DS "smtp_auth_proxy { ds_cache = dd\nquery = \"SELECT "
		     ":username\" }",
		    "t.conf:2: ds_cache: there is no datasource \"dd\": did you "
		    "mean \"d\"?" },
		{ "smtp_auth_proxy { ds_cache = x query = \"SELECT 1\" }",
		    "no datasource \"x\", and no host to do without it" },
		{ DS "smtp_auth_proxy { ds_cache = d query = \"SELEKT 1\" }",
		    "query: not SQL (near \"SELEKT\": syntax error)" },
		{ DS "smtp_auth_proxy { ds_cache = d host = h\n"
		     "query = \"SELECT a FROM b WHERE c = :user\" }",
		    "t.conf:3: query: unknown parameter \":user\": did you "
		    "mean" },
		{ DS "smtp_rcptto_proxy { ds_cache = d query = \"SELECT a FROM "
		     "b WHERE c = :username\" }",
		    "query: unknown parameter \":username\"" },
		{ DS
		    "outbound_smtp_auth { ds_cache = d query = \"SELECT a FROM "
		    "b WHERE c = :username\" }",
		    "query: unknown parameter \":username\"" },
		{ "smtp_auth_proxy { tls_cert_file = \"/c\" }",
		    "tls_cert_file without a tls_key_file" },
		{ "smtp_auth_proxy { tls_key_file = \"/c\" }",
		    "tls_key_file without a tls_cert_file" },
		{ "smtp_auth_proxy { tls = none\ntls_ca_file = \"/c\" }",
		    "t.conf:2: tls_ca_file contradicts tls = \"none\"" },
		{ "smtp_rcptto_proxy { helo = replay xclient = required }",
		    "helo = \"replay\" contradicts xclient" },
		{ "smtp_rcptto_proxy { batch = 50 max_commands = 50 }",
		    "batch: 50 recipients do not fit into the 50" },
		{ "smtp_rcptto_proxy { domains = {\"a.b\"} }",
		    "domains: there is no host to ask about \"a.b\"" },
		{ "smtp_rcptto_proxy { domains = {\"*\"} }",
		    "domains: there is no host to ask about \"*\"" },
		{ "domain \"a.b\" {\nsmtp_rcptto_proxy { } }",
		    "t.conf:2: domain \"a.b\": smtp_rcptto_proxy has no host" },
		{ "domain \"a.b\" {\nsmtp_auth_proxy { } }",
		    "t.conf:2: domain \"a.b\": smtp_auth_proxy has no host" },
		{ DS "domain \"a.b\" { smtp_auth_proxy { host = h ds_cache = d "
		     "query = q } }",
		    "ds_cache belongs into the global smtp_auth_proxy" },
		{ "domain \"a.b\" { smtp_rcptto_proxy { host = h domains = x } }",
		    "domains belongs into the global smtp_rcptto_proxy" },
		{ "peer \"0.0.0.0/0\" {\nsmtp_extensions = XCLIENT }",
		    "t.conf:2: smtp_extensions: not for everybody" },
		{ "peer \"::/0\" { smtp_extensions = XCLIENT }",
		    "smtp_extensions: not for everybody" },
		{ "peer \"::ffff:0:0/96\" { smtp_extensions = XDUMPCONTEXT }",
		    "smtp_extensions: not for everybody" },
		{ "peer \"128.0.0.0/1\" { smtp_extensions = XSETCONTEXT }",
		    "smtp_extensions: not for everybody" },
		{ "peer \"2000::/3\" { smtp_extensions = XREMOTEIP }",
		    "name networks of /8 or smaller" },
		{ "peer \"10.0.0.0/7\" { smtp_extensions = ALWAYS-ALLOW }",
		    "name networks of /8 or smaller" },
		{ "peer \"192.0.2.0/24\" { setcontext_names = a }",
		    "setcontext_names without XSETCONTEXT" },
		{ "domain \"a.b\" { outbound_smtp_auth_user = u }",
		    "outbound_smtp_auth_user without an "
		    "outbound_smtp_auth_pass" },
		{ "domain \"a.b\" { outbound_smtp_auth_pass = u }",
		    "outbound_smtp_auth_pass without an "
		    "outbound_smtp_auth_user" },
		{ "domain \"a.b\" { outbound_smtp_auth_user = u "
		  "outbound_smtp_auth_pass = \"\" }",
		    "outbound_smtp_auth_pass is empty" },
		{ "sender \"@a.b\" { }", "sender: only under a binding" },
		{ "binding \"b\" { sender \"@a.b\" { } }",
		    "sender: only under a binding with nexthops" },
	};

	(void)state;
	RUN(rows);
}

/* Of logins. */
static void
test_auth(void **state)
{
	static const struct row rows[] = {
		{ "smtp_auth_proxy { canon = \"\" }", "canon: \"\":" },
		{ "smtp_auth_proxy {\ncanon = upper }",
		    "t.conf:2: canon: \"upper\":" },
		{ "smtp_auth_proxy { canon = \":user\" }",
		    "canon: \":user\":" },
		{ "domain \"a.b\" { smtp_auth_proxy { host = h\n"
		  "canon = \":rcptto:localpart\" } }",
		    "t.conf:2: canon: \":rcptto:localpart\": unknown parameter" },
		{ "smtp_auth_proxy { shield_failures = 1001 }",
		    "shield_failures: \"1001\" is not a whole number from 0 "
		    "to 1000" },
		{ "smtp_auth_proxy { client_failures = -1 }",
		    "client_failures: \"-1\" is not" },
		{ "smtp_auth_proxy { client_window = 0 }",
		    "client_window: \"0\" is not within 1s and" },
		{ "smtp_auth_proxy { mechanisms = {} }",
		    "mechanisms: at least one is needed" },
		{ "smtp_auth_proxy { mechanisms = {\"PLAIN\", \"LOGN\"} }",
		    "mechanisms: \"LOGN\" is none of" },
		{ "smtp_auth_proxy { mechanisms = {\"PLAIN\", \"plain\"} }",
		    "mechanisms: \"PLAIN\" is there twice" },
		{ "smtp_auth_proxy { host = {\"127.0.0.1\", h}\ntls = may }",
		    "t.conf:2: tls: \"may\" lets anybody on the way to h" },
		/* a domain's own tls for the global hosts */
		{ "smtp_auth_proxy { host = h }\n"
		  "domain \"a.b\" { smtp_auth_proxy { tls = may } }",
		    "t.conf:2: tls: \"may\" lets anybody on the way to h" },
		/* the global tls for a domain's own hosts */
		{ "smtp_auth_proxy { host = \"unix:/s\" tls = may }\n"
		  "domain \"a.b\" { smtp_auth_proxy {\nhost = h } }",
		    "tls: \"may\" lets anybody on the way to h" },
		{ "smtp_auth_proxy { max_sessions = 2 warm_sessions = 3 }",
		    "warm_sessions: 3 is more than the 2 of max_sessions" },
	};

	(void)state;
	RUN(rows);
}

static void
test_twice(void **state)
{
	static const struct row rows[] = {
		{ "user = a\nUSER = b",
		    "t.conf:2: USER is set twice, first at t.conf:1" },
		{ "milter { }\nmilter { }",
		    "t.conf:2: milter stands here twice, first at t.conf:1" },
		{ "domain \"a.b\" { }\ndomain \"A.b\" { }",
		    "t.conf:2: domain: "
		    "found duplicate" },
		{ "domain \"a.b\" { }\n\ndomain \"a.b.\" { }",
		    "t.conf:3: domain \"a.b\" is there twice, first at "
		    "t.conf:1" },
		{ DS DS, "t.conf:2: datasource: found duplicate title 'd'" },
		{ "peer \"10.0.0.1\" { }\npeer \"10.0.0.1/32\" { }",
		    "t.conf:2: peer \"10.0.0.1/32\" is there twice" },
		{ "peer \"10.0.0.1\" { }\npeer \"::ffff:10.0.0.1\" { }",
		    "t.conf:2: peer \"10.0.0.1/32\" is there twice" },
		{ "tag \"X-A\" { variable = a }\ntag \"x-a\" { variable = b }",
		    "t.conf:2: tag: found duplicate title" },
		{ "binding \"a\" { }\nbinding_group \"g\" { binding \"a\" { } }",
		    "t.conf:2: binding \"a\" is there twice" },
	};

	(void)state;
	RUN(rows);
}

static void
test_warnings(void **state)
{
	static const struct row rows[] = {
		{ "smtp_rcptto_proxy {\ntimeout = 60 }",
		    "warning: t.conf:2: timeout: 60 s is more than the MTA "
		    "waits: lowered to 25 s" },
		{ "smtp_rcptto_proxy { host = h }",
		    "warning: t.conf:1: host: asked about no domain" },
		{ "smtp_auth_proxy { host = h ds_cache = x query = \"SELECT "
		  ":username\" }",
		    "ds_cache: there is no datasource \"x\": the query is "
		    "passed over" },
		{ DS "smtp_auth_proxy { host = h ds_cache = d query = \"SELEKT "
		     "1\" }",
		    "warning: t.conf:2: query: not SQL" },
		{ "smtp_auth_proxy {\ntimeout = 60 }",
		    "warning: t.conf:2: timeout: 60 s is more than the SASL "
		    "plug-in waits: lowered to 25 s" },
		{ "smtp_auth_proxy { host = h\ntls = none }",
		    "warning: t.conf:2: tls: passwords travel in clear to h" },
		{ "smtp_auth_proxy { host = h }\n"
		  "domain \"a.b\" { smtp_auth_proxy { tls = none } }",
		    "warning: t.conf:2: tls: passwords travel in clear to h" },
		{ "domain \"a.b\" { smtp_auth_proxy { host = h\n"
		  "mechanisms = {PLAIN,\nCRAM-MD5} } }",
		    "warning: t.conf:3: mechanisms: CRAM-MD5 begins before" },
		{ "smtp_rcptto_proxy { host = h domains = {\"*\", \"a.b\"} }",
		    "domains: \"*\" makes the other names superfluous" },
	};

	(void)state;
	RUN_WARN(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
