/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd_roles - what postern-authd is configured to do
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_AUTHD_ROLES_H
#define POSTERN_SASLAUTH_PLUGIN_AUTHD_ROLES_H

#include <stdbool.h>

#include "common/conf.h"

/* authd_has_logins(conf): is there anybody to ask whether a login is right? */
bool authd_has_logins(const struct conf *conf);

/* authd_has_outbound(conf): is there anything to say of what the MTA logs in
 * with: a credential, a query for them, a binding? */
bool authd_has_outbound(const struct conf *conf);

#endif /* POSTERN_SASLAUTH_PLUGIN_AUTHD_ROLES_H */
