#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sanitizers: too
#
# mb-suggest --should-stop: the search as a whole, and a running trial (--trial -).

load helper

# observed VALUE…: appends completed trials with these values of val_macro_f1.
observed() {
	local value
	for value; do
		printf '{"assignments": {"learning_rate": 0.0%s, "batch_size": 64}, "status": "completed", "metrics": {"val_macro_f1": %s}}\n' \
			"$((RANDOM % 90 + 10))" "$value"
	done | mb-collect -q >/dev/null
}

# running VALUE…: the record of trial 99 with that curve.
running() {
	jq -nc '{trial: 99, rung: 0, epoch_metrics: [$ARGS.positional | to_entries[] | {epoch: (.key + 1), val_macro_f1: .value}]}' \
		--jsonargs "$@"
}

@test "the budget is a reason to stop, too few results are none" {
	experiment 3
	run -1 mb-suggest --should-stop
	[ "$output" = "mb-suggest: go on: 0 of 3 observations, no reason to stop" ]
	[ ! -e trials.ndjson ]
	observed 0.5 0.6
	run -1 mb-suggest --should-stop
	observed 0.7
	run -0 mb-suggest --should-stop
	[ "$output" = "mb-suggest: stop: observation_budget_reached: 3 of 3 observations" ]
	run -0 mb-suggest --should-stop -q
	[ -z "$output" ]
}

@test "stagnation: the last 5 observations a dimension against the 5th best before" {
	experiment 100
	observed 0.5 0.5 0.5 0.5 0.5 0.1 0.2 0.1 0.2 0.1 0.2 0.1 0.2 0.1
	run mb-suggest --should-stop
	[[ $output != *possible_stagnation* ]]
	observed 0.5
	run -0 mb-suggest --should-stop
	[[ $output == *"mb-suggest: stop: possible_stagnation: the best of the last 10 observations is no better than the 5th best before them"* ]]
	observed 0.51
	run mb-suggest --should-stop
	[[ $output != *possible_stagnation* ]]
}

@test "a space without points left" {
	experiment 100
	sed -i '/learning_rate/d' experiment.yaml
	mb-suggest | mb-train | mb-collect -q >/dev/null
	run -0 mb-suggest --should-stop
	[ "$output" = "mb-suggest: stop: space_exhausted: all 2 points are suggested" ]
}

@test "expected regret: a search that has found the top of a hill" {
	cat >experiment.yaml <<-END
	experiment: {name: hill, observation_budget: 200, parallel_bandwidth: 1, seed: 1, algorithm: gp}
	parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]
	metrics: [height]
	model: {command: 'jq "3 - (.assignments.x - 0.3) * (.assignments.x - 0.3)"'}
	END
	while ! mb-suggest --should-stop -q; do
		mb-suggest -n 4 | mb-train | mb-collect -q >/dev/null
	done
	[ "$(jq -s 'map(select(.status == "completed")) | length' trials.ndjson)" -le 40 ]
	mb-suggest --should-stop 2>&1 | grep -q '^mb-suggest: stop: expected_regret: the best is within '
	mb-collect --best | jq -e '.metrics.height > 2.999'
}

@test "--trial -: the median of the others' curves" {
	experiment 30
	sed -i 's/epochs: 1/epochs: 4/' experiment.yaml
	mb-suggest -n 4 | mb-train --curve | mb-collect -q >/dev/null
	run -1 mb-suggest --should-stop --trial - <<<"$(running 0.01 0.01 0.01)"
	[[ $output == "mb-suggest: go on: the log has curves of 4 other completed trials, 5 are needed (mb-train --curve)" ]]
	mb-suggest -n 5 | mb-train --curve | mb-collect -q >/dev/null
	median=$(jq -s '[.[] | select(.status == "completed") | .epoch_metrics[:3] | map(.val_macro_f1) | add / length] | sort | .[4]' trials.ndjson)
	under=$(jq -n "$median - 0.001") over=$(jq -n "$median + 0.001")
	run -0 mb-suggest --should-stop --trial - <<<"$(running 0.01 "$under" 0.01)"
	[[ $output == "mb-suggest: stop: median: trial 99 has come to val_macro_f1 "*" by epoch 3, the median of 9 others' means is "* ]]
	run -1 mb-suggest --should-stop --trial - <<<"$(running 0.01 "$over" 0.01)"
	run -1 mb-suggest --should-stop --trial - <<<"$(running 0.01)" # one epoch is too early
	# the last record counts
	run -1 mb-suggest --should-stop --trial - < <(running 0.01 0.01 0.01; running 0.01 "$over" 0.01)
}

@test "--trial -: the rungs below its own" {
	experiment 30
	cat >>experiment.yaml <<<'fidelity: {name: epochs, min: 1, max: 9}'
	for value in 0.3 0.5 0.7; do
		jq -nc '{assignments: {learning_rate: 0.01, batch_size: 64}, rung: 1, status: "completed",
			metrics: {val_macro_f1: $v}}' --argjson v $value
	done | mb-collect -q >/dev/null
	run -0 mb-suggest --should-stop --trial - < <(running 0.1 0.1 0.6 0.9 | jq -c '.rung = 2')
	[ "$output" = "mb-suggest: stop: rung: trial 99 had val_macro_f1 0.6 at epoch 3, 0.7 is needed among 3 others" ]
	run -1 mb-suggest --should-stop --trial - < <(running 0.1 0.1 0.8 0.9 | jq -c '.rung = 2')
	run -1 mb-suggest --should-stop --trial - < <(running 0.1 0.1 0.6 | jq -c '.rung = 1')
}

@test "--trial -: what is no record of a running trial" {
	experiment 30
	for line in '{"trial": 3}' '{"trial": 3, "epoch_metrics": []}' '{"trial": 3, "epoch_metrics": [{"epoch": 1, "loss": 3}]}' \
		'{"trial": 3, "epoch_metrics": {"val_macro_f1": 1}}'; do
		run -3 mb-suggest --should-stop --trial - <<<"$line"
		[[ $output == "mb-suggest: stdin: epoch_metrics: "*" has no value of val_macro_f1 (expected an array of one object an epoch"* ]]
	done
	run -3 mb-suggest --should-stop --trial - <<<'{"epoch_metrics": [{"val_macro_f1": 1}]}'
	[[ $output == "mb-suggest: stdin: trial: missing" ]]
	run -3 mb-suggest --should-stop --trial - </dev/null
	run -3 mb-suggest --should-stop --trial - <<<'nonsense'
	run -2 mb-suggest --trial - <<<'{}'
	run -2 mb-suggest --should-stop --trial 3
	run -2 mb-suggest --should-stop -l - </dev/null
}
