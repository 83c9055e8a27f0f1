#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A check that cannot fail proves nothing: each is given a small tree that
# is right, then the same tree with one thing wrong.
set -eu

lint=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/postern-lint.XXXXXX")
trap 'rm -rf "$work"' EXIT
top_srcdir=$work/tree
top_builddir=$work/tree
export top_srcdir top_builddir
failed=0

# reset: a tree in which nothing is wrong
reset()
{
	rm -rf "$work/tree"
	mkdir -p "$work/tree/common" "$work/tree/man" "$work/tree/tests/lint"
	cd "$work/tree"
	cp "$lint/spelling.words" tests/lint/
	cp "$lint/../../.clang-format" .
	cat >common/a.h <<-'END'
		/* SPDX-License-Identifier: BSD-2-Clause */
		#ifndef A_H
		#define A_H

		int a_add(int n);

		#endif
	END
	cat >common/a.c <<-'END'
		/* SPDX-License-Identifier: BSD-2-Clause */
		#include "common/a.h"

		/* strcpy() and abort() in a comment do no harm */
		int
		a_add(int n)
		{
		@const char *s = "exit(1)";

		@return n + (s != 0);
		}
	END
	sed -i 's/^@/	/' common/a.c
	sed 's/a_add/b_add/; s/common\/a/common\/b/; s/A_H/B_H/' \
	    common/a.h >common/b.h
	for room in base values setup io use daemon; do
		echo '# SPDX-License-Identifier: BSD-2-Clause' >common/$room.mk
	done
	echo 'libbase_la_SOURCES += common/a.c common/a.h' >>common/base.mk
	echo 'libpostern_la_SOURCES += common/b.h' >>common/io.mk
	cat >man/a.8 <<-'END'
		.Dd January 1, 2026
		.Dt A 8
		.Os
		.Sh NAME
		.Nm a
		.Nd add
	END
	cat >tests/run.sh <<-'END'
		#!/bin/sh
		# SPDX-License-Identifier: BSD-2-Clause
		set -eu
		echo "$1"
	END
}

# check NAME EXPECTED WHAT: run tests/lint/NAME.sh over the tree as it is
check()
{
	rc=0
	sh "$lint/$1.sh" >"$work/out" 2>&1 || rc=$?
	case $rc in
	0 | 77) ;;
	*) rc=1 ;;
	esac
	[ $rc -eq 77 ] || [ $rc -eq "$2" ] || {
		echo "$1: $3: exit $rc instead of $2"
		sed 's/^/    /' "$work/out"
		failed=$((failed + 1))
	}
}

# wrong NAME WHAT: the tree has a fault that NAME must find
wrong()
{
	check "$1" 1 "$2"
	reset
}

reset
for name in format banned layers headers size comments manual shell \
    spelling; do
	check $name 0 "a tree without a fault"
done

sed -i 's/^	return/  return/' common/a.c
wrong format "a line indented with blanks"

echo 'void f(char *d) { strcpy(d, "x"); }' >>common/a.c
wrong banned "a call of strcpy()"
printf 'int f(const char *s) { return atoi\n(s); }\n' >>common/a.c
echo 'long g(const char *s) { return atol (s); }' >>common/a.c
wrong banned "a call with a blank before its parenthesis"
mkdir milter
echo 'void f(char *d) { /* x */ sprintf(d, "x"); }' >milter/m.c
wrong banned "a call behind a comment, in another room"

echo '#include <libmilter/mfapi.h>' >>common/a.c
wrong layers "libmilter in common/"
echo '#include <curl/curl.h>' >>common/a.c
wrong layers "libcurl elsewhere than in dial.c"
echo '#include "common/b.h"' >>common/a.c
wrong layers "a header of a later room"
echo 'void f(void) { abort(); }' >>common/a.c
wrong layers "library code that ends the process"
echo 'int c;' >common/c.c
wrong layers "a source that is in no room"
echo 'void f(void) { exit(0); }' >common/daemon.c
echo 'libdaemon_la_SOURCES += common/daemon.c' >>common/daemon.mk
check layers 0 "daemon.c may end the process"
reset

echo 'size_t a_size(void);' >>common/a.h
wrong headers "a header that lacks an include"
echo 'enum { A };' >>common/a.h
wrong headers "a header that cannot be read twice"

awk 'BEGIN { for (i = 0; i < 601; i++) print "/* */" }' >common/b.c
wrong size "a file of 601 lines"
{
	printf 'int\nlong_one(void)\n{\n'
	awk 'BEGIN { for (i = 0; i < 81; i++) print "\t;" }'
	printf '}\n'
} >>common/a.c
wrong size "a function of 81 lines"

echo '/* TO''DO */' >>common/a.c
wrong comments "an open end"
sed -i 1d common/a.c
wrong comments "a source without a licence"

echo '.Xx' >>man/a.8
wrong manual "an unknown macro"

# shellcheck disable=SC2016 # the fault itself
echo 'echo $1' >>tests/run.sh
wrong shell "an unquoted variable"
sed -i '/^set/d' tests/run.sh
wrong shell "a script that goes on after a failure"

echo '/* sep''erate */' >>common/a.c
wrong spelling "a misspelt word"

# documented: a table of two options and a page that has them
documented()
{
	cat >tests/lint/params_list <<-'END'
		#!/bin/sh
		set -eu
		echo '- one 1'
		echo 's two {"a", "b"}'
	END
	chmod +x tests/lint/params_list
	printf '.Ss s\n.It Cm one = 1\n.It Cm two = {%s, %s}\n' \
	    '\(dqa\(dq' '\(dqb\(dq' >man/postern.conf.5
}
documented
check man_params 0 "a page that has every option"
sed -i '/^\.It Cm one/d' man/postern.conf.5
wrong man_params "an option that the page lacks"
documented
echo '.It Cm three = 3' >>man/postern.conf.5
wrong man_params "an option that the table lacks"
documented
sed -i 's/one = 1/one = 2/' man/postern.conf.5
wrong man_params "another default"
documented
sed -i 's/^\.Ss s/.Ss t/' man/postern.conf.5
wrong man_params "a section that the page lacks"

[ $failed -eq 0 ] || echo "$failed checks are wrong"
[ $failed -eq 0 ]
