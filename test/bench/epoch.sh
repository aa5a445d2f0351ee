#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One epoch of the built-in job on one core beside the naive loop, both best of 5: the ratio that counts. Beside PyTorch
# with sliced tensors too where $PYTHON has it: the naive loop is a fair mark while it takes at most 0.55 of that at [15].
# Needs Fashion-MNIST.
set -eu

BENCH=${BENCH:-build/bench}
PYTHON=${PYTHON:-python3}
data=${MB_DATA:-/usr/share/datasets/fashion-mnist}
export OPENBLAS_NUM_THREADS=1

torch=no
"$PYTHON" -c 'import torch' 2>/dev/null && torch=yes
printf '%-8s %8s %10s %10s' hidden 'mb ms' 'naive ms' 'mb/naive'
[ $torch = no ] || printf ' %12s %14s' 'PyTorch ms' 'naive/PyTorch'
echo
for hidden in 15 128; do
	mb=$("$BENCH/epoch" "$hidden" | awk '{ print $2 }')
	naive=$("$BENCH/naive" "$hidden" | awk '{ print $2 }')
	sliced=0
	[ $torch = no ] || sliced=$("$PYTHON" test/bench/sliced.py "$data" "$hidden" | awk '{ print $2 }')
	awk -v hidden="$hidden" -v mb="$mb" -v naive="$naive" -v sliced="$sliced" 'BEGIN {
		printf "[%-6s %9.1f %10.1f %10.2f", hidden "]", mb, naive, mb / naive
		if (sliced > 0) printf " %12.1f %14.2f", sliced, naive / sliced
		print "" }'
done
[ $torch = yes ] || echo "(no PyTorch in $PYTHON: PYTHON=/path/to/python with it adds a column)"
