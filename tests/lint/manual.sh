#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# mandoc has nothing to warn about. (-W style would fail on every
# cross-reference to a page that is not installed.)
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

need mandoc mandoc
pages=$(files '*.[1-9]' | grep '^man/' || :)
[ -n "$pages" ] || skip "no manual pages"
# shellcheck disable=SC2086 # names in this tree have no blanks
mandoc -T lint -W warning $pages
