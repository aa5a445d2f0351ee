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

@test "slurm, by option or by the file's cluster, is not built in yet" {
	experiment
	run mb-deploy plan --on slurm
	[ "$status" = 2 ]
	[ "$output" = "mb-deploy: slurm: not built in yet (mb-deploy plan --on local plans it for this machine)" ]
	sed -i 's/name: digits/&\n  cluster: BwUniCluster/' experiment.yaml
	run mb-deploy plan
	[ "$status" = 2 ]
	[[ $output == *"not built in yet"* ]]
	mb-deploy plan --on local | grep -q mb-suggest
	sed -i 's/BwUniCluster/LOCAL/' experiment.yaml
	mb-deploy plan | grep -q mb-suggest
	run mb-deploy plan --on mars
	[ "$status" = 2 ]
	[[ $output == 'mb-deploy: --on: "mars" is not one of local, slurm'* ]]
}

@test "other verbs: not built in yet, or the nearest that is known" {
	experiment
	for verb in doctor render; do
		run mb-deploy $verb
		[ "$status" = 2 ]
		[[ $output == "mb-deploy: $verb: not built in yet "* ]]
	done
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
