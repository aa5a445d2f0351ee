#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The log and who is alive: mb-suggest and mb-collect with trainers made of jq.

load helper

# An experiment of two parameters; $1: budget, $2: bandwidth, the rest: more lines.
experiment() {
	local budget=$1 bandwidth=$2
	shift 2
	cat >experiment.yaml <<-YAML
	experiment: {name: test, observation_budget: $budget, parallel_bandwidth: $bandwidth, lease: 3600}
	parameters:
	  - {name: x, type: double, bounds: {min: 0, max: 1}}
	  - {name: n, type: int, bounds: {min: 1, max: 9}}
	metrics: [{name: loss, objective: minimize}]
	YAML
	if (($#)); then printf '%s\n' "$@" >>experiment.yaml; fi
}

# A trainer: every suggestion becomes a completed record.
train() { jq -c --unbuffered '.status = "completed" | .metrics = {loss: .assignments.x}'; }

# numbers STATUS: the trial numbers of lines of that status, in order.
numbers() { jq -r "select(.status == \"$1\") | .trial" trials.ndjson | sort -n; }

exactly_once() { diff <(numbers completed) <(seq "$1"); }

claim_file() { # claim_file HOST PID LINE…: a run file of a process elsewhere
	mkdir -p trials.ndjson.run
	local host=$1 pid=$2 file=trials.ndjson.run/$1.0000.1.$2.7
	shift 2
	jq -nc --arg host "$host" --argjson pid "$pid" \
		'{host: $host, boot_id: "0000", pid_ns: 1, pid: $pid, start_ticks: 7}' >"$file"
	printf '%s\n' "$@" >>"$file"
	echo "$file"
}

@test "the loop ends by itself at exactly the budget, each trial once" {
	experiment 40 4
	mb-suggest | train | mb-collect >out.ndjson
	exactly_once 40
	diff <(jq .trial out.ndjson | sort -n) <(seq 40)
	[ "$(jq -s 'length' trials.ndjson)" -eq 80 ]
	[ ! -e trials.ndjson.run ]
	mb-suggest >again
	[ ! -s again ]
}

@test "never more than parallel_bandwidth open, and -k bounds a loop's share" {
	experiment 30 5
	mb-suggest -k 2 | train | mb-collect -q >/dev/null
	run jq -n 'reduce inputs as $r ({open: 0, most: 0};
		if $r.status == "open" then .open += 1 else .open -= 1 end | .most = ([.most, .open] | max)) | .most' trials.ndjson
	[ "$output" -eq 2 ]
}

for_lock() {
	experiment 1000 1
	MB_LOCK=$1 mb-suggest -n 1 >/dev/null
	grep -qx "$1" trials.ndjson.lock
	for worker in 1 2 3 4 5 6 7 8; do
		(for call in $(seq 25); do mb-suggest -n 1 || exit; done >"out.$worker") &
	done
	wait
	diff <(numbers open) <(seq 201)
	diff <(cat out.? | jq .trial | sort -n) <(seq 2 201)
}

@test "8 processes, 200 calls of mb-suggest -n 1: numbers distinct and dense (ofd lock)" { for_lock ofd; }
@test "8 processes, 200 calls of mb-suggest -n 1: numbers distinct and dense (link lock)" { for_lock link; }

@test "a link lock of a dead holder is retaken, one of a living holder is waited for" {
	experiment 9 1
	echo link >trials.ndjson.lock
	mb-suggest -n 1 >/dev/null
	host=$(hostname) boot=$(cat /proc/sys/kernel/random/boot_id) ns=$(stat -Lc %i /proc/self/ns/pid)
	echo "$host $boot $ns 999999999 5 1" >trials.ndjson.lock.held
	timeout 5 mb-suggest -n 1 >/dev/null
	sleep 60 & sleeper=$!
	ticks=$(sed 's/.*) //' /proc/$sleeper/stat | cut -d' ' -f20)
	echo "$host $boot $ns $sleeper $ticks 1" >trials.ndjson.lock.held
	run timeout 1 mb-suggest -n 1
	[ "$status" -eq 124 ]
	kill -9 $sleeper
	timeout 5 mb-suggest -n 1 >/dev/null
	diff <(numbers open) <(seq 3)
	[ ! -e trials.ndjson.lock.held ]
}

@test "a lock of a kind unknown is refused with 4" {
	experiment 9 1
	echo flock >trials.ndjson.lock
	run mb-suggest -n 1
	[ "$status" -eq 4 ]
	[[ $output == *'trials.ndjson.lock: "flock" is no kind of lock'* ]]
}

@test "a torn tail is cut off and kept; a whole one gets its newline" {
	experiment 9 1
	mb-suggest -n 2 >/dev/null
	printf '{"experiment":"test","trial":3,"assi' >>trials.ndjson
	mb-suggest -n 1 | jq -e '.trial == 3'
	grep -qx '{"experiment":"test","trial":3,"assi' trials.ndjson.torn
	printf '{"experiment":"test","trial":4,"assignments":{"x":0.5,"n":5},"status":"completed","metrics":{"loss":1}}' \
		>>trials.ndjson
	mb-suggest -n 1 | jq -e '.trial == 5'
	jq -es 'map(.trial) == [1, 2, 3, 4, 5]' trials.ndjson
}

@test "a bad line in the middle is reported with its number, skipped, and set aside by --fsck --repair" {
	experiment 9 1
	mb-suggest -n 2 >/dev/null
	sed -i '1s/open/opne/' trials.ndjson
	run mb-suggest -n 1
	[ "$status" -eq 0 ]
	[[ $output == *'trials.ndjson:1: status: "opne" is not open, completed, failed or interrupted (did you mean open?)'* ]]
	run mb-collect --fsck
	[ "$status" -eq 1 ]
	[[ $output == *"no line tells of trial 1"* ]]
	size=$(stat -c %s trials.ndjson)
	run mb-collect --fsck --repair
	[[ $output == *"1 bad line set aside"* ]]
	[ "$(stat -c %s trials.ndjson)" -eq "$size" ]
	grep -q opne trials.ndjson.torn
	jq -es 'map(.trial) == [2, 3]' trials.ndjson
}

@test "--fsck of a sound log says so; of a torn one that --repair mends" {
	experiment 3 1
	mb-suggest | train | mb-collect -q >/dev/null
	run mb-collect --fsck
	[ "$status" -eq 0 ]
	[[ $output == *"nothing lost"* ]]
	printf '{"trial"' >>trials.ndjson
	run mb-collect --fsck
	[ "$status" -eq 1 ]
	run mb-collect --fsck --repair
	[ "$status" -eq 0 ]
	run mb-collect --fsck
	[ "$status" -eq 0 ]
}

@test "a result of a finished key is passed on, not appended; so is an interrupted of an earlier attempt" {
	experiment 9 1
	mb-suggest -n 1 >s
	train <s | mb-collect -q | jq -e '.status == "completed"'
	train <s | mb-collect -q | jq -e '.status == "completed"'
	jq -c '.status = "interrupted"' s | mb-collect -q | jq -e '.status == "interrupted"'
	[ "$(jq -s length trials.ndjson)" -eq 2 ]
	mb-suggest -n 1 >s2
	jq -c '.status = "interrupted"' s2 | mb-collect -q >/dev/null
	mb-suggest -n 1 | jq -e '.trial == 2 and .attempt == 2'
	jq -c '.status = "interrupted"' s2 | mb-collect -q >/dev/null
	jq -es 'map(select(.status == "interrupted")) | length == 1' trials.ndjson
}

@test "a completed record without a number gets the next one" {
	experiment 9 1
	mb-suggest -n 1 >/dev/null
	echo '{"status":"completed","assignments":{"x":0.25,"n":3},"metrics":{"loss":0.5}}' | mb-collect -q |
		jq -e '.trial == 2 and .experiment == "test"'
	mb-suggest -n 1 | jq -e '.trial == 3'
}

@test "an interrupted trial is issued again first, with the same assignments and seed" {
	experiment 9 1
	mb-suggest -n 1 >s
	jq -c '.status = "interrupted" | .model = "models/1.ckpt"' s | mb-collect -q >/dev/null
	mb-suggest -n 2 >again
	jq -es '.[0].trial == 1 and .[0].attempt == 2 and .[1].trial == 2 and (.[0] | has("model") | not)' again
	jq -es '.[0].assignments == .[1].assignments and .[0].seed == .[1].seed' s <(head -1 again)
}

@test "-n never passes the budget: what is left, then exit 1 with the reason" {
	experiment 5 1
	mb-suggest -n 3 >/dev/null
	[ "$(mb-suggest -q -n 9 | wc -l)" -eq 2 ]
	run mb-suggest -n 1
	[ "$status" -eq 1 ]
	[[ $output == *"0 finished and 5 open trials fill the budget of 5"* ]]
}

@test "what -n printed is given out again by --reissue, or by a loop once it is older than the lease" {
	experiment 2 1
	mb-suggest -n 2 >/dev/null
	mb-suggest --reissue -n 5 >again
	jq -es 'map([.trial, .attempt]) == [[1, 2], [2, 2]]' again
	sed -i 's/lease: 3600/lease: 0.5/' experiment.yaml
	sleep 1
	timeout 20 mb-suggest | train | mb-collect -q >/dev/null
	exactly_once 2
}

@test "a loop that waits for a trial printed by -n says so within 5 s" {
	experiment 1 1
	mb-suggest -n 1 >/dev/null
	timeout 5 mb-suggest >/dev/null 2>err || true
	grep -q 'waiting for trial 1, printed by -n .* ago, no trainer has it; mb-suggest --reissue gives it out now' err
}

@test "a loop that waits for a result that was lost on its way to the log says so" {
	experiment 1 1
	mb-suggest -n 1 >/dev/null
	claim_file elsewhere 5 "1 0 1" "done 1 0 1" "ended" >/dev/null
	timeout 5 mb-suggest >/dev/null 2>err || true
	grep -q 'waiting for trial 1: its trainer is done, but the result is not in the log; it goes out again 90 s after' err
}

@test "mb-suggest | head -1 ends quietly, and the next mb-suggest issues what no trainer claimed" {
	experiment 3 2
	mb-suggest 2>err | head -1 >first
	[ ! -s err ]
	timeout 20 mb-suggest | train | mb-collect -q >/dev/null
	exactly_once 3
	jq -es 'map(select(.trial == 1 and .status == "open").attempt) == [1, 2]' trials.ndjson
}

@test "kill -9 of the loop: its trials go out again, under their own numbers" {
	experiment 6 3
	mkfifo pipe
	mb-suggest >pipe & loop=$!
	exec 7<pipe
	until_true grep -q '"trial":3' trials.ndjson
	kill -9 $loop
	exec 7<&-
	timeout 20 mb-suggest | train | mb-collect -q >/dev/null
	exactly_once 6
	[ ! -e trials.ndjson.run ]
}

@test "a claim from elsewhere holds a trial while its file is touched, not after 90 s" {
	experiment 2 1
	mb-suggest -n 1 >/dev/null
	file=$(claim_file elsewhere 5 "1 0 1")
	run mb-suggest -q --reissue -n 1
	[ "$(jq .trial <<<"$output")" -eq 2 ]
	touch -d '-100 seconds' "$file"
	mb-suggest -q -n 1 | jq -e '.trial == 1 and .attempt == 2'
	[ ! -e "$file" ]
}

@test "a claim of an earlier attempt holds nothing; a done claim holds until its result is 90 s late" {
	experiment 3 1
	mb-suggest -n 1 >/dev/null
	mb-suggest --reissue -n 1 >/dev/null
	file=$(claim_file elsewhere 5 "1 0 1")
	mb-suggest -q --reissue -n 1 | jq -e '.trial == 1 and .attempt == 3'
	file=$(claim_file elsewhere 6 "1 0 3" "done 1 0 3" "ended")
	mb-suggest -q -n 1 | jq -e '.trial == 2'
	touch -d '-100 seconds' "$file"
	mb-suggest -q -n 1 | jq -e '.trial == 1 and .attempt == 4'
}

@test "a claimant that ended frees its trials at once" {
	experiment 3 1
	mb-suggest -n 1 >/dev/null
	claim_file elsewhere 5 "1 0 1" "ended" >/dev/null
	mb-suggest -n 1 | jq -e '.trial == 1 and .attempt == 2'
}

@test "a stopped process is alive, a dead one is not" {
	experiment 3 1
	mb-suggest -n 1 >/dev/null
	sleep 60 & sleeper=$!
	kill -STOP $sleeper
	ticks=$(sed 's/.*) //' /proc/$sleeper/stat | cut -d' ' -f20)
	mkdir -p trials.ndjson.run
	jq -nc --arg h "$(hostname)" --arg b "$(cat /proc/sys/kernel/random/boot_id)" --argjson n "$(stat -Lc %i /proc/self/ns/pid)" \
		--argjson p $sleeper --argjson t "$ticks" '{host: $h, boot_id: $b, pid_ns: $n, pid: $p, start_ticks: $t}' \
		>trials.ndjson.run/one.of.mine
	echo "1 0 1" >>trials.ndjson.run/one.of.mine
	touch -d '-1000 seconds' trials.ndjson.run/one.of.mine
	mb-suggest -q --reissue -n 1 | jq -e '.trial == 2'
	kill -9 $sleeper
	wait $sleeper || true
	mb-suggest -q -n 1 | jq -e '.trial == 1 and .attempt == 2'
}

@test "a record of another experiment ends with 2, the others are handled" {
	experiment 9 1
	mb-suggest -n 2 >s
	(jq -c 'select(.trial == 1)' s | train; echo '{"experiment":"other","trial":7,"status":"failed"}'
	 jq -c 'select(.trial == 2)' s | train) >in
	run mb-collect <in
	[ "$status" -eq 2 ]
	[[ $output == *'stdin:2: experiment: "other" is not "test"'* ]]
	exactly_once 2
	sed -i 's/name: test/name: renamed/' experiment.yaml
	for tool in "mb-suggest -n 1" "mb-collect --best" mb-suggest mb-collect; do
		run $tool </dev/null
		[ "$status" -eq 2 ]
		[[ $output == *'trials.ndjson:1: experiment: "test" is not "renamed"'* ]]
	done
}

@test "bad records are reported with line, path and value; good ones around them are all handled" {
	experiment 9 1
	mb-suggest -n 2 >s
	{
		train <s | head -1
		echo 'not json'
		echo '[1]'
		echo '{"trial":0,"status":"failed"}'
		echo '{"trial":3,"status":"completed","metrics":{"loss":"low"},"assignments":{}}'
		echo '{"trial":3,"status":"completed","metrics":{"gain":1},"assignments":{}}'
		echo '{"trial":3,"status":"completed","metrics":{"loss":1}}'
		echo '{"status":"failed"}'
		echo
		train <s | tail -1
	} >in
	run mb-collect <in
	[ "$status" -eq 3 ]
	for want in "stdin:2: not JSON" "stdin:3: an array is not a record" "stdin:4: trial: 0 is not an integer of at least 1" \
		'stdin:5: metrics.loss: "low" is not a finite number' "stdin:6: metrics.loss: missing, the metric to optimize" \
		"stdin:7: assignments: missing" "stdin:8: trial: missing"; do
		[[ $output == *"$want"* ]]
	done
	exactly_once 2
}

@test "members that no tool knows, and numbers, pass through unchanged" {
	experiment 9 1
	echo '{"trial":1,"status":"failed","assignments":{},"mine":{"b":[1,2.5,null,true,"\u0007é\u0000"],"a":9007199254740993,"c":0.1,"d":1e22,"e":-0.0,"f":5e-324,"g":1.0}}' >in
	mb-collect -q <in >out
	grep -qF '"mine":{"b":[1,2.5,null,true,"\u0007é\u0000"],"a":9007199254740993,"c":0.1,"d":1e22,"e":-0.0,"f":5e-324,"g":1.0}' out
	grep -qF '"a":9007199254740993,"c":0.1,"d":1e22' trials.ndjson
}

@test "/dev/full as stdout is exit 4, and the log still has the record" {
	experiment 9 1
	run bash -c 'mb-suggest -n 1 >/dev/full'
	[ "$status" -eq 4 ]
	run bash -c 'timeout 10 mb-suggest -l other.ndjson >/dev/full'
	[ "$status" -eq 4 ]
	run bash -c 'mb-suggest -l - -n 1 </dev/null >/dev/full'
	[ "$status" -eq 4 ]
	run bash -c "mb-suggest --reissue -n 1 | jq -c '.status = \"failed\"' | mb-collect >/dev/full"
	[ "$status" -eq 4 ]
	[ "$(numbers failed)" = 1 ]
	for question in --tsv --summary "--top 3"; do
		run bash -c "mb-collect $question >/dev/full"
		[[ $status -eq 4 || $question == "--top 3" ]]
	done
}

@test "a full disk under the log is exit 4, and nothing half written stays" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small file system"
	mkdir small
	mount -t tmpfs -o size=64k tmpfs small 2>/dev/null || skip "cannot mount here"
	experiment 5000 1
	run mb-suggest -l small/log -n 4000
	umount_later=1
	last=$(tail -c 1 small/log | od -An -c | tr -d ' ')
	lines=$(jq -s length small/log) || true
	umount small
	[ "$status" -eq 4 ]
	[[ $output == *"small/log"*"No space left on device"* ]]
	[[ -z $last || $last == '\n' ]]
}

