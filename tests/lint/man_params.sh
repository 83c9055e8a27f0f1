#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# postern.conf(5) and the table of options say the same: every option with
# its default, nothing else, and every section. In the page an option is
#
#	.It Cm NAME = DEFAULT
#
# and a section is named in a line that begins with .Ss or .Ic.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

page=man/postern.conf.5
list=${top_builddir:?}/tests/lint/params_list
[ -f "$page" ] || skip "no $page"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$list" >"$work/list"
cut -d ' ' -f 2- "$work/list" | sort -u >"$work/table"
sed -n 's/^\.It Cm \([a-z_]*\) = \(.*\)$/\1 \2/p' "$page" |
    sed 's/\\(dq/"/g' | sort -u >"$work/page"
if ! [ -s "$work/table" ] || ! [ -s "$work/page" ]; then
	echo "man_params: nothing to compare"
	exit 1
fi

status=0
comm -23 "$work/table" "$work/page" | sed "s|^|$page lacks: |" >"$work/lacks"
comm -13 "$work/table" "$work/page" |
    sed "s|^|$page has what params.h has not: |" >>"$work/lacks"
grep -E '^\.(Ss|Ic) ' "$page" >"$work/sections"
cut -d ' ' -f 1 "$work/list" | sort -u | grep -v '^-$' |
    while read -r section; do
	grep -qw -e "$section" "$work/sections" ||
	    echo "$page lacks the section $section"
    done >>"$work/lacks"
[ ! -s "$work/lacks" ] || {
	cat "$work/lacks"
	status=1
}
exit $status
