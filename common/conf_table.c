/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_table.h"

#include "common/conf.h"
#include "common/params.h"

#define AT(object, path, kind, name, dflt, min, max, words, help) \
 { CONF_KIND_##kind, #name, dflt, min, max, words, help,          \
	 offsetof(struct object, path name) },

#define AT_GLOBAL(...)     AT(conf, , __VA_ARGS__)
#define AT_DATASOURCE(...) AT(conf_datasource, , __VA_ARGS__)
#define AT_RCPTTO_UP(...)  AT(conf_rcptto, up., __VA_ARGS__)
#define AT_RCPTTO(...)     AT(conf_rcptto, , __VA_ARGS__)
#define AT_AUTH_UP(...)    AT(conf_auth, up., __VA_ARGS__)
#define AT_AUTH(...)       AT(conf_auth, , __VA_ARGS__)
#define AT_OUTBOUND(...)   AT(conf_outbound, , __VA_ARGS__)
#define AT_SCOPE(...)      AT(conf, outbound., __VA_ARGS__)
#define AT_CREDENTIAL(...) AT(conf, credential., __VA_ARGS__)
#define AT_BINDING_UP(...) AT(conf_binding, outbound., __VA_ARGS__)
#define AT_BINDING(...)    AT(conf_binding, , __VA_ARGS__)
#define AT_PEER(...)       AT(conf_peer, , __VA_ARGS__)
#define AT_MILTER(...)     AT(conf_milter, , __VA_ARGS__)
#define AT_AUTHD(...)      AT(conf_authd, , __VA_ARGS__)
#define AT_FRONT(...)      AT(conf_front, , __VA_ARGS__)
#define AT_TAG(...)        AT(conf_tag, , __VA_ARGS__)

#define END    \
 {             \
  .name = NULL \
 }

const struct conf_param conf_params_global[] = { PARAMS_GLOBAL(AT_GLOBAL) END };
const struct conf_param conf_params_datasource[] = { PARAMS_DATASOURCE(
    AT_DATASOURCE) END };
const struct conf_param conf_params_rcptto[] = { PARAMS_UPSTREAM(
    AT_RCPTTO_UP, "20s", "may", "4") PARAMS_RCPTTO(AT_RCPTTO) END };
const struct conf_param conf_params_auth[] = { PARAMS_UPSTREAM(
    AT_AUTH_UP, "20s", "verify", "20") PARAMS_AUTH(AT_AUTH) END };
const struct conf_param conf_params_outbound[] = { PARAMS_OUTBOUND(AT_OUTBOUND)
	    END };
const struct conf_param conf_params_credential[] = { PARAMS_OUTBOUND(AT_SCOPE)
	    PARAMS_NEXTHOPS(AT_CREDENTIAL) PARAMS_OUTBOUND_QUERY(AT_CREDENTIAL)
		END };
const struct conf_param conf_params_binding[] = { PARAMS_NEXTHOPS(AT_BINDING)
	    PARAMS_OUTBOUND(AT_BINDING_UP) END };
const struct conf_param conf_params_peer[] = { PARAMS_PEER(AT_PEER) END };
const struct conf_param conf_params_milter[] = { PARAMS_MILTER(AT_MILTER) END };
const struct conf_param conf_params_authd[] = { PARAMS_AUTHD(AT_AUTHD) END };
const struct conf_param conf_params_front[] = { PARAMS_FRONT(AT_FRONT) END };
const struct conf_param conf_params_tag[] = { PARAMS_TAG(AT_TAG) END };

static const struct conf_section datasource = { "datasource", true,
	conf_params_datasource, NULL };
static const struct conf_section rcptto = { "smtp_rcptto_proxy", false,
	conf_params_rcptto, NULL };
static const struct conf_section auth = { "smtp_auth_proxy", false,
	conf_params_auth, NULL };
static const struct conf_section *const in_domain[] = { &rcptto, &auth, NULL };
static const struct conf_section domain = { "domain", true,
	conf_params_outbound, in_domain };
static const struct conf_section nexthop = { "domain", true,
	conf_params_outbound, NULL };
static const struct conf_section sender = { "sender", true,
	conf_params_outbound, NULL };
static const struct conf_section *const in_binding[] = { &nexthop, &sender,
	NULL };
static const struct conf_section binding = { "binding", true,
	conf_params_binding, in_binding };
static const struct conf_section *const in_group[] = { &nexthop, &sender,
	&binding, NULL };
static const struct conf_section group = { "binding_group", true,
	conf_params_binding, in_group };
static const struct conf_section credential = { "outbound_smtp_auth", false,
	conf_params_credential, NULL };
static const struct conf_section peer = { "peer", true, conf_params_peer,
	NULL };
static const struct conf_section milter = { "milter", false, conf_params_milter,
	NULL };
static const struct conf_section authd = { "authd", false, conf_params_authd,
	NULL };
static const struct conf_section front = { "front", false, conf_params_front,
	NULL };
static const struct conf_section tag = { "tag", true, conf_params_tag, NULL };
static const struct conf_section *const in_root[] = { &datasource, &auth,
	&rcptto, &domain, &group, &binding, &sender, &credential, &peer,
	&milter, &authd, &front, &tag, NULL };

const struct conf_section conf_section_root = { "", false, conf_params_global,
	in_root };
