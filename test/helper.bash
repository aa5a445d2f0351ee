# SPDX-License-Identifier: MIT
#
# What all bats files share: the tools of this build first in PATH, and each test in an empty folder of its own.

bats_require_minimum_version 1.5.0
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export MB_BUILD="${MB_BUILD:-$ROOT/build}"
export PATH="$MB_BUILD:$PATH"
unset MB_EXPERIMENT MB_LOG MB_SPANS TRACEPARENT
export LC_ALL=C

# Data caches are made once a run of all tests.
export XDG_CACHE_HOME="${MB_TEST_CACHE:-$ROOT/build/test-cache}"
mkdir -p "$XDG_CACHE_HOME"

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# What a test left running in the background goes with it.
teardown() {
	jobs -p | xargs -r kill -9 2>/dev/null || true
}

# experiment [BUDGET [BANDWIDTH]]: experiment.yaml of a quick search on the digits, which need no file.
experiment() {
	cat >experiment.yaml <<-END
	experiment:
	  name: digits
	  observation_budget: ${1:-4}
	  parallel_bandwidth: ${2:-2}
	parameters:
	  - {name: learning_rate, type: double, bounds: {min: 1.0e-4, max: 0.1}, transformation: log}
	  - {name: batch_size, type: int, grid: [64, 128]}
	metrics:
	  - {name: val_macro_f1, objective: maximize}
	task: {dataset: digits, epochs: 1}
	END
}

# fails COMMAND…: the command must fail; for use where `!` would not make a bats test fail.
fails() {
	if "$@"; then
		echo "did not fail: $*" >&2
		return 1
	fi
}

# until_true COMMAND…: waits up to 10 s for the command to succeed.
until_true() {
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "never true: $*" >&2
	return 1
}

# suggestion TRIAL [ASSIGNMENTS [SEED]]: one suggestion.
suggestion() {
	printf '{"trial":%d,"assignments":%s,"seed":%d,"status":"open","attempt":1}\n' "$1" "${2:-{\}}" "${3:-$1}"
}
