#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh SECONDS TARGET...: let libFuzzer work on each target for SECONDS,
# two at a time, starting from the seeds in tests/corpus. What it finds goes
# to fuzz/NAME of the build tree. Goes through all of them before it fails.
set -eu

seconds=$1
shift
cd "${top_builddir:?}"

# one TARGET: fuzz it; the verdict is left in fuzz/NAME.status
one()
{
	name=$(basename "$1")
	name=${name#fuzz_}
	mkdir -p "fuzz/$name"
	rc=0
	"./$1" -max_total_time="$seconds" -max_len=4096 -timeout=5 \
	    -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix="fuzz/$name-" "fuzz/$name" \
	    "${top_srcdir:?}/tests/corpus/$name" \
	    >"fuzz/$name.log" 2>&1 || rc=$?
	echo $rc >"fuzz/$name.status"
}

failed=0
# report TARGET: what became of it
report()
{
	name=$(basename "$1")
	name=${name#fuzz_}
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
	    "fuzz/$name.log")
	if [ "$(cat "fuzz/$name.status")" = 0 ]; then
		echo "PASS: $1 (${runs:-0} runs)"
	else
		tail -n 40 "fuzz/$name.log"
		echo "FAIL: $1"
		failed=$((failed + 1))
	fi
}

total=$#
while [ $# -gt 0 ]; do
	one "$1" &
	if [ $# -gt 1 ]; then
		one "$2" &
	fi
	wait
	report "$1"
	shift
	if [ $# -gt 0 ]; then
		report "$1"
		shift
	fi
done
echo "fuzz: $((total - failed)) passed, $failed failed"
[ $failed -eq 0 ]
