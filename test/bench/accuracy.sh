#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Does the built-in job reach what PyTorch reaches? Means over seeds beside those of reference.json (in $MB_SHARED, else
# ../shared, under bench/train): 13 networks on two data sets, four metrics each. At most one figure may differ by more than
# 3 standard errors of the difference of the means + 0.001, none by more than 5 + 0.001.
#
#     test/bench/accuracy.sh [DATASET/CASE...]      SEEDS=8      e.g. fashion-mnist/default-5 mnist/wide
#
# Each seed has its own split, as the reference has. Exit 0 when it holds, 1 when not, 77 without the reference.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
shared=${MB_SHARED:-$root/../shared}
reference=$shared/bench/train/reference.json
[ -r "$reference" ] || { echo "no $reference: skipped"; exit 77; }
export PATH="${MB_BUILD:-$root/build}:$PATH"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# run_seed NAME DATASET ASSIGNMENTS SEED: one trial with a split of its own; prints its metrics.
run_seed() {
	mkdir "$1.$4"
	cat >"$1.$4/experiment.yaml" <<-END
	experiment: {name: accuracy, observation_budget: 1}
	parameters: [{name: learning_rate, type: double, bounds: {min: 0.0001, max: 1}}]
	metrics: [{name: val_loss, objective: minimize}]
	task: {dataset: $2, data_seed: $4}
	END
	printf '{"trial":1,"assignments":%s,"seed":%d}\n' "$3" "$4" |
		mb-train -q -e "$1.$4/experiment.yaml" | mb-eval -e "$1.$4/experiment.yaml" --split test | jq -c .metrics
	rm -r "$1.$4"
}
export -f run_seed

status=0
: >judged
[ $# -gt 0 ] || mapfile -t cases < <(jq -r '.results[] | "\(.dataset)/\(.name)"' "$reference")
[ $# -eq 0 ] || cases=("$@")
for case in "${cases[@]}"; do
	dataset=${case%/*} name=${case#*/}
	assignments=$(jq -ce --arg d "$dataset" --arg n "$name" \
		'.results[] | select(.dataset == $d and .name == $n).assignments' "$reference")
	place=$dataset
	[ "$dataset" != mnist ] || place=$(realpath "$shared/data/mnist")
	seq 1 "${SEEDS:-8}" | xargs -P "$(nproc)" -I{} bash -c 'run_seed "$@"' _ "$name" "$place" "$assignments" {} >runs
	jq -rs --slurpfile reference "$reference" --arg d "$dataset" --arg n "$name" '
		def mean: add / length;
		def sd: mean as $m | (map((. - $m) * (. - $m)) | add) / (length - 1) | sqrt;
		. as $runs | ($reference[0].seeds) as $m
		| $reference[0].results[] | select(.dataset == $d and .name == $n).mean_sd | to_entries[]
		| [$runs[][.key]] as $ours | .value as $theirs
		| (($ours | sd) * ($ours | sd) / ($ours | length) + $theirs[1] * $theirs[1] / $m | sqrt) as $se
		| (($ours | mean) - $theirs[0] | fabs) as $off
		| [$d, $n, .key, ($ours | mean), $theirs[0], ([0, $off - 0.001] | max) / $se] | @tsv' runs >>judged
done
awk -F'\t' '
	{ printf "%-14s %-13s %-14s %8.4f %8.4f %6.1f\n", $1, $2, $3, $4, $5, $6
	  if ($6 > 3) far++; if ($6 > 5) farther++ }
	END { printf "%d figures: %d beyond 3 standard errors + 0.001 (one may), %d beyond 5\n", NR, far, farther
	      exit far > 1 || farther > 0 }' judged || status=1
exit $status
