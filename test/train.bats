# SPDX-License-Identifier: MIT
#
# mb-train: the user's own command as a job, and what it does at its ends.

load helper

# experiment COMMAND [LINES OF THE SECTION experiment…]: an experiment file whose job is COMMAND (YAML).
experiment() {
	local command=$1
	shift
	{
		echo 'experiment:'
		printf '  %s\n' 'name: t' 'observation_budget: 9' 'parallel_bandwidth: 2' "$@"
		echo 'parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]'
		echo 'metrics: [{name: loss, objective: minimize}]'
		echo 'model:'
		echo "  command: $command"
	} >experiment.yaml
}

# shell TEXT…: the same, TEXT for /bin/sh -c.
shell() {
	local text=$1
	shift
	experiment "|-
    $text" "$@"
}

# nothing_left MARK: no process (but zombies) has MARK in its arguments.
nothing_left() {
	! ps ax -o stat=,args= | grep -v '^Z' | grep -v grep | grep -q -- "$1"
}

# start INPUT: mb-train in the background on INPUT, a command whose stdin stays open; $trainer is its process.
start() {
	mkfifo in
	mb-train >out 2>err <in 3>&- &
	trainer=$!
	exec 9>in
	"$@" >&9
}

# claimed LINE: the run file has it.
claimed() {
	grep -qx "$1" trials.ndjson.run/*
}

teardown() {
	if [ -n "${trainer:-}" ]; then
		kill -9 "$trainer" 2>/dev/null || true
	fi
}

# ---- results ----

@test "a number is the optimised metric" {
	shell 'echo chatter; echo 0.25'
	suggestion 1 | mb-train >out
	[ "$(jq -c '[.trial,.status,.metrics]' out)" = '[1,"completed",{"loss":0.25}]' ]
	jq -e '.host and .pid and (.spans | map(.phase) == ["train"])' out
}

@test "the last line needs no newline, and blank ones after it do not count" {
	shell 'printf 3'
	[ "$(suggestion 1 | mb-train | jq -c .metrics)" = '{"loss":3}' ]
	shell 'printf "4\\n\\n  \\n"'
	[ "$(suggestion 1 | mb-train | jq -c .metrics)" = '{"loss":4}' ]
}

@test "an object of numbers is the metrics" {
	shell 'echo "{\"loss\": 1.5, \"accuracy\": 0.5}"'
	[ "$(suggestion 1 | mb-train | jq -c .metrics)" = '{"loss":1.5,"accuracy":0.5}' ]
}

@test "an object with metrics or status is merged, but for what is not the job's" {
	shell 'echo "{\"metrics\": {\"loss\": 1}, \"metrics_stddev\": {\"loss\": 0.1}, \"note\": \"n\", \"trial\": 7}"'
	[ "$(suggestion 1 | mb-train | jq -c '[.trial,.status,.metrics_stddev.loss,.note]')" = '[1,"completed",0.1,"n"]' ]
	shell 'echo "{\"status\": \"failed\", \"error\": \"no luck\"}"'
	[ "$(suggestion 1 | mb-train | jq -c '[.status,.error]')" = '["failed","no luck"]' ]
}

@test "the job gets the record, its folder and its variables" {
	mkdir sub
	cd sub
	shell 'cat >record; pwd >where; echo "$MB_TRIAL $MB_SEED" >which; echo 1 >"$MB_OUTPUT_PATH/kept"; echo 1'
	cd ..
	suggestion 3 '{"x":0.5}' 99 | mb-train -e sub/experiment.yaml >out
	[ "$(jq .assignments.x sub/record)" = 0.5 ]
	[ "$(cat sub/where)" = "$PWD/sub" ]
	[ "$(cat sub/which)" = "3 99" ]
	[ -f sub/output/3/kept ]
}

@test "a list is argv, and is not read by a shell" {
	experiment "[sh, -c, 'echo \"\$1\" >arg; echo 2', _, 'a  b*\$HOME']"
	[ "$(suggestion 1 | mb-train | jq .metrics.loss)" = 2 ]
	[ "$(cat arg)" = 'a  b*$HOME' ]
}

@test "a result that is none is a failed trial" {
	local text
	for text in 'echo nan' 'echo 1e999' 'echo fine' 'true' 'echo "[1]"' 'echo "{\"other\": 1}"' \
		'echo "{\"loss\": \"1\"}"' 'echo "{\"status\": \"open\"}"' 'echo "{\"metrics\": {\"loss\": null}}"'; do
		shell "$text"
		suggestion 1 | mb-train -q >out
		echo "$text: $(cat out)"
		[ "$(jq -r .status out)" = failed ]
		[ "$(jq -r '.error | length > 10' out)" = true ]
		[ "$(jq .metrics out)" = null ]
	done
}

@test "a non-zero exit is a failed trial with the last line of stderr" {
	shell 'echo 0.5; echo "Trace:" >&2; echo "boom" >&2; exit 3'
	suggestion 1 | mb-train >out 2>err
	[ "$(jq -c '[.status,.error]' out)" = '["failed","exit status 3: boom"]' ]
	grep -q '^Trace:' err
	grep -q '^mb-train: trial 1 failed: exit status 3: boom' err
}

@test "exit status 85 is interrupted" {
	shell 'exit 85'
	[ "$(suggestion 1 | mb-train | jq -r .status)" = interrupted ]
}

@test "a job killed by a signal is a failed trial" {
	shell 'kill -SEGV $$'
	[ "$(suggestion 1 | mb-train -q | jq -r .error)" = "killed by signal 11 (Segmentation fault)" ]
}

@test "words that are not UTF-8 leave a record that can be read" {
	shell 'printf "\\377\\033[1mbad" >&2; exit 1'
	[ "$(suggestion 1 | mb-train -q 2>/dev/null | jq -r .error)" = 'exit status 1: ? [1mbad' ]
}

@test "huge output, of which the last line counts" {
	shell 'yes | head -c 30000000; echo; echo 5'
	[ "$(suggestion 1 | mb-train | jq .metrics.loss)" = 5 ]
}

@test "a job that does not read its stdin is none the worse" {
	shell 'exec <&-; sleep 0.1; echo 1'
	suggestion 1 "{\"x\":\"$(head -c 200000 /dev/zero | tr '\0' x)\"}" | mb-train >out
	[ "$(jq .metrics.loss out)" = 1 ]
}

# ---- limits ----

@test "a time limit ends a job that ignores TERM, grandchildren too" {
	shell 'trap "" TERM; sleep 98761 & sleep 98761' 'trial_timeout: 0.3' 'grace: 0.3'
	suggestion 1 | mb-train -q >out
	[ "$(jq -c '[.status,.error]' out)" = '["failed","timeout after 0.3 s"]' ]
	nothing_left 98761
}

@test "nothing is left of a job that ended" {
	shell 'sleep 98762 >/dev/null & echo 1'
	[ "$(suggestion 1 | mb-train | jq .metrics.loss)" = 1 ]
	nothing_left 98762
}

@test "a worker that dies fails its trial and is replaced" {
	experiment "[sh, -c, 'if [ \$MB_TRIAL = 1 ]; then kill -9 \$PPID; sleep 98763; fi; echo 1']"
	{ suggestion 1; suggestion 2; } | mb-train -j1 -q >out
	[ "$(jq -r 'select(.trial == 1).error' out)" = 'trainer process killed by signal 9 (out of memory?)' ]
	[ "$(jq -r 'select(.trial == 2).status' out)" = completed ]
	nothing_left 98763
}

@test "-j trials run at once" {
	shell 'touch began.$MB_TRIAL; while [ $(ls began.* | wc -l) -lt 5 ]; do sleep 0.05; done; echo 1' \
		'trial_timeout: 10'
	for i in 1 2 3 4 5; do suggestion $i; done | mb-train -j 5 >out
	[ "$(jq -r .status out | sort | uniq -c | xargs)" = "5 completed" ]
}

# ---- a job that cannot be run ----

@test "a command that is not there ends with 5, and its trials are free" {
	local command
	for command in '[./nowhere.py]' 'no-such-command --now' '/etc/passwd'; do
		experiment "$command"
		run --separate-stderr mb-train < <(suggestion 1; suggestion 2; suggestion 3)
		echo "$command: $status $output $stderr"
		[ "$status" -eq 5 ]
		[ -z "$output" ]
		[[ "$stderr" == *"experiment.yaml:8: model.command: "* ]]
		[ "$(grep -c 'mb-train: ' <<<"$stderr")" -eq 1 ]
		[ "$(tail -qn1 trials.ndjson.run/*)" = ended ]
		rm -r trials.ndjson.run
	done
}

@test "a command that goes missing later ends with 5 as well" {
	experiment '[./job]'
	printf '#!/bin/sh\nrm -f job\necho 1\n' >job
	chmod +x job
	run mb-train -j1 -q < <(suggestion 1; suggestion 2)
	[ "$status" -eq 5 ]
	grep -q '^done 1 0 1$' trials.ndjson.run/*
	fails grep -q '^done 2' trials.ndjson.run/*
}

@test "a folder that cannot be made ends with 4, and the trial is free" {
	shell 'echo 1'
	echo >file
	run --separate-stderr mb-train -m file/models < <(suggestion 1)
	[ "$status" -eq 4 ]
	[[ "$stderr" == *"file/models"* ]]
	[ "$(tail -qn1 trials.ndjson.run/*)" = ended ]
}

# ---- input ----

@test "bad lines are told and counted, the good ones around them are handled" {
	shell 'echo 1'
	{
		suggestion 1
		echo '{"trial": 2, "assign'
		echo
		echo '{"trial": 0, "assignments": {}}'
		echo '{"assignments": {}}'
		echo '{"trial": 3, "assignments": []}'
		echo '{"trial": 4}'
		echo 'null'
		suggestion 5
	} >in
	run --separate-stderr mb-train <in
	echo "$output $stderr"
	[ "$status" -eq 3 ]
	[ "$(jq -c .trial <<<"$output" | sort | xargs)" = "1 5" ]
	[ "$(cut -d: -f1-3 <<<"$stderr" | xargs)" = "mb-train: stdin:2 mb-train: stdin:4 mb-train: stdin:5 mb-train: stdin:6 mb-train: stdin:7 mb-train: stdin:8" ]
	[[ "$stderr" == *"stdin:6: assignments: [] is not an object"* ]]
}

@test "finished records pass through byte by byte" {
	shell 'echo 1'
	printf '%s\n' '{ "trial":1, "status":"completed", "metrics":{"loss":1.50}, "mine":[1e0] }' \
		'{"trial":2,"status":"failed","error":"x"}' '{"trial":3,"status":"interrupted"}' >in
	mb-train <in >out
	cmp in out
}

@test "a record of another experiment is bad, and the end is 2" {
	shell 'echo 1'
	run --separate-stderr mb-train < <(echo '{"experiment":"other","trial":1,"assignments":{}}'; suggestion 2)
	[ "$status" -eq 2 ]
	[ "$(jq .trial <<<"$output")" = 2 ]
	[[ "$stderr" == *'stdin:1: experiment: "other" is not "t"'* ]]
}

@test "no input, no output, no files" {
	shell 'echo 1'
	run mb-train </dev/null
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(ls)" = experiment.yaml ]
}

@test "a stdin that cannot be read is exit 4, a stdout that cannot be written too" {
	shell 'echo 1'
	run mb-train <.
	[ "$status" -eq 4 ]
	[[ "$output" == *"stdin: Is a directory"* ]]
	mb-train <&- 2>err || status=$?
	[ "$status" -eq 4 ]
	grep -q '^mb-train: stdin: Bad file' err
	status=0
	suggestion 1 >in
	mb-train <in >&- 2>err || status=$?
	[ "$status" -eq 4 ]
	grep -q '^mb-train: stdout: ' err
}

@test "all that waits is claimed at once, and free again once it is done" {
	shell 'until [ -e go ]; do sleep 0.02; done; echo 1'
	start eval 'suggestion 1; suggestion 2; suggestion 3'
	until_true claimed '3 0 1'
	suggestion 4 >&9
	until_true claimed '4 0 1'
	fails grep -q done trials.ndjson.run/*
	touch go
	until_true claimed 'done 4 0 1'
	exec 9>&-
	wait $trainer
	[ ! -e trials.ndjson.run ]
	[ "$(jq .trial out | sort | xargs)" = "1 2 3 4" ]
}

@test "-l - keeps no run file" {
	shell 'ls >&2; echo 1'
	run mb-train -l - < <(suggestion 1)
	[ "$status" -eq 0 ]
	[[ "$output" != *.run* ]]
}

# ---- options ----

@test "wrong options and what is not built in" {
	shell 'echo 1'
	run mb-train --gpu </dev/null
	[ "$status" -eq 4 ]
	[[ "$output" == *"CUDA plug-in is not built in"* ]]
	run mb-train --precision bf16 </dev/null
	[ "$status" -eq 2 ]
	[[ "$output" == *"bf16 is not built in"* ]]
	run mb-train --precision half </dev/null
	[ "$status" -eq 2 ]
	run mb-train -j -1 </dev/null
	[ "$status" -eq 2 ]
	run mb-train file </dev/null
	[ "$status" -eq 2 ]
}

# ---- the end ----

@test "a signal is forwarded, the job's 85 is interrupted, what was not begun stays open" {
	local signal
	for signal in INT TERM USR1 USR2; do
		shell "trap 'echo \$MB_TRIAL >>got; exit 85' $signal; touch began.\$MB_TRIAL; sleep 98764 & wait"
		start eval 'suggestion 1; suggestion 2; suggestion 3'
		until_true test -e began.1 -a -e began.2
		kill -$signal $trainer
		wait $trainer
		[ "$(jq -c '[.trial,.status]' out | sort | xargs)" = "[1,interrupted] [2,interrupted]" ]
		[ "$(sort got | xargs)" = "1 2" ]
		[ "$(tail -qn1 trials.ndjson.run/*)" = ended ]
		fails grep -q 'done 3' trials.ndjson.run/*
		nothing_left 98764
		exec 9>&-
		rm -r in out got began.* trials.ndjson.run
	done
}

@test "any end without a result after a signal is interrupted, a result still counts" {
	shell 'trap "[ $MB_TRIAL = 1 ] && exit 1; echo 7; exit 0" TERM; touch began.$MB_TRIAL; sleep 98765 & wait'
	start eval 'suggestion 1; suggestion 2'
	until_true test -e began.1 -a -e began.2
	kill $trainer
	wait $trainer
	[ "$(jq -c '[.trial,.status]' out | sort | xargs)" = "[1,interrupted] [2,completed]" ]
}

@test "what has not ended after the grace is killed" {
	shell 'trap "" TERM; touch began; sleep 98766 & sleep 98766' 'grace: 0.3'
	start suggestion 1
	until_true test -e began
	kill $trainer
	SECONDS=0
	wait $trainer
	[ $SECONDS -lt 3 ]
	[ "$(jq -r .status out)" = interrupted ]
	nothing_left 98766
}

@test "a second SIGINT ends at once" {
	shell 'trap "" INT TERM; touch began; sleep 98767 & sleep 98767' 'grace: 30'
	start suggestion 1
	until_true test -e began
	kill -INT $trainer
	until_true grep -q stopping err
	kill -INT $trainer
	SECONDS=0
	wait $trainer || status=$?
	[ $SECONDS -lt 3 ]
	[ "$status" -eq 130 ]
	[ ! -s out ]
	[ "$(tail -qn1 trials.ndjson.run/*)" = ended ]
	until_true nothing_left 98767
}

@test "of a trainer that was killed -9 nothing is left" {
	shell 'trap "" TERM HUP; touch began; sleep 98768 & sleep 98768'
	start suggestion 1
	until_true test -e began
	kill -9 $trainer
	wait $trainer || true
	until_true nothing_left 98768
	fails grep -q ended trials.ndjson.run/*
}

@test "a reader that went away is noticed while a trial runs" {
	shell 'trap "touch stopped; exit 85" TERM; touch began; sleep 98769 & wait'
	mkfifo in
	SECONDS=0
	{
		mb-train <in 2>err &
		echo $! >pid
		wait $!
		echo $? >status
	} 2>/dev/null 3>&- | until_true test -e began &
	exec 9>in
	suggestion 1 >&9
	until_true test -e began
	trainer=$(cat pid)
	until_true test -s status
	[ $SECONDS -lt 3 ]
	[ "$(cat status)" -eq 0 ]
	[ -e stopped ]
	[ "$(tail -qn1 trials.ndjson.run/*)" = ended ]
	nothing_left 98769
}

@test "a full disk is exit 4, told once" {
	shell 'echo 1'
	mb-train < <(suggestion 1; suggestion 2; suggestion 3) >/dev/full 2>err || status=$?
	[ "$status" -eq 4 ]
	[ "$(cat err)" = "mb-train: stdout: No space left on device" ]
	fails grep -q done trials.ndjson.run/*
}

# ---- the built-in job ----

# digits EPOCHS [LINES OF THE SECTION experiment…]
digits() {
	local epochs=$1
	shift
	{
		echo 'experiment:'
		printf '  %s\n' 'name: t' 'observation_budget: 9' 'parallel_bandwidth: 2' "$@"
		echo 'parameters: [{name: learning_rate, type: double, bounds: {min: 0.0001, max: 1}}]'
		echo 'metrics: [{name: val_macro_f1}]'
		echo "task: {dataset: digits, epochs: $epochs}"
	} >experiment.yaml
}

# Six networks that use all that has state: several optimisers, dropout, norms, schedules, averages, augmentation.
networks() {
	suggestion 1 '{"learning_rate":0.003,"batch_size":16}'
	suggestion 2 '{"optimizer":"sgd","learning_rate":0.1,"batch_size":32,"hidden_layer_config":[32,16],"batch_norm":true}'
	suggestion 3 '{"optimizer":"nesterov","learning_rate":0.02,"dropout":0.3,"batch_size":50,"schedule":"one_cycle"}'
	suggestion 4 '{"optimizer":"rmsprop","learning_rate":0.001,"batch_size":24,"activation":"tanh","schedule":"cosine","warmup_epochs":1}'
	suggestion 11 '{"optimizer":"lion","learning_rate":0.0005,"batch_size":40,"layer_norm":true,"ema_decay":0.99,"input_scaling":"standard","gradient_clip":1}'
	suggestion 12 '{"batch_size":40,"augment_shift":2,"input_dropout":0.1,"max_norm":2,"schedule":"one_cycle","momentum_schedule":"cycle"}'
}

# alike FILE FILE: the same results but for times, host and pid.
alike() {
	local file
	for file in "$@"; do
		jq -cS 'del(.spans, .host, .pid, .metrics.train_seconds, .epoch_metrics[]?.train_seconds)' "$file" | sort >"$file.plain"
	done
	cat "$2.plain"
	[ -s "$1.plain" ] && cmp "$1.plain" "$2.plain"
}

@test "the built-in job learns, and says what it did" {
	digits 5
	suggestion 1 '{"batch_size":8,"learning_rate":0.005}' | mb-train >out
	jq -e '.status == "completed" and .device == "cpu" and .model == "models/1.ckpt"' out
	jq -e '[.spans[].phase] == ["load","load","train","validate","checkpoint"]' out
	jq -e '.metrics | keys == ["train_loss","train_seconds","val_accuracy","val_loss","val_macro_f1"]' out
	jq -e '.metrics.val_macro_f1 > 0.5 and .metrics.val_macro_f1 < 1' out
	[ -s models/1.ckpt ]
}

@test "results are the same to the bit for -j 1 and -j 2, in any order" {
	digits 2
	networks | mb-train -j1 --curve -m one >one.out
	networks | tac | mb-train -j2 --curve -m two >two.out
	[ "$(jq -r .status one.out | sort | uniq -c | xargs)" = "6 completed" ]
	sed -i 's/"two/"one/' two.out
	sed -i "s|$PWD/||" one.out two.out
	alike one.out two.out
	jq -e '.epoch_metrics | map(.epoch) == [1, 2]' one.out
}

# crowd: 9 suggestions, 7 of one batch size.
crowd() {
	networks
	for trial in 5 6 7 8 9; do
		suggestion $trial "{\"batch_size\":16,\"learning_rate\":0.00$trial,\"hidden_layer_config\":[$((trial * 5))]}"
	done
	suggestion 10 '{"batch_size":16,"optimizer":"sgd","learning_rate":0.5,"epochs":1}'
}

@test "what goes side by side ends as alone, to the bit" {
	digits 2
	crowd | mb-train -j1 -v -m one >one.out 2>err
	fails grep 'side by side' err
	crowd | mb-train -j12 -v -m two >two.out 2>err
	grep 'side by side' err
	[ "$(jq -r .status two.out | sort | uniq -c | xargs)" = "12 completed" ]
	sed -i 's/"two/"one/' two.out
	sed -i "s|$PWD/||" one.out two.out
	alike one.out two.out
}

@test "side by side: interrupted together, each goes on; a worker that dies is no trial's fault" {
	digits 300
	crowd >all
	mb-train -j12 <all >whole
	rm -r models
	mb-train -j12 <all >part 2>err 3>&- &
	trainer=$!
	until_true pgrep -P $trainer
	sleep 0.5
	kill -TERM $trainer
	wait $trainer
	[ "$(jq -r 'select(.status == "interrupted").trial' part | wc -l)" -ge 3 ]
	mb-train -j12 <all >again 2>err 3>&- &
	trainer=$!
	until_true pgrep -P $trainer
	sleep 0.2
	kill -KILL "$(pgrep -o -P $trainer)"
	wait $trainer
	cat err
	jq -c '[.trial, .status, .error]' again
	alike whole again
}

@test "every kernel trains, those that fuse to the same bits" {
	digits 2
	for kernel in $(grep -o 'avx2\|avx512f' /proc/cpuinfo | sort -u | sed 's/f$//') plain blas; do
		networks | MB_KERNEL=$kernel mb-train -v -m models >$kernel 2>err
		grep "kernel $kernel" err
		jq -e '.status == "completed" and .metrics.val_loss < 2' $kernel
		rm -r models
	done
	[ ! -e avx512 ] || alike avx2 avx512
	[ ! -e avx2 ] || fails alike plain avx2
	MB_KERNEL=sse9 run mb-train < <(suggestion 1)
	[ "$status" -eq 2 ] && [[ $output == *'MB_KERNEL: no kernel "sse9"'* ]]
}

@test "a trial that was interrupted twice and killed once ends as if it were not" {
	digits 800
	networks >all
	mb-train <all >whole
	mv models whole.models
	for signal in TERM INT KILL; do
		mb-train <all >part 2>err 3>&- &
		trainer=$!
		until_true pgrep -P $trainer
		sleep 0.15
		kill -$signal $trainer
		wait $trainer || [ $signal = KILL ]
		[ $signal != TERM ] || [ "$(jq -r 'select(.status == "interrupted").trial' part | wc -l)" -ge 1 ]
	done
	mb-train -v <all >again 2>err
	cat err
	grep -q 'goes on after epoch' err
	alike whole again
}

@test "a checkpoint of other assignments is not gone on from" {
	digits 1
	suggestion 1 '{"batch_size":16}' | mb-train >first
	suggestion 1 '{"batch_size":16}' 5 | mb-train >second 2>err
	suggestion 1 '{"batch_size":16}' 5 | mb-train -m fresh >third
	grep -q 'models/1.ckpt: .*another trial.*anew' err
	sed -i 's|"fresh|"models|' third
	alike second third
	fails alike first second
}

@test "a damaged checkpoint is told and not gone on from" {
	digits 1
	suggestion 1 | mb-train >first
	printf 'x' | dd of=models/1.ckpt bs=1 seek=3000 conv=notrunc 2>/dev/null
	suggestion 1 | mb-train >second 2>err
	grep -q 'models/1.ckpt: damaged' err
	alike first second
}

@test "a network that needs more memory than the limit is failed, the others go on" {
	digits 1 'memory_limit: 200 MB'
	{
		suggestion 1 '{"hidden_layer_config":[4000,4000],"batch_size":64}'
		suggestion 2
	} | mb-train -q -j 1 >out
	[ "$(jq -r 'select(.trial == 1).status' out)" = failed ]
	[[ "$(jq -r 'select(.trial == 1).error' out)" == 'memory limit of 200 MB exceeded ('*' MB)' ]]
	[ "$(jq -r 'select(.trial == 2).status' out)" = completed ]
	fails test -e models/1.ckpt
}

@test "while the reader of stdout stands still, the run file shows that mb-train lives" {
	digits 1
	suggestion 1 | mb-train -q >first
	{
		suggestion 2
		for ((i = 0; i < 400; i++)); do cat first; done # more than a pipe takes
	} >many
	mkfifo to
	mb-train -q <many >to 3>&- &
	trainer=$!
	exec 9<to
	until_true test -e trials.ndjson.run
	sleep 0.5
	touch -d '-60 seconds' trials.ndjson.run/*
	sleep 16
	[ "$(($(date +%s) - $(stat -c %Y trials.ndjson.run/*)))" -lt 20 ]
	[ "$(wc -l <&9)" -eq 401 ]
	exec 9<&-
	wait $trainer
}

@test "a trial that diverges is failed, the others go on" {
	digits 2
	{
		suggestion 1 '{"optimizer":"sgd","learning_rate":10,"weight_decay":10,"batch_size":16}'
		suggestion 2
	} | mb-train -q >out
	[ "$(jq -r 'select(.trial == 1).status' out)" = failed ]
	[[ "$(jq -r 'select(.trial == 1).error' out)" == diverged* ]]
	[ "$(jq -r 'select(.trial == 1).metrics' out)" = null ]
	[ "$(jq -r 'select(.trial == 2).status' out)" = completed ]
}

@test "the time limit of the built-in job" {
	digits 100000 'trial_timeout: 0.2'
	SECONDS=0
	suggestion 1 | mb-train -q >out
	[ $SECONDS -lt 3 ]
	[ "$(jq -c '[.status,.error]' out)" = '["failed","timeout after 0.2 s"]' ]
}

@test "epochs of the assignments count before those of the task" {
	digits 3
	suggestion 1 '{"epochs":2}' | mb-train --curve >out
	jq -e '.epoch_metrics | length == 2' out
}

@test "a hyperparameter that the job has need not be listed, others are bad records" {
	digits 1
	{
		suggestion 1 '{"beta1":0.5}'
		suggestion 2 '{"learning_rat":0.5}'
		suggestion 3 '{"learning_rate":0}'
		suggestion 4 '{"optimizer":"sdg"}'
		suggestion 5 '{"hidden_layer_config":[10,"x"]}'
		suggestion 6 '{"batch_size":2.5}'
	} >in
	run --separate-stderr mb-train <in
	echo "$stderr"
	[ "$status" -eq 3 ]
	[ "$(jq -c .trial <<<"$output")" = 1 ]
	[[ "$stderr" == *"stdin:3: assignments.learning_rate: 0 is not in (0, 10]"* ]]
	[ "$(grep -c '^mb-train: stdin:[2-6]: assignments\.' <<<"$stderr")" -eq 5 ]
}

@test "what the built-in job cannot do is told at the start, with the line" {
	cat >experiment.yaml <<-'END'
		experiment: {name: t, observation_budget: 9}
		parameters:
		  - {name: learning_rate, type: double, bounds: {min: 0.1, max: 20}}
		  - {name: batchsize, type: int, bounds: {min: 1, max: 2}}
		  - {name: optimizer, type: categorical, categorical_values: [adam, adagrad]}
		metrics:
		  - {name: accuracy}
		task: {dataset: digits}
	END
	run mb-train </dev/null
	echo "$output"
	[ "$status" -eq 2 ]
	[[ "$output" == *"experiment.yaml:3: parameters[0].bounds.max: learning_rate: 20"*"(0, 10]"* ]]
	[[ "$output" == *"experiment.yaml:4: parameters[1].name: batchsize"*"did you mean batch_size"* ]]
	[[ "$output" == *"experiment.yaml:5: parameters[2].categorical_values[1]: optimizer: "*adagrad* ]]
	[[ "$output" == *"experiment.yaml:7: metrics[0].name: accuracy"*val_accuracy* ]]
}

@test "missing data end with 4, say where they were looked for, and the trial is free" {
	digits 1
	sed -i 's/digits/nowhere/' experiment.yaml
	run --separate-stderr mb-train < <(suggestion 1; suggestion 2)
	[ "$status" -eq 4 ]
	[ -z "$output" ]
	[[ "$stderr" == *"nowhere"*"looked in"* ]]
	[ "$(tail -qn1 trials.ndjson.run/*)" = ended ]
	grep -qx '1 0 1' trials.ndjson.run/*
	run mb-train -d elsewhere < <(suggestion 1)
	[ "$status" -eq 4 ]
	[[ "$output" == *elsewhere* ]]
}

@test "a built-in worker that is killed fails its trial, the next is trained" {
	digits 100000 'trial_timeout: 1'
	start suggestion 1
	until_true pgrep -P $trainer
	kill -9 $(pgrep -P $trainer)
	suggestion 2 '{"epochs":1}' >&9
	exec 9>&-
	wait $trainer
	[ "$(jq -r 'select(.trial == 1).error' out)" = 'trainer process killed by signal 9 (out of memory?)' ]
	[ "$(jq -r 'select(.trial == 2).status' out)" = completed ]
}

@test "workers of a trainer that was killed -9 are gone at once" {
	digits 100000
	start suggestion 1
	until_true pgrep -P $trainer
	worker=$(pgrep -P $trainer)
	kill -9 $trainer
	wait $trainer || true
	gone() { case $(ps -o stat= -p "$worker") in '' | Z*) ;; *) return 1 ;; esac; }
	until_true gone
}
