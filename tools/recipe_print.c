/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "tools/recipe.h"
#include "tools/recipe_sendmail.h"

/* Fewer than lock an account: so many deliveries to one place may find at
 * one time that its password is refused. */
#define CONCURRENCY 2

static void
begin(FILE *out, const char *comment, const char *file)
{
	/* No quotes: they are m4's. */
	fprintf(out,
	    "%s Postern, outbound credentials: postern-outbound(5) explains "
	    "each line.\n"
	    "%s Made of postern.conf by: posternctl recipe %s\n",
	    comment, comment, file);
}

/* -- master.cf ----------------------------------------------------------- */

static void
print_login(
    const struct recipe_plan *p, const struct recipe_transport *t, FILE *out)
{
	static const char *const filters[] = { "plain", "login" };

	fprintf(out,
	    "  -o smtp_sasl_auth_enable=yes\n"
	    "  -o smtp_sasl_password_maps=socketmap:%s:%s\n",
	    p->socketmap, t->map);
	if (t->mixed)
		fprintf(
		    out, "# their types differ, a transport has one: any\n");
	else if (t->type >= 0)
		fprintf(out, "  -o smtp_sasl_mechanism_filter=%s,not-offered\n",
		    filters[t->type]);
	if (t->senders)
		fprintf(out, "  -o smtp_sender_dependent_authentication=yes\n");
	fprintf(out,
	    "  -o smtp_sasl_security_options=noplaintext,noanonymous\n"
	    "  -o smtp_sasl_tls_security_options=noplaintext,noanonymous\n"
	    "  -o smtp_sasl_tls_verified_security_options=noanonymous\n"
	    "  -o smtp_tls_security_level=secure\n");
	if (t->literal)
		fprintf(out,
		    "# an address is in no certificate: name what is\n"
		    "#  -o smtp_tls_secure_cert_match=relay.example.net\n");
	/* A look-up by sender would give the password to a fallback, too. */
	fprintf(out,
	    "  -o smtp_reply_filter=pcre:$config_directory/auth.pcre\n"
	    "  -o smtp_fallback_relay=\n");
}

static void
print_transport(
    const struct recipe_plan *p, const struct recipe_transport *t, FILE *out)
{
	fprintf(out,
	    "\n%s unix - - %s - - smtp\n"
	    "  -o syslog_name=postfix/%s\n",
	    t->name, p->in_queue ? "y" : "n", t->name);
	if (t->login)
		print_login(p, t, out);
	else
		fprintf(out, "# binding %s has no credentials\n", t->map);
	if (t->mixed)
		fprintf(stderr,
		    "posternctl: binding %s: credentials of different types, "
		    "and a transport has one: none is demanded\n",
		    t->map);
}

static void
print_master(const struct recipe_plan *p, FILE *out)
{
	size_t i;

	if (!p->in_queue)
		fprintf(out,
		    "# The socket is outside of the queue directory: no "
		    "chroot (the n), or\n"
		    "# proxy:socketmap: and the same maps in "
		    "proxy_read_maps.\n");
	for (i = 0; i < p->n_transports; i++)
		print_transport(p, &p->transports[i], out);
}

/* -- main.cf ------------------------------------------------------------- */

static bool
any_login(const struct recipe_plan *p)
{
	size_t i;

	for (i = 0; i < p->n_transports; i++)
		if (p->transports[i].login)
			return true;
	return false;
}

static bool
any_binding(const struct recipe_plan *p)
{
	return p->n_transports > 0 && p->transports[0].binding != NULL;
}

static void
print_logins(const struct recipe_plan *p, FILE *out)
{
	size_t i;

	fprintf(out,
	    "\n# Whom to believe that a next hop is who it says. This file is "
	    "read before\n"
	    "# the chroot, a directory (smtp_tls_CApath) is not.\n"
	    "smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n"
	    "\n# The safety catch: a user and password that a host has refused "
	    "(535) are not\n"
	    "# shown to it again for that time, or until they change; mail "
	    "waits.\n"
	    "smtp_sasl_auth_cache_name = "
	    "proxy:btree:$data_directory/smtp_sasl_auth\n"
	    "smtp_sasl_auth_cache_time = 1h\n"
	    "smtp_sasl_auth_soft_bounce = yes\n"
	    "\n# So many deliveries may find that out at one time, for each "
	    "transport.\n");
	for (i = 0; i < p->n_transports; i++)
		if (p->transports[i].login)
			fprintf(out, "%s_destination_concurrency_limit = %d\n",
			    p->transports[i].name, CONCURRENCY);
}