@test "mb-collect appends what its stdin holds when its reader goes away, and ends quietly" {
	experiment 50 1
	mb-suggest -n 20 | train >in
	mkfifo to from
	mb-collect -q <to >from 2>err & collect=$!
	exec 4>to 5<from
	kill -STOP $collect
	cat in >&4
	exec 5<&-
	kill -CONT $collect
	wait $collect
	exec 4>&-
	exactly_once 20
	[ ! -s err ]
}

@test "mb-collect ignores an interrupt while its stdin is open, and ends at once at the second" {
	experiment 9 1
	mb-suggest -n 2 | train >in
	mkfifo pipe
	mb-collect -q <pipe >/dev/null & collect=$!
	exec 7>pipe
	head -1 in >&7
	until_true exactly_once 1
	kill -INT $collect
	tail -1 in >&7
	until_true exactly_once 2
	exec 7>&-
	wait $collect
	mb-collect -q <pipe >/dev/null & collect=$!
	exec 7>pipe
	sleep 0.2
	kill -INT $collect; sleep 0.2; kill -INT $collect
	until_true fails kill -0 $collect
	exec 7>&-
}

@test "mb-suggest ends with 0 at SIGTERM, and leaves its trials to others" {
	experiment 9 2
	mkfifo pipe
	mb-suggest >pipe & loop=$!
	exec 7<pipe
	until_true grep -q '"trial":2' trials.ndjson
	kill -TERM $loop
	wait $loop
	exec 7<&-
	mb-suggest -n 2 | jq -es 'map([.trial, .attempt]) == [[1, 2], [2, 2]]'
}

