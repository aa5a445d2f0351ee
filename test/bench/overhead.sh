#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What mb-time adds to a command, beside /usr/bin/time (Debian: time) where it is installed: medians of 300 runs each,
# taken in turn. And ask + tell by command, with what a process that does nothing costs.
set -eu

# median COMMAND…: microseconds, of the samples file that the loop below fills
runs=300
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"

sample() { # sample NAME COMMAND…
	local name=$1 start=${EPOCHREALTIME/./}
	shift
	"$@" >/dev/null 2>&1
	echo $((${EPOCHREALTIME/./} - start)) >>"$name"
}
median() { sort -n "$1" | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }'; }

cat >experiment.yaml <<END
experiment: {name: bench, observation_budget: 100000, parallel_bandwidth: 1}
parameters: [{name: x, type: double, bounds: {min: 0, max: 1}}, {name: y, type: double, bounds: {min: 0, max: 1}}]
metrics: [{name: loss, objective: minimize}]
END
tell() { mb-suggest -n 1 | sed 's/"status":"open"/"status":"completed","metrics":{"loss":1}/' | mb-collect -q; }

for ((i = 0; i < runs; i++)); do
	sample bare /bin/true
	sample timed mb-time -o spans /bin/true
	[ ! -x /usr/bin/time ] || sample gnu /usr/bin/time /bin/true
	((i >= 40)) || sample asktell tell
done
printf '%-34s %8s us\n' "true" "$(median bare)" "mb-time true" "$(median timed)"
[ ! -e gnu ] || printf '%-34s %8s us\n' "/usr/bin/time true" "$(median gnu)"
printf '%-34s %8s us\n' "mb-suggest -n 1 | sed | mb-collect" "$(median asktell)"
