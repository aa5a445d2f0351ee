#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What nobody means to do and somebody does: closed descriptors, empty names, control characters, logs with holes.
# sanitizers: too

load helper

open_record='{"trial":1,"assignments":{},"seed":1,"status":"open","attempt":1}'
result='{"trial":1,"assignments":{"learning_rate":0.01,"batch_size":64},"status":"completed","metrics":{"val_macro_f1":0.5}}'

# ends STATUS COMMAND…: ends so within 10 s.
ends() {
	local expected=$1 got=0
	shift
	timeout 10 "$@" || got=$?
	[ "$got" -eq "$expected" ] || { echo "$* ended with $got, not $expected" >&2; return 1; }
}

@test "a closed stdout is exit 4, and no file takes its place" {
	experiment
	ends 4 mb-suggest -n 1 >&-
	ends 4 mb-suggest >&-
	ends 4 mb-suggest -l - >&- </dev/null
	ends 4 mb-train >&- <<<"$open_record"
	ends 4 mb-collect >&- <<<"$result"
	ends 4 mb-collect --best >&-
	ends 4 mb-deploy plan >&-
	[ "$(cat trials.ndjson.lock)" = ofd ]
	jq -e . trials.ndjson
	mb-collect --fsck
}

@test "a closed stdin is exit 4, and does not hang" {
	experiment
	ends 4 mb-train <&-
	ends 4 mb-collect <&-
	ends 4 mb-eval <&-
	ends 4 mb-suggest -l - <&-
	ends 0 mb-suggest -n 1 <&-
}

@test "with stderr closed, words go nowhere" {
	experiment
	ends 3 mb-collect 2>&- <<<"no record"
	ends 0 mb-suggest -n 1 2>&-
	[ "$(cat trials.ndjson.lock)" = ofd ]
	[ "$(wc -l <trials.ndjson)" -eq 1 ]
}

@test "mb-time leaves what is closed closed" {
	experiment
	mb-time -o spans sh -c '[ ! -e /proc/$$/fd/0 ] && [ -e /proc/$$/fd/1 ]' <&-
	mb-time -o spans sh -c '[ ! -e /proc/$$/fd/1 ] && [ -e /proc/$$/fd/0 ]' >&-
	[ "$(wc -l <spans)" -eq 4 ]
}

@test "a full disk is exit 4 for the coprocess too" {
	experiment
	ends 4 mb-suggest -l - </dev/null >/dev/full
	ends 4 mb-suggest -n 1 -l - </dev/null >/dev/full
}

@test "blank lines are nothing, in every tool" {
	experiment
	printf '\n \t\r\n%s\r\n\n' "$result" >in
	run --separate-stderr mb-collect -q <in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	mb-suggest -n 1 -l - --history in <in | jq -e '.trial == 2'
	head -c 1000000 /dev/zero | tr '\0' '\n' >blank
	for tool in mb-train mb-collect 'mb-suggest -l -'; do
		run --separate-stderr $tool -q <blank
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
	done
}

@test "control characters of records do not reach the terminal" {
	experiment
	cat >in <<-'END'
	{"trial":1,"assignments":{"\u001b[31mx":null}}
	{"trial":"\u009b31m\u007f"}
	{"trial":1,"assignments":{"\u001b[31my":1},"status":"failed","error":"\u001b[31m"}
	{"trial":2,"experiment":"\u001b[31mred","status":"failed"}
	END
	mb-collect <in >out 2>err || [ $? -eq 2 ]
	grep -q 'stdin:1: assignments.\\x1b\[31mx: null is not' err
	mb-collect --summary >>err
	sed -i '$d' in
	sed -i 's/"failed"/"open"/' in
	mb-train <in >out 2>>err || [ $? -eq 3 ]
	mb-eval <in >out 2>>err || [ $? -eq 3 ]
	fails grep -P '[\x00-\x08\x0e-\x1f\x7f]' err
	fails grep -P '\xc2[\x80-\x9f]' err
}

