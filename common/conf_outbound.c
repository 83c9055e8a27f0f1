/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four options of a credential, in whichever section, and nexthops.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_load.h"
#include "common/credential_check.h"
#include "common/nexthop.h"
#include "common/secret.h"
#include "common/utf8.h"

#define FILE_PREFIX     "file:"
#define FILE_PREFIX_LEN 5

void
conf_outbound_release(struct conf_outbound *o)
{
	free(o->pass_fault);
	o->pass_fault = NULL;
}

/* -- a password that stands in a file of its own ------------------------- */

/* The first line of a file into *pass; NULL, or why not. */
static const char *
take_line(const struct conf_bytes *bytes, struct secret *pass)
{
	const char *end = bytes->data + bytes->len;
	const char *lf = memchr(bytes->data, '\n', bytes->len);
	const char *why;
	size_t len;

	if (lf != NULL)
		end = lf;
	if (lf != NULL && end > bytes->data && end[-1] == '\r')
		end--;
	len = (size_t)(end - bytes->data);
	why = credential_pass_wrong(bytes->data, len);
	if (why == NULL && !secret_set(pass, bytes->data, len))
		why = "out of memory";
	return why;
}

static void
check_utf8(struct conf_load *l, struct conf_place at, const char *option,
    const char *text, size_t len)
{
	if (!utf8_valid(text, len))
		conf_warn(l->s, at,
		    "%s is not UTF-8: Postfix cannot be given it, its mail "
		    "would wait",
		    option);
}

/* Is it there at all?  When it cannot be read, that is no error yet: another
 * program may be able to, and this one may not need it. */
static int
read_pass_file(struct conf_load *l, const struct conf_value *v,
    struct conf_outbound *o, const char *path)
{
	struct conf_bytes bytes;
	const char *why, *of_line = NULL, *octets;
	char buf[160];
	size_t len;
	int rc = 0;

	memset(&bytes, 0, sizeof(bytes));
	why = l->s->read(l->s->read_arg, path, &bytes, buf, sizeof(buf));
	if (why == NULL)
		of_line = take_line(&bytes, o->outbound_smtp_auth_pass);
	if (why == NULL && of_line == NULL) {
		octets = secret_bytes(o->outbound_smtp_auth_pass, &len);
		check_utf8(l, v->at, path, octets, len);
	}
	if (why == NULL && bytes.world_readable)
		conf_warn(l->s, v->at,
		    "outbound_smtp_auth_pass: everybody on this machine can "
		    "read %.300s (chmod o-r)",
		    path);
	if (why != NULL || of_line != NULL) {
		secret_release(o->outbound_smtp_auth_pass);
		if (asprintf(&o->pass_fault, "%s: %s%s", path,
			of_line != NULL ? "its first line " : "",
			of_line != NULL ? of_line : why) < 0) {
			o->pass_fault = NULL;
			rc = -1;
		}
	}
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	free(bytes.data);
	return rc;
}

static int
load_pass_file(
    struct conf_load *l, const struct conf_value *v, struct conf_outbound *o)
{
	const char *text = secret_bytes(o->outbound_smtp_auth_pass, NULL);
	char *path;
	int rc;

	if (text[FILE_PREFIX_LEN] != '/') {
		conf_tell(l->s, v->at,
		    "outbound_smtp_auth_pass: file: needs an absolute path");
		return 0;
	}
	path = strdup(text + FILE_PREFIX_LEN);
	if (path == NULL)
		return -1;
	rc = read_pass_file(l, v, o, path);
	free(path);
	return rc;
}

/* -- the options ---------------------------------------------------------- */

static void
check_user(struct conf_load *l, cfg_t *sec, const char *user)
{
	struct conf_place at = conf_set_at(l, sec, "outbound_smtp_auth_user");
	const char *wrong;

	if (user[0] == '\0') {
		conf_tell(l->s, at,
		    "outbound_smtp_auth_user is empty; false unsets it");
		return;
	}
	wrong = credential_user_wrong(user);
	if (wrong != NULL)
		conf_tell(l->s, at, "outbound_smtp_auth_user %s", wrong);
	else if (strchr(user, ':') != NULL)
		conf_warn(l->s, at,
		    "outbound_smtp_auth_user has a \":\": Postfix cannot be "
		    "given it, its mail would wait");
	check_utf8(l, at, "outbound_smtp_auth_user", user, strlen(user));
}

