#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sanitizers: too
#
# mb-time: the command is untouched, its span is whole, and the report adds up.

load helper

# span NAME: a member of the only span in spans.ndjson.
span() {
	jq -r "select(.event == \"span\") | .$1" spans.ndjson
}

@test "stdin, stdout, stderr, arguments and exit status pass through" {
	status=0
	printf 'in\n' | mb-time -- sh -c 'cat; printf "%s|" "$@"; echo err >&2; exit 7' sh 'a b' '' '*' >out 2>err || status=$?
	[ "$status" = 7 ]
	[ "$(cat out)" = "in
a b||*|" ]
	[ "$(cat err)" = err ]
}

@test "options after the command are the command's" {
	[ "$(mb-time -p load echo -p --report -h)" = "-p --report -h" ]
	[ "$(span phase)" = load ]
}

@test "a begin line, then a span with what was measured" {
	mb-time -p train sh -c 'head -c 50000000 /dev/zero | tail -c 40000000 >/dev/null; exit 3' || true
	[ "$(jq -r .event spans.ndjson | tr '\n' ' ')" = "begin span " ]
	[ "$(jq -s '.[0].id == .[1].id and .[0].start == .[1].start and (.[0] | has("seconds") | not)' spans.ndjson)" = true ]
	jq -e 'select(.event == "span") | .phase == "train" and .argv[0] == "sh" and .exit == 3 and .seconds > 0
		and .max_rss_bytes > 4e7 and .max_rss_bytes < 2e9 and .user_seconds + .system_seconds > 0
		and .block_read_bytes >= 0 and .block_write_bytes >= 0 and (.host | length) > 0 and .pid > 0
		and (.start - now | fabs) < 60 and (has("signal") | not)' spans.ndjson
}

@test "the begin line is there while the command runs" {
	[ "$(mb-time sh -c 'jq -r .event spans.ndjson')" = begin ]
}

@test "ends by the signal that ended the command" {
	status=0
	mb-time sh -c 'kill -TERM $$' || status=$?
	[ "$status" = 143 ]
	[ "$(span signal)" = 15 ]
	# The parent sees the signal itself, not 128 + 9.
	[ "$(perl -e 'system("mb-time", "-o", "s2", "sh", "-c", "kill -KILL \$\$"); print $? & 127')" = 9 ]
}

@test "127 for a command that is not there, 126 for one that cannot be run, both with a span" {
	run -127 mb-time ./nowhere
	[ "$output" = "mb-time: ./nowhere: No such file or directory" ]
	[ "$(span exit)" = 127 ]
	run -126 mb-time /
}

@test "a script without #! is the shell's" {
	printf 'echo "script $1"; exit 4\n' >script
	chmod +x script
	run mb-time ./script x
	[ "$status" = 4 ]
	[ "$output" = "script x" ]
}

@test "TERM, INT, HUP, USR1 and USR2 are forwarded, each once" {
	for signal in TERM INT HUP USR1 USR2; do
		rm -f ready got
		# A job in the background would have SIGINT ignored: env gives it back.
		env --default-signal=INT mb-time sh -c "trap 'echo $signal >>got; exit 9' $signal; : >ready; for i in \$(seq 500); do sleep 0.01; done" &
		pid=$!
		until_true test -e ready
		kill -$signal $pid
		status=0
		wait $pid || status=$?
		[ "$status" = 9 ]
		[ "$(cat got)" = "$signal" ]
	done
}

@test "Ctrl-C reaches the command once" {
	script -qec true /dev/null >/dev/null </dev/null || skip "no pseudo-terminal here"
	mkfifo keys
	cat >command <<-'END'
	sub note { open my $to, ">>", $_[0]; print $to "INT\n" }
	$SIG{INT} = sub { note("got") };
	open my $parent, ">", "pid"; print $parent getppid; close $parent;
	for (1 .. 500) { exit 0 if -e "enough"; select undef, undef, undef, 0.02 }
	END
	script -qec 'env --default-signal=INT mb-time perl command; exit $?' /dev/null <keys >/dev/null 3>&- &
	exec 9>keys
	until_true test -s pid
	kill -STOP "$(cat pid)" # so that what mb-time does comes after the command's own signal
	printf '\003' >&9
	until_true test -e got
	kill -CONT "$(cat pid)"
	sleep 0.2 # for a second one, which should not come
	: >enough
	wait $!
	exec 9>&-
	[ "$(cat got)" = INT ]
}

@test "SIGPIPE and the signal mask are the command's as without mb-time" {
	masks='grep -E "^Sig(Blk|Ign)" /proc/self/status'
	[ "$(mb-time sh -c "$masks")" = "$(sh -c "$masks")" ]
	[ "$(trap '' PIPE; mb-time sh -c "$masks")" = "$(trap '' PIPE; sh -c "$masks")" ]
	[ "$(mb-time bash -c 'yes | head -1; echo ${PIPESTATUS[0]}')" = "y
141" ]
}

@test "keeps no end of the command's pipes open" {
	# The reader sees the end when the command closes its stdout, not when it ends.
	mb-time sh -c 'exec >&-; for i in $(seq 100); do [ -e eof ] && : >seen && exit; sleep 0.05; done' | { cat; : >eof; }
	[ -e seen ]
	# The writer is told when the command closes its stdin.
	{
		trap '' PIPE
		until_true test -e closed
		echo more 2>/dev/null || : >told
	} | mb-time sh -c 'exec <&-; : >closed; for i in $(seq 100); do [ -e told ] && exit; sleep 0.05; done'
	[ -e told ]
}

@test "when mb-time is killed its command dies" {
	mb-time sh -c 'echo $$ >pid; exec sleep 60' &
	until_true test -s pid
	kill -9 $!
	until_true fails kill -0 "$(cat pid)"
	[ "$(jq -r .event spans.ndjson)" = begin ]
}

@test "nested spans are one trace" {
	mb-time -p outer mb-time -p inner sh -c 'echo "$TRACEPARENT"' >trace
	jq -s -e --rawfile trace trace 'map(select(.event == "span") | {key: .phase, value: .}) | from_entries
		| .inner.parent == .outer.id and .inner.trace == .outer.trace and (.outer | has("parent") | not)
		and ($trace | rtrimstr("\n")) == "00-\(.inner.trace)-\(.inner.id)-01"' spans.ndjson
	TRACEPARENT=00-0123456789abcdef0123456789abcdef-00000000000000aa-01 mb-time -o s true
	[ "$(jq -r 'select(.event == "span") | .trace + .parent' s)" = 0123456789abcdef0123456789abcdef00000000000000aa ]
	TRACEPARENT=rubbish mb-time -o t true
	[ "$(jq -r 'select(.event == "span") | has("parent")' t)" = false ]
}

@test "64 at once: 128 whole lines" {
	seq 64 | xargs -P 64 -I N mb-time -p N -o many true "$(head -c 1500 /dev/zero | tr '\0' x)"
	[ "$(jq -r .event many | sort | uniq -c | xargs)" = "64 begin 64 span" ]
	[ "$(jq -r .id many | sort -u | wc -l)" = 64 ]
}

@test "the span file: -o, else MB_SPANS, else beside the experiment file" {
	mkdir folder
	MB_SPANS=a mb-time -o b true
	[ ! -e a ]
	[ -s b ]
	MB_SPANS=a mb-time true
	[ -s a ]
	mb-time -e folder/experiment.yaml true
	[ -s folder/spans.ndjson ]
	[ ! -e spans.ndjson ]
}

@test "the trial log is refused, and nothing is run" {
	for log in trials.ndjson ./trials.ndjson; do
		: >trials.ndjson
		run mb-time -o $log touch ran
		[ "$status" = 2 ]
		[[ $output == *"is the trial log"* ]]
	done
	MB_LOG=other run mb-time -o other touch ran
	[ "$status" = 2 ]
	[ ! -e ran ]
}

@test "a span that cannot be written is one line on stderr" {
	run --separate-stderr mb-time -o /dev/full sh -c 'echo out; exit 6'
	[ "$status" = 6 ]
	[ "$output" = out ]
	[ "$stderr" = "mb-time: /dev/full: cannot write the span: No space left on device" ]
	run --separate-stderr mb-time -o nowhere/spans true
	[ "$status" = 0 ]
	[ "$stderr" = "mb-time: nowhere/spans: cannot write the span: No such file or directory" ]
	run mb-time sh -c 'echo lost >/dev/full'
	[ "$status" != 0 ]
}

@test "a torn tail is ended before the next line" {
	mb-time true
	printf '{"event":"be' >>spans.ndjson
	mb-time true
	[ "$(wc -l <spans.ndjson)" = 5 ]
	[ "$(sed -n 4p spans.ndjson | jq -r .event)" = begin ]
}

@test "arguments that are not UTF-8, or long, leave a line that jq reads" {
	mb-time true $'caf\xe9 \x01 "' "$(head -c 100000 /dev/zero | tr '\0' y)" last
	jq -e 'select(.event == "span") | .argv[1] == "caf\ufffd \u0001 \"" and .argv_cut and (.argv | length) == 3
		and (tostring | length) < 3000' spans.ndjson
}

@test "wrong usage is 2 and runs nothing" {
	for line in '' '-p' '--phase= touch ran' '-o - touch ran' '--json touch ran' '--nope touch ran' '-p x --report' '-o x --report'; do
		run mb-time $line
		[ "$status" = 2 ]
		[[ $output == "mb-time: "* ]]
	done
	run mb-time -p 'two words' touch ran
	[ "$status" = 2 ]
	[ ! -e ran ]
}

@test "what is not built in says so" {
	for line in '--sample 10 true' '--pss true' '--begin x' '--end x' '--mark x' '--trace f' '--chart f' '--prom f' '--compare f' '--check f'; do
		run mb-time $line
		[ "$status" = 2 ]
		word=${line%% *}
		[ "$output" = "mb-time: $word: not built in yet" ]
	done
}

# Ten spans of 1 s to 10 s, whose median is 5.5 and 95th percentile 9.55.
ten_spans() {
	for i in 4 1 3 2 10 9 8 7 6 5; do
		printf '{"event":"begin","id":"%016d","phase":"train","start":%d}\n' "$i" "$i"
		printf '{"event":"span","id":"%016d","phase":"train","start":%d,"seconds":%d}\n' "$i" "$i" "$i"
	done
}

@test "--report: count, sum, median, 95th percentile and share" {
	{
		ten_spans
		echo '{"event":"span","id":"a","phase":"own","start":1,"seconds":40}'
		echo '{"event":"span","id":"b","phase":"load","start":1,"seconds":5}'
	} >spans
	run mb-time --report spans
	[ "$status" = 0 ]
	[ "${lines[0]}" = "phase               n      total s     median s        p95 s   share  unfinished" ]
	[ "$(xargs <<<"${lines[1]}")" = "load 1 5.000 5.000 5.000 5.0% 0" ]
	[ "$(xargs <<<"${lines[2]}")" = "train 10 55.00 5.500 9.550 55.0% 0" ]
	[ "$(xargs <<<"${lines[3]}")" = "own 1 40.00 40.00 40.00 40.0% 0" ]
	mb-time --report --json spans >report
	[ "$(jq -r .phase report | xargs)" = "load train own" ]
	jq -s -e '.[1] == {phase: "train", count: 10, seconds: 55, median_seconds: 5.5, p95_seconds: 9.55, share: 0.55,
		unfinished: 0}' report
}

@test "--report: a file given twice counts once" {
	ten_spans >spans
	[ "$(mb-time --report --json spans spans - <spans | jq .count)" = 10 ]
}

@test "--report: trial logs, whose records repeat their spans" {
	cat >trials.ndjson <<-'END'
	{"experiment":"x","trial":1,"status":"open","spans":[{"phase":"suggest","start":1,"seconds":0.5}]}
	{"experiment":"x","trial":2,"status":"open","spans":[{"phase":"suggest","start":1,"seconds":0.5}]}
	{"experiment":"x","trial":1,"status":"completed","spans":[{"phase":"suggest","start":1,"seconds":0.5},{"phase":"train","start":2,"seconds":3}]}
	{"experiment":"x","trial":9,"status":"completed"}
	END
	mb-time -p train sh -c 'sleep 0.02'
	mb-time --report --json >report # the two files beside the experiment file
	[ "$(jq -r '"\(.phase) \(.count)"' report | xargs)" = "suggest 2 train 2" ]
	[ "$(jq -s '.[0].seconds' report)" = 1 ]
	jq -s -e '.[1].seconds > 3.01 and .[1].seconds < 4' report
}

@test "--report: what was begun and has not ended is unfinished" {
	ten_spans >spans
	echo '{"event":"begin","id":"ff","phase":"train","start":1}' >>spans
	echo '{"event":"begin","id":"fe","phase":"setup","start":1}' >>spans
	[ "$(mb-time --report --json spans | jq -r '"\(.phase) \(.count) \(.unfinished)"' | xargs)" = "setup 0 1 train 10 1" ]
	run mb-time --report spans
	[ "$(xargs <<<"${lines[1]}")" = "setup 0 0.000000 - - 0.0% 1" ]
}

@test "--report: bad lines are named, the others count, exit 3" {
	cat >spans <<-'END'
	{"event":"span","id":"1","phase":"a","start":1,"seconds":1}
	rubbish
	[1]
	{"event":"span","id":"2","phase":"a","start":1,"seconds":-1}
	{"event":"span","id":"3","phase":"a","seconds":1}
	{"event":"span","id":"4","phase":7,"start":1,"seconds":1}
	{"event":"span","phase":"a","start":1,"seconds":1}
	{"event":5}
	{"trial":1,"spans":{}}
	{"trial":1,"spans":[{"phase":"a","start":1,"seconds":"1"}]}
	{"event":"begin","id":"5"}

	{"event":"span","id":"6","phase":"a","start":1,"seconds":2}
	{"event":"span","id":"7","pha
	END
	truncate -s -1 spans # the last line is cut short
	run --separate-stderr mb-time --report --json spans
	[ "$status" = 3 ]
	[ "$(jq .count <<<"$output")" = 2 ]
	diff - <(sed 's/not JSON:.*/not JSON/' <<<"$stderr") <<-'END'
	mb-time: spans:2: not JSON
	mb-time: spans:3: [1] is not a span or a record, a JSON object
	mb-time: spans:4: seconds: -1 is not a number of at least 0
	mb-time: spans:5: start: is missing, expected a number
	mb-time: spans:6: phase: 7 is not a text
	mb-time: spans:7: id: is missing, expected a text
	mb-time: spans:8: event: 5 is not a text
	mb-time: spans:9: spans: {} is not an array
	mb-time: spans:10: spans[0].seconds: "1" is not a number of at least 0
	mb-time: spans:11: phase: is missing, expected a text
	mb-time: spans:12: an empty line is not a record
	END
}

@test "--report: no spans is 1, no file is 4, a full disk is 4, a reader that went away is 0" {
	run mb-time --report
	[ "$status" = 1 ]
	[ "$output" = "mb-time: nothing to report: there is neither spans.ndjson nor trials.ndjson" ]
	: >empty
	run mb-time --report empty
	[ "$status" = 1 ]
	run mb-time --report nowhere
	[ "$status" = 4 ]
	[ "$output" = "mb-time: nowhere: No such file or directory" ]
	ten_spans >spans
	run bash -c 'mb-time --report spans >/dev/full'
	[ "$status" = 4 ]
	run bash -c 'mb-time --report spans | true; echo ${PIPESTATUS[0]}'
	[ "$output" = 0 ]
}