@test "records without a number that come at once each get one" {
	experiment
	unnumbered=${result/\"trial\":1,/}
	printf '%s\n' "$unnumbered" "$unnumbered" "$unnumbered" | mb-collect -q >out
	[ "$(jq -c .trial out | xargs)" = "1 2 3" ]
	[ "$(jq -c .trial trials.ndjson | xargs)" = "1 2 3" ]
}

@test "the last trial number there is: told, and nothing else is lost" {
	experiment
	{
		echo "${result/:1,/:9007199254740992,}"
		echo "${result/:1,/:9007199254740991,}"
		echo "${result/\"trial\":1,/}"
		echo "$result"
	} >in
	run --separate-stderr mb-collect -q <in
	[ "$status" -eq 3 ]
	[ "${stderr_lines[0]}" = "mb-collect: stdin:1: trial: 9007199254740992 is not an integer below 2^53" ]
	[ "${stderr_lines[1]}" = "mb-collect: stdin:3: trial: no number is left after 9007199254740991, which trials.ndjson holds" ]
	[ "$(jq -c .trial trials.ndjson | xargs)" = "9007199254740991 1" ]
	run mb-suggest -n 1
	[ "$status" -ne 0 ]
	[[ "$output" == *"no number is left"* ]]
}

@test "a block of NUL bytes in the log is set aside, and the lines after it" {
	experiment
	mb-suggest -q -n 2 >/dev/null
	{
		cat trials.ndjson
		head -c 5000 /dev/zero
		printf '\nno record\n'
		printf '%s\n' "$result"
	} >whole
	cp whole trials.ndjson
	run -1 mb-collect --fsck
	mb-collect --fsck --repair
	mb-collect --fsck
	[ "$(wc -c <trials.ndjson)" -eq "$(wc -c <whole)" ]
	jq -se 'length == 3' trials.ndjson
	[ "$(wc -l <trials.ndjson.torn)" -eq 2 ]
}

@test "an empty name is wrong usage" {
	experiment
	for command in 'mb-suggest -l' 'mb-suggest -a' 'mb-train -m' 'mb-train -d' 'mb-collect -e' 'mb-eval --data' 'mb-time -o'; do
		run $command ''
		[ "$status" -eq 2 ]
		[[ "$output" == *"is empty (see --help)" ]]
	done
	run mb-collect -l - <<<"$result"
	[ "$status" -eq 2 ]
	[ ! -e ./- ]
}

@test "a log in a folder that is not there is named as it was given" {
	experiment
	run mb-suggest -n 1 -l none/such.ndjson
	[ "$status" -eq 4 ]
	[ "$output" = "mb-suggest: none/such.ndjson.lock: No such file or directory" ]
}

@test "a log that is removed while in use ends all with words" {
	experiment
	mkfifo in
	mb-collect <in 2>err 3>&- &
	exec 9>in
	echo "$result" >&9
	until_true test -s trials.ndjson
	rm trials.ndjson
	echo "${result/:1,/:2,}" >&9
	exec 9>&-
	wait $! || status=$?
	[ "$status" -eq 4 ]
	grep -q 'trials.ndjson: was removed or replaced while in use' err
	fails grep -q Sanitizer err
}

@test "an unknown kind of lock is refused before it is written" {
	experiment
	MB_LOCK=lockf run mb-suggest -n 1
	[ "$status" -eq 2 ]
	[ ! -e trials.ndjson.lock ]
	mb-suggest -n 1
}

@test "a pipe without a trainer says so" {
	experiment
	mb-suggest -q -n 2 | mb-collect 2>err | jq -se 'map(.status) == ["open", "open"]'
	[ "$(grep -c 'stdin:1: a suggestion, not a result' err)" -eq 1 ]
	[ "$(wc -l <err)" -eq 2 ]
}

@test "an interrupted trial that was issued elsewhere goes out with the next attempt" {
	experiment
	printf '{"trial":4,"status":"interrupted","attempt":2,"assignments":{"learning_rate":0.01,"batch_size":64}}\n' >in
	mb-suggest -n 1 -l - <in | jq -e '.trial == 4 and .attempt == 3'
}