@test "a trainer that ends before it begins stops the loop with 5, after three trials in a row" {
	experiment 20 2
	cat >broken <<-'SH'
	#!/bin/sh
	# Claims what it reads as mb-train does, and ends without a result.
	read -r line
	trial=$(printf %s "$line" | jq .trial) attempt=$(printf %s "$line" | jq .attempt)
	mkdir -p trials.ndjson.run
	printf '{"host":"h","boot_id":"b","pid_ns":1,"pid":%d,"start_ticks":1}\n%d 0 %d\nended\n' $$ "$trial" "$attempt" \
		>"trials.ndjson.run/x.$$.1"
	exit 5
	SH
	chmod +x broken
	run timeout 30 bash -c 'set -o pipefail
		mb-suggest | while read -r s; do printf "%s\n" "$s" | ./broken; done | mb-collect -q'
	[ "$status" -eq 5 ]
	[[ $output == *"came back unbegun, the 3rd in a row"* ]]
}

@test "the answer to --best, --top and --tsv; nothing there is exit 1" {
	experiment 9 1
	run mb-collect --best
	[ "$status" -eq 1 ]
	mb-suggest | train | mb-collect -q >/dev/null
	best=$(jq -s 'map(select(.status == "completed")) | min_by(.metrics.loss).trial' trials.ndjson)
	mb-collect --best | jq -e ".trial == $best and .status == \"completed\""
	mb-collect --top 3 | jq -es 'length == 3 and (map(.metrics.loss) | . == sort)'
	mb-collect --tsv >table
	[ "$(head -1 table)" = "$(printf 'trial\trung\tstatus\tx\tn\tloss\ttrain_span_seconds\terror')" ]
	[ "$(wc -l <table)" -eq 10 ]
	awk -F'\t' 'NF != 8 {exit 1}' table
	mb-collect --summary | grep -q 'observations  9 of 9: 9 completed, 0 failed; 0 open, 0 interrupted'
}

