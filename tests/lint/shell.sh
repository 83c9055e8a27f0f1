#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Scripts pass shellcheck and stop at the first unexpected failure.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

need shellcheck shellcheck
status=0
# shellcheck disable=SC2046 # names in this tree have no blanks
shellcheck -x $(scripts) || status=1
for f in $(scripts); do
	head -n 1 "$f" | grep -q '^#!' || continue # a part of another script
	grep -qE '^set -e?u' "$f" || {
		echo "$f: no set -eu"
		status=1
	}
done
exit $status
