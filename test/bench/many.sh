#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Constraints, several objectives, failures: gp, tpe, nsga2 and random on textbook problems, SEEDS each (10). With
# MB_PEERS=PYTHON, one that has Optuna and pymoo, what these reach. Held out, 10 to 60 seeds, gp beside Optuna's TPE:
# infeasible on beam 64 : 63 %, vessel 57 : 56, g06 96 : 100, g08 34 : 83, cantilever 27 : 24, gp's best far better;
# failures on kinds 11 : 61 %, ball3 17 : 84, ball4 21 : 75 (random 49); crashes at random cost gp no regret.
set -eu

seeds=${SEEDS:-10}
for kind in constraints objectives failures heldout; do
	echo "# $kind"
	for algorithm in random nsga2 tpe gp; do
		"$BENCH/many" "$kind" "$algorithm" "$seeds"
	done
	[ -n "${MB_PEERS:-}" ] || continue
	for peer in optuna-tpe optuna-nsga2-20 optuna-gp; do
		"$MB_PEERS" "$(dirname "$0")/peers_many.py" "$kind" "$peer" "$seeds"
	done
done
[ -z "${MB_PEERS:-}" ] || "$MB_PEERS" "$(dirname "$0")/peers_many.py" objectives pymoo-nsga2-20 "$seeds"
