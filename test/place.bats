#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sanitizers: too
#
# Where mb-deploy works: the cluster's profile, the workspace, the data.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export HOME=$BATS_TEST_TMPDIR XDG_STATE_HOME=$BATS_TEST_TMPDIR/state XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
	unset MB_DEPLOY_DIE_AT MB_LOCK
	experiment 2 1
}

# on CLUSTER: the experiment's cluster.
on() {
	sed -i "s|name: digits|&\n  cluster: $1|" experiment.yaml
}

# own NAME: a profile of the user's own, from stdin.
own() {
	mkdir -p config/mb/clusters
	cat >"config/mb/clusters/$1.yaml"
}

@test "profiles that come with mb are found without regard to case, and are well formed" {
	for name in generic BwUniCluster HOREKA; do
		experiment
		on $name
		mb-deploy plan --on local 2>words >plan
		[ ! -s words ]
	done
	experiment
	on Mars
	run mb-deploy plan --on local
	[ "$status" = 0 ]
	[ "${lines[0]}" = "mb-deploy: experiment.yaml:3: experiment.cluster: no profile of the name Mars: generic serves (mb-cluster(5) tells how to write one)" ]
	experiment
	on ../clusters/horeka
	run mb-deploy plan --on local
	[[ ${lines[0]} == *"no profile of the name ../clusters/horeka"* ]]
}

@test "the user's own profile comes first; each mistake in it has its place and what is expected" {
	on Mars
	own mars <<-'END'
	about: mine
	partitions: [{name: dev, limit: 0:30:00, most_nodes: 0}, {limit: 3-x}, 7]
	gres: gpu:%s
	acount: me
	signal_lead: 5
	lock: flock
	workspace: {command: --pwned, dayz: 3}
	default_partition: "a\nb"
	END
	run mb-deploy plan --on local
	[ "$status" = 2 ]
	sed "s|$PWD|.|" <<<"$output" | diff - <(cat <<-'END'
	mb-deploy: ./config/mb/clusters/mars.yaml:2: partitions[0].most_nodes: 0 is not an integer from 1 to 1000000
	mb-deploy: ./config/mb/clusters/mars.yaml:2: partitions[1].limit: 3-x is not a time as Slurm writes it ("30" minutes, "72:00:00", "3-00:00:00")
	mb-deploy: ./config/mb/clusters/mars.yaml:2: partitions[1]: name: missing
	mb-deploy: ./config/mb/clusters/mars.yaml:2: partitions[2]: 7 is not a mapping (key: value)
	mb-deploy: ./config/mb/clusters/mars.yaml:3: gres: gpu:%s is not a text with one %d, where the number of GPUs stands ("gpu:%d")
	mb-deploy: ./config/mb/clusters/mars.yaml:4: acount: unknown key (did you mean account?)
	mb-deploy: ./config/mb/clusters/mars.yaml:5: signal_lead: 5 is not an integer from 10 to 86400
	mb-deploy: ./config/mb/clusters/mars.yaml:6: lock: flock is not ofd or link
	mb-deploy: ./config/mb/clusters/mars.yaml:7: workspace.command: --pwned is not a text that may be an argument: it begins with -
	mb-deploy: ./config/mb/clusters/mars.yaml:7: workspace.dayz: unknown key (did you mean days?)
	mb-deploy: ./config/mb/clusters/mars.yaml:8: default_partition: "a\nb" is not a text of one line
	END
	)
	own mars <<<'about: mine'
	mb-deploy plan --on local >/dev/null
	[[ $(mb-deploy plan --on local 2>&1) != *generic* ]]
}

# ---- workspaces ----

# workspaces [own]: use_local_workspace: false, and tools, those shared by projects if there are any.
workspaces() {
	local shared=${MB_SHARED:-$ROOT/../shared}/slurm/bin
	sed -i "s|name: digits|&\n  use_local_workspace: false|" experiment.yaml
	export WS_ROOT=$BATS_TEST_TMPDIR/ws USER_WS=$BATS_TEST_TMPDIR/ws/work/$(id -un)-digits
	if [[ $1 != own && -x $shared/ws_find ]]; then
		PATH=$PATH:$shared
	else
		PATH=$PATH:$ROOT/test/stand-in
	fi
	ENTRY=$WS_ROOT/.db/work/$(id -un)-digits
}

