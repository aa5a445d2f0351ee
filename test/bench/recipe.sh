#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The recipe of mb-train(1): test accuracy as the mean of SEEDS=3, on Fashion-MNIST (at least 89 %) and, where $MB_SHARED
# (else ../shared) has it, on MNIST (at least 98.3 %). Some ten minutes on two cores.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
mnist=$(realpath -m "${MB_SHARED:-$root/../shared}/data/mnist")
export PATH="${MB_BUILD:-$root/build}:$PATH"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

recipe='{"hidden_layer_config":[512,512],"dropout":0.2,"batch_size":128,"learning_rate":0.001,"weight_decay":0,"schedule":"cosine","epochs":20}'

# reach DATASET ACCURACY
reach() {
	cat >experiment.yaml <<-END
	experiment: {name: recipe, observation_budget: ${SEEDS:-3}}
	parameters: [{name: learning_rate, type: double, bounds: {min: 0.0001, max: 1}}]
	metrics: [{name: val_accuracy}]
	task: {dataset: $1}
	END
	for ((seed = 1; seed <= ${SEEDS:-3}; seed++)); do
		printf '{"trial":%d,"seed":%d,"assignments":%s}\n' $seed $seed "$recipe"
	done | mb-train -q -j "$(nproc)" | mb-eval | jq .metrics.test_accuracy |
		awk -v set="${1##*/}" -v want="$2" '{ sum += $1; printf "%s seed: %.4f\n", set, $1 }
			END { printf "%s mean: %.4f, at least %.3f\n", set, sum / NR, want; exit sum / NR < want }'
	rm -r models
}

reach fashion-mnist 0.89
if [ -d "$mnist" ]; then reach "$mnist" 0.983; else echo "no $mnist: MNIST skipped"; fi
