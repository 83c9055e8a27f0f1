#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# coverage.sh llvm|gcov: what the tests that have just run did not reach.
# Look at the error branches, not at the percentage.
set -eu

kind=$1
cd "${top_builddir:?}"
case $kind in
llvm)
	llvm-profdata merge -sparse coverage/*.profraw -o coverage/all.profdata
	# every program is looked into: the first by name, the rest by -object
	set --
	for p in $LINT_PROGRAMS $LINT_CHECK_PROGRAMS; do
		if [ $# -eq 0 ]; then
			set -- "$p"
		else
			set -- "$@" -object "$p"
		fi
	done
	llvm-cov report "$@" -instr-profile=coverage/all.profdata \
	    -ignore-filename-regex='(^|/)tests/'
	;;
gcov)
	command -v gcovr >/dev/null 2>&1 || {
		echo "gcovr is missing (Debian: gcovr)" >&2
		exit 1
	}
	gcovr --root "${top_srcdir:?}" --object-directory . \
	    --exclude '.*tests/.*' --exclude-throw-branches .
	;;
*)
	echo "usage: coverage.sh llvm|gcov" >&2
	exit 64
	;;
esac
