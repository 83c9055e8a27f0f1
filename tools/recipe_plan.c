/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/credential.h"

/* Next hops that nobody names: only a query gives something for them. */
#define UNNAMED "unnamed.invalid"

struct planning {
	struct recipe_plan *plan;
	struct credentials *credentials;
};

/* -- what would be given ------------------------------------------------- */

static bool
pick(const struct planning *p, const struct credential_where *where, int *type)
{
	struct credential_pick said;

	credential_pick(p->credentials, where, &said, NULL);
	*type = said.type;
	return said.said == CREDENTIAL_GIVEN || said.said == CREDENTIAL_ASK;
}

static bool
pick_hop(
    const struct planning *p, const char *binding, const char *hop, int *type)
{
	struct nexthop to;
	const struct credential_where where = { .binding = binding, .to = &to };

	return nexthop_parse(hop, strlen(hop), &to, NULL) &&
	    pick(p, &where, type);
}

/* By a look-up for the sender, on a transport that has one relay. */
static bool
pick_sender(const struct planning *p, const struct recipe_transport *t,
    const char *name, int *type)
{
	/* A mailbox that no section is likely to have. */
	char address[400];
	struct nexthop to;
	const struct credential_where where = {
		.binding = t->map, .sender = address, .to = &to
	};

	snprintf(address, sizeof(address), "%s%s",
	    name[0] == '@' ? "any.mailbox" : "", name);
	return nexthop_parse(t->nexthop, strlen(t->nexthop), &to, NULL) &&
	    pick(p, &where, type);
}

/* -- names --------------------------------------------------------------- */

/* As smtp(8) wants it: with the brackets that it was written with, and that
 * an address needs. */
static bool
postfix_hop(const char *text, char out[RECIPE_HOP_MAX], bool *literal)
{
	struct nexthop hop;
	bool brackets;
	int n;

	if (!nexthop_parse(text, strlen(text), &hop, NULL))
		return false;
	brackets = hop.literal || text[0] == '[';
	n = snprintf(out, RECIPE_HOP_MAX, "%s%s%s", brackets ? "[" : "",
	    hop.host, brackets ? "]" : "");
	if (hop.port != 0)
		snprintf(out + n, RECIPE_HOP_MAX - (size_t)n, ":%u",
		    (unsigned int)hop.port);
	*literal = hop.literal;
	return true;
}

/* What postern-milter(8) takes for the value of `binding'. */
static bool
is_word(const char *name)
{
	static const char octets[] = "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	return name[strspn(name, octets)] == '\0';
}

/* -- transports of bindings ---------------------------------------------- */

/* Something more is given on that transport, by this type. */
static void
add_type(struct recipe_transport *t, int type)
{
	t->login = true;
	if (t->type >= 0 && type >= 0 && type != t->type)
		t->mixed = true;
	if (type >= 0)
		t->type = type;
}

static void
plan_senders(const struct planning *p, struct recipe_transport *t,
    const struct conf_login *senders, size_t n)
{
	int type;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!pick_sender(p, t, senders[i].name, &type))
			continue;
		add_type(t, type);
		t->senders = true;
	}
}

static void
plan_binding(const struct planning *p, const struct conf_binding *b,
    const struct conf_binding *group)
{
	struct recipe_transport *t =
	    &p->plan->transports[p->plan->n_transports++];
	const struct strlist *hops = &b->nexthops;
	const struct conf *c = p->plan->conf;
	int type;
	size_t i;

	if (hops->n == 0 && group != NULL)
		hops = &group->nexthops;
	*t = (struct recipe_transport){ .map = b->name,
		.binding = b,
		.word = is_word(b->name),
		.type = -1 };
	snprintf(t->name, sizeof(t->name), "binding-%s", b->name);
	if (hops->n > 0)
		(void)postfix_hop(hops->v[0], t->nexthop, &t->literal);
	for (i = 0; i < hops->n; i++)
		if (pick_hop(p, t->map, hops->v[i], &type))
			add_type(t, type);
	/* Without next hops it is for others to choose the transport. */
	for (i = 0; hops->n == 0 && i < b->n_domains; i++)
		if (pick_hop(p, t->map, b->domains[i].name, &type))
			add_type(t, type);
	if (hops->n == 0 && pick_hop(p, t->map, UNNAMED, &type))
		add_type(t, type);
	plan_senders(p, t, b->senders, b->n_senders);
	if (group != NULL)
		plan_senders(p, t, group->senders, group->n_senders);
	plan_senders(p, t, c->senders, c->n_senders);
}

static void
plan_bindings(const struct planning *p)
{
	const struct conf *c = p->plan->conf;
	size_t g, i;

	for (g = 0; g < c->n_groups; g++)
		for (i = 0; i < c->groups[g].n_bindings; i++)
			plan_binding(
			    p, &c->groups[g].bindings[i], &c->groups[g]);
	for (i = 0; i < c->n_bindings; i++)
		plan_binding(p, &c->bindings[i], NULL);
}

/* -- transports of types ------------------------------------------------- */

