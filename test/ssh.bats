#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# share/examples/ssh as its README says, with two logins to an sshd on this machine, under keys of the test's own.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	SSHD=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || skip "no sshd (Debian: openssh-server)"
	command -v parallel >/dev/null || skip "no parallel"
	ssh-keygen -q -t ed25519 -N '' -f key
	ssh-keygen -q -t ed25519 -N '' -f host
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
	for port in {22501..22540}; do
		: >sshd.log
		"$SSHD" -f /dev/null -h "$PWD/host" -p "$port" -E "$PWD/sshd.log" -o ListenAddress=127.0.0.1 \
			-o "AuthorizedKeysFile=$PWD/key.pub" -o StrictModes=no -o UsePAM=no -o PermitRootLogin=yes \
			-o "PidFile=$PWD/sshd.pid" -o PasswordAuthentication=no 9>&- 8>&- 3>&- 4>&- || continue
		until_true test -s sshd.pid && break
	done
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 host.pub)" >known
	echo "[localhost]:$port $(cut -d' ' -f1,2 host.pub)" >>known
	export PARALLEL_SSH="ssh -F /dev/null -p $port -i $PWD/key -o IdentitiesOnly=yes -o UserKnownHostsFile=$PWD/known"
	export HOME=$PWD/home PARALLEL_HOME=$PWD/home/.parallel
	mkdir -p home/.parallel
	touch home/.parallel/will-cite
	cp "$ROOT"/share/examples/ssh/* .
	printf '%s@127.0.0.1\n%s@localhost\n' "$(id -un)" "$(id -un)" >hosts
}

teardown() {
	[ ! -s "$BATS_TEST_TMPDIR/sshd.pid" ] || kill "$(cat "$BATS_TEST_TMPDIR/sshd.pid")"
}

# block N: the N-th of the README's shell blocks.
block() {
	awk -v want="$1" '/^```sh/ { n++; on = n == want; next } /^```/ { on = 0 } on' README.md
}

each_once() {
	[ "$(jq -s '[.[] | select(.status == "completed") | .trial] | sort == [range(1; 13)]' trials.ndjson)" = true ]
}

@test "two hosts, one log: the budget exactly, each trial once, both at work" {
	# Long enough for the second host to come while there is something left.
	sed -i 's/epochs: 2/epochs: 40/' experiment.yaml
	block 2 >commands
	grep -q sshloginfile commands
	timeout 100 bash -eo pipefail commands >said 2>&1 || { cat said; return 1; }
	each_once
	# Two loops asked: by whose hands the suggestions went.
	[ "$(jq -r 'select(.status == "open") | .owner.pid' trials.ndjson | sort -u | wc -l)" = 2 ]
	timeout 100 bash -eo pipefail commands >said 2>&1
	each_once
}
