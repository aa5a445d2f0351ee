#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Multi-fidelity: rungs, promotions from checkpoints, exact budgets, tasks; from the experiment file to the log's questions.

load helper

# ladder BUDGET [BANDWIDTH [MIN [MAX]]]: a search over rungs on the digits; by sobol, so that it is the same at any speed.
ladder() {
	cat >experiment.yaml <<-END
	experiment: {name: ladder, observation_budget: $1, parallel_bandwidth: ${2:-2}, seed: 3, algorithm: sobol}
	parameters:
	  - {name: learning_rate, type: double, bounds: {min: 1.0e-4, max: 0.1}, transformation: log}
	  - {name: batch_size, type: int, grid: [64, 128]}
	metrics: [val_macro_f1]
	task: {dataset: digits}
	fidelity: {name: epochs, min: ${3:-1}, max: ${4:-9}, eta: 3}
	END
}

# own_ladder BUDGET [BANDWIDTH]: the same with a job of one's own, whose value is its fidelity.
own_ladder() {
	ladder "$@"
	sed -i '/^task/d; s/name: epochs/name: rounds/' experiment.yaml
	echo "model: {command: 'echo \$MB_FIDELITY'}" >>experiment.yaml
}

# Epochs that the finished trainings of a log took, each from where the trial stood.
epochs_in() {
	jq -s 'map(select(.status == "completed" or .status == "failed")) | group_by(.trial)
		| map(map(.fidelity[]) | max) | add // 0' "$1"
}

# Promotions keep the trial's assignments and seed, and go up one rung from a result.
promotions_hold() {
	jq -es 'map(select(.status == "open")) | group_by(.trial)
		| all(.[]; (map([.assignments, .seed]) | unique | length == 1)
			and ([.[].rung] | unique | . == [range(.[0]; .[0] + length)]))' "$1"
}

results() { jq -cS 'select(.status == "completed") | [.trial, .rung, (.metrics | del(.train_seconds))]' "$1" | sort; }

@test "a search over rungs: records, promotions from checkpoints, exactly the budget" {
	ladder 4 2
	mb-suggest | mb-train -v 2>err | mb-collect >out 2>said
	[ "$(epochs_in trials.ndjson)" -eq 36 ]
	promotions_hold trials.ndjson
	jq -es 'all(.[]; .fidelity == {epochs: ([1, 3, 9][.rung])})' out
	jq -es 'all(.[]; .model == "models/\(.trial)-\(.rung).ckpt")' out
	while read -r model; do [ -s "$model" ]; done < <(jq -r .model out)
	grep -q 'ckpt: goes on after epoch' err
	grep -q '^mb-collect: 4 of 4 observations, best' said
	mb-collect --best | jq -e '.rung == 2 and .fidelity.epochs == 9'
	mb-collect --top 9 | jq -es 'all(.[]; .rung == 2)'
	mb-collect --summary | tee summary
	grep -Eq '^rung 0 +epochs 1: [0-9]+ finished, best 0\.' summary
	mb-collect --best | mb-eval --split test | jq -e '.metrics.test_accuracy > 0.1'
	mb-collect --fsck
	run -1 mb-suggest -n 1
	[[ $output == *"4 of 4 observations are in"* ]]
}

@test "rung after rung equals one long run, to the bit; a checkpoint that is missing changes nothing" {
	ladder 4
	for schedule in cosine one_cycle; do
		for rung in 0 1 2; do
			jq -nc --argjson r $rung --arg s $schedule '{trial: 1, rung: $r, fidelity: {epochs: ([2, 4, 9][$r])}, seed: 5,
				assignments: {learning_rate: 0.01, optimizer: "momentum", batch_norm: true, dropout: 0.2,
					warmup_epochs: 1, batch_size: 64, schedule: $s}}'
		done >"$schedule"
		for ((line = 1; line <= 3; line++)); do sed -n ${line}p "$schedule" | mb-train --curve -v -m steps-"$schedule" -l -; done \
			>steps 2>err
		tail -n 1 "$schedule" | mb-train --curve -m once-"$schedule" -l - >once
		grep -c 'goes on after epoch' err | grep -qx 2
		same='.metrics, .epoch_metrics | del(.. | .train_seconds?)'
		diff <(tail -n 1 steps | jq -S "$same") <(jq -S "$same" once)
		[ "$(jq '.epoch_metrics | length' once)" -eq 9 ]
		# each rung's checkpoint stays as its training left it
		tail -n 2 "$schedule" | head -n 1 | mb-train --curve -m steps-"$schedule" -l - >again
		diff <(sed -n 2p steps | jq -S "$same") <(jq -S "$same" again)
	done
}

