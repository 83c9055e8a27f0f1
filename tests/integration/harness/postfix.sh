#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# postfix.sh - a Postfix instance of our own, on a loopback port
#
#	postfix.sh make TREE DIR PORT [NAME=VALUE]...
#		lay out an instance in DIR, from the packages unpacked in TREE
#		(packages.sh); its smtpd listens on 127.0.0.1:PORT, and each
#		NAME=VALUE goes into its main.cf
#	postfix.sh run DIR
#		become its master(8): in the foreground, ended by SIGTERM
#	postfix.sh command DIR PROGRAM [ARGUMENT]...
#		run one of its commands, as in `command DIR postconf -n`
#
# Everything it reads or writes is below TREE and DIR: configuration, queue,
# data, programs, libraries, log (DIR/log).  smtpd is chrooted into the queue
# directory DIR/queue, as Debian ships it.  The users postfix and postdrop
# must exist (namespace.sh).  It asks no DNS server anything.
set -eu

die()
{
	echo "postfix.sh: $*" >&2
	exit 1
}

# The environment that the programs need to find each other; master(8) passes
# on only what import_environment names.
environment()
{
	tree=$(cat "$1/tree")
	LD_LIBRARY_PATH=$(cat "$tree/libpath")
	MAIL_CONFIG=$1/conf
	: "${SASL_PATH:=$tree/usr/lib/$(uname -m)-linux-gnu/sasl2}"
	PATH=$tree/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin
	export LD_LIBRARY_PATH MAIL_CONFIG SASL_PATH PATH
}

main_cf()
{
	cat <<END
compatibility_level = 3.6
config_directory = $2/conf
queue_directory = $2/queue
data_directory = $2/data
daemon_directory = $1/usr/lib/postfix/sbin
command_directory = $1/usr/sbin
shlib_directory = $1/usr/lib/postfix
meta_directory = $2/conf
sendmail_path = $1/usr/sbin/sendmail
mailq_path = $1/usr/sbin/mailq
newaliases_path = $1/usr/sbin/newaliases
mail_owner = postfix
setgid_group = postdrop
import_environment = MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH SASL_PATH
    LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP NSS_WRAPPER_HOSTS
maillog_file = $2/log
maillog_file_prefixes = $2

myhostname = edge.test
myorigin = edge.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
alias_database =
smtpd_banner = \$myhostname ESMTP
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtp_dns_support_level = disabled
smtp_host_lookup = native
default_transport = discard:
in_flow_delay = 0
END
}

master_cf()
{
	cat <<END
127.0.0.1:$1 inet n     -       y       -       -       smtpd
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
rewrite   unix  -       -       y       -       -       trivial-rewrite
bounce    unix  -       -       y       -       0       bounce
defer     unix  -       -       y       -       0       bounce
trace     unix  -       -       y       -       0       bounce
verify    unix  -       -       y       -       1       verify
flush     unix  n       -       y       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       y       -       -       smtp
relay     unix  -       -       y       -       -       smtp
showq     unix  n       -       y       -       -       showq
error     unix  -       -       y       -       -       error
retry     unix  -       -       y       -       -       error
discard   unix  -       -       y       -       -       discard
lmtp      unix  -       -       y       -       -       lmtp
anvil     unix  -       -       y       -       1       anvil
scache    unix  -       -       y       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
END
}

make()
{
	tree=$(cd "$1" && pwd -P)
	mkdir -p "$2"
	dir=$(cd "$2" && pwd -P)
	port=$3
	shift 3
	id postfix >/dev/null 2>&1 || die 'there is no user postfix'

	mkdir "$dir/conf" "$dir/data" "$dir/queue"
	echo "$tree" >"$dir/tree"
	chown postfix "$dir/data"
	chmod 700 "$dir/data"
	cd "$dir/queue"
	mkdir pid etc active bounce corrupt defer deferred flush hold incoming \
	    private saved trace maildrop public
	chown postfix active bounce corrupt defer deferred flush hold incoming \
	    private saved trace
	chmod 700 active bounce corrupt defer deferred flush hold incoming \
	    private saved trace
	chown postfix:postdrop maildrop public
	chmod 730 maildrop
	chmod 710 public
	for file in hosts services resolv.conf nsswitch.conf localtime; do
		[ ! -f "/etc/$file" ] || cp "/etc/$file" etc/
	done

	main_cf "$tree" "$dir" >"$dir/conf/main.cf"
	master_cf "$port" >"$dir/conf/master.cf"
	sed -n '/^#/d; /^sqlite\|^pcre/p' \
	    "$tree/usr/share/postfix/dynamicmaps.cf" >"$dir/conf/dynamicmaps.cf"
	[ $# -eq 0 ] || {
		environment "$dir"
		postconf -e "$@"
	}
}

case ${1:-},$# in
make,[4-9] | make,[1-9][0-9])
	shift
	make "$@"
	;;
run,2)
	environment "$2"
	# a file that has just changed is read again and again for seconds, in
	# case somebody is still writing it
	touch -t 202001010000 "$2"/conf/*
	cd "$2"
	exec "$tree/usr/lib/postfix/sbin/master" -c "$2/conf"
	;;
command,[3-9])
	environment "$2"
	shift 2
	exec "$@"
	;;
*)
	die 'usage: postfix.sh make TREE DIR PORT [NAME=VALUE]... | run DIR |' \
	    'command DIR PROGRAM [ARGUMENT]...'
	;;
esac