@test "failures are observations, and the summary counts them by message" {
	experiment 6 2
	mb-suggest | jq -c --unbuffered '.status = "failed" | .error = (if .trial % 2 == 0 then "even" else "odd one" end)' |
		mb-collect -q >/dev/null
	mb-collect --summary | grep -qx 'failed        3 x odd one'
	mb-collect --summary | grep -qx 'failed        3 x even'
	run mb-collect --best
	[ "$status" -eq 1 ]
}

@test "the closing line says where the search stands; -q says nothing" {
	experiment 4 1
	mb-suggest -n 2 | train >in
	head -1 in | mb-collect 2>err >/dev/null
	grep -q '^mb-collect: 1 of 4 observations, best loss .* (trial 1); the same line again goes on$' err
	tail -1 in | mb-collect -q 2>err >/dev/null
	[ ! -s err ]
}

@test "defaults are tried first; the same seed gives the same search, another seed another" {
	experiment 9 1
	sed -i 's/max: 1}}/max: 1}, default_value: 0.125}/' experiment.yaml
	mb-suggest -l - -n 5 </dev/null >a
	mb-suggest -l - -n 5 </dev/null >b
	diff <(jq -c 'del(.spans)' a) <(jq -c 'del(.spans)' b)
	head -1 a | jq -e '.assignments == {"x": 0.125, "n": 5} and .algorithm == "default"'
	mb-suggest -l - -n 5 -s 7 </dev/null >c
	fails diff <(jq -c .assignments a) <(jq -c .assignments c)
	jq -es '(.[0].seed != .[1].seed) and (map(.seed) | max < 9007199254740992)' a
}

