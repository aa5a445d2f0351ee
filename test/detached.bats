#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# mb-deploy on this machine: searches that run detached, and what becomes of them when anything is killed.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	unset MB_DEPLOY MB_DEPLOY_DIE_AT
}

# Nothing of this test's experiments stays.
teardown() {
	local pid
	for pid in $(ours); do kill -9 "$pid" 2>/dev/null || true; done
}

# Processes that a worker of this test started, or that are one: their files are below its folder.
ours() {
	local environ pid
	for environ in /proc/[0-9]*/environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		grep -qz "^MB_DEPLOY=" "$environ" 2>/dev/null || continue
		grep -qzF "XDG_STATE_HOME=$BATS_TEST_TMPDIR/state" "$environ" 2>/dev/null && echo "$pid"
	done
	true
}
nobody() { [ -z "$(ours)" ]; }

# slow BUDGET [SECONDS [NAME]]: the search `slow` of a command that sleeps, two trials at once.
slow() {
	cat >experiment.yaml <<-END
	experiment: {name: ${3:-slow}, observation_budget: $1, parallel_bandwidth: 2, grace: 1}
	parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]
	metrics: [{name: loss, objective: minimize}]
	model: {command: [./job, "${2:-0.05}"]}
	END
	[ ! -e job ] || return 0 # a program that runs cannot be written
	cat >job <<-'END'
	#!/bin/sh
	sleep "$1"
	exec jq .assignments.x
	END
	chmod +x job
}

is() { [ "$(mb-deploy status "$1" --json | jq -r .state)" = "$2" ]; }
observed() { (($(mb-deploy status slow --json | jq '.completed + .failed') >= $1)); }
# workers COUNT: so many there are. (A stage that is about to be started looks like one for an instant.)
workers() { [[ $(pgrep -fc "mb-deploy worker $PWD/slow") == $1 ]]; }
worker() { mb-deploy status "$1" --json | jq '.workers[0].pid'; }

# exactly FOLDER BUDGET: numbers 1 to BUDGET completed, each once, nothing of a finished one after it, the log whole.
exactly() {
	diff <(jq -r 'select(.status == "completed").trial' "$1/trials.ndjson" | sort -n) <(seq "$2")
	jq -es 'reduce .[] as $r ({done: {}, again: 0};
		if $r.status == "completed" then .done["\($r.trial)"] = true
		elif .done["\($r.trial)"] then .again += 1 else . end) | .again == 0' "$1/trials.ndjson"
	mb-collect -q -e "$1/experiment.yaml" --fsck
}

# journal FOLDER: each line is JSON, numbered from 1 without a gap.
journal() { diff <(jq .n "$1/deploy.ndjson") <(seq "$(wc -l <"$1/deploy.ndjson")"); }

# ---- the verbs ----

@test "start makes the folder beside the file and returns; the search ends by itself with exactly the budget" {
	experiment 6 2
	mkdir elsewhere
	cd elsewhere
	run --separate-stderr mb-deploy start ../experiment.yaml
	[ "$status" -eq 0 ] && [ -z "$output" ]
	[[ $stderr == *"digits: 1 worker started; mb-deploy status digits"* ]]
	until_true is digits finished
	until_true nobody
	cd ..
	exactly digits 6
	journal digits
	[ "$(readlink state/mb/digits)" = "$PWD/digits" ]
	cmp experiment.yaml digits/experiment.yaml
	jq -e --arg at "$PWD/experiment.yaml" '.uuid and .source == $at' digits/deploy.json
	grep -q "best val_macro_f1" digits/logs/worker-1.log
	[ -e digits/models/1.ckpt ]
}

@test "status tells counts, the best, and how each worker ended with its last words" {
	experiment 4 2
	mb-deploy start
	until_true is digits finished
	run mb-deploy status digits
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "digits: finished, 4 of 4 observations" ]]
	[[ ${lines[1]} == "  best       val_macro_f1 0."*"(trial "?")" ]]
	[[ ${lines[2]} == "  worker 1   ended "*" ago with 0: done" ]]
	[[ ${lines[3]} == "             mb-deploy: worker 1: done" ]]
	[[ ${lines[4]} == "  folder     $PWD/digits" ]]
	mb-deploy status ./digits --json |
		jq -e '.completed == 4 and .open == 0 and .budget == 4 and (.best | . > 0 and . <= 1) and .workers[0].exit == 0'
	best=$(mb-collect -l digits/trials.ndjson --best | jq .trial)
	mb-deploy status digits --json | jq -e --argjson best "$best" '.best_trial == $best'
}