@test "a promotion takes the highest lower rung's checkpoint, and none of another trial" {
	ladder 4
	at() { jq -nc --argjson t "$1" --argjson r "$2" '{trial: $t, rung: $r, fidelity: {epochs: ([1, 3, 9][$r])}, seed: $t,
		assignments: {learning_rate: 0.01}}'; }
	for rung in 0 1; do at 1 $rung | mb-train -l - >/dev/null; done
	sum=$(md5sum models/1-1.ckpt)
	at 1 2 | mb-train -v -l - 2>err >/dev/null
	grep -q 'models/1-1.ckpt: goes on after epoch 3' err
	[ "$(md5sum models/1-1.ckpt)" = "$sum" ]
	cp models/1-1.ckpt models/2-1.ckpt
	at 2 2 | mb-train -l - 2>err >two
	grep -q 'models/2-1.ckpt: a checkpoint of another trial' err
	rm -r models
	at 2 2 | mb-train -l - | jq -S '.metrics | del(.train_seconds)' >alone
	diff <(jq -S '.metrics | del(.train_seconds)' two) alone
}

@test "8 loops at once: exactly the budget" {
	own_ladder 12 8
	for ((i = 0; i < 8; i++)); do
		mb-suggest -k 1 2>>err | mb-train -j 1 2>>err | mb-collect -q 2>>err >/dev/null &
	done
	wait
	cat err
	[ "$(epochs_in trials.ndjson)" -eq 108 ]
	promotions_hold trials.ndjson
	mb-collect </dev/null 2>&1 | grep -q '12 of 12 observations'
	# no key was trained twice, and none is open
	jq -es 'map(select(.status == "completed") | [.trial, .rung]) | length == (unique | length)' trials.ndjson
	mb-collect --tsv | awk -F'\t' 'NR > 1 && $3 != "completed" { bad = 1 } END { exit bad }'
}

@test "kill -9 in the middle, again and again: exactly the budget, and the results of a calm run" {
	ladder 60 4 2 18
	RANDOM=${MB_SEED:-7}
	for ((i = 0; i < 12; i++)); do
		rm -f a b
		mkfifo a b
		mb-suggest >a 2>>err & pids=($!)
		mb-train -j2 <a >b 2>>err & pids+=($!)
		mb-collect -q <b >/dev/null 2>>err & pids+=($!)
		sleep 0.0$((RANDOM % 60 + 30))
		kill -9 "${pids[RANDOM % 3]}" 2>/dev/null || true
		wait "${pids[@]}" || true
	done
	[ "$(epochs_in trials.ndjson)" -lt 1080 ] # some of it was in time
	timeout 120 mb-suggest | mb-train -j2 | mb-collect -q >/dev/null
	[ "$(epochs_in trials.ndjson)" -eq 1080 ]
	promotions_hold trials.ndjson
	mb-collect --fsck
	# each training's result is that of its record alone
	jq -c 'select(.status == "completed") | del(.metrics) | .status = "open"' trials.ndjson |
		mb-train -m calm -l - >calm.ndjson
	diff <(results trials.ndjson) <(results calm.ndjson)
}

