#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Processor time of one suggestion, the whole process from exec on, in 7 dimensions after 0, 100 and 1,000 results; beside it,
# in the same run, `optuna ask` on SQLite and Optuna's GPSampler in process where optuna (pip) is installed: $PYTHON, else
# python3, is asked. Medians, and ratios.
set -eu

runs=${RUNS:-9} python=${PYTHON:-python3}
optuna=$(dirname "$(command -v "$python")")/optuna
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"

# spent COMMAND…: user and system seconds of the command, in milliseconds
spent() {
	local TIMEFORMAT='%U %S'
	{ time "$@" >/dev/null 2>&1 </dev/null; } 2>&1 | awk '{ print 1000 * ($1 + $2) }'
}
median() { sort -n | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }'; }
repeat() { for ((i = 0; i < runs; i++)); do spent "$@"; done | median; }

cat >experiment.yaml <<END
experiment: {name: bench, observation_budget: 1000000, parallel_bandwidth: 1}
metrics: [{name: loss, objective: minimize}]
parameters:
$(for i in 0 1 2 3 4 5 6; do echo "  - {name: x$i, type: double, bounds: {min: 0, max: 1}}"; done)
END

for n in 0 100 1000; do
	awk -v n=$n 'BEGIN {
		srand(1)
		for (t = 1; t <= n; t++) {
			loss = 0
			printf "{\"experiment\":\"bench\",\"trial\":%d,\"status\":\"completed\",\"assignments\":{", t
			for (i = 0; i < 7; i++) {
				x = rand()
				loss += (x - 0.4) ^ 2
				printf "%s\"x%d\":%.15g", i ? "," : "", i, x
			}
			printf "},\"metrics\":{\"loss\":%.15g}}\n", loss
		}
	}' >history
	ours=$(repeat mb-suggest -a gp -l - --history history -n 1)
	printf '%-44s %10.1f ms\n' "n = $n: mb-suggest -a gp" "$ours"
	[ -x "$optuna" ] || continue

	rm -f study.db
	"$python" - $n <<-'END' 2>/dev/null
		import json, sys, optuna
		optuna.logging.disable_default_handler()
		study = optuna.create_study(storage="sqlite:///study.db", study_name="bench")
		space = {f"x{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(7)}
		study.add_trials([optuna.trial.create_trial(params=one["assignments"], distributions=space, value=one["metrics"]["loss"])
		                  for one in map(json.loads, open("history"))])
	END
	space=$(for i in 0 1 2 3 4 5 6; do
		printf '%s"x%d": {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0}}' "${comma:-}" $i
		comma=', '
	done)
	comma=
	theirs=$(runs=3 repeat "$optuna" ask --storage sqlite:///study.db --study-name bench --search-space "{$space}")
	printf '%-44s %10.1f ms %8.0f times\n' "n = $n: optuna ask" "$theirs" "$(awk "BEGIN { print $theirs / ($ours > 0 ? $ours : 1) }")"
	((n >= 100)) || continue
	"$python" -c 'import torch' 2>/dev/null || continue
	theirs=$("$python" - <<-'END' 2>/dev/null
		import json, statistics, time, optuna
		optuna.logging.disable_default_handler()
		study = optuna.create_study(sampler=optuna.samplers.GPSampler(seed=1))
		space = {f"x{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(7)}
		study.add_trials([optuna.trial.create_trial(params=one["assignments"], distributions=space, value=one["metrics"]["loss"])
		                  for one in map(json.loads, open("history"))])
		times = []
		for _ in range(4):
		    start = time.process_time()
		    trial = study.ask(space)
		    times.append(time.process_time() - start)
		    study.tell(trial, sum((x - 0.4) ** 2 for x in trial.params.values()))
		print(1000 * statistics.median(times[1:]))
	END
	)
	printf '%-44s %10.1f ms %8.0f times\n' "n = $n: GPSampler, in process" "$theirs" "$(awk "BEGIN { print $theirs / ($ours > 0 ? $ours : 1) }")"
done