@test "a job that cannot be run: the worker's exit and why are in status" {
	slow 4
	sed -i 's/job/no-such-job/' experiment.yaml
	mb-deploy start
	until_true is slow stopped
	mb-deploy status slow | grep -q 'ended .* with 5: .*mb-train ended with 5.* (mb-deploy logs slow tells why)'
	mb-deploy logs slow | grep -q 'no-such-job'
}

@test "start of what runs says so; two starts at once make one experiment and one worker" {
	slow 40
	mb-deploy start 2>a & first=$!
	mb-deploy start 2>b & second=$!
	wait "$first"
	wait "$second"
	sort a b >both
	[[ $(cat both) == *"1 worker started"*"slow: runs, "* ]]
	run --separate-stderr mb-deploy start
	[ "$status" -eq 0 ] && [[ $stderr == *"slow: runs, "*" of 40 observations"* ]]
	[ "$(jq -s 'map(select(.event == "launch")) | length' slow/deploy.ndjson)" -eq 1 ]
	until_true workers 1
	until_true is slow finished
	exactly slow 40
}

@test "another file of a known name is refused, an edited one too until --update, and the edits hold then" {
	slow 4
	mb-deploy start
	until_true is slow finished
	mkdir other
	sed 's/max: 1/max: 2/' experiment.yaml >other/experiment.yaml
	run --separate-stderr mb-deploy start other/experiment.yaml
	[ "$status" -eq 2 ] && [[ $stderr == *"an experiment slow is known, in $PWD/slow"*"another name"*"mb-deploy delete slow"* ]]
	[ ! -e other/slow ]
	cp other/experiment.yaml second.yaml
	run --separate-stderr mb-deploy start second.yaml
	[ "$status" -eq 2 ] && [[ $stderr == *"belongs to another file, $PWD/experiment.yaml"* ]]
	sed -i 's/budget: 4/budget: 6/' experiment.yaml
	mb-deploy status slow | grep -q "edited .*experiment.yaml since"
	run --separate-stderr mb-deploy start
	[ "$status" -eq 2 ] && [[ $stderr == *"was edited since it was started"*"--update"* ]]
	mb-deploy start --update
	until_true is slow finished
	exactly slow 6
	fails grep -q edited <(mb-deploy status slow)
}

@test "--update and --workers are refused while it runs" {
	slow 100
	mb-deploy start
	until_true is slow running
	sed -i 's/budget: 100/budget: 6/' experiment.yaml
	run --separate-stderr mb-deploy start --update
	[ "$status" -eq 2 ] && [[ $stderr == *"runs, with 1 worker (mb-deploy kill slow first)"* ]]
	mb-deploy kill slow
	until_true nobody
}

@test "relative paths of the file hold: a command, a folder of data, its working directory" {
	mkdir -p 'my $(touch pwned) project/data;x'
	cd 'my $(touch pwned) project'
	slow 2
	cat >job <<-'END'
	#!/bin/sh
	[ -d "data;x" ] && [ -e experiment.yaml ] && jq .assignments.x
	END
	mb-deploy start
	until_true is slow finished
	exactly slow 2
	cd ..
	[ -z "$(find . -name pwned)" ]
	# and for who uses the copy by hand
	cd 'my $(touch pwned) project/slow'
	sed -i 's/budget: 2/budget: 3/' experiment.yaml
	mb-suggest -q | mb-train -q | mb-collect -q >/dev/null
	[ "$(jq -s 'map(select(.status == "completed")) | length' trials.ndjson)" -eq 3 ]
}

