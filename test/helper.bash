# SPDX-License-Identifier: MIT
#
# What all bats files share: the tools of this build first in PATH, and each test in an empty folder of its own.

bats_require_minimum_version 1.5.0
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="${MB_BUILD:-$ROOT/build}:$PATH"
unset MB_EXPERIMENT MB_LOG MB_SPANS
export LC_ALL=C

setup() {
	cd "$BATS_TEST_TMPDIR" || return
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
