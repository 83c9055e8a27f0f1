#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# dovecot.sh - become a Dovecot that was unpacked and not installed
#
#	dovecot.sh TREE DIR
#		with the packages unpacked in TREE (packages.sh) and the
#		configuration DIR/dovecot.conf; in the foreground, ended by
#		SIGTERM
#
# To be called in a mount namespace of its own (unshare --mount): Dovecot looks
# for modules in /usr/lib/dovecot and nowhere else, so it gets a /usr/lib that
# is a directory of links to what is in the machine's, and one to its modules.
# Only Dovecot's processes see it.
set -eu

[ $# -eq 2 ] || {
	echo 'usage: dovecot.sh TREE DIR' >&2
	exit 64
}
tree=$1
dir=$2
LD_LIBRARY_PATH=$(cat "$tree/libpath")
export LD_LIBRARY_PATH

mkdir -p "$dir/machine" "$dir/lib"
mount --rbind /usr/lib "$dir/machine"
mount -t tmpfs -o mode=755 tmpfs "$dir/lib"
for entry in "$dir"/machine/* "$tree/usr/lib/dovecot"; do
	ln -sf "$entry" "$dir/lib/"
done
mount --bind "$dir/lib" /usr/lib

# dovecot itself would look for doveconf in /usr/bin
exec "$tree/usr/bin/doveconf" -f service=master -c "$dir/dovecot.conf" -e \
    "$tree/usr/sbin/dovecot" -F -c "$dir/dovecot.conf"