@test "odd names: blanks, quotes, what a shell would take apart" {
	slow 2 0 '"a; touch pwned $(touch pwned) \"b\" ''c'' é"'
	mb-deploy start
	name=$(mb-deploy list --json | jq -r .name)
	[[ $name != *[\;\$\ \'\"]* ]]
	until_true is "$name" finished
	until_true is 'a; touch pwned $(touch pwned) "b" c é' finished
	[ -z "$(find . -name pwned)" ]
	mb-deploy delete "$name"
	[ ! -e "$name" ]
}

@test "a path that is not UTF-8" {
	mkdir $'caf\xe9'
	cd $'caf\xe9'
	slow 2
	mb-deploy start
	until_true is slow finished
	mb-deploy start
	mb-deploy status slow --json | jq -e '.folder | endswith("/café/slow")'
	exactly slow 2
}

@test "kill right after start, and of a worker that was lost: the state is stopped" {
	slow 100
	for i in 1 2 3 4 5 6; do
		mb-deploy start
		mb-deploy kill slow
		nobody
		is slow stopped
	done
	mb-deploy start
	until_true is slow running
	kill -9 "$(worker slow)"
	until_true is slow lost
	mb-deploy kill slow
	is slow stopped
	mb-deploy status slow | grep -q 'with 137: killed'
}

@test "kill interrupts what is in training and leaves no process; continue ends the budget; both can be repeated" {
	experiment 8 2
	sed -i 's/epochs: 1/epochs: 200/' experiment.yaml
	mb-deploy start
	until_true test -s digits/models/1.ckpt
	mb-deploy kill digits
	nobody
	is digits stopped
	mb-deploy status digits | grep -q "with 0: stopped"
	[ "$(jq -s 'map(select(.status == "interrupted")) | length' digits/trials.ndjson)" -ge 1 ]
	run --separate-stderr mb-deploy kill digits
	[ "$status" -eq 0 ] && [[ $stderr == *"digits: nothing runs"* ]]
	sed -i 's/epochs: 200/epochs: 2/' experiment.yaml
	mb-deploy start --update
	mb-deploy continue digits
	until_true is digits finished
	run --separate-stderr mb-deploy continue digits
	[ "$status" -eq 0 ] && [[ $stderr == *"8 of 8 observations are in: nothing is left to do"* ]]
	exactly digits 8
	journal digits
}

@test "kill ends jobs that ignore TERM, and their children in sessions of their own" {
	slow 4
	cat >job <<-'END'
	#!/bin/sh
	trap '' TERM INT
	setsid sleep 987 &
	sleep 986
	END
	mb-deploy start
	until_true pgrep -f 'sleep 987'
	start=$SECONDS
	mb-deploy kill slow
	((SECONDS - start < 12))
	nobody
	[ -z "$(ps ax -o args= | grep -x 'sleep 98[67]')" ]
	is slow stopped
}

@test "kill ends a stopped worker too" {
	slow 50 0.2
	mb-deploy start
	until_true is slow running
	kill -STOP "$(worker slow)"
	mb-deploy kill slow
	nobody
	is slow stopped # not lost: it heard the signal
}

@test "delete refuses while it runs, removes the folder, follows no link out of it, and can be repeated" {
	slow 100
	mkdir precious
	touch precious/file
	mb-deploy start
	until_true is slow running
	ln -s ../precious slow/link
	ln -s "$PWD/precious" slow/models
	run --separate-stderr mb-deploy delete slow
	[ "$status" -eq 1 ] && [[ $stderr == *"slow: runs (mb-deploy kill slow first)"* ]]
	[ -e slow/trials.ndjson ]
	mb-deploy kill slow
	mb-deploy delete slow
	[ ! -e slow ] && [ ! -L state/mb/slow ] && [ -e precious/file ]
	run --separate-stderr mb-deploy delete slow
	[ "$status" -eq 1 ] && [[ $stderr == *"slow: no experiment of this name"* ]]
}

@test "delete removes nothing that is not ours" {
	mkdir -p state/mb folder/slow
	touch folder/slow/file
	ln -s "$PWD/folder/slow" state/mb/slow
	mb-deploy delete slow
	[ ! -L state/mb/slow ] && [ -e folder/slow/file ]
	slow 2
	mb-deploy start
	until_true is slow finished
	sed -i 's/"uuid":"[^"]*"/"uuid":"another"/' slow/deploy.json
	run --separate-stderr mb-deploy delete slow
	[ "$status" -eq 4 ] && [[ $stderr == *"nothing is removed"* ]]
	[ -e slow/trials.ndjson ]
}

@test "start does not take a folder that is not its own" {
	slow 2
	mkdir slow
	touch slow/thesis
	run --separate-stderr mb-deploy start
	[ "$status" -eq 2 ] && [[ $stderr == *"is there and was not made by mb-deploy"* ]]
	[ "$(ls slow)" = thesis ]
}

@test "list shows all, also those whose folder is gone; delete forgets these" {
	slow 1 0 one
	mb-deploy start
	slow 1 0 two
	mb-deploy start
	until_true is one finished
	until_true is two finished
	rm -r one
	run mb-deploy list
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == one*gone*"mb-deploy delete one"* ]]
	[[ ${lines[1]} == two*"finished"*"1 of 1 observations"*"$PWD/two" ]]
	mb-deploy delete one
	[ "$(mb-deploy list --json | jq -r .name)" = two ]
	[ "$(mb-deploy status | head -1)" = "two: finished, 1 of 1 observations" ]
}

@test "logs prints the last lines, with -f until the end" {
	slow 6 0.2
	echo 'echo "words of $MB_TRIAL" >&2' >>job
	sed -i 's/exec //' job
	mb-deploy start
	timeout 20 mb-deploy logs -f slow >followed
	grep -q 'words of 1$' followed
	[ "$(tail -1 followed)" = "mb-deploy: worker 1: done" ]
	cmp followed slow/logs/worker-1.log
	[ "$(mb-deploy logs -n 1 slow)" = "mb-deploy: worker 1: done" ]
	[ "$(mb-deploy logs -n 3 slow | wc -l)" -eq 3 ]
}

@test "several workers share the bandwidth; more than cores or bandwidth are refused" {
	slow 20 0.05
	run --separate-stderr mb-deploy start --workers $(($(nproc) + 1))
	[ "$status" -eq 2 ] && [[ $stderr == *"--workers: "*" more than the "*"core"* ]]
	(($(nproc) >= 2)) || skip "one core"
	sed -i 's/parallel_bandwidth: 2/parallel_bandwidth: 3/' experiment.yaml
	mb-deploy start -w 2
	until_true is slow running
	[ "$(jq .keep slow/deploy.json)" -eq 2 ]
	until_true is slow finished
	[ "$(mb-deploy status slow --json | jq '.workers | length')" -eq 2 ]
	exactly slow 20
}

@test "a worker by hand, in the foreground, ends with what its stages ended with" {
	slow 3
	mb-deploy start
	until_true is slow finished
	sed -i 's/budget: 3/budget: 5/' slow/experiment.yaml
	mb-deploy worker slow --on local
	exactly slow 5
	[ "$(mb-deploy status slow --json | jq -c '[.workers[] | [.worker, .exit]]')" = '[[1,0],[2,0]]' ]
}

@test "spans of deploy and undeploy are in the journal for mb-time" {
	slow 3
	mb-deploy start
	until_true is slow finished
	mb-time --report --json slow/deploy.ndjson slow/trials.ndjson >report
	jq -es 'map({(.phase): .}) | add | .deploy.count == 1 and .deploy.seconds < 5 and .undeploy.count == 1 and .train.count == 3' report
}

# ---- words ----

@test "the words of cluster-hyperopt are understood" {
	slow 200
	mb-deploy start --config_path=experiment.yaml
	until_true is slow running
	mb-deploy kill_jobs --experiment_name=slow
	nobody
	mb-deploy delete --experiment_name slow
	[ ! -e slow ]
}

@test "options of another verb are refused, not ignored; so are the old words of another operand" {
	slow 2
	refused() { # WORDS COMMAND…
		local words=$1
		run --separate-stderr mb-deploy "${@:2}"
		[ "$status" -eq 2 ] && [[ $stderr == *"$words"* ]] || { echo "$*: $status $stderr"; return 1; }
	}
	refused "status: --workers is not an option of it, but of start plan render (see --help)" status -w 2
	refused "start: --for is not" start --for docker
	refused "start: --json is not" start --json
	refused "start: --nodes is not" start --nodes
	refused "start: --extend is not" start --extend
	refused "start: --follow is not" start -f
	refused "list: --lines is not" list -n 5
	refused "list: --on is not" list --on local
	refused "status: --on is not" status --on local
	refused "render: --on is not" render --for docker --on local experiment.yaml
	refused "continue: --update is not" continue slow --update
	refused "kill: --experiment is not" kill slow -e other.yaml
	refused "takes --config_path FILE, not --experiment_name" start --experiment_name=slow
	refused "takes --experiment_name NAME, not --config_path" status --config_path=experiment.yaml
	refused "list: an operand is not expected" list --experiment_name=slow
	[ ! -e slow ]
}

@test "--on of what is known: the same place is taken, another one refused" {
	slow 2
	mb-deploy start --on local
	mb-deploy start --on local
	until_true is slow finished
	run --separate-stderr mb-deploy start --on slurm
	[ "$status" -eq 2 ] && [[ $stderr == *"slow: has run with --on local and cannot go on with --on slurm"* ]]
	sed -i 's/grace: 1/grace: 1, cluster: generic/' experiment.yaml
	run --separate-stderr mb-deploy start --update
	[ "$status" -eq 2 ] && [[ $stderr == *"slow: has run with --on local"* ]]
	mb-deploy status slow --on local
	run --separate-stderr mb-deploy continue slow --on slurm
	[ "$status" -eq 2 ] && [[ $stderr == *"slow: runs with --on local, not --on slurm"* ]]
}

@test "logs -f goes on with a worker's file that another took the place of" {
	slow 12 0.2
	mb-deploy start
	until_true observed 2
	mb-deploy logs -f slow >said 2>&1 7>&- & local follower=$!
	until_true grep -q begins said
	until_true observed 4
	: >slow/logs/worker-1.log
	until_true is slow finished
	wait $follower
	grep -q "worker 1: done" said
}

@test "what is no verb is refused, and says what is" {
	slow 2
	mb-deploy plan --on local | grep -q "mb-suggest -k 2 -e experiment.yaml -l slow/trials.ndjson"
	run --separate-stderr mb-deploy strat
	[ "$status" -eq 2 ] && [[ $stderr == *"did you mean start?"* ]]
	run --separate-stderr mb-deploy kill
	[ "$status" -eq 2 ] && [[ $stderr == *"a NAME is missing"* ]]
	run --separate-stderr mb-deploy start -l x
	[ "$status" -eq 2 ]
}

@test "a file in the layout of cluster-hyperopt is planned" {
	local file=${MB_SHARED:-$ROOT/../shared}/legacy/test_conf.yaml
	[ -e "$file" ] || skip "no $file"
	mb-deploy plan --on local "$file" | grep -q 'mb-train -j 2'
}

# ---- what is killed ----

@test "logging out: neither SIGHUP to the session nor the terminal's end stops it" {
	script -qec true /dev/null >/dev/null </dev/null || skip "no pseudo-terminal here"
	slow 30 0.1
	script -qc 'mb-deploy start; sleep 0.2; kill -HUP 0' /dev/null </dev/null >/dev/null 2>&1 &
	terminal=$!
	until_true is slow running
	[ "$(ps -o tty= -p "$(worker slow)")" = "?" ]
	[ "$(ps -o sid= -p "$(worker slow)" | tr -d ' ')" = "$(worker slow)" ]
	kill -9 "$terminal" 2>/dev/null || true
	kill -HUP "$(worker slow)"
	before=$(worker slow)
	until_true is slow finished
	[ "$(worker slow)" = "$before" ]
	exactly slow 30
}

@test "kill -9 of a worker: its pipe ends too, status says lost, continue ends with exactly the budget" {
	slow 40 0.1
	mb-deploy start
	until_true observed 4
	kill -9 "$(worker slow)"
	until_true nobody
	is slow lost
	mb-deploy status slow | grep -q 'worker 1   lost: killed, or its machine went down (mb-deploy continue slow)'
	mb-deploy continue slow
	until_true is slow finished
	exactly slow 40
	journal slow
}

@test "kill -9 of all but mb-collect at random moments, then continue: exactly the budget" {
	# (A result that dies with mb-collect is issued again after 90 s: torture.bats.)
	slow 60 0.02
	mb-deploy start
	for ((i = 0; i < 12; i++)); do
		sleep 0.$(printf '%02d' $((RANDOM % 30)))
		for pid in $(ours); do
			[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = mb-collect ] || kill -9 "$pid" 2>/dev/null || true
		done
		mb-deploy continue slow
	done
	until_true is slow finished
	exactly slow 60
	journal slow
}

# die_at_each CHECK COMMAND…: after `prepare`, the command kills itself at its first, second … step, and is typed again; then
# CHECK again. Until the command has no more steps.
die_at_each() {
	local n check=$1 status
	shift
	for ((n = 1; n < 60; n++)); do
		prepare
		status=0
		MB_DEPLOY_DIE_AT=$n "$@" 2>err || status=$?
		"$check"
		((status == 137)) || return 0
		"$@" 2>err || { cat err; return 1; }
		"$check" again
	done
	echo "no end of steps"
	return 1
}

fresh() {
	mb-deploy kill slow 2>/dev/null || true
	mb-deploy delete slow 2>/dev/null || true
	rm -rf slow
	slow "${1:-4}" "${2:-0}"
}

@test "start killed at each of its steps, and again: one worker, exactly the budget" {
	prepare() { fresh 4; steps=$((${steps:-0} + 1)); }
	check() {
		[ "${1:-}" ] || return 0
		until_true is slow finished
		exactly slow 4
		journal slow
		[ -L state/mb/slow ]
		[ "$(jq -s 'map(select(.event == "working")) | length' slow/deploy.ndjson)" -le 2 ]
	}
	die_at_each check mb-deploy start
	echo "$steps steps"
	((steps > 12))
}

@test "start and delete killed at each of their steps: status tells what there is and what to type" {
	slow 2
	for verb in start "delete slow"; do
		[ "$verb" = start ] || { mb-deploy start && until_true is slow finished; }
		for n in {1..60}; do
			MB_DEPLOY_DIE_AT=$n mb-deploy $verb 2>/dev/null && break
			run mb-deploy status slow
			echo "$verb, step $n: $status $output"
			((status <= 1))
			[[ $output == *"folder  "* || $output == *"mb-deploy start "* || $output == *"mb-deploy delete slow"* ]]
			[ "$status" = 0 ] || [[ $output != *"-e FILE"* ]]
			[ "$verb" != start ] || mb-deploy kill slow 2>/dev/null || true
			[ "$verb" != start ] || rm -rf slow
			[ "$verb" = start ] || { mb-deploy delete slow; mb-deploy start && until_true is slow finished; }
		done
		[ "$n" -gt 3 ]
	done
}

@test "start killed at each of its steps while trials take long: never two workers" {
	prepare() { fresh 100 5; steps=$((${steps:-0} + 1)); }
	check() {
		[ "${1:-}" ] || return 0
		until_true is slow running
		sleep 0.1
		until_true workers 1
	}
	die_at_each check mb-deploy start
	((steps > 12))
}

@test "kill killed at each of its steps, and again: nothing is left" {
	prepare() { fresh 100 5; mb-deploy start 2>/dev/null; until_true is slow running; steps=$((${steps:-0} + 1)); }
	check() {
		[ "${1:-}" ] || return 0
		nobody
		is slow stopped
		[ "$(jq -s 'map(select(.event == "result" and .verb == "kill")) | length' slow/deploy.ndjson)" -ge 1 ]
	}
	die_at_each check mb-deploy kill slow
	((steps > 4))
}

@test "kill killed at each of its steps, then continue: it ends the kill and goes on" {
	prepare() { fresh 12 0.2; mb-deploy start 2>/dev/null; until_true is slow running; }
	for n in 1 2 3 4 5 6; do
		prepare
		MB_DEPLOY_DIE_AT=$n mb-deploy kill slow 2>/dev/null || true
		mb-deploy continue slow
		jq -es '[.[] | select(.verb == "kill")] | length == 0 or .[-1].event == "result"' slow/deploy.ndjson
		until_true is slow finished
		exactly slow 12
	done
}

@test "two continues, or continue and start, at once start one worker; kill and continue at once leave one or none" {
	slow 200 0.1
	mb-deploy start
	for i in 1 2 3 4 5; do
		mb-deploy kill slow
		mb-deploy continue slow & first=$!
		if ((i % 2)); then mb-deploy continue slow & else mb-deploy start & fi
		second=$!
		wait "$first"
		wait "$second"
		until_true workers 1
		[ "$(jq -s 'map(select(.event == "launch")) | length' slow/deploy.ndjson)" -eq $((i + 1)) ]
	done
	mb-deploy kill slow & first=$!
	mb-deploy continue slow & second=$!
	wait "$first"
	wait "$second"
	until_true workers "[01]"
	mb-deploy kill slow
	nobody
}

@test "continue killed at each of its steps, and again: exactly the budget" {
	prepare() {
		fresh 12 0.1
		mb-deploy start 2>/dev/null
		until_true observed 2
		mb-deploy kill slow 2>/dev/null
		steps=$((${steps:-0} + 1))
	}
	check() {
		[ "${1:-}" ] || return 0
		until_true is slow finished
		exactly slow 12
	}
	die_at_each check mb-deploy continue slow
	((steps > 6))
}

@test "delete killed at each of its steps, and again: nothing is left" {
	prepare() { fresh 2; mb-deploy start 2>/dev/null; until_true is slow finished; steps=$((${steps:-0} + 1)); }
	check() {
		[ "${1:-}" ] || return 0
		[ ! -e slow ] && [ ! -L state/mb/slow ]
	}
	delete() { # that there is nothing to delete is fine
		local status=0
		mb-deploy delete slow || status=$?
		return $((status == 1 ? 0 : status))
	}
	die_at_each check delete
	((steps > 8))
}

@test "a worker killed at each of its steps, then continue: exactly the budget" {
	for n in 1 2 3 4 5 6 7 8 9 10; do
		fresh 4
		mb-deploy start 2>/dev/null
		until_true is slow finished
		sed -i 's/budget: 4/budget: 8/' slow/experiment.yaml
		MB_DEPLOY_DIE_AT=$n mb-deploy worker slow 2>/dev/null || true
		mb-deploy continue slow
		until_true is slow finished
		until_true nobody
		exactly slow 8
		journal slow
	done
}

@test "a worker that comes late, of a launch that another or a kill has followed, does nothing" {
	slow 3
	mb-deploy start
	until_true is slow finished
	sed -i 's/budget: 3/budget: 30/' slow/experiment.yaml
	before=$(wc -l <slow/trials.ndjson)
	launch=$(jq -s 'map(select(.event == "launch"))[-1].n' slow/deploy.ndjson)
	MB_DEPLOY_WORKER=1:$launch mb-deploy worker slow
	MB_DEPLOY_WORKER=1:1 mb-deploy worker slow
	n=$(($(wc -l <slow/deploy.ndjson) + 1))
	echo "{\"n\":$n,\"at\":1,\"event\":\"launch\",\"worker\":1,\"of\":2}" >>slow/deploy.ndjson
	MB_DEPLOY_WORKER=1:$launch mb-deploy worker slow
	mb-deploy kill slow
	run --separate-stderr env MB_DEPLOY_WORKER=1:$n mb-deploy worker slow
	[ "$status" -eq 0 ] && [[ $stderr == *"nothing to do"* ]]
	[ "$(wc -l <slow/trials.ndjson)" -eq "$before" ]
}

@test "a torn last line of the journal is cut off by the next writer, and no reader minds it" {
	slow 3
	mb-deploy start
	until_true is slow finished
	printf '{"n":99,"at":1,"event":"int' >>slow/deploy.ndjson
	is slow finished
	sed -i 's/budget: 3/budget: 6/' experiment.yaml
	mb-deploy start --update
	until_true is slow finished
	journal slow
	exactly slow 6
}

@test "a folder of links that cannot be made is said, and nothing starts" {
	slow 2
	mkdir state
	chmod 500 state
	[ "$(id -u)" -ne 0 ] || { rmdir state; touch state; }
	run --separate-stderr mb-deploy start
	[ "$status" -eq 4 ] && [[ $stderr == *"state/mb"* ]]
	nobody
}