# until_days DAYS: the workspace ends then.
until_days() {
	sed -i "s/^expiration=.*/expiration=$(($(date +%s) + $1 * 86400 + 3600))/" "$ENTRY"
}

ended() {
	[[ $(mb-deploy status digits --json | jq -r .state) == finished ]]
}

for_tools() {
	workspaces "$1"
	run mb-deploy start
	[ "$status" = 0 ]
	[[ $output == *"digits: in workspace digits, 30 days left"* ]]
	until_true ended
	[ "$(readlink state/mb/digits)" = "$USER_WS/digits" ]
	[ "$(wc -l <"$USER_WS/digits/trials.ndjson")" = 4 ]
	[ ! -e digits ]
	# Started, taken up: the same place, no second workspace.
	mb-deploy start
	mb-deploy status digits | grep -Fx "  workspace  digits, 30 days left, 3 extensions"
	[ "$(mb-deploy status digits --json | jq -c '[.workspace.name, (.workspace.days_left | round), .workspace.extensions]')" = '["digits",30,3]' ]
	# The model and the data are looked for where the file lies, not in the workspace.
	[ "$(jq -r .base "$USER_WS/digits/deploy.json")" = "$PWD" ]
	mb-deploy delete digits
	[ ! -e "$USER_WS" ]
	[ ! -e "$ENTRY" ]
	[ -z "$(find state -name '.digits*' -o -name digits)" ]
}

@test "a workspace is allocated, found again, told of, and released with the experiment" {
	for_tools shared
}

@test "the same with the stand-in of these tests" {
	for_tools own
}

@test "older tools that talk on stdout, and days cut to the maximum" {
	workspaces
	export WS_DIALECT=old WS_MAX_DAYS=20
	run mb-deploy start
	[ "$status" = 0 ]
	[[ $output == *"20 days left"* ]]
	[ -d "$USER_WS/digits" ]
}

@test "the profile says which tools, file system and how many days" {
	workspaces
	[[ -x ${MB_SHARED:-$ROOT/../shared}/slurm/bin/ws_find ]] || skip "the stand-in of the tests has one file system"
	mkdir bin
	for verb in find allocate list release extend; do
		printf '#!/bin/sh\nexec ws_%s "$@"\n' $verb >bin/my_$verb
		chmod +x bin/my_$verb
	done
	on Mars
	own mars <<<"workspace: {command: $PWD/bin/my_, filesystem: ffuc, days: 12}"
	run mb-deploy start --on local
	[ "$status" = 0 ]
	[[ $output == *"12 days left"* ]]
	[ -d "$WS_ROOT/ffuc/$(id -un)-digits/digits" ]
	rm config/mb/clusters/mars.yaml
	until_true ended
	mb-deploy delete digits # needs no profile
	[ ! -e "$WS_ROOT/ffuc/$(id -un)-digits" ]
}

@test "a workspace of one's own is used, and not released" {
	workspaces
	ws_allocate digits 10
	mb-deploy start
	until_true ended
	mb-deploy delete digits
	[ -d "$USER_WS" ]
	[ ! -e "$USER_WS/digits" ]
}

@test "a workspace in which other files lie is kept" {
	workspaces
	mb-deploy start
	until_true ended
	touch "$USER_WS/mine"
	run mb-deploy delete digits
	[ "$status" = 0 ]
	[[ $output == *"workspace digits is kept: other files lie in $USER_WS (ws_release digits gives it back)"* ]]
	[ -e "$USER_WS/mine" ]
}

