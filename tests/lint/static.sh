#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The library has no variables of its own: threads share what they were
# given, and a second configuration can exist beside the first. The
# exceptions are listed here, each with its lock.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

# object and variable, one a line
allowed='
log.o table
conf_tree.o scanner
dial.o names
dial.o names_lock
'

need objdump binutils
cd "${top_builddir:?}"
status=0
for archive in .libs/libbase.a .libs/libpostern.a; do
	[ -f "$archive" ] || {
		echo "$archive: not built"
		exit 1
	}
	# sections of writable data; constant tables with addresses in them
	# are in .data.rel.ro, which is read-only by the time main() runs
	found=$(objdump -t "$archive" | awk '
	    / file format / { object = $1; sub(/:$/, "", object) }
	    / O \.t?(data|bss)/ && !/ \.data\.rel\.ro/ {
		name = $NF
		sub(/\.[0-9]+$/, "", name)
		print object, name
	    }')
	while read -r object name; do
		[ -n "$object" ] || continue
		case $allowed in
		*"
$object $name
"*) ;;
		*)
			echo "$archive: $object has a variable: $name"
			status=1
			;;
		esac
	done <<-END
		$found
	END
done
exit $status
