/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/authd_roles.h"

#include <stddef.h>

bool
authd_has_logins(const struct conf *conf)
{
	if (conf->auth.up.host.n > 0 || conf->auth.up.query != NULL)
		return true;
	for (size_t i = 0; i < conf->n_domains; i++)
		if (conf->domains[i].has_auth)
			return true;
	return false;
}

bool
authd_has_outbound(const struct conf *conf)
{
	if (conf_outbound_sets(&conf->outbound) ||
	    conf->credential.query != NULL ||
	    conf->credential.message_credentials || conf->n_bindings > 0 ||
	    conf->n_groups > 0 || conf->n_senders > 0)
		return true;
	for (size_t i = 0; i < conf->n_domains; i++)
		if (conf_outbound_sets(&conf->domains[i].outbound))
			return true;
	return false;
}
