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
