/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/recipe_sendmail.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/credential.h"

void
recipe_print_sendmail(const struct recipe_plan *p, FILE *out)
{
	bool any = false;
	size_t i;

	for (i = 0; i < p->n_transports; i++)
		any = any || p->transports[i].login;
	if (!any)
		return;
	fprintf(out,
	    "dnl Behind the last MAILER(). sendmail-outbound.m4 says what "
	    "else may be set.\n"
	    "define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl\n"
	    "define(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')dnl\n"
	    "define(`confCACERT_PATH', `/etc/ssl/certs')dnl\n"
	    "define(`POSTERN_OUTBOUND_SOCKET', `%s')dnl\n",
	    p->sendmail_socket);
	fprintf(out,
	    "dnl One map for all mail: default, or a binding. A message "
	    "chooses another\n"
	    "dnl where message_credentials is on.\n"
	    "define(`POSTERN_OUTBOUND_NAME', `" CREDENTIAL_DEFAULT "')dnl\n");
	for (i = 0; i < p->n_transports; i++)
		if (p->transports[i].binding != NULL && p->transports[i].word)
			fprintf(out,
			    "dnl define(`POSTERN_OUTBOUND_NAME', `%s')dnl\n",
			    p->transports[i].map);
	fprintf(
	    out, "include(`" POSTERN_DATADIR "/sendmail-outbound.m4')dnl\n");
}
