#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each header compiles alone, and twice.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

compiler=${CC:-cc}
status=0
for h in $(files '*.h'); do
	# shellcheck disable=SC2086 # the compiler and its flags are words
	printf '#include "%s"\n#include "%s"\n' "$h" "$h" |
	    $compiler -std=gnu11 -D_GNU_SOURCE -I. -I"${top_builddir:-.}" \
	    ${LINT_CPPFLAGS-} -Wall -Wextra -Werror -fsyntax-only -x c - || {
		echo "$h: does not stand alone"
		status=1
	}
done
exit $status