@test "-n: never past the budget, and promotions too" {
	own_ladder 2
	mb-suggest -n 100 >first 2>err
	# 18 units, nothing finished: Hyperband's shares of 1, 3 and 9 until they are spoken for
	jq -es 'map(.fidelity.rounds) | add == 18' first
	grep -q 'the budget ends here' err
	run -1 mb-suggest -n 1
	[[ $output == *"0 finished and "*" open trials of 2 fill the budget of 2;"* ]]
	mb-train <first | mb-collect -q >/dev/null
	[ "$(epochs_in trials.ndjson)" -eq 18 ]
	rm -rf trials.ndjson*
	while mb-suggest -n 1 2>/dev/null >one; do mb-train <one | mb-collect -q >/dev/null; done
	[ "$(epochs_in trials.ndjson)" -eq 18 ]
	promotions_hold trials.ndjson
	jq -es 'any(.[]; .algorithm == "asha" and .rung > 0)' trials.ndjson
}

@test "one after the other, the same log gives the same suggestions, cold and warm" {
	own_ladder 6 1
	sed -i 's/sobol/auto/' experiment.yaml
	keys='[.trial, .rung, .fidelity, .assignments, .seed, .attempt, .algorithm]'
	while mb-suggest -n 1 2>/dev/null >one; do
		jq -c "$keys" one >>cold
		jq -c '.status = "completed" | .metrics = {val_macro_f1: (.assignments.learning_rate * .fidelity.rounds)}' one |
			mb-collect -q >/dev/null
	done
	mkfifo to from
	timeout 60 mb-suggest -l - <to >from &
	exec 7>to 8<from
	while read -r -u 8 line; do
		jq -c "$keys" <<<"$line" >>warm
		jq -c '.status = "completed" | .metrics = {val_macro_f1: (.assignments.learning_rate * .fidelity.rounds)}' <<<"$line" >&7 ||
			break
	done
	exec 7>&- 8<&-
	[ "$(wc -l <cold)" -gt 12 ]
	diff cold warm
}

@test "what fits in nothing ends the search" {
	ladder 1 1 4 10 # units of 4 and, going on, 6: two trials of 4 leave 2, in which nothing fits
	mb-suggest -n 9 >two
	jq -es 'map(.fidelity.epochs) == [4, 4]' two
	mb-train <two | mb-collect 2>&1 >/dev/null | grep -q '0.80 of 1 observations, .*(trial [12])$'
	timeout 20 mb-suggest >more 2>said
	[ ! -s more ]
	grep -qx 'mb-suggest: the end: no training costs as little as the 0.20 of the budget that are left' said
	run -1 mb-suggest -n 1
	[[ $output == *"0.80 of 1 observations are in, no training costs as little as what is left" ]]
}

@test "a trial that failed on its rung is not promoted, and spends what it would have" {
	own_ladder 6 1
	sed -i "s/^model.*/model: {command: 'test \$((MB_TRIAL % 2)) = 0; echo \$MB_FIDELITY'}/" experiment.yaml
	sed -i "s/; echo/ \\&\\& echo/" experiment.yaml
	mb-suggest | mb-train | mb-collect -q >/dev/null
	[ "$(epochs_in trials.ndjson)" -eq 54 ]
	jq -es 'any(.[]; .status == "failed" and .rung == 0) and any(.[]; .algorithm == "asha")' trials.ndjson
	jq -es 'group_by(.trial) | all(.[]; ([.[] | select(.status == "failed") | .rung] | min // 99) >= ([.[].rung] | max))' trials.ndjson
}

@test "a training cut off is issued again on its own rung" {
	own_ladder 6 1
	mb-suggest -n 4 >issued
	jq -c '.status = "interrupted"' issued | mb-collect -q >/dev/null
	mb-suggest -n 4 >again
	diff <(jq -c '[.trial, .rung, .fidelity, .assignments, .seed]' issued) \
		<(jq -c '[.trial, .rung, .fidelity, .assignments, .seed]' again)
	jq -es 'all(.[]; .attempt == 2)' again
}

