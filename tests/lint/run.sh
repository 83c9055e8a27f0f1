#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# make lint: every check of this directory, one line each.
set -u

here=$(dirname "$0")
passed=0
failed=0
skipped=0
for name in format banned layers headers size comments manual shell spelling; do
	out=$(sh "$here/$name.sh" 2>&1)
	case $? in
	0)
		passed=$((passed + 1))
		echo "ok       $name"
		;;
	77)
		skipped=$((skipped + 1))
		echo "skipped  $name ($out)"
		;;
	*)
		failed=$((failed + 1))
		echo "FAILED   $name"
		printf '%s\n' "$out" | sed 's/^/         /'
		;;
	esac
done
echo "lint: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
