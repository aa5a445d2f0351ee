#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# kill -9 of any of the three processes at random moments, then the same line again. MB_KILLS sets how often (make torture).

load helper

KILLS=${MB_KILLS:-50}
RANDOM_SEED=${MB_SEED:-$RANDOM}

# One start of the pipe, in the background, its three pids in $pids.
start_pipe() {
	rm -f a b
	mkfifo a b
	mb-suggest >a 2>>err & pids=($!)
	mb-train -j2 <a >b 2>>err & pids+=($!)
	mb-collect -q <b >/dev/null 2>>err & pids+=($!)
}

all_gone() {
	local pid
	for pid in "${pids[@]}"; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done
}

# The metrics of every completed trial but for times, by number.
results() { jq -cS 'select(.status == "completed") | [.trial, (.metrics | del(.train_seconds))]' "$1" | sort; }

@test "$KILLS times kill -9 of mb-suggest, mb-train or mb-collect: exactly the budget, nothing twice, nothing lost" {
	budget=$((KILLS * 5 + 20))
	experiment "$budget" 4
	# sobol: what it suggests depends on the number of a trial alone, so the two logs can be compared
	sed -i 's/epochs: 1/epochs: 60/; s/parallel_bandwidth/algorithm: sobol\n  parallel_bandwidth/' experiment.yaml
	echo "seed $RANDOM_SEED"
	RANDOM=$RANDOM_SEED
	killed=0
	while ((killed < KILLS)); do
		start_pipe
		sleep 0.$(printf '%03d' $((RANDOM % 200)))
		victim=${pids[RANDOM % 3]}
		if kill -9 "$victim" 2>/dev/null; then killed=$((killed + 1)); fi
		until_true all_gone
		wait "${pids[@]}" || true
		[ "$(jq -s 'map(select(.status == "completed")) | length' trials.ndjson 2>/dev/null || echo 0)" -lt "$budget" ] || break
	done
	echo "killed $killed times"
	((killed >= KILLS / 2))
	timeout 120 mb-suggest | mb-train -j2 | mb-collect -q >/dev/null
	diff <(jq -r 'select(.status == "completed").trial' trials.ndjson | sort -n) <(seq "$budget")
	# no recorded trial was issued again
	jq -es 'reduce .[] as $r ({done: {}, again: 0};
		if $r.status == "completed" then .done["\($r.trial)"] = true
		elif .done["\($r.trial)"] then .again += 1 else . end) | .again == 0' trials.ndjson
	run mb-collect --fsck
	echo "$output"
	[ "$status" -eq 0 ]
	[ ! -e trials.ndjson.run ]
	# and the results are those of a run that nobody disturbed
	timeout 120 mb-suggest -l calm.ndjson | mb-train -j1 -l calm.ndjson -m calm | mb-collect -q -l calm.ndjson >/dev/null
	diff <(results trials.ndjson) <(results calm.ndjson)
}
