#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# analyse.sh tidy|cppcheck: build once with clang in analysis/ of the build
# tree, under bear, which records how each file is compiled; then let the
# tool read every file the way the compiler does.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

what=$1
sources=$(pwd)
need bear bear
need clang clang
case $what in
tidy) need clang-tidy clang-tidy ;;
cppcheck) need cppcheck cppcheck ;;
*)
	echo "usage: analyse.sh tidy|cppcheck" >&2
	exit 64
	;;
esac

mkdir -p "${top_builddir:?}/analysis"
cd "$top_builddir/analysis"
[ -f Makefile ] || "$sources/configure" -q --disable-hardening CC=clang
make -s clean
# one after the other: both would build the libraries
bear -- sh -c 'make -s -j2 all && make -s -j2 analysis-programs'

# Only ours, each once.
list=$(sed -n 's/^ *"file": "\(.*\)",*$/\1/p' compile_commands.json | sort -u)
[ -n "$list" ] || {
	echo "analyse.sh: bear recorded nothing" >&2
	exit 1
}
case $what in
tidy)
	# one file each: with several, the analyzer of clang 14 takes every
	# va_list after the first file for uninitialised
	printf '%s\n' "$list" |
	    xargs -P 2 -n 1 clang-tidy -p . --quiet
	;;
cppcheck)
	cppcheck --project=compile_commands.json \
	    --enable=warning,performance,portability,style --std=c11 \
	    --library=posix --inline-suppr -j 2 --quiet --error-exitcode=2 \
	    --suppress=missingIncludeSystem --suppress=unusedStructMember \
	    --suppress=variableScope --suppress=knownConditionTrueFalse
	;;
esac
