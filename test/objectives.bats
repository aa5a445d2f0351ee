#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Several objectives, and metrics held to thresholds: which trials are best, and searches for them.

load helper

# metrics TEXT: an experiment with these metrics.
metrics() {
	cat >experiment.yaml <<-END
	experiment: {name: both, observation_budget: ${2:-40}, parallel_bandwidth: 1}
	parameters:
	  - {name: x, type: double, bounds: {min: 0, max: 1}}
	  - {name: y, type: double, bounds: {min: 0, max: 1}}
	metrics: $1
	END
}

TWO='[{name: loss, objective: minimize}, {name: speed}]'
HELD='[{name: loss, objective: minimize}, {name: size, objective: minimize, strategy: constraint, threshold: 5},
	{name: recall, strategy: constraint, threshold: 0.5}, {name: note, strategy: store}]'

# point X METRICS [STATUS]: appends what was measured at (X, 0).
point() {
	echo "{\"assignments\":{\"x\":$1,\"y\":0},\"status\":\"${3:-completed}\",\"metrics\":$2}" | mb-collect -q >/dev/null
}

trials() {
	jq -s -c 'map(.trial)'
}

# ---- the front ----

@test "--pareto and --best print what no other trial dominates, --top goes on with the next front" {
	metrics "$TWO"
	point 0.1 '{"loss":3,"speed":9}'
	point 0.2 '{"loss":2,"speed":5}'
	point 0.3 '{"loss":3,"speed":5}'
	point 0.4 '{"loss":1,"speed":1}'
	point 0.5 '{"loss":4,"speed":8}'
	point 0.6 '{"loss":4,"speed":4}'
	[ "$(mb-collect --pareto | trials)" = "[4,2,1]" ]
	[ "$(mb-collect --best | trials)" = "[4,2,1]" ]
	[ "$(mb-collect --top 9 | trials)" = "[4,2,1,3,5,6]" ]
	[ "$(mb-collect --top 2 | trials)" = "[4,2]" ]
}

@test "--summary gives the front and its hypervolume from the thresholds" {
	metrics '[{name: loss, objective: minimize, threshold: 4}, {name: speed, threshold: 0}]'
	point 0.1 '{"loss":3,"speed":9}'
	point 0.2 '{"loss":2,"speed":5}'
	point 0.3 '{"loss":5,"speed":99}'
	mb-collect --summary >out
	grep -qx 'front         3 trials that no other dominates' out
	grep -qx '              loss 2, speed 5 (trial 2)' out
	grep -qx 'hypervolume   14, measured from loss 4, speed 0' out
}

@test "without thresholds the reference is a tenth beyond the front" {
	metrics "$TWO"
	point 0.1 '{"loss":3,"speed":10}'
	point 0.2 '{"loss":1,"speed":0}'
	mb-collect --summary >out
	grep -qx 'hypervolume   4.2, measured from loss 3.2, speed -1' out
}

@test "the closing line tells of the front" {
	metrics "$TWO"
	point 0.1 '{"loss":3,"speed":9}'
	mb-collect 2>err >out <<<'{"assignments":{"x":0.2,"y":0},"status":"completed","metrics":{"loss":2,"speed":5}}'
	grep -qx 'mb-collect: 2 of 40 observations, a front of 2 trials, hypervolume 0.84; the same line again goes on' err
}

@test "of one objective --pareto is --best" {
	metrics '[{name: loss, objective: minimize}]'
	point 0.1 '{"loss":3}'
	point 0.2 '{"loss":2}'
	[ "$(mb-collect --pareto | trials)" = "[2]" ]
	run -2 mb-collect --pareto --best
}

# ---- constraints ----

@test "a trial that breaks a constraint is not the best" {
	metrics "$HELD"
	point 0.1 '{"loss":1,"size":6,"recall":0.9,"note":1}'
	point 0.2 '{"loss":3,"size":5,"recall":0.5}'
	point 0.3 '{"loss":2,"size":5,"recall":0.4}'
	point 0.4 '{"loss":0.5,"recall":0.9}'
	point 0.5 '{"loss":4,"size":1,"recall":1}'
	point 0.6 '{"loss":2,"size":7,"recall":0.6}'
	[ "$(mb-collect --best | trials)" = "[2]" ]
	[ "$(mb-collect --top 6 | trials)" = "[2,5,1,4,3,6]" ]
	mb-collect --summary >out
	grep -qx 'feasible      2 of 6 completed trials keep the constraints' out
	grep -qx 'best          loss 3 (trial 2)' out
	grep -qx '              with size 5, recall 0.5' out
	grep -qx 'loss: median 4, worst 4' out
	mb-collect 2>&1 >out </dev/null | grep -q 'best loss 3 (trial 2)'
	[ "$(jq -sc '.[0].metrics.note' trials.ndjson)" = 1 ]
}

@test "a result that breaks a constraint while the pipe runs is not the best either" {
	metrics "$HELD"
	printf '{"assignments":{"x":%s,"y":0},"status":"completed","metrics":{"loss":%s,"size":%s,"recall":1}}\n' \
		0.1 2 1 0.2 1 9 | mb-collect 2>&1 >out | grep -q 'best loss 2 (trial 1)'
}

@test "when no trial keeps the constraints, it is said" {
	metrics "$HELD"
	point 0.1 '{"loss":1,"size":6,"recall":0.9}'
	point 0.2 '{"loss":2,"size":8,"recall":0.9}'
	run -1 --separate-stderr mb-collect --best
	[ -z "$output" ]
	[[ "$stderr" == *"none of 2 completed trials keeps the constraints; --top 2 shows them"* ]]
	[ "$(mb-collect --top 2 | trials)" = "[1,2]" ]
	mb-collect 2>&1 >out </dev/null | grep -q 'none keeps the constraints yet'
	mb-collect --summary | grep -qx 'feasible      0 of 2 completed trials keep the constraints'
}

@test "mb-deploy status tells of the front, and of constraints that nothing keeps" {
	local folder
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	metrics "$TWO" 3
	cat >>experiment.yaml <<-'END'
	model: {command: [jq, -c, '{loss: .assignments.x, speed: .assignments.x}']}
	END
	mb-deploy start experiment.yaml --on local
	until_true sh -c 'mb-deploy status both | grep -q "both: finished"'
	mb-deploy status both >out
	grep -qE '^  front      3 trials, hypervolume [0-9.]+$' out
	mb-deploy status both --json | jq -e '.front == 3 and .hypervolume > 0 and (has("best") | not)'
	mb-deploy delete both
	sed -i 's/metrics: .*/metrics: [{name: loss}, {name: speed, strategy: constraint, threshold: 2}]/' experiment.yaml
	mb-deploy start experiment.yaml --on local
	until_true sh -c 'mb-deploy status both | grep -q "both: finished"'
	mb-deploy status both | grep -qx '  feasible   none of 3 completed trials keeps the constraints'
	mb-deploy status both --json | jq -e '.feasible == 0 and (has("best") | not)'
}
