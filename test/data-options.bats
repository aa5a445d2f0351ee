#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sanitizers: too
#
# data_options: data of this machine, of another one by rsync over ssh, and copies on the node's own disk.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export HOME=$BATS_TEST_TMPDIR XDG_STATE_HOME=$BATS_TEST_TMPDIR/state XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
	export TMPDIR=$BATS_TEST_TMPDIR/node
	unset MB_DEPLOY_DIE_AT MB_LOCK RSYNC_RSH
	mkdir node
}

teardown() {
	[[ ! -e sshd.pid ]] || kill "$(cat sshd.pid)"
	jobs -p | xargs -r kill -9 2>/dev/null || true
}

# job PATH [COPY [BUDGET [COMMAND]]]: an experiment whose job prints what the data set holds.
job() {
	printf '%s\n' 'experiment: {name: job, observation_budget: '"${3:-2}"', parallel_bandwidth: 1}' \
		'parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}]' \
		'metrics: [{name: loss, objective: minimize}]' \
		'model:' '  command: |' "    ${4:-cat \"\$MB_DATA\"/deep/value; echo \"\$MB_DATA\" >>$PWD/seen}" \
		'data_options:' "  dataset_path: $1" "  copy_data: ${2:-false}" >experiment.yaml
}

# The data: one number, in a folder of a folder.
data() {
	mkdir -p "$1/deep"
	echo 42 >"$1/deep/value"
	head -c 3000000 /dev/urandom >"$1/more"
}

state() {
	[[ $(mb-deploy status job --json | jq -r .state) == "$1" ]]
}

# Started, and to its end.
runs() {
	mb-deploy start 2>words || { cat words; return 1; }
	until_true state finished
	[ "$(jq -c 'select(.status == "completed") | .metrics.loss' job/trials.ndjson | sort -u)" = 42 ]
}

@test "data of this machine are used where they are" {
	data 'my data'
	job "my data"
	runs
	[ "$(sort -u seen)" = "$PWD/my data" ]
	[ -z "$(ls node)" ]
}

@test "data that cannot be read: said at the start, with file and line" {
	job nowhere
	run mb-deploy start
	[ "$status" = 4 ]
	echo "$output"
	[ "${lines[-1]}" = "mb-deploy: $PWD/experiment.yaml:8: data_options.dataset_path: $PWD/nowhere: No such file or directory (relative paths begin in the experiment file's folder)" ]
	state "not started"
	data nowhere
	if [ "$(id -u)" != 0 ]; then
		chmod 0 nowhere
		run mb-deploy start
		chmod 700 nowhere
		[ "$status" = 4 ]
		[[ $output == *"nowhere: Permission denied (it must be readable where the workers run)" ]]
	fi
	runs
	# Gone before the worker begins: its end says so, and the observations stay.
	mb-deploy delete job
	job nowhere false 3
	mb-deploy start
	until_true state finished
	sed -i 's/budget: 3/budget: 4/' experiment.yaml
	mv nowhere away
	run mb-deploy start --update
	[ "$status" = 4 ]
	[ "$(jq -s 'map(select(.status == "completed")) | length' job/trials.ndjson)" = 3 ]
}

@test "copy_data: a copy on the node while a worker runs, the same bytes, gone afterwards" {
	data data
	job data true 2 "cmp $PWD/data/more \"\$MB_DATA\"/more && cat \"\$MB_DATA\"/deep/value; echo \"\$MB_DATA\" >>$PWD/seen"
	runs
	[[ $(sort -u seen) == "$PWD/node/mb-$(id -u)/"*/data ]]
	[ "$(find node -type f)" = "" ]
	[ "$(stat -c %a "node/mb-$(id -u)")" = 700 ]
	grep -q '"phase":"setup".*"component":"data"' job/deploy.ndjson
	# A single file is one, too, and keeps its name.
	mb-deploy delete job
	echo 42 >value.csv
	job value.csv true 2 "cat \"\$MB_DATA\"; echo \"\$MB_DATA\" >>$PWD/seen"
	runs
	[[ $(tail -n 1 seen) == "$PWD/node/mb-$(id -u)/"*/value.csv ]]
}

