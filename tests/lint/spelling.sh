#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# codespell knows the common slips. Words of ours that it takes for one are
# in spelling.words, lower case, one per line.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

need codespell codespell
docs=$(for f in README.md HACKING.md Makefile.am configure.ac m4/postern_*.m4; do
	[ ! -f "$f" ] || echo "$f"
done)
# Servers' phrases are in many languages, and spelled as servers spell.
# shellcheck disable=SC2046,SC2086 # names in this tree have no blanks
codespell -I tests/lint/spelling.words \
    -S '*common/classify_table.c,*tests/unit/test_classify*.c' $docs $(c_files; scripts
    files '*.mk' '*.py' '*.lua' '*.md' '*.[1-9]')