@test "a space of few points is exhausted without a duplicate and ends cleanly" {
	cat >experiment.yaml <<-YAML
	experiment: {name: test, observation_budget: 100, parallel_bandwidth: 3}
	parameters:
	  - {name: a, type: categorical, categorical_values: [[1], [2, 3], "x"]}
	  - {name: b, type: int, bounds: {min: 1, max: 4}, conditions: {mode: on}}
	conditionals: [{name: mode, values: ["on", "off"]}]
	metrics: [{name: loss, objective: minimize}]
	YAML
	for algorithm in random sobol grid; do
		rm -f trials.ndjson
		timeout 20 mb-suggest -a $algorithm 2>err | jq -c --unbuffered '.status = "completed" | .metrics = {loss: 1}' |
			mb-collect -q >/dev/null
		grep -q 'the space is exhausted: all 15 points are tried' err
		[ "$(jq -c 'select(.status == "completed").assignments' trials.ndjson | sort -u | wc -l)" -eq 15 ]
		exactly_once 15
		run mb-suggest -n 1
		[ "$status" -eq 1 ]
	done
	jq -es 'map(.assignments | has("b") == (.mode == "on")) | all' trials.ndjson
}

@test "observations outside an edited space stay in the log, and are counted" {
	experiment 9 1
	mb-suggest -n 3 | train | mb-collect -q >/dev/null
	sed -i 's/max: 9/max: 1/; s/min: 1,/min: 0,/' experiment.yaml
	run mb-suggest -n 1
	[ "$status" -eq 0 ]
	[[ $output == *"outside the space: kept in the log, not modelled"* ]]
	[ "$(jq -s length trials.ndjson)" -eq 7 ]
}

