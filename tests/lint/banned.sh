#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# No call of a function that cannot be told how much room there is, parses
# without saying that it failed, or keeps its result in a shared buffer.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

unbounded='strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strncpy|strncat|alloca'
parsing='atoi|atol|atoll|atof|sscanf|scanf'
shared='strtok|strerror|localtime|gmtime|ctime|asctime|inet_ntoa|inet_addr'
racy='gethostbyname|getpwnam|getpwuid|getgrnam|getgrgid|readdir_r'
racy="$racy|tmpnam|tempnam|mktemp"
other='system|popen|setjmp|longjmp|rand|srand'

# The tests run alone in their process and may look up users and commands.
# shellcheck disable=SC2046 # names in this tree have no blanks
found=$(
	calls "$unbounded|$parsing|$shared|tmpnam|tempnam|mktemp" $(c_files)
	calls "$racy|$other" $(c_files | grep -v -e ^tests/ -e ^bench/)
)
[ -n "$found" ] || exit 0
printf '%s\n' "$found" | sort -u
echo "banned: use strbuf or a checked snprintf, number.h, the _r variants"
exit 1
