#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One epoch of the built-in job on one core beside the naive loop, both best of 5: the ratio that counts. Needs Fashion-MNIST.
set -eu

BENCH=${BENCH:-build/bench}
export OPENBLAS_NUM_THREADS=1

printf '%-8s %10s %10s %8s\n' hidden 'mb ms' 'naive ms' 'ratio'
for hidden in 15 128; do
	mb=$("$BENCH/epoch" "$hidden" | awk '{ print $2 }')
	naive=$("$BENCH/naive" "$hidden" | awk '{ print $2 }')
	awk -v hidden="$hidden" -v mb="$mb" -v naive="$naive" \
		'BEGIN { printf "[%-6s %10.1f %10.1f %8.2f\n", hidden "]", mb, naive, mb / naive }'
done