static void
print_main(const struct recipe_plan *p, FILE *out)
{
	if (any_login(p))
		print_logins(p, out);
	if (any_binding(p))
		fprintf(out,
		    "\n# The binding that a message has chosen.\n"
		    "milter_header_checks = "
		    "pcre:$config_directory/binding.pcre\n"
		    "smtp_header_checks = "
		    "pcre:$config_directory/binding_hide.pcre\n");
	if (p->n_routes > 0)
		fprintf(out,
		    "\n# Domains with credentials. (texthash: needs no "
		    "postmap, but a reload.)\n"
		    "transport_maps = texthash:$config_directory/transport\n");
	if (p->global.by != NULL)
		fprintf(out,
		    "\n# The credentials of outbound_smtp_auth, for all mail "
		    "that has no other way.\n"
		    "#default_transport = %s:%s\n",
		    p->global.by->name, p->global_hop);
	else if (p->unnamed != NULL)
		fprintf(out,
		    "\n# The query may know of domains that are not named "
		    "here: for all mail that\n"
		    "# has no other way.\n"
		    "#default_transport = %s:\n",
		    p->unnamed->name);
}

/* -- the tables ---------------------------------------------------------- */

static void
print_filter(const struct recipe_transport *t, FILE *out)
{
	if (!t->word) {
		fprintf(out, "# no message can choose binding %s\n", t->map);
		fprintf(stderr,
		    "posternctl: binding %s: no message can choose it: that "
		    "takes a name of letters, digits and \"_\"\n",
		    t->map);
	} else if (t->nexthop[0] == '\0') {
		fprintf(out, "# binding %s has no nexthops\n", t->map);
		fprintf(stderr,
		    "posternctl: binding %s: FILTER needs a next hop, and it "
		    "has no nexthops\n",
		    t->map);
	} else {
		fprintf(out, "/^X-Postern-Binding: +%s$/ FILTER %s:%s\n",
		    t->map, t->name, t->nexthop);
	}
}

static void
print_filters(const struct recipe_plan *p, FILE *out)
{
	size_t i;

	fputc('\n', out);
	for (i = 0; i < p->n_transports; i++)
		if (p->transports[i].binding != NULL)
			print_filter(&p->transports[i], out);
	fprintf(out,
	    "\n# Any other, 451: it would leave without its credentials.\n"
	    "/^X-Postern-Binding:/ REJECT 4.3.5 no transport for this "
	    "binding\n");
}

/* smtp(8) sends to a next hop without AUTH as if nothing were configured; one
 * with a mechanism that nobody has makes it wait.  It adds the mechanisms of
 * several such lines up. */
static void
print_auth(const struct recipe_plan *p, FILE *out)
{
	(void)p;
	fprintf(out,
	    "\n# A next hop that does not offer AUTH is not sent to without a "
	    "login: in the\n"
	    "# place of keywords that smtp(8) can do without it offers a "
	    "mechanism that\n"
	    "# nobody has, beside its own if it has any.\n"
	    "/^250([- ])(SIZE( [0-9]*)?|ENHANCEDSTATUSCODES)$/ "
	    "250${1}AUTH NOT-OFFERED\n");
}

static void
print_hide(const struct recipe_plan *p, FILE *out)
{
	(void)p;
	fprintf(out,
	    "\n# The name of a binding is nobody's business.\n"
	    "/^X-Postern-Binding:/ IGNORE\n");
}

static void
print_routes(const struct recipe_plan *p, FILE *out)
{
	size_t i;

	fprintf(out,
	    "\n# Domains whose own servers want a login. Where another host "
	    "takes their\n"
	    "# mail, put it behind the colon.\n");
	for (i = 0; i < p->n_routes; i++)
		fprintf(out, "%s %s:\n", p->routes[i].domain,
		    p->routes[i].by->name);
}

/* ------------------------------------------------------------------------ */

static const struct {
	const char *file;
	void (*print)(const struct recipe_plan *p, FILE *out);
	const char *comment;
} recipes[] = {
	{ "main.cf", print_main, "#" },
	{ "master.cf", print_master, "#" },
	{ "auth.pcre", print_auth, "#" },
	{ "binding.pcre", print_filters, "#" },
	{ "binding_hide.pcre", print_hide, "#" },
	{ "transport", print_routes, "#" },
	{ "sendmail.mc", recipe_print_sendmail, "dnl" },
};

bool
recipe_print(const struct recipe_plan *p, const char *file, FILE *out)
{
	size_t i;

	for (i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
		if (strcmp(recipes[i].file, file) != 0)
			continue;
		begin(out, recipes[i].comment, file);
		recipes[i].print(p, out);
		return true;
	}
	return false;
}
