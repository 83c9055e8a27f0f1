#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Sources name their licence in the first lines and carry no open ends.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

status=0
for f in $(c_files; scripts; files '*.mk'); do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || {
		echo "$f: no SPDX-License-Identifier in the first lines"
		status=1
	}
done

# Spelled with a bracket so that this file does not find itself.
# shellcheck disable=SC2046 # names in this tree have no blanks
if grep -nE '(^|[^A-Za-z_])(TOD[O]|FIXM[E]|XX[X]|HAC[K])([^A-Za-z_]|$)' \
    $(c_files; scripts; files '*.mk' '*.py' '*.lua' '*.[1-9]'); then
	echo "an open end: finish it, or say in the documentation what is not done"
	status=1
fi
exit $status