@test "a job of one's own gets rung and fidelity: environment, record, and a Python function's argument" {
	own_ladder 2 1
	sed -i "s/^model.*/model: {command: 'jq .fidelity.rounds; echo \$((MB_RUNG * 100 + MB_FIDELITY))'}/" experiment.yaml
	mb-suggest | mb-train | mb-collect -q >out
	jq -es 'all(.[]; .metrics.val_macro_f1 == .rung * 100 + .fidelity.rounds)' out
	sed -i "s/^model.*/model: {entry_point: main.py, function_name: run}/" experiment.yaml
	echo 'def run(given): return given["fidelity"]["rounds"]' >main.py
	rm -rf trials.ndjson*
	mb-suggest | mb-train | mb-collect -q >out
	jq -es 'length > 2 and all(.[]; .metrics.val_macro_f1 == .fidelity.rounds)' out
}

@test "tasks: fidelities by name, the budget counts costs" {
	own_ladder 3 1
	sed -i '/^fidelity/d' experiment.yaml
	echo 'tasks: [{name: full, cost: 1}, {name: small, cost: 0.1}, {name: half, cost: 0.5}]' >>experiment.yaml
	sed -i "s/^model.*/model: {command: 'test \$MB_FIDELITY = \$(jq -r .fidelity.task) \\&\\& echo \$MB_TRIAL'}/" experiment.yaml
	mb-suggest | mb-train | mb-collect >out 2>said
	jq -es 'all(.[]; .status == "completed" and .fidelity.task == ["small", "half", "full"][.rung])' out
	jq -es 'map({small: 1, half: 5, full: 10}[.fidelity.task]) | add == 30' out
	grep -q '3 of 3 observations' said
	jq -es 'any(.[]; .algorithm == "asha")' out
	mb-collect --best | jq -e '.fidelity.task == "full"'
	mb-suggest --check | grep -qx 'fidelity      task small 0.10, task half 0.50, task full 1; the best third of each go on'
}

@test "--check tells the rungs" {
	ladder 4
	mb-suggest --check | grep -qx 'fidelity      epochs 1, 3, 9; the best third of each go on'
	mb-suggest --check | grep -qx 'budget        4 full trainings, at most 2 at once'
}

@test "the built-in job has epochs alone" {
	ladder 4
	sed -i 's/name: epochs/name: rows/' experiment.yaml
	run -2 mb-train </dev/null
	[[ $output == "mb-train: experiment.yaml:7: fidelity.name: rows is not a fidelity of the built-in job (it has epochs;"* ]]
	sed -i 's/^fidelity.*/tasks: [{name: a, cost: 1}, {name: b, cost: 0.2}]/' experiment.yaml
	run -2 mb-train </dev/null
	[[ $output == "mb-train: experiment.yaml:7: tasks: the built-in job has one task alone ("* ]]
	ladder 4
	for fidelity in '{"epochs": 10}' '{"epochs": 0}' '{"rows": 3}' '{}' '3'; do
		run -3 mb-train -l - <<<'{"trial": 1, "rung": 1, "fidelity": '"$fidelity"', "assignments": {}}'
		[[ $output == "mb-train: stdin:1: fidelity: "* ]]
	done
}

@test "epochs: fidelity before assignments.epochs before task.epochs" {
	ladder 4
	sed -i 's/dataset: digits/dataset: digits, epochs: 2/' experiment.yaml
	mb-train --curve -l - >out <<-END
	{"trial": 1, "rung": 1, "fidelity": {"epochs": 3}, "assignments": {"epochs": 5}}
	{"trial": 2, "assignments": {"epochs": 5}}
	{"trial": 3, "assignments": {}}
	END
	[ "$(jq -sc 'sort_by(.trial) | map(.epoch_metrics | length)' out)" = '[3,5,2]' ]
}

@test "detached: status counts full trainings" {
	ladder 4
	export XDG_STATE_HOME=$PWD/state
	mb-deploy start experiment.yaml --on local
	finished() { mb-deploy status ladder | grep -q 'finished, 4 of 4 observations'; }
	until_true finished
	[ "$(epochs_in ladder/trials.ndjson)" -eq 36 ]
	mb-deploy continue ladder 2>&1 | grep -q '4 of 4 observations are in: nothing is left to do'
}
