# shellcheck shell=sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by the checks beside it: which files there are, how to skip, and a
# view of C code without its comments. It goes to the top of the sources.
#
# Files are looked for in the rooms where sources live, so that a build tree
# inside the source tree does not matter.

cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 1

# skip REASON: end this check as not applicable (automake: 77)
skip()
{
	echo "skipped: $*"
	exit 77
}

# need TOOL PACKAGE: skip unless TOOL is there
need()
{
	command -v "$1" >/dev/null 2>&1 || skip "$1 is missing (Debian: $2)"
}

# files PATTERN...: the files in the rooms whose names match
files()
{
	for room in common milter saslauth-plugin front tools tests bench man \
	    dist; do
		[ -d "$room" ] || continue
		for pattern; do
			find "$room" -type f -name "$pattern"
		done
	done | sort
}

# c_files: sources and headers, ours only
c_files()
{
	files '*.c' '*.h'
}

# scripts: everything that a POSIX shell or bash runs
scripts()
{
	{
		files '*.sh'
		for f in check quickstart .ci/run; do
			[ ! -f "$f" ] || echo "$f"
		done
		files '*' | while read -r f; do
			case $f in
			*.sh | tests/corpus/*) continue ;;
			esac
			first=$(head -c 64 "$f" | tr -d '\000' | head -n 1)
			case $first in
			'#!/bin/sh'* | '#!'*bash*) echo "$f" ;;
			esac
		done
	} | sort -u
}

# code FILE...: the C code with comments and the insides of strings and
# character constants blanked; every line is preceded by FILE:LINE:
code()
{
	awk '
	FNR == 1 { comment = 0 }
	{
		out = ""
		quote = ""
		n = length($0)
		for (i = 1; i <= n; i++) {
			c = substr($0, i, 1)
			two = substr($0, i, 2)
			if (comment) {
				if (two == "*/") {
					comment = 0
					i++
				}
			} else if (quote != "") {
				if (c == "\\")
					i++
				else if (c == quote) {
					quote = ""
					out = out c
				}
			} else if (two == "/*") {
				comment = 1
				i++
			} else if (two == "//") {
				break
			} else {
				if (c == "\"" || c == "\047")
					quote = c
				out = out c
			}
		}
		print FILENAME ":" FNR ":" out
	}' "$@"
}

# calls REGEX FILE...: lines of code that call a function whose whole name
# matches REGEX; a member or a longer name does not count
calls()
{
	names=$1
	shift
	[ $# -gt 0 ] || return 0
	# most files have none: read only those that might
	# shellcheck disable=SC2046 # names in this tree have no blanks
	set -- $(grep -lE "(^|[^A-Za-z0-9_])($names)[[:space:]]*\\(" "$@" || :)
	[ $# -gt 0 ] || return 0
	code "$@" |
	    grep -E ":.*(^|[^A-Za-z0-9_>.])($names)[[:space:]]*\\(" || :
}