@test "below 7 days a warning; continue --extend takes one extension, no second one after a crash" {
	workspaces
	mb-deploy start
	until_true ended
	run mb-deploy continue digits --extend
	[ "$status" = 1 ]
	[[ $output == *"has 30 days left, as many as an extension gives"* ]]
	until_days 5
	mb-deploy continue digits 2>words
	grep -F "its workspace digits ends in 5.0 days" words
	mb-deploy status digits | grep -F "ends in 5.0 days, and all in it goes with it (mb-deploy continue digits --extend), 3 extensions"
	grep -Fx extensions=3 "$ENTRY" # none was taken by itself
	# Killed after the deed, before its result is noted: the intent's two steps, then the deed's.
	run env MB_DEPLOY_DIE_AT=3 mb-deploy continue digits --extend
	[ "$status" = 137 ]
	grep -Fx extensions=2 "$ENTRY"
	mb-deploy continue digits --extend
	grep -Fx extensions=2 "$ENTRY"
	mb-deploy status digits | grep -Fx "  workspace  digits, 30 days left, 2 extensions"
	until_days 3
	sed -i 's/^extensions=.*/extensions=0/' "$ENTRY"
	run mb-deploy continue digits --extend
	[ "$status" = 4 ]
	[[ $output == *"no more extensions"*"(no extension is left: copy away what is needed, in 3.0 days it is gone)"* ]]
}

@test "a workspace that has expired: said, and how to go on" {
	workspaces
	mb-deploy start
	until_true ended
	mv "$USER_WS" elsewhere
	rm "$ENTRY"
	for verb in status continue logs kill; do
		run mb-deploy $verb digits
		[ "$status" = 1 ]
		[[ $output == "mb-deploy: digits: its folder is gone: $USER_WS/digits (a workspace that expired may be had back,"* ]]
	done
	run mb-deploy start
	[ "$status" = 4 ]
	[[ $output == *"its workspace has expired or was released: $USER_WS/digits is gone (ws_restore -l tells"* ]]
	[ ! -e "$ENTRY" ] # nothing new was allocated in its place
	# Had back under another path: the link follows.
	mb-deploy continue elsewhere/digits
	mb-deploy status digits | grep -F "2 of 2 observations"
	rm -r elsewhere
	mb-deploy delete digits
	[ -z "$(find state -name '.digits*' -o -name digits)" ]
	mb-deploy start
	[ -d "$USER_WS/digits" ]
}

@test "no workspace tools: said, with what to write instead" {
	sed -i "s|name: digits|&\n  use_local_workspace: false|" experiment.yaml
	on Mars
	own mars <<<"workspace: {command: nosuch_}"
	run mb-deploy start --on local
	[ "$status" = 4 ]
	[ "$output" = "mb-deploy: nosuch_find: not found in PATH (experiment.use_local_workspace: false needs the cluster's workspace tools; true keeps the folder beside the experiment file)" ]
	[ -z "$(find state -name '.digits*' -o -name digits)" ]
}

@test "killed at any step, started and deleted again: one workspace, then none" {
	workspaces
	local step
	for step in {1..20}; do
		run env MB_DEPLOY_DIE_AT=$step mb-deploy start
		mb-deploy start
		[ "$(find "$WS_ROOT/work" -mindepth 1 -maxdepth 1 -not -name .removed | wc -l)" = 1 ]
		until_true ended
		run env MB_DEPLOY_DIE_AT=$step mb-deploy delete digits
		mb-deploy delete digits || [ $? = 1 ]
		[ ! -e "$ENTRY" ]
		[ -z "$(find state -name '.digits*' -o -name digits)" ]
	done
}

@test "plan tells of the workspace, and asks nobody for it" {
	workspaces
	echo 'data_options: {dataset_path: "me@far:data", copy_data: true}' >>experiment.yaml
	mb-deploy plan | grep -Fx "# start first: makes the folder in the workspace digits: ws_find digits, else ws_allocate digits 30"
	mb-deploy plan | grep -Fx "# start first: fetches me@far:data"
	mb-deploy plan | grep -Fx "# each worker first: copies the data to the node's own disk"
	[ ! -e ws ]
	# Letters that the tools do not take.
	sed -i 's/name: digits/name: "Müller (1)"/' experiment.yaml
	[[ $(mb-deploy plan) == *": ws_find mb-M--ller-1-"* ]]
}
