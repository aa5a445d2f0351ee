#!/bin/bash
# SPDX-License-Identifier: MIT
#
# How many epochs a search over rungs needs for random search's best of 60 full trainings, with 1 and with 8 workers
# (fidelity.py). Needs the benchmark's files (MB_SHARED, else ../shared) and numpy.
here=$(cd "$(dirname "$0")" && pwd)
shared=${MB_SHARED:-$here/../../../shared}/bench/hpo
[ -e "$shared/problems.py" ] || { echo "skip: no $shared"; exit 77; }
python3 -c 'import numpy' 2>/dev/null || { echo "skip: needs numpy"; exit 77; }
for workers in 1 8; do
	python3 "$here/fidelity.py" "$shared" --workers "$workers" --seeds "${SEEDS:-10}" || exit
done