@test "an unknown algorithm is exit 2 and names the nearest; grid refuses a continuous parameter" {
	experiment 9 1
	run mb-suggest -a sobool -n 1
	[ "$status" -eq 2 ]
	[[ $output == *sobol* ]]
	run mb-suggest -a grid -n 1
	[ "$status" -eq 2 ]
	[[ $output == *"parameters.x"* ]]
}

# ---- the coprocess ----

@test "coprocess: bandwidth, budget, and an end by itself" {
	experiment 12 3
	coproc SUGGEST { mb-suggest -l -; }
	pid=$SUGGEST_PID
	exec 4<&"${SUGGEST[0]}" 5>&"${SUGGEST[1]}"
	for i in $(seq 12); do
		read -r -t 5 line <&4
		printf '%s\n' "$line" | train >&5
		printf '%s\n' "$line" >>seen
	done
	run timeout 5 cat <&4
	[ "$status" -eq 0 ] && [ -z "$output" ]
	wait $pid
	diff <(jq .trial seen) <(seq 12)
	[ ! -e trials.ndjson ]
}

@test "coprocess: interrupted is printed again next, a bad line leaves its trial open, exit 3 in the end" {
	experiment 9 1
	{
		echo '{"trial":1,"status":"interrupted"}'
		echo '{"trial":1,"status":"completed","metrics":{"loss":"?"}}'
		echo '{"trial":1,"status":"completed","metrics":{"loss":0.5}}'
	} >in
	run --separate-stderr mb-suggest -l - -n 3 <in
	[ "$status" -eq 3 ]
	[[ $stderr == *'stdin:2: metrics.loss: "?" is not a finite number'* ]]
	mkfifo to
	mb-suggest -l - <to >out 2>err & pid=$!
	exec 7>to
	until_true grep -q '"trial":1' out
	sed -n 1p in >&7
	until_true grep -q '"attempt":2' out
	sed -n 2p in >&7
	sed -n 3p in >&7
	until_true grep -q '"trial":2' out
	exec 7>&-
	wait $pid && status=0 || status=$?
	[ "$status" -eq 3 ]
	jq -es 'map([.trial, .attempt]) == [[1, 1], [1, 2], [2, 1]]' out
}

