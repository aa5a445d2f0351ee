# SPDX-License-Identifier: MIT
#
# A real Slurm for the bats files that want one: $MB_SHARED/slurm/cluster (else ../shared), where it is, or the small one of
# test/slurm-cluster; both need root. Call slurm_up in setup_file, slurm_down in teardown_file, slurm_needed in setup.

# One file at a time: some kill nodes.
slurm_up() {
	local shared=${MB_SHARED:-$ROOT/../shared}/slurm/cluster
	export SLURM_WHY="" SLURM_CLUSTER=$shared SLURM_WAS_UP=""
	[ -x "$shared" ] || SLURM_CLUSTER=$ROOT/test/slurm-cluster
	if [ "$(id -u)" != 0 ]; then
		SLURM_WHY="a Slurm for tests needs root"
		return 0
	fi
	exec 7>/run/lock/mb-slurm-test
	flock -w 600 7 || { SLURM_WHY="another test has held Slurm for 600 s"; return 0; }
	eval "$("$SLURM_CLUSTER" env 2>/dev/null)"
	if "$SLURM_CLUSTER" status >/dev/null 2>&1 && scontrol ping >/dev/null 2>&1; then SLURM_WAS_UP=yes; fi
	eval "$("$SLURM_CLUSTER" up --gpus 2>"$BATS_FILE_TMPDIR/up")" || true
	scontrol ping >/dev/null 2>&1 || SLURM_WHY="no Slurm can be started here: $(tail -1 "$BATS_FILE_TMPDIR/up")"
}

slurm_down() {
	[ "$(id -u)" = 0 ] || return 0
	scancel --quiet --me 2>/dev/null || true
	[ -n "$SLURM_WAS_UP" ] || "$SLURM_CLUSTER" down >/dev/null 2>&1 || true
}

slurm_needed() { [ -z "$SLURM_WHY" ] || skip "$SLURM_WHY"; }
