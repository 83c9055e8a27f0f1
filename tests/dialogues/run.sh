#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh [DIALOGUE...]: play each dialogue against ask and compare.
#
# A dialogue is a script for tests/upstream/scripted whose first comments say
# what is asked and what must come of it:
#
#   # ask: ARGUMENTS      of ask; CERTS/ is the directory of certificates
#   # at: WHERE           far (default): ask is given mx.example.org and takes
#                         the upstream for a distant host; near: the port on
#                         127.0.0.1; unix: a Unix socket; none: no upstream,
#                         the endpoint is among the arguments
#   # to: ENDPOINT        what ask is given with `far`
#   # rcpt: ADDRESS...    the recipients
#   # out: PATTERN        one line of the output, in order; a shell pattern
#   # hidden: TEXT        must be nowhere in output and trace
#   # within: MS          all of it, at most (3000), times TEST_PATIENCE
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${top_builddir:-.}/tests
scripted=$build/upstream/scripted
ask=$build/dialogues/ask
work=$(mktemp -d "${TMPDIR:-/tmp}/dialogues.XXXXXX")
server=
failed=0
played=0

stop()
{
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

# value KEY FILE: what stands behind "# KEY: ", each on its line
value()
{
	sed -n "s/^# $1: //p" "$2"
}

now_ms()
{
	date +%s%3N
}

complain()
{
	echo "$(basename "$file"): $*"
	bad=yes
}

# start_server FILE WHERE: sets place
start_server()
{
	: >"$work/port"
	if [ "$2" = unix ]; then
		"$scripted" -q -t 20 -C "$work/certs" -u "$work/sock" "$1" \
		    >"$work/port" 2>"$work/server" &
	else
		"$scripted" -q -t 20 -C "$work/certs" "$1" \
		    >"$work/port" 2>"$work/server" &
	fi
	server=$!
	tries=0
	while [ ! -s "$work/port" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 200 ] || ! kill -0 "$server" 2>/dev/null; then
			cat "$work/server"
			echo "the upstream does not start"
			exit 1
		fi
		sleep 0.02
	done
	place=$(head -n 1 "$work/port")
}

# compare: the output with the patterns, line by line
compare()
{
	value out "$file" >"$work/want"
	[ -s "$work/want" ] || complain "says not what must come"
	exec 3<"$work/want" 4<"$work/out"
	while :; do
		want=
		got=
		more=no
		IFS= read -r want <&3 && more=yes
		IFS= read -r got <&4 && more=yes
		[ $more = yes ] || break
		# shellcheck disable=SC2254 # it is a pattern
		case $got in
		$want) [ -n "$got" ] || complain "want \"$want\"" ;;
		*) complain "got \"$got\", want \"$want\"" ;;
		esac
	done
	exec 3<&- 4<&-
}

play()
{
	file=$1
	bad=no
	where=$(value at "$file")
	where=${where:-far}
	to=$(value to "$file")
	to=${to:-mx.example.org}
	within=$(value within "$file")
	args=$(value ask "$file" | sed "s,CERTS/,$work/certs/,g")
	place=
	[ "$where" = none ] || start_server "$file" "$where"
	case $where in
	far) where="-D 127.0.0.1:$place $to" ;;
	near) where="127.0.0.1:$place" ;;
	lmtp) where="lmtp:127.0.0.1:$place" ;;
	unix) where="unix:$place" ;;
	none) where= ;;
	*) complain "at: $where?" ;;
	esac
	begun=$(now_ms)
	# shellcheck disable=SC2046,SC2086 # words are meant
	timeout 30 "$ask" -v $args $where $(value rcpt "$file") \
	    >"$work/out" 2>"$work/trace" || complain "ask: exit status $?"
	took=$(($(now_ms) - begun))
	[ $took -le $((${within:-3000} * ${TEST_PATIENCE:-1})) ] ||
	    complain "took $took ms"
	if [ -n "$server" ]; then
		status=0
		wait "$server" || status=$?
		server=
		[ $status -eq 0 ] || complain "$(cat "$work/server")"
	fi
	compare
	value hidden "$file" >"$work/hidden"
	if [ -s "$work/hidden" ] &&
	    grep -F -f "$work/hidden" "$work/out" "$work/trace"; then
		complain "that was to be hidden"
	fi
	played=$((played + 1))
	[ $bad = no ] && return
	failed=$((failed + 1))
	sed 's/^/    /' "$work/out" "$work/trace"
}

sh "$here/../upstream/mkcerts" "$work/certs" >/dev/null 2>&1
cat "$work/certs/client.crt" "$work/certs/client.key" \
    >"$work/certs/client.pem"
[ $# -gt 0 ] || set -- "$here"/session/*.txt
for dialogue in "$@"; do
	play "$dialogue"
done
echo "$played dialogues, $failed failed"
[ $failed -eq 0 ]
