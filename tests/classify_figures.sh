#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# classify_figures.sh FILE [POSTERNCTL]: how well `posternctl classify' does
# on labelled replies. FILE is tab separated with a header line: code,
# enhanced status, text, label; further columns do not matter.
#
# Prints a line for each reply that is not what its label says, then the two
# figures: refusals of us that were called an unknown user (must be none) and
# the share that is right (at least 97 in 100). Exits 1 when either is missed.
set -eu

[ $# -ge 1 ] || {
	echo "usage: classify_figures.sh FILE [POSTERNCTL]" >&2
	exit 64
}
file=$1
program=${2:-./tools/posternctl}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

tail -n +2 "$file" | awk -F '\t' '{
	print $1 ($2 == "" ? "" : " " $2) " " $3 }' >"$dir/replies"
tail -n +2 "$file" | cut -f4 >"$dir/labels"
"$program" classify <"$dir/replies" >"$dir/answers"
[ "$(wc -l <"$dir/labels")" -eq "$(wc -l <"$dir/answers")" ] || {
	echo "classify_figures.sh: not one answer per reply" >&2
	exit 70
}

paste "$dir/labels" "$dir/answers" | awk -F '\t' '
$1 != $2 {
	wrong++
	lost += $1 == "refused_us" && $2 == "nouser"
	print "want " $1 ", got " $2 ": " $3
}
END {
	printf "%d replies, %d right (%.1f %%), ", NR, NR - wrong,
	    NR ? 100 * (NR - wrong) / NR : 0
	printf "%d refusals of us called an unknown user\n", lost
	exit NR == 0 || lost > 0 || wrong > 0.03 * NR
}'
