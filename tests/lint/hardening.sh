#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Hardening is checked in the result: flags can vanish on their way into a
# program without a word. Every program is position independent, has its
# relocations resolved and read-only at start, and no executable stack.
# Those we install call the stack protector's handler; of all of them
# together some call a fortified function.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

need readelf binutils
cd "${top_builddir:?}"

status=0
complain()
{
	echo "$*"
	status=1
}

seen=0
fortified=0
for p in $LINT_PROGRAMS $LINT_CHECK_PROGRAMS; do
	bin=$p
	[ ! -f "$(dirname "$p")/.libs/$(basename "$p")" ] ||
	    bin=$(dirname "$p")/.libs/$(basename "$p")
	seen=$((seen + 1))
	dynamic=$(readelf -dW "$bin")
	case $dynamic in
	*BIND_NOW* | *'Flags: NOW'*) ;;
	*) complain "$p: not linked with -z now" ;;
	esac
	case $dynamic in
	*PIE*) ;;
	*) complain "$p: not position independent" ;;
	esac
	segments=$(readelf -lW "$bin")
	case $segments in
	*GNU_RELRO*) ;;
	*) complain "$p: no read-only relocations" ;;
	esac
	printf '%s\n' "$segments" | grep GNU_STACK | grep -q 'RW ' ||
	    complain "$p: the stack may be executed"
	! printf '%s\n' "$segments" | grep LOAD | grep -q 'RWE' ||
	    complain "$p: a segment is writable and executable"
	symbols=$(readelf --dyn-syms -W "$bin")
	case " $LINT_PROGRAMS " in
	*" $p "*)
		case $symbols in
		*__stack_chk_fail*) ;;
		*) complain "$p: no stack protector" ;;
		esac
		;;
	esac
	if printf '%s\n' "$symbols" | grep -qE '__[a-z]+_chk(@|$)'; then
		fortified=$((fortified + 1))
	fi
done

[ $seen -gt 0 ] || skip "no program was built"
[ "$LINT_FORTIFY" = no ] || [ $fortified -gt 0 ] ||
    complain "none of $seen programs calls a fortified function"
[ $status -ne 0 ] || echo "$seen programs, $fortified of them fortified"
exit $status
