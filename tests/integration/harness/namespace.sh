#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# namespace.sh - the accounts a private MTA wants, without adding any
#
#	namespace.sh users DIR	write DIR/passwd, DIR/group and DIR/hosts: this
#				machine's files, the accounts that they lack,
#				and a full name for the machine
#	namespace.sh enter DIR OUTSIDE
#				in a mount namespace of our own: put them over
#				those in /etc, hide the machine's
#				own mail set-up, and give /dev a log socket of
#				our own, a link to DIR/log
#	namespace.sh wrap DIR TREE
#				where no mount namespace can be had: print the
#				environment that gives programs the accounts,
#				by the libnss_wrapper unpacked in TREE
#
# `enter` belongs inside `unshare --mount`, OUTSIDE being what the link
# /proc/self/ns/mnt said before; nothing of it is seen by, or left for, any
# process outside.
set -eu

die()
{
	echo "namespace.sh: $*" >&2
	exit 1
}

# user:group pairs; postdrop is a group only
accounts='postfix:postfix :postdrop smmta:smmta smmsp:smmsp postern:postern'

# free_id DIR: an id that is neither a user's nor a group's
free_id()
{
	id=64900
	while cut -d: -f3 "$1/passwd" "$1/group" | grep -qx "$id" ||
	    getent passwd "$id" >/dev/null || getent group "$id" >/dev/null; do
		id=$((id - 1))
		[ "$id" -gt 60513 ] || die 'no free user id'
	done
	echo "$id"
}

# group_id DIR GROUP, user_id DIR USER: its id, by DIR's files or the machine
group_id()
{
	{ grep "^$2:" "$1/group" || getent group "$2" || :; } |
	    head -n 1 | cut -d: -f3
}

user_id()
{
	{ grep "^$2:" "$1/passwd" || getent passwd "$2" || :; } |
	    head -n 1 | cut -d: -f3
}

users()
{
	# awk ends the last line, should it lack its newline
	awk 1 /etc/passwd >"$1/passwd"
	awk 1 /etc/group >"$1/group"
	for account in $accounts; do
		user=${account%:*} group=${account#*:}
		id=$(free_id "$1")
		[ -n "$(group_id "$1" "$group")" ] ||
		    echo "$group:x:$id:" >>"$1/group"
		[ -z "$user" ] || [ -n "$(user_id "$1" "$user")" ] ||
		    echo "$user:x:$id:$(group_id "$1" "$group")::/nonexistent:/usr/sbin/nologin" \
		        >>"$1/passwd"
	done
	# Sendmail sleeps a minute where the host has no full name
	host=$(uname -n)
	{
		echo '127.0.0.1 localhost'
		echo "127.0.0.1 ${host%%.*}.test $host"
		[ ! -f /etc/hosts ] || awk 1 /etc/hosts
	} >"$1/hosts"
	chmod 644 "$1/passwd" "$1/group" "$1/hosts"
}

# private_dev DIR: a /dev with the usual nodes, whose log is DIR/log, so that
# what logs to syslog does not write into the machine's
private_dev()
{
	mkdir -p "$1/dev"
	mount -t tmpfs -o mode=755,nosuid tmpfs "$1/dev"
	for node in null zero full random urandom tty; do
		[ -e "/dev/$node" ] || continue
		: >"$1/dev/$node"
		mount --bind "/dev/$node" "$1/dev/$node"
	done
	for node in pts shm; do
		[ -d "/dev/$node" ] || continue
		mkdir "$1/dev/$node"
		mount --bind "/dev/$node" "$1/dev/$node"
	done
	ln -s /proc/self/fd "$1/dev/fd"
	ln -s /proc/self/fd/0 "$1/dev/stdin"
	ln -s /proc/self/fd/1 "$1/dev/stdout"
	ln -s /proc/self/fd/2 "$1/dev/stderr"
	ln -s pts/ptmx "$1/dev/ptmx"
	ln -s "$1/log" "$1/dev/log"
	mount --move "$1/dev" /dev
}

enter()
{
	[ -f "$1/passwd" ] || die "no $1/passwd: call 'users' first"
	[ "$(readlink /proc/self/ns/mnt)" != "${2:?}" ] ||
	    die 'enter: this is the mount namespace of the machine'
	mount --make-rprivate /
	mount --bind "$1/passwd" /etc/passwd
	mount --bind "$1/group" /etc/group
	[ ! -f /etc/hosts ] || mount --bind "$1/hosts" /etc/hosts
	mkdir -p "$1/empty"
	for dir in /etc/postfix /etc/mail /etc/exim4 /var/spool/postfix \
	    /var/spool/mqueue /var/spool/mqueue-client /var/spool/exim4 \
	    /run/nscd /etc/postern /run/postern /var/lib/postern; do
		[ ! -d "$dir" ] || mount --bind -o ro "$1/empty" "$dir"
	done
	private_dev "$1"
}

wrap()
{
	library=$(find "$2/usr/lib" -name libnss_wrapper.so)
	[ -n "$library" ] || die "no libnss_wrapper.so in $2"
	echo "LD_PRELOAD=$library"
	echo "NSS_WRAPPER_PASSWD=$1/passwd"
	echo "NSS_WRAPPER_GROUP=$1/group"
	echo "NSS_WRAPPER_HOSTS=$1/hosts"
}

case $1,$# in
users,2) users "$2" ;;
enter,3) enter "$2" "$3" ;;
wrap,3) wrap "$2" "$3" ;;
*) die 'usage: namespace.sh users DIR | enter DIR OUTSIDE | wrap DIR TREE' ;;
esac
