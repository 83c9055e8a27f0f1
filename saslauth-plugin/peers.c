/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/peers.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/number.h"

#define RECORD_MAX 16384

/* How often somebody who is not let in is complained about. */
#define COMPLAIN_MS 10000

/* By name, or by number; the account need not exist then, and has no group. */
static bool
user_find(const char *text, uid_t *uid, gid_t *gid, bool *has_gid)
{
	char buf[RECORD_MAX];
	struct passwd pw, *found = NULL;
	long long number = 0;
	bool numeric = number_parse(text, 0, UINT32_MAX - 1, &number);

	*has_gid = false;
	if (numeric)
		(void)getpwuid_r((uid_t)number, &pw, buf, sizeof(buf), &found);
	else
		(void)getpwnam_r(text, &pw, buf, sizeof(buf), &found);
	if (found == NULL && !numeric)
		return false;
	*uid = found != NULL ? found->pw_uid : (uid_t)number;
	if (found != NULL) {
		*gid = found->pw_gid;
		*has_gid = true;
	}
	return true;
}

static bool
group_find(const char *text, gid_t *gid)
{
	char buf[RECORD_MAX];
	struct group gr, *found = NULL;
	long long number = 0;

	if (number_parse(text, 0, UINT32_MAX - 1, &number)) {
		*gid = (gid_t)number;
		return true;
	}
	(void)getgrnam_r(text, &gr, buf, sizeof(buf), &found);
	if (found == NULL)
		return false;
	*gid = found->gr_gid;
	return true;
}

static bool
peers_fill(struct peers *p, const struct conf *conf, char *why, size_t len)
{
	const struct strlist *names = &conf->allow_users;
	const char *group = conf->authd.socket_group;
	gid_t gid = 0;
	bool has_gid;

	for (size_t i = 0; i < names->n; i++) {
		if (!user_find(names->v[i], &p->uids[i], &gid, &has_gid)) {
			snprintf(why, len,
			    "no such user: %s (option allow_users)",
			    names->v[i]);
			return false;
		}
		if (i == 0 && has_gid) {
			p->gid = gid;
			p->has_gid = true;
		}
	}
	p->n = names->n;
	if (group == NULL)
		return true;
	if (!group_find(group, &p->gid)) {
		snprintf(
		    why, len, "no such group: %s (option socket_group)", group);
		return false;
	}
	p->has_gid = p->gid_given = true;
	return true;
}

struct peers *
peers_new(const struct conf *conf, char *why, size_t len)
{
	struct peers *p = calloc(1, sizeof(*p));

	if (p == NULL ||
	    (p->uids = calloc(conf->allow_users.n + 1, sizeof(*p->uids))) ==
		NULL) {
		snprintf(why, len, "out of memory");
		peers_free(p);
		return NULL;
	}
	if (!peers_fill(p, conf, why, len)) {
		peers_free(p);
		return NULL;
	}
	return p;
}

void
peers_free(struct peers *p)
{
	if (p == NULL)
		return;
	free(p->uids);
	free(p);
}

bool
peers_of(int fd, uid_t *out)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	*out = peer.uid;
	return true;
}

bool
peers_allow(const struct peers *p, uid_t uid)
{
	if (uid == 0)
		return true;
	for (size_t i = 0; i < p->n; i++)
		if (p->uids[i] == uid)
			return true;
	return uid == geteuid();
}

void
peers_complain(uid_t uid)
{
	static struct log_limit limit;
	char buf[RECORD_MAX];
	struct passwd pw, *found = NULL;

	if (log_limited(&limit, COMPLAIN_MS))
		return;
	(void)getpwuid_r(uid, &pw, buf, sizeof(buf), &found);
	log_warning(
	    "user %s (uid %lu) is not listened to: not in option allow_users",
	    found != NULL ? found->pw_name : "?", (unsigned long)uid);
}