static const struct recipe_transport *
transport_of_type(struct recipe_plan *plan, int type)
{
	static const char *const names[] = { "auth", "plain", "login" };
	struct recipe_transport *t;
	size_t i;

	for (i = 0; i < plan->n_transports; i++) {
		t = &plan->transports[i];
		if (t->binding == NULL && t->type == type)
			return t;
	}
	t = &plan->transports[plan->n_transports++];
	*t = (struct recipe_transport){
		.map = CREDENTIAL_DEFAULT, .login = true, .type = type
	};
	snprintf(t->name, sizeof(t->name), "smtp-%s", names[type + 1]);
	return t;
}

static void
plan_types(const struct planning *p)
{
	struct recipe_plan *plan = p->plan;
	const struct conf *c = plan->conf;
	const struct strlist *hops = &c->credential.nexthops;
	struct recipe_route *r;
	bool literal;
	size_t i;
	int type;

	for (i = 0; i < c->n_domains; i++) {
		if (!conf_outbound_sets(&c->domains[i].outbound) ||
		    !pick_hop(p, CREDENTIAL_DEFAULT, c->domains[i].name, &type))
			continue;
		r = &plan->routes[plan->n_routes++];
		r->domain = c->domains[i].name;
		r->by = transport_of_type(plan, type);
	}
	if (hops->n > 0 &&
	    postfix_hop(hops->v[0], plan->global_hop, &literal) &&
	    pick_hop(p, CREDENTIAL_DEFAULT, hops->v[0], &type)) {
		plan->global.domain = plan->global_hop;
		plan->global.by = transport_of_type(plan, type);
	}
	if (pick_hop(p, CREDENTIAL_DEFAULT, UNNAMED, &type))
		plan->unnamed = transport_of_type(plan, type);
}

/* -- the socket ---------------------------------------------------------- */

/* May it stand in master.cf and in a macro of m4? */
static bool
socket_ok(const char *socket)
{
	static const char octets[] = "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_./+@=-";
	const char *path = socket + sizeof("unix:") - 1;

	if (strncmp(socket, "unix:/", sizeof("unix:/") - 1) == 0 &&
	    strlen(socket) < RECIPE_MAP_MAX &&
	    path[strspn(path, octets)] == '\0')
		return true;
	fprintf(stderr,
	    "posternctl: authd: socketmap_socket %s: no Unix socket whose "
	    "path the MTA can be given\n",
	    socket);
	return false;
}

/* What of the path is below the directory, or NULL. */
static const char *
below(const char *socket, const char *directory)
{
	const char *path = socket + sizeof("unix:") - 1;
	size_t len = strlen(directory);

	while (len > 1 && directory[len - 1] == '/')
		len--;
	if (strncmp(path, directory, len) != 0 || path[len] != '/')
		return NULL;
	return path + len + 1;
}

/* For Postfix one below the queue directory, where a relative path finds it
 * from inside a chroot and from outside; for Sendmail another. */
static bool
plan_sockets(struct recipe_plan *plan, const char *queue)
{
	const struct strlist *sockets = &plan->conf->authd.socketmap_socket;
	const char *path;
	size_t i;

	if (sockets->n == 0) {
		fprintf(
		    stderr, "posternctl: authd: socketmap_socket is empty\n");
		return false;
	}
	for (i = 0; i < sockets->n; i++) {
		if (!socket_ok(sockets->v[i]))
			return false;
		path = below(sockets->v[i], queue);
		if (path != NULL && !plan->in_queue) {
			plan->in_queue = true;
			snprintf(plan->socketmap, sizeof(plan->socketmap),
			    "unix:%s", path);
		} else if (path == NULL && plan->sendmail_socket == NULL) {
			plan->sendmail_socket = sockets->v[i];
		}
	}
	if (!plan->in_queue)
		snprintf(plan->socketmap, sizeof(plan->socketmap), "%s",
		    sockets->v[0]);
	if (plan->sendmail_socket == NULL)
		plan->sendmail_socket = sockets->v[0];
	return true;
}

/* -- the plan ------------------------------------------------------------ */

static size_t
count_bindings(const struct conf *c)
{
	size_t n = c->n_bindings;

	for (size_t i = 0; i < c->n_groups; i++)
		n += c->groups[i].n_bindings;
	return n;
}

bool
recipe_plan_init(
    struct recipe_plan *plan, struct conf *conf, const char *queue_directory)
{
	struct planning p = { .plan = plan };

	memset(plan, 0, sizeof(*plan));
	plan->conf = conf_ref(conf);
	if (!plan_sockets(plan, queue_directory))
		goto fail;
	p.credentials = credentials_new(conf);
	/* three types */
	plan->transports =
	    calloc(count_bindings(conf) + 3, sizeof(*plan->transports));
	plan->routes = calloc(conf->n_domains + 1, sizeof(*plan->routes));
	if (p.credentials == NULL || plan->transports == NULL ||
	    plan->routes == NULL) {
		fprintf(stderr, "posternctl: out of memory\n");
		goto fail;
	}
	plan_bindings(&p);
	plan_types(&p);
	credentials_free(p.credentials);
	return true;
fail:
	credentials_free(p.credentials);
	recipe_plan_release(plan);
	return false;
}

void
recipe_plan_release(struct recipe_plan *plan)
{
	free(plan->transports);
	free(plan->routes);
	conf_unref(plan->conf);
	memset(plan, 0, sizeof(*plan));
}
