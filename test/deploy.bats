#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sanitizers: too
#
# mb-deploy plan: the workers' pipes, for one machine.

load helper

@test "one worker has the whole bandwidth; --workers share it, rounded up, a core each at most" {
	experiment 24 3
	run taskset -c 0 mb-deploy plan
	[ "$status" = 0 ]
	diff - <(printf '%s\n' "$output") <<-'END'
	# digits: 24 observations, 3 at once
	# on this machine, 1 core: 1 worker of 3
	mkdir -p digits
	mb-suggest -k 3 -e experiment.yaml -l digits/trials.ndjson | mb-train -j 3 -e experiment.yaml -l digits/trials.ndjson | mb-collect -e experiment.yaml -l digits/trials.ndjson &
	wait
	END
	run taskset -c 0 mb-deploy plan --workers 2
	[ "$status" = 2 ]
	(($(nproc) > 1)) || skip "one core only"
	[ "$(mb-deploy plan --workers 2 | grep -c "mb-suggest -k 2 .* | mb-train -j 2 ")" = 2 ]
	experiment 24 1
	[ "$(mb-deploy plan --on local | grep -c mb-suggest)" = 1 ]
}

@test "names with spaces and quotes are words of the shell" {
	mkdir "it's here"
	experiment 4 1
	sed "s/name: digits/name: \"a b: it's  \$(touch ran) #1\"/" experiment.yaml >"it's here/e x.yaml"
	mb-deploy plan "it's here/e x.yaml" >plan
	grep -Fx "mkdir -p 'it'\\''s here/a-b-it-s-touch-ran-1'" plan
	# What a shell makes of it.
	printf '%s\n' 'mb-suggest() { printf "%s|" "$@"; }; mb-train() { cat; }; mb-collect() { cat; echo; }' | sed 's/mb-/mb_/g' >script
	sed 's/mb-suggest/mb_suggest/; s/mb-train/mb_train/; s/mb-collect/mb_collect/' plan >>script
	run sh script
	[ "$status" = 0 ]
	[ "${lines[0]}" = "-k|1|-e|it's here/e x.yaml|-l|it's here/a-b-it-s-touch-ran-1/trials.ndjson|" ]
	[ -d "it's here/a-b-it-s-touch-ran-1" ]
	[ ! -e ran ]
}

@test "a newline in the name is refused: it would end the comment" {
	experiment
	sed -i 's/name: digits/name: "x\\ntouch ran\\n"/' experiment.yaml
	run mb-deploy plan
	[ "$status" = 2 ]
	[[ $output == *"experiment.name"* ]]
}

@test "-l names the log, and no folder is made" {
	experiment
	mb-deploy plan -l my.ndjson >plan
	fails grep -q mkdir plan
	grep -q -- '-l my.ndjson' plan
}

@test "the plan can be run: the budget is met" {
	experiment 4 2
	mb-deploy plan | sh
	[ "$(jq -r 'select(.status == "completed") | .trial' digits/trials.ndjson | sort | xargs)" = "1 2 3 4" ]
}

@test "slurm, by option or by the file's cluster: the plan shows the submission and the script" {
	experiment 24 3
	printf 'sbatch_options: {partition: dev, time: "00:30:00", ntasks: 1, exclusive: yes, contiguous: no}\n' >>experiment.yaml
	run --separate-stderr mb-deploy plan --on slurm
	[ "$status" = 0 ]
	program=$(realpath "$MB_BUILD/mb-deploy")
	diff - <(printf '%s\n' "$output") <<-END
	# digits: 24 observations, 3 at once
	# on slurm: 3 workers of 1
	# as many jobs in a chain as the budget takes, each queued when the one before begins
	# mb-deploy start submits this:
	sbatch --parsable --job-name=mb-digits-UUID '--comment=mb digits, link 1' --array=1-3 --signal=B:USR2@120 --chdir=$PWD/digits --output=logs/worker-%a.log --open-mode=append --requeue --export=ALL --partition=dev --time=00:30:00 --ntasks=1 --exclusive $PWD/digits/deploy.sh $program $PWD/digits CLAIM
	# deploy.sh:
	#   #!/bin/bash
	#   # Written by mb-deploy: one worker. Arguments: the program, the experiment's folder, the claim.
	#   export MB_DEPLOY_LINK="\$3"
	#   exec "\$1" worker "\$2"
	END
	[ ! -e digits ]
	sed -i 's/name: digits/&\n  cluster: BwUniCluster\n  number_chain_jobs: 2/; s/"00:30:00"/1/' experiment.yaml
	mb-deploy plan --workers 2 >plan
	grep -q "a chain of at most 2 jobs" plan
	grep -q -- "--array=1-2 --signal=B:USR2@20 " plan
	mb-deploy plan --on local | grep -q mb-suggest
	run mb-deploy plan --workers 4
	[ "$status" = 2 ]
	# The built-in network trains all trials on one GPU; jobs of one's own get one each.
	sed -i 's/ntasks: 1/gres: "gpu:1"/' experiment.yaml
	mb-deploy plan | grep -q -- "--array=1-1 .* --gres=gpu:1"
	printf 'model: {command: [./job]}\n' >>experiment.yaml
	sed -i '/^task:/d' experiment.yaml
	mb-deploy plan | grep -q -- "--array=1-3 "
	sed -i 's/BwUniCluster/LOCAL/' experiment.yaml
	mb-deploy plan | grep -q mb-suggest
	run mb-deploy plan --on mars
	[ "$status" = 2 ]
	[[ $output == 'mb-deploy: --on: "mars" is not one of local, slurm'* ]]
}

