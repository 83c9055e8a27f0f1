#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What dist/ ships works as it stands: the sample configuration loads without
# a warning and only observes, and so do those of postern.conf(5); systemd
# takes the units, and their sandboxes are worth something.
set -eu
# shellcheck source=tests/lint/files.sh
. "$(dirname "$0")/files.sh"

build=${top_builddir:?}
milter=$build/milter/postern-milter
work=$(mktemp -d "${TMPDIR:-/tmp}/postern-sample.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

complain()
{
	echo "$*"
	failed=1
}

# loads NAME FILE: postern-milter takes it and has nothing to say about it, but
# for databases that are not there
loads()
{
	if ! "$milter" -n -c "$2" >"$work/out" 2>"$work/err"; then
		complain "$1 does not load:"
		cat "$work/err"
	elif grep -v '^warning: .*datasource .* No such file or directory$' \
	    "$work/err" >"$work/said"; then
		complain "$1 loads with warnings:"
		cat "$work/said"
	fi
}

# -- configurations ----------------------------------------------------

loads postern.conf.sample dist/postern.conf.sample
grep -q '^ *mode = "observe"$' "$work/out" ||
    complain 'postern.conf.sample does not observe'

# every option in a comment is one there is, with its default, alone or not
sed 's/^\( *\)#\([a-z_]* = \)/\1\2/; /unix:\/run\/postern/d' \
    dist/postern.conf.sample >"$work/all.conf"
cmp -s dist/postern.conf.sample "$work/all.conf" &&
    complain 'postern.conf.sample has no commented option'
loads 'postern.conf.sample with its comments opened' "$work/all.conf"

# what loads() says yes to, it can say no to
sed 's/mode =/moed =/' dist/postern.conf.sample >"$work/bad.conf"
rc=0
"$milter" -n -c "$work/bad.conf" >"$work/out" 2>"$work/err" || rc=$?
[ $rc -eq 78 ] || complain "a misspelt option: exit $rc instead of 78"
grep -q 'bad.conf:[0-9]*: .*"mode"' "$work/err" ||
    complain 'a misspelt option: file, line and the right name are not told'

# the EXAMPLES of the manual page, one file each
awk -v dir="$work" '
/^\.Sh/ { examples = $0 == ".Sh EXAMPLES" }
examples && /^\.Bd/ { file = dir "/example" ++n ".conf"; next }
/^\.Ed/ { file = ""; next }
file != "" { gsub(/\\e/, "\\"); gsub(/\\\(dq/, "\""); print >file }
' man/postern.conf.5
examples=0
for f in "$work"/example*.conf; do
	# lines of a data file have no braces
	grep -q '{' "$f" || continue
	examples=$((examples + 1))
	loads "example $examples of postern.conf(5)" "$f"
done
[ $examples -ge 3 ] || complain "postern.conf(5): $examples examples found"

# -- systemd -----------------------------------------------------------

if command -v systemd-analyze >/dev/null 2>&1; then
	for unit in postern-authd postern-milter; do
		# the programs are not installed: others stand in for them
		sed 's|^\(Exec[A-Za-z]*=\)/[^ ]*|\1/bin/true|' \
		    "$build/dist/$unit.service" >"$work/$unit.service"
		systemd-analyze verify --man=no "$work/$unit.service" \
		    >"$work/out" 2>&1 ||
		    complain "systemd does not take $unit.service:"
		if grep "$unit" "$work/out"; then
			complain "systemd has something to say about the unit"
		fi
		# 1.6 when this was written; a plain unit has 9.6
		systemd-analyze security --offline=true --threshold=20 \
		    "$work/$unit.service" >"$work/out" 2>&1 || {
			tail -n 1 "$work/out"
			complain "the sandbox of $unit.service has become weak"
		}
	done
else
	echo 'systemd-analyze is missing: the units were not looked at'
fi
if command -v systemd-sysusers >/dev/null 2>&1; then
	mkdir -p "$work/root/etc"
	systemd-sysusers --root="$work/root" \
	    "$build/dist/sysusers.d/postern.conf" >"$work/out" 2>&1 ||
	    complain 'systemd-sysusers fails'
	grep -q '^postern:' "$work/root/etc/passwd" ||
	    complain 'systemd-sysusers makes no account'
fi

# -- paths -------------------------------------------------------------

for f in postern-authd.service postern-milter.service \
    sysusers.d/postern.conf \
    tmpfiles.d/postern.conf; do
	if grep -n '@[a-z]*@' "$build/dist/$f"; then
		complain "$f: a directory was not put in"
	fi
done

exit $failed
