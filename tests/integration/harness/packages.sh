#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# packages.sh - unpack an MTA's Debian packages into a directory of our own
#
#	packages.sh postfix|sendmail|dovecot|sasl|fail2ban|accounts DIR
#
# Nothing is installed: the packages are downloaded and unpacked below DIR,
# with those of their shared libraries that this machine does not have, so
# an MTA that runs here keeps its place, its files and its package.  A tree
# that is complete already is used as it stands; two callers may run at once.
# Two are no MTA: `sasl` has Cyrus SASL's stock plug-ins and programs, and
# `accounts` what gives users where no mount namespace can be had (see
# namespace.sh).
# Prints the directory of the tree: its file `libpath` holds the value for
# LD_LIBRARY_PATH.
set -eu

die()
{
	echo "packages.sh: $*" >&2
	exit 1
}

# What to unpack, and the program that must then find all its libraries.
# SASL's mechanisms are plug-ins, which a bare machine lacks.
postfix_packages='postfix postfix-sqlite postfix-pcre libsasl2-modules'
postfix_program=usr/lib/postfix/sbin/smtpd
sendmail_packages='sendmail-bin sendmail-cf m4'
sendmail_program=usr/libexec/sendmail/sendmail
dovecot_packages='dovecot-core dovecot-submissiond'
dovecot_program=usr/lib/dovecot/submission-login
sasl_packages='sasl2-bin libsasl2-modules libsasl2-modules-db'
sasl_program=usr/sbin/testsaslauthd
# Python's interpreter it takes from the machine, like the tests.
fail2ban_packages=fail2ban
fail2ban_program=usr/bin/fail2ban-regex
accounts_packages=libnss-wrapper
accounts_program=usr/lib/$(uname -m)-linux-gnu/libnss_wrapper.so

# installed PACKAGE: whether the machine has it
installed()
{
	dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null |
	    grep -q '^install ok installed$'
}

# libraries DEB: the shared libraries it depends on, one package a line.
# Everything else it depends on (debconf, adduser, ...) serves its install
# scripts, which do not run here.
libraries()
{
	for field in Depends Pre-Depends; do
		dpkg-deb -f "$1" "$field"
	done | tr ',' '\n' | sed 's/^ *//; s/[ (|:].*//' |
	    grep '^lib' || :
}

# download PACKAGE: its .deb into the current directory
download()
{
	apt-get -q -o APT::Sandbox::User=root download "$1" >apt.log 2>&1
}

# usable TREE PROGRAM: whether it holds what we would put there now, and
# PROGRAM finds all its libraries
usable()
{
	[ -f "$1/complete" ] || return 1
	[ "$(cat "$1/complete")" = "$contents" ] || return 1
	! LD_LIBRARY_PATH=$(cat "$1/libpath") ldd "$1/$2" 2>/dev/null |
	    grep -q 'not found'
}

# unpack TREE PACKAGE...: the packages and the libraries they lack
unpack()
{
	tree=$1
	shift
	updated=no
	while [ $# -gt 0 ]; do
		if ! download "$1"; then
			[ "$updated" = no ] || break
			updated=yes
			apt-get -q update >apt.log 2>&1 || :
			download "$1" || break
		fi
		deb=$(echo "$1"_*.deb)
		dpkg-deb -x "$deb" "$tree"
		for library in $(libraries "$deb"); do
			installed "$library" && continue
			case " $* $seen " in
			*" $library "*) ;;
			*) set -- "$@" "$library" ;;
			esac
		done
		seen="$seen $1"
		rm -f "$deb"
		shift
	done
	if [ $# -gt 0 ]; then
		cat apt.log >&2
		die "cannot download the package $1"
	fi
}

[ $# -eq 2 ] || die 'usage: packages.sh postfix|sendmail|dovecot|sasl|fail2ban|accounts DIR'
case $1 in
postfix) packages=$postfix_packages program=$postfix_program ;;
sendmail) packages=$sendmail_packages program=$sendmail_program ;;
dovecot) packages=$dovecot_packages program=$dovecot_program ;;
sasl) packages=$sasl_packages program=$sasl_program ;;
fail2ban) packages=$fail2ban_packages program=$fail2ban_program ;;
accounts) packages=$accounts_packages program=$accounts_program ;;
*) die "don't know what $1 is" ;;
esac
for tool in apt-get dpkg-deb dpkg-query flock ldd; do
	command -v "$tool" >/dev/null || die "$tool is missing: is this Debian?"
done

contents="$packages of Debian $(cat /etc/debian_version)"

mkdir -p "$2"
base=$(cd "$2" && pwd -P)
exec 9>"$base/lock"
flock 9
if ! usable "$base/$1" "$program"; then
	work=$base/work
	seen=
	rm -rf "${base:?}/$1" "$work"
	mkdir -p "$work/tree"
	cd "$work"
	# shellcheck disable=SC2086 # a list of words
	unpack "$work/tree" $packages
	# LD_LIBRARY_PATH is not honoured for set-id programs, and none of
	# these needs a privilege that its caller does not have
	find "$work/tree" -type f -perm /6000 -exec chmod ug-s {} +
	cd "$base"
	mv "$work/tree" "$base/$1"
	rm -rf "$work"
	find "$base/$1" -name '*.so*' -printf '%h\n' | sort -u |
	    tr '\n' ':' | sed 's/:$//' >"$base/$1/libpath"
	echo "$contents" >"$base/$1/complete"
	usable "$base/$1" "$program" ||
	    die "$1 lacks libraries: $(LD_LIBRARY_PATH=$(cat "$base/$1/libpath") \
	        ldd "$base/$1/$program" | grep 'not found' | tr -s '\n\t' '  ')"
fi
echo "$base/$1"
