# SPDX-License-Identifier: MIT
#
# The examples with jobs of one's own: the commands of each README, also those that need something that not every machine
# has, and what they come to.

load helper

# example NAME: a copy of the example's folder, with an empty home in it.
example() {
	cp -r "$ROOT/share/examples/$1/." .
	mkdir home
	export HOME=$PWD/home
}

# commands: all blocks of ```sh of the README, one after the other.
commands() { awk '/^```sh$/ { inside = 1; next } /^```/ { inside = 0 } inside' README.md; }

run_all() {
	commands >commands
	[ -s commands ]
	timeout 100 bash -eo pipefail commands >said 2>&1 || { tail -n 30 said | cut -c 1-200; return 1; }
}

# exactly N FOLDER: its log is whole, and has the trials 1 to N completed, each once.
exactly() {
	diff <(jq -r 'select(.status == "completed").trial' "$2/trials.ndjson" | sort -n) <(seq "$1")
	mb-collect -q --fsck -e "$2/experiment.yaml"
}

# sklearn: the first python3 of PATH that has it, if need be the system's.
sklearn() {
	python3 -c 'import sklearn' 2>/dev/null && return
	/usr/bin/python3 -c 'import sklearn' 2>/dev/null || skip 'python3-sklearn is not installed (270 MB)'
	mkdir bin
	ln -s /usr/bin/python3 bin
	PATH=$PWD/bin:$PATH
}

@test "python-function: the elastic net is tuned, and tested on what the search never saw" {
	sklearn
	example python-function
	run_all
	exactly 20 home/elastic-net
	cd home/elastic-net
	# A grid of 26 alphas, 11 betas and both of normalize comes to 3117.2 on the same folds, the mean of y alone to 5971.
	mb-collect --best | jq -e '.metrics.mse < 3150 and .metrics.mse > 3100 and .metrics.r2 > 0.4 and
		.metrics_stddev.mse > 10 and (.model | test("^output/[0-9]+$"))'
	[ "$(find output -name model.joblib | wc -l)" -eq 20 ]
	mb-collect --best | mb-eval 2>/dev/null | jq -e '.metrics.test_mse > 2600 and .metrics.test_mse < 2900'
	# Imports are paid once: one span of loading for all trials of the one mb-train.
	[ "$(jq -s 'map(select(.status == "completed").spans[] | select(.phase == "load")) | length' trials.ndjson)" -eq 1 ]
}

@test "shell-command: jq and awk find the valley" {
	example shell-command
	run_all
	exactly 40 home/valley
	mb-collect -e home/valley/experiment.yaml --best | jq -e '.metrics.depth < 5'
	mb-collect -e home/valley/experiment.yaml --best | jq -e '.assignments as {$x, $y} |
		(.metrics.depth - ((1 - $x) * (1 - $x) + 100 * ($y - $x * $x) * ($y - $x * $x))) | fabs < 1e-3'
}

@test "xargs-parallel: both share out the trials, each once" {
	command -v parallel >/dev/null || skip 'parallel is not installed'
	example xargs-parallel
	run_all
	exactly 12 home/many
	[ "$(grep -c '12 of 12 observations' said)" -eq 3 ]
}

@test "coprocess: Python, bash and awk each drive a search to its end" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	example coprocess
	run_all
	grep -q '^best of 10: x = ' said
	grep -q '"height"' said
	[ "$(jq -s 'map(.trial) | sort == [range(1; 11)]' home/asked/finished.ndjson)" = true ]
	[ "$(jq -s 'map(.trial) | sort == [range(1; 11)]' home/asked/by-pipes.ndjson)" = true ]
	cd home/asked
	sed -i 's/observation_budget: 10/observation_budget: 12/' experiment.yaml
	[ "$(mb-suggest -q -n 1 -l - --history finished.ndjson </dev/null | jq .trial)" -eq 11 ]
}

# A stand-in for Slurm: the job runs at once, in the folder that it was submitted from.
sbatch_stub() {
	mkdir bin
	cat >bin/sbatch <<-'SH'
	#!/bin/bash
	SLURM_SUBMIT_DIR=$PWD SLURM_CPUS_PER_TASK=2 exec bash "${@: -1}"
	SH
	chmod +x bin/sbatch
	PATH=$PWD/bin:$PATH
}

@test "sbatch: the job runs the stages, and submitted again finds nothing left to do" {
	example sbatch
	sbatch_stub
	run_all
	exactly 8 home/batch
	[ "$(jq -c .status said 2>/dev/null | head -1)" != '"failed"' ]
	grep -q '"val_macro_f1":0' said
}

@test "sbatch: a signal before the time is up interrupts the trials, the next job goes on" {
	example sbatch
	sbatch_stub
	sed -i 's/epochs: 3/epochs: 100000/; s/observation_budget: 8/observation_budget: 2/' experiment.yaml
	sbatch job.sh >said 2>&1 3>&- &
	job=$!
	until_true eval '[ "$(cat trials.ndjson.run/* | grep -cE "^[0-9]+ 0 1$")" -eq 2 ]'
	sleep 0.5
	kill -USR1 $job
	wait $job || true
	[ "$(jq -s 'map(select(.status == "interrupted")) | length' trials.ndjson)" -eq 2 ]
	sed -i 's/epochs: 100000/epochs: 1/' experiment.yaml
	sbatch job.sh >said 2>&1
	exactly 2 .
}

@test "python-function, detached: through kill -9 of its worker and of mb-deploy, then continue: exactly the budget" {
	sklearn
	example python-function
	export XDG_STATE_HOME=$PWD/state
	sed -i 's/observation_budget: 20/observation_budget: 150/' experiment.yaml
	setsid bash -c 'mb-deploy start experiment.yaml' </dev/null >said 2>&1 # and that session is over
	for round in 1 2 3; do
		until_true eval '(($(grep -c completed elastic-net/trials.ndjson) >= 20 * round))'
		kill -9 "$(mb-deploy status elastic-net --json | jq '.workers[0].pid')"
		until_true eval '[ "$(mb-deploy status elastic-net --json | jq -r .state)" = lost ]'
		MB_DEPLOY_DIE_AT=$((2 * round)) mb-deploy continue elastic-net || true
		mb-deploy continue elastic-net
	done
	until_true eval '[ "$(mb-deploy status elastic-net --json | jq -r .state)" = finished ]'
	exactly 150 elastic-net
	mb-deploy delete elastic-net
	[ ! -e elastic-net ]
}

@test "early-stop: trials end themselves, and the best is found with far fewer epochs" {
	example early-stop
	run_all
	cd home/descent
	diff <(jq -r 'select(.status == "completed" or .status == "failed").trial' trials.ndjson | sort -n) <(seq 40)
	mb-collect --best | tee best | jq -e '.metrics.loss < 0.02 and .metrics.epochs == 30'
	jq -es 'map(.metrics.epochs // empty) | add < 900 and any(.[]; . == 30) and any(.[]; . < 10)' trials.ndjson
}