@test "copy_data: workers of one node share one copy, also after kill -9, and the last removes it" {
	data data
	# Slow jobs, each noting which file it reads.
	local command="stat -Lc %i \"\$MB_DATA\"/deep/value >>$PWD/inodes; while [ ! -e $PWD/go ]; do sleep 0.05; done; cat \"\$MB_DATA\"/deep/value"
	job data true 2 "$command"
	sed 's/name: job/name: other/' experiment.yaml >other.yaml
	mb-deploy start
	mb-deploy start other.yaml
	two() { [[ $(wc -l <inodes) -ge $1 ]]; }
	until_true two 2
	[ "$(sort -u inodes | wc -l)" = 1 ]
	[ "$(find node -name value | wc -l)" = 1 ]
	# One worker ends, and once more by kill -9: the copy stays for the other, and for what still reads it.
	mb-deploy kill other
	[ "$(find node -name value | wc -l)" = 1 ]
	mb-deploy continue other
	until_true two 3
	[ "$(sort -u inodes | wc -l)" = 1 ]
	kill -9 "$(mb-deploy status other --json | jq '.workers[0].pid')"
	[ "$(find node -name value | wc -l)" = 1 ]
	touch go
	until_true state finished
	until_true eval '[[ $(mb-deploy status other --json | jq -r .state) != running ]]'
	mb-deploy continue other || true
	until_true eval '[[ $(mb-deploy status other --json | jq -r .state) == finished ]]'
	until_true eval '[[ -z $(find node -type f) ]]'
}

@test "copy_data: other data are another copy; a torn one is made again" {
	data data
	job data true
	runs
	local own=node/mb-$(id -u) first
	# What a node's end may leave: the copy, cut short.
	first=$(sed 's|/data$||' seen | sort -u)
	mkdir -p "$first/data/deep"
	touch "$first/data/deep/value" "$first.part" "$own/stays"
	mb-deploy delete job
	runs
	[ "$(sort -u seen | wc -l)" = 1 ]
	echo 42 >>data/deep/value
	rm seen
	mb-deploy delete job
	runs
	[ "$(sed 's|/data$||' seen | sort -u)" != "$first" ]
}

@test "copy_data: no room, a folder that others can write, a pipe among the data" {
	data data
	job data true
	mkdir -m 777 "node/mb-$(id -u)"
	mb-deploy start
	until_true state stopped
	mb-deploy logs job | grep -F "node/mb-$(id -u): is there, and others may write or read in it (remove it, or chmod 700)"
	chmod 700 "node/mb-$(id -u)"
	mkfifo data/pipe
	mb-deploy continue job
	until_true eval "mb-deploy logs job | grep -F 'data/pipe: is neither file nor folder'"
	rm data/pipe
	# Sparse: larger than any disk here, but for its bytes.
	truncate -s 8E data/more 2>/dev/null || truncate -s 15T data/more || skip "no such large sparse files"
	until_true state stopped
	mb-deploy continue job
	until_true eval "mb-deploy logs job | grep -E 'the data are .* MB, and .* MB are free here'"
	grep -q 'setup ended with 4' job/deploy.ndjson
	[ -z "$(find node -type f -not -name '*.lock')" ]
}

# ---- from another host ----

# ssh that goes nowhere: options and host are dropped, the rest is run here, as sshd does it. ARGS: what it was called with.
fake_ssh() {
	command -v rsync >/dev/null || skip "no rsync"
	cat >ssh.sh <<-'EOF'
	#!/bin/bash
	echo "$*" >>"$HOME/ssh.args"
	while [[ $1 == -* ]]; do
		case $1 in -o | -l | -p | -i | -F) shift 2 ;; *) shift ;; esac
	done
	shift
	cd "$HOME/there" && exec bash -c "$*"
	EOF
	chmod +x ssh.sh
	export RSYNC_RSH=$PWD/ssh.sh
	mkdir there
}

@test "user@host:path is fetched once, by rsync over ssh, and nobody is asked for a password" {
	fake_ssh
	data "there/my data"
	job '"me@far.example:~/my data/"'
	runs
	grep -qE -- '-o BatchMode=yes .*-l me far\.example rsync --server' ssh.args
	[ "$(wc -l <ssh.args)" = 1 ]
	[[ $(sort -u seen) == "$PWD/job/data/"*"/my data" ]]
	grep -q '"phase":"setup".*"component":"data"' job/deploy.ndjson
	mb-deploy kill job
	sed -i 's/budget: 2/budget: 3/' experiment.yaml
	mb-deploy start --update
	until_true state finished
	[ "$(wc -l <ssh.args)" = 1 ]
}

