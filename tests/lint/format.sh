#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# C code looks as .clang-format says. Other versions of clang-format break
# some lines elsewhere, hence the one version.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

tool=
for t in clang-format-14 clang-format; do
	if command -v "$t" >/dev/null 2>&1 &&
	    "$t" --version | grep -q 'version 14\.'; then
		tool=$t
		break
	fi
done
[ -n "$tool" ] || skip "clang-format 14 is missing (Debian: clang-format)"

# shellcheck disable=SC2046 # names in this tree have no blanks
wrong=$("$tool" --dry-run -Werror $(c_files) 2>&1 |
    sed -n 's/: error: code should be clang-formatted.*//p' |
    sort -t: -k1,1 -u)
[ -n "$wrong" ] || exit 0
# the first place in each file; diff shows the rest
printf '%s\n' "$wrong"
echo "run: $tool -i FILE"
exit 1