@test "sbatch_options: unknown keys, those that are mb-deploy's own, and values that are no word are refused with their place" {
	experiment
	cat >>experiment.yaml <<-'END'
	sbatch_options:
	  partiton: dev
	  cpus_per_task: 2
	  array: 1-9
	  job-name: mine
	  frobnicate: 1
	  mem: "1; touch pwned"
	  qos: "$(touch pwned)"
	  nodelist: "a\nb"
	  time: soon
	  exclusive: user
	  overcommit: perhaps
	END
	run mb-deploy plan --on slurm
	[ "$status" = 2 ]
	diff - <(printf '%s\n' "$output") <<-'END'
	mb-deploy: experiment.yaml:12: sbatch_options.partiton: no option of sbatch that is passed on (did you mean partition?)
	mb-deploy: experiment.yaml:13: sbatch_options.cpus_per_task: no option of sbatch that is passed on (did you mean cpus-per-task?)
	mb-deploy: experiment.yaml:14: sbatch_options.array: is set by mb-deploy (one task is one worker: parallel_bandwidth or --workers says how many)
	mb-deploy: experiment.yaml:15: sbatch_options.job-name: is set by mb-deploy (mb-deploy finds its jobs by their name)
	mb-deploy: experiment.yaml:16: sbatch_options.frobnicate: no option of sbatch that is passed on (sbatch(1) has the long names)
	mb-deploy: experiment.yaml:17: sbatch_options.mem: "1; touch pwned" is not one word of letters, digits and _,.:/=+@%-[]|&*()!
	mb-deploy: experiment.yaml:18: sbatch_options.qos: "$(touch pwned)" is not one word of letters, digits and _,.:/=+@%-[]|&*()!
	mb-deploy: experiment.yaml:19: sbatch_options.nodelist: "a\nb" is not one word of letters, digits and _,.:/=+@%-[]|&*()!
	mb-deploy: experiment.yaml:20: sbatch_options.time: "soon" is not a time as Slurm writes it ("30" minutes, "02:30:00", "3-00:00:00")
	mb-deploy: experiment.yaml:22: sbatch_options.overcommit: "perhaps" is not yes or no
	END
	[ "$(mb-deploy start --on slurm 2>&1 | wc -l)" -eq 10 ]
	[ ! -e digits ] && [ ! -e pwned ]
}

@test "other verbs: the nearest that is known" {
	experiment
	run mb-deploy pln
	[ "$status" = 2 ]
	[ "$output" = "mb-deploy: pln: no such verb (did you mean plan?)" ]
	run mb-deploy xyzzyx
	[ "$status" = 2 ]
	run mb-deploy
	[ "$status" = 2 ]
	run mb-deploy plan a b
	[ "$status" = 2 ]
}

@test "a wrong file is 2, a full disk is 4" {
	experiment
	run bash -c 'mb-deploy plan >/dev/full'
	[ "$status" = 4 ]
	sed -i 's/observation_budget/observation_bugdet/' experiment.yaml
	run mb-deploy plan
	[ "$status" = 2 ]
	[[ $output == *"experiment.yaml:3: "*"did you mean observation_budget"* ]]
	run mb-deploy plan nowhere.yaml
	[ "$status" = 2 ]
}
