#!/bin/bash
# SPDX-License-Identifier: MIT
#SBATCH --job-name=mb
#SBATCH --time=00:30:00
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --signal=B:USR1@120
#SBATCH --output=%x-%j.out
#
# The whole search in one batch job. Two minutes before its time is up Slurm signals this script, which tells mb-train: it
# writes checkpoints and `interrupted` records. The same job again, or several at once, go on from the log.
set -u

# module load …           the modules, environment and PATH that mb and your model need
cd "${SLURM_SUBMIT_DIR:-.}" || exit

# As pipes that this script has the ends of, so that it knows mb-train's process.
pipes=$(mktemp -d)
trap 'rm -rf "$pipes"' EXIT
mkfifo "$pipes/suggestions" "$pipes/results"
mb-suggest >"$pipes/suggestions" &
mb-train -j "${SLURM_CPUS_PER_TASK:-2}" <"$pipes/suggestions" >"$pipes/results" &
train=$!
mb-collect <"$pipes/results" >/dev/null &
collect=$!
trap 'kill -USR1 $train 2>/dev/null' USR1 TERM

while kill -0 $collect 2>/dev/null; do
	wait $collect # a signal ends the wait, not the job
done
mb-collect --best | jq -c '{trial, assignments, metrics}'
