#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# --prior-log: what logs of other experiments teach.

load helper

# A bowl with its lowest point at x = 0.8, y = 0.3.
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cat >experiment.yaml <<-END
	experiment: {name: mine, observation_budget: 40, parallel_bandwidth: 1, algorithm: gp, seed: 4}
	parameters:
	  - {name: x, type: double, bounds: {min: 0, max: 1}}
	  - {name: y, type: double, bounds: {min: 0, max: 1}}
	metrics: [{name: loss, objective: minimize}]
	END
	points | jq -c '.metrics.loss = (((.assignments.x - 0.8) | . * .) + ((.assignments.y - 0.3) | . * .)) * 50 + 7' >prior.ndjson
}

# A grid of 64 results of another experiment.
points() {
	jq -nc 'range(64) | {experiment: "other", trial: (. + 1), status: "completed",
		assignments: {x: ((. % 8) / 7), y: ((. / 8 | floor) / 7)}, metrics: {}}'
}

# results N: N results of this experiment, off the grid, of the same bowl.
results() {
	jq -nc --argjson n "$1" 'range($n) | {trial: (. + 1), status: "completed",
		assignments: {x: ((. * 37 + 37) % 100 / 100), y: (. * 5 % 7 / 7.1)}}
		| .metrics.loss = ((.assignments.x - 0.8) | . * .) + ((.assignments.y - 0.3) | . * .)'
}

@test "the first suggestions are the best points of the log, then those of each log in turn" {
	mb-suggest -l - -n 1 --prior-log prior.ndjson </dev/null >out
	jq -e '.algorithm == "prior-log" and .trial == 1' out
	jq -e '((.assignments.x - 6 / 7) | fabs < 1e-9) and ((.assignments.y - 2 / 7) | fabs < 1e-9)' out
	jq -c '.metrics.loss = -.metrics.loss' prior.ndjson >other.ndjson # best at a corner
	mb-suggest -n 2 --prior-log prior.ndjson --prior-log other.ndjson >out
	jq -es '.[1].assignments | .x == 0 and .y == 1' out
	jq -es 'all(.[]; .algorithm == "prior-log")' out
}

@test "a log that ranks the results counts and leads; one that does not counts nothing and changes nothing" {
	results 6 >results
	mb-suggest -l - -n 1 --prior-log prior.ndjson <results >out
	jq -e '.algorithm == "gp" and (.surrogate.prior_logs | length == 1 and .[0] > 0)' out
	jq -c '.metrics.loss = -.metrics.loss' prior.ndjson >contrary.ndjson
	mb-suggest -l - -n 1 --prior-log contrary.ndjson <results >out
	jq -e '.surrogate.prior_logs == [0]' out
	mb-suggest -l - -n 1 <results | diff <(jq .assignments out) <(jq .assignments)
}

@test "the same logs and seed give the same, in one process and in many" {
	one() {
		jq -c --unbuffered '.status = "completed" | .metrics = {loss: (((.assignments.x - 0.8) | . * .) + ((.assignments.y - 0.35) | . * .))}'
	}
	for ((i = 0; i < 10; i++)); do
		mb-suggest -n 1 --prior-log prior.ndjson | one | mb-collect -q >/dev/null
	done
	sed -i 's/observation_budget: 40/observation_budget: 10/' experiment.yaml
	mb-suggest -l warm.ndjson --prior-log prior.ndjson | one | mb-collect -q -l warm.ndjson >/dev/null
	of() { jq -c 'select(.status == "open") | [.trial, .assignments, .surrogate]' "$1"; }
	[ "$(of warm.ndjson | wc -l)" -eq 10 ]
	diff <(of trials.ndjson) <(of warm.ndjson)
	jq -es 'map(select(.status == "open" and .algorithm == "gp" and .surrogate.prior_logs[0] > 0)) | length > 0' warm.ndjson
}

@test "parameters are known by name; results that are of no use are counted" {
	jq -c '.assignments += {more: "x"} | if .trial <= 5 then del(.assignments.y) elif .trial <= 7 then .assignments.x = 3
		elif .trial <= 8 then .metrics = {other: 1} else . end' prior.ndjson >odd.ndjson
	mb-suggest -l - -n 1 --prior-log odd.ndjson </dev/null >out 2>err
	jq -e '.algorithm == "prior-log" and (.assignments | keys == ["x", "y"])' out
	grep -q '^mb-suggest: odd.ndjson: 8 of 64 results skipped: no loss, or parameters missing or outside the space$' err
	head -n 7 odd.ndjson >few.ndjson
	mb-suggest -l - -n 1 --prior-log few.ndjson </dev/null >out 2>err
	jq -e '.algorithm == "centre"' out
	grep -q 'few.ndjson: 0 results to learn from, needs 3: not used' err
}

@test "of a search over rungs the highest counts" {
	jq -c '.rung = 1' prior.ndjson >rungs.ndjson
	points | jq -c '.rung = 0 | .metrics.loss = -.trial' >>rungs.ndjson
	mb-suggest -l - -n 1 --prior-log rungs.ndjson </dev/null | jq -e '.assignments.x | . > 0.8 and . < 0.9'
}

@test "what is no log, and what cannot learn from one, says so" {
	{ head -n 2 prior.ndjson; echo 'x,y,loss'; } >bad.csv
	run -3 mb-suggest -l - -n 1 --prior-log bad.csv </dev/null
	[[ $output == *"bad.csv:3: "* ]]
	echo '{"model":"a.ckpt"}' >foreign.ndjson
	run -3 mb-suggest -l - -n 1 --prior-log foreign.ndjson </dev/null
	[[ $output == *"foreign.ndjson:1: neither a trial nor assignments"* ]]
	run -4 mb-suggest -l - -n 1 --prior-log none.ndjson </dev/null
	[[ $output == *"none.ndjson: No such file"* ]]
	yes '' | head -n 1000000 >long.ndjson
	head -n 1 prior.ndjson >>long.ndjson
	run -3 mb-suggest -l - -n 1 --prior-log long.ndjson </dev/null
	[[ $output == *"long.ndjson:1000001: more than 1000000 lines"* ]]
	run -2 mb-suggest -a tpe -n 1 --prior-log prior.ndjson
	[[ $output == *"--prior-log: algorithm tpe does not learn from other logs"* ]]
	run -2 mb-suggest --check --prior-log prior.ndjson
	sed -i 's/^metrics.*/metrics: [{name: loss, objective: minimize}, {name: f1}]/' experiment.yaml
	run -2 mb-suggest -n 1 --prior-log prior.ndjson
	[[ $output == *"several optimised metrics"* ]]
	[ ! -e trials.ndjson ]
}
