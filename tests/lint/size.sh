#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# One concept per file: 600 lines at most. One screen per function: 80.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

# A function's body stands between a { and a } in the first column.
# shellcheck disable=SC2046 # names in this tree have no blanks
awk '
function file_end()
{
	if (lines > 600) {
		printf "%s: %d lines (600 at most)\n", name, lines
		bad = 1
	}
}
FNR == 1 { if (NR > 1) file_end(); name = FILENAME; start = 0 }
{ lines = FNR }
/^[A-Za-z_].*\(/ { title = $0 }
/^\{/ { start = FNR }
/^\}/ {
	if (start && FNR - start - 1 > 80) {
		printf "%s:%d: %d lines in %s (80 at most)\n", FILENAME,
		    start, FNR - start - 1, title
		bad = 1
	}
	start = 0
}
END { file_end(); exit bad }' $(c_files)
