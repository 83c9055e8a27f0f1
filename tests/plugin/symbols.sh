#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Every SASL application of a machine loads libpostern.so: it shows one
# symbol, brings no library along but libc, and uses nothing with which it
# could rearrange the process that it is a guest in. _exit() is for Sendmail's
# children alone (postern_unsure).
set -eu

command -v readelf >/dev/null 2>&1 || {
	echo "skipped: readelf is missing (Debian: binutils)"
	exit 77
}
module=${top_builddir:?}/saslauth-plugin/.libs/libpostern.so
status=0
complain()
{
	echo "$*"
	status=1
}

symbols=$(readelf --dyn-syms -W "$module" |
    awk '$1 ~ /^[0-9]+:$/ && $8 != "" { print ($7 == "UND" ? "U" : "D"), $8 }')

shown=$(printf '%s\n' "$symbols" | sed -n 's/^D //p')
[ "$shown" = sasl_server_plug_init ] || complain "exports: $shown"

needs=$(readelf -dW "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
for library in $needs; do
	case $library in
	libc.so.* | libc.musl-*) ;;
	*) complain "needs $library" ;;
	esac
done
[ -n "$needs" ] || complain "needs no library at all: was it read?"

for name in $(printf '%s\n' "$symbols" | sed -n 's/^U //p' | sed 's/@.*//'); do
	case $name in
	fork | vfork | clone | pthread_create | signal | sigaction | \
	    sigprocmask | pthread_sigmask | alarm | setitimer | exit | \
	    abort | syslog | openlog | setenv | putenv | chdir | \
	    umask | setuid | setgid | dlopen | sasl_*)
		complain "uses $name"
		;;
	esac
done

dynamic=$(readelf -dW "$module")
case $dynamic in
*TEXTREL*) complain "has text relocations" ;;
esac
[ "${LINT_FORTIFY:-no}" = no ] || case $dynamic in
*BIND_NOW* | *'Flags: NOW'*) ;;
*) complain "not linked with -z now" ;;
esac
case $dynamic in
*RPATH* | *RUNPATH*) complain "has a path of its own for libraries" ;;
esac
segments=$(readelf -lW "$module")
printf '%s\n' "$segments" | grep GNU_STACK | grep -q 'RW ' ||
    complain "the stack may be executed"
! printf '%s\n' "$segments" | grep LOAD | grep -q 'RWE' ||
    complain "a segment is writable and executable"
exit $status