@test "coprocess: --history goes on from there; a number never issued is history; -n 1 </dev/null records nothing" {
	experiment 9 1
	mb-suggest -n 4 | train | mb-collect -q >/dev/null
	mv trials.ndjson old.ndjson
	mb-suggest -l - --history old.ndjson -n 9 </dev/null >out
	diff <(jq .trial out) <(seq 5 9)
	echo '{"trial":7,"status":"failed","assignments":{"x":0.5,"n":2}}' | mb-suggest -l - -n 1 | jq -e '.trial == 8'
	mb-suggest -l - -n 1 </dev/null | jq -e '.trial == 1'
	[ ! -e trials.ndjson ]
}

@test "a log on stdin is no log to mb-collect; a kind of lock that is none says so" {
	experiment 9 1
	run mb-collect -l - </dev/null
	[ "$status" -eq 2 ]
	[ ! -e - ]
	MB_LOCK=flock run mb-suggest -n 1
	[ "$status" -eq 2 ]
	[[ $output == *'MB_LOCK: "flock" is no kind of lock'* ]]
	[ ! -e trials.ndjson.lock ]
}

@test "--version tells what was built in" {
	mb-suggest --version | grep -qE '^mb-suggest [0-9.]+ \(BLAS: not used; CUDA: not built in\)$'
	mb-train --version | grep -qE '^mb-train [0-9.]+ \(BLAS: OpenBLAS [0-9.]+.*; CUDA: not built in\)$'
}
