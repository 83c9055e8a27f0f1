#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Dependencies point one way. Each file of common/ stands in the fragment of
# its room; it may include headers of its own room and of those before it.
# And library code returns: it neither ends nor rearranges the process.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

status=0
complain()
{
	printf '%s\n' "$*"
	status=1
}

# -- nothing of the programs, libmilter or SASL in common/
found=$(grep -nE \
    '#[[:space:]]*include[[:space:]]+[<"](milter/|saslauth-plugin/|front/|tools/|tests/|libmilter/|sasl/)' \
    common/*.[ch] || :)
[ -z "$found" ] ||
    complain "$found
common/ knows nothing of the programs, libmilter or SASL"

# -- curl.h has one reader
found=$(grep -lE '#[[:space:]]*include[[:space:]]+<curl/' common/*.[ch] \
    milter/*.[ch] tools/*.[ch] 2>/dev/null | grep -v '^common/dial\.c$' || :)
[ -z "$found" ] || complain "$found: only common/dial.c includes libcurl"

# -- rooms in order; what no fragment lists is not built
rooms='base values setup io use daemon'
for f in common/*.[ch]; do
	home=
	seen=
	for room in $rooms; do
		seen="$seen $room"
		if grep -qE "(^|[[:space:]])$f([[:space:]]|\$)" \
		    "common/$room.mk"; then
			home=$room
			break
		fi
	done
	if [ -z "$home" ]; then
		# a contract may be written before its code is
		[ "${f%.h}" != "$f" ] || complain "$f: in no common/*.mk"
		continue
	fi
	# shellcheck disable=SC2013 # names in this tree have no blanks
	for h in $(sed -n \
	    's/^#[[:space:]]*include[[:space:]]*"\(common\/[^"]*\)".*/\1/p' \
	    "$f"); do
		ok=no
		for room in $seen; do
			if grep -qE "(^|[[:space:]])$h([[:space:]]|\$)" \
			    "common/$room.mk"; then
				ok=yes
				break
			fi
		done
		[ $ok = yes ] ||
		    complain "$f (room: $home) includes $h: of a later room, or in no common/*.mk"
	done
done

# -- only daemon.c may touch the process
lib=$(for f in common/*.c; do
	case $f in
	common/daemon*.c | 'common/*.c') ;;
	*) echo "$f" ;;
	esac
done)
process='exit|_exit|_Exit|quick_exit|abort|err|errx|signal|sigaction|alarm'
process="$process|setitimer|fork|vfork|daemon|setenv|putenv|unsetenv"
process="$process|syslog|vsyslog|openlog|closelog|longjmp|siglongjmp"
if [ -n "$lib" ]; then
	# shellcheck disable=SC2086 # names in this tree have no blanks
	found=$(calls "$process" $lib)
	[ -z "$found" ] ||
	    complain "$found
library code returns: it does not end, fork, log or rearrange the process"
fi

exit $status