/* One that stands in the file of the configuration itself. */
static void
check_pass(
    struct conf_load *l, const struct conf_value *v, const struct secret *pass)
{
	struct conf_file *file = &l->s->files[v->at.file];
	const char *octets, *wrong;
	size_t len;

	octets = secret_bytes(pass, &len);
	wrong = credential_pass_wrong(octets, len);
	if (len == 0)
		conf_tell(l->s, v->at,
		    "outbound_smtp_auth_pass is empty; false unsets it");
	else if (wrong != NULL)
		conf_tell(l->s, v->at, "outbound_smtp_auth_pass %s", wrong);
	check_utf8(l, v->at, "outbound_smtp_auth_pass", octets, len);
	if (file->bytes.world_readable && !file->told) {
		file->told = true;
		conf_warn(l->s, v->at,
		    "outbound_smtp_auth_pass: everybody on this machine can "
		    "read this file (chmod o-r)");
	}
}

int
conf_check_outbound(struct conf_load *l, cfg_t *sec, struct conf_outbound *o)
{
	const struct conf_value *v =
	    conf_tree_value(sec, "outbound_smtp_auth_pass", 0);
	const char *user = o->outbound_smtp_auth_user;

	if (user != NULL && o->outbound_smtp_auth_pass == NULL)
		conf_tell(l->s, conf_set_at(l, sec, "outbound_smtp_auth_user"),
		    "outbound_smtp_auth_user without an "
		    "outbound_smtp_auth_pass");
	if (user != NULL)
		check_user(l, sec, user);
	if (o->outbound_smtp_auth_pass == NULL || v == NULL)
		return 0;
	if (user == NULL)
		conf_tell(l->s, v->at,
		    "outbound_smtp_auth_pass without an "
		    "outbound_smtp_auth_user");
	if (strncmp(v->text, FILE_PREFIX, FILE_PREFIX_LEN) == 0)
		return load_pass_file(l, v, o);
	check_pass(l, v, o->outbound_smtp_auth_pass);
	return 0;
}

/* -- where they may go ----------------------------------------------------- */

void
conf_check_nexthops(struct conf_load *l, cfg_t *sec, const struct strlist *list)
{
	struct nexthop to;
	const char *why;
	size_t i;

	if (sec == NULL || conf_tree_count(sec, "nexthops") == 0)
		return;
	for (i = 0; i < list->n; i++)
		if (!nexthop_parse(list->v[i], strlen(list->v[i]), &to, &why))
			conf_tell(l->s,
			    conf_item_place(l, sec, "nexthops", list, i),
			    "nexthops: \"%.80s\": %s", list->v[i], why);
}

void
conf_warn_unreachable(struct conf_load *l, cfg_t *sec,
    const struct conf_outbound *o, bool has_nexthops)
{
	if (sec == NULL || has_nexthops || o->outbound_smtp_auth_user == NULL)
		return;
	conf_warn(l->s, conf_set_at(l, sec, "outbound_smtp_auth_user"),
	    "outbound_smtp_auth_user: without nexthops it is given to "
	    "nobody");
}

void
conf_warn_no_nexthop(struct conf_load *l, cfg_t *sec, const char *domain,
    const struct conf_outbound *o)
{
	struct nexthop to;
	const char *why;

	if (o->outbound_smtp_auth_user == NULL || domain[0] == '\0' ||
	    nexthop_parse(domain, strlen(domain), &to, &why))
		return;
	conf_warn(l->s, conf_tree_place(l->s, sec),
	    "domain \"%.80s\": no next hop has such a name (%s): its "
	    "outbound_smtp_auth_user is given to nobody",
	    domain, why);
}