@test "an interrupted fetch is no fetch, and goes on; then copied to the node as well" {
	fake_ssh
	data there/data
	job me@far:data true
	# Broken off twice: at once, with what rsync leaves then, and asked to stop.
	sed -i 's|exec bash|[ -e "$HOME/go" ] \|\| { bash -c "$*" \| { stdbuf -o0 head -c 1000000; sleep 0.3; kill -$(cat "$HOME/how") 0; }; }; &|' ssh.sh
	echo KILL >how
	run mb-deploy start
	[ "$status" = 4 ]
	[[ $output == *"rsync: killed by signal 9"*"(the same command goes on where it stopped)" ]]
	echo TERM >how
	run mb-deploy start
	[ "$status" = 4 ]
	[[ $output == *"rsync: ended with 20: "*"(the same command goes on where it stopped)" ]]
	[ -n "$(find job/data -path '*.part/*' -type f)" ]
	[ -z "$(find job/data -mindepth 1 -maxdepth 1 -not -name '*.part')" ]
	touch go
	local step
	for step in 9 10 11 12 13 14; do
		run env MB_DEPLOY_DIE_AT=$step mb-deploy start
	done
	runs
	[[ $(sort -u seen) == "$PWD/node/mb-"*/data ]]
	[ -z "$(find job/data -name '*.part')" ]
	[ "$(cd job/data/*/data && find . -type f | sort | xargs)" = "./deep/value ./more" ]
}

@test "what ssh or rsync says is the error, with what to do" {
	fake_ssh
	job me@far:nowhere
	run mb-deploy start
	[ "$status" = 4 ]
	[[ $output == *"rsync: ended with 23: "*"No such file or directory"*"(ssh HOST ls PATH shows whether the path is right)" ]]
	printf '#!/bin/sh\necho "me@far: Permission denied (publickey)." >&2\nexit 255\n' >ssh.sh
	run mb-deploy start
	[ "$status" = 4 ]
	[[ $output == *"Permission denied (publickey)"*"(ssh must reach the host without a password: ssh-keygen, ssh-copy-id; and the path must be readable there)" ]]
	printf '#!/bin/sh\nexec sleep 60\n' >ssh.sh
	mb-deploy start 2>words &
	sleep 0.5
	kill $!
	until_true eval '! pgrep -f "$PWD/ssh.sh"'
}

@test "nothing in a path becomes an option or a command" {
	fake_ssh
	local path
	for path in '-oProxyCommand=touch pwned:x' 'me@-oProxyCommand=touch${IFS}pwned:x' '-e@h:x' 'h;touch pwned:x' '$(touch pwned):x' \
		'me@h:' 'me@h:..' 'me@h:/' 'h::module' 'http://h/x' $'me@h:a\\nb' 'a b@h:x'; do
		job "\"$path\""
		run mb-deploy start
		[ "$status" = 2 ]
		[[ $output == *"experiment.yaml:8: data_options.dataset_path: "*"(a path, or user@host:path)" ]]
		[ ! -e job ]
	done
	[ ! -e ssh.args ]
	for path in 'h:$(touch pwned)' 'h:a;touch pwned' 'h:--rsh=touch pwned' 'h:-e touch pwned' 'h:`touch pwned`' "h:a' touch pwned '"; do
		mkdir -p "there/${path#h:}/deep"
		echo 42 >"there/${path#h:}/deep/value"
		job "\"$path\""
		runs
		mb-deploy delete job
	done
	[ -z "$(find . -name pwned)" ]
}

@test "from a real sshd on this machine, with keys of the test's own" {
	local sshd port
	sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || skip "no sshd (Debian: openssh-server)"
	command -v rsync >/dev/null || skip "no rsync"
	data there
	ssh-keygen -q -t ed25519 -N '' -f key
	ssh-keygen -q -t ed25519 -N '' -f host
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
	for port in {22401..22440}; do
		: >sshd.log
		"$sshd" -f /dev/null -h "$PWD/host" -p "$port" -E "$PWD/sshd.log" -o ListenAddress=127.0.0.1 \
			-o "AuthorizedKeysFile=$PWD/key.pub" -o StrictModes=no -o UsePAM=no -o PermitRootLogin=yes \
			-o "PidFile=$PWD/sshd.pid" -o PasswordAuthentication=no 9>&- 8>&- 3>&- 4>&- || continue
		until_true test -s sshd.pid && break
	done
	export RSYNC_RSH="ssh -F /dev/null -p $port -i '$PWD/key' -o IdentitiesOnly=yes -o UserKnownHostsFile='$PWD/known'"
	job "$(id -un)@127.0.0.1:$PWD/there"
	# A host that nobody has met.
	run mb-deploy start
	[ "$status" = 4 ]
	[[ $output == *"Host key verification failed"*"(type ssh to that host once by hand, and accept its key)" ]]
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 host.pub)" >known
	runs
	[[ $(sort -u seen) == "$PWD/job/data/"*"/there" ]]
	mb-deploy delete job
	# A key that the host does not know.
	ssh-keygen -q -t ed25519 -N '' -f wrong
	RSYNC_RSH=${RSYNC_RSH/\/key/\/wrong}
	run mb-deploy start
	[ "$status" = 4 ]
	[[ $output == *"Permission denied"*"ssh-copy-id"* ]]
}
