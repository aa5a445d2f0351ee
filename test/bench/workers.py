#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a search loses by many workers: mean regret of WORKERS asynchronous workers after so many evaluations beside that of
one after fewer, on the problems of the shared benchmark (numpy; found by $MB_SHARED, else ../shared beside the repository).

    workers.py [--workers 64] [--evaluations 256] [--sequential 96] [--seeds 10] [--problems public] [--out FILE] [mb-suggest]

A worker's trial takes a time drawn from a log-normal distribution (deviation 0.5 of the logarithm); what ends is told, and
the worker gets the next suggestion, which knows the others' trials as open. Regret is (best known - best found) / (best known -
median of random points).
"""
import argparse
import heapq
import json
import math
import os
import random
import subprocess
import sys
import tempfile

SHARED = os.environ.get("MB_SHARED") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared")
BENCH = os.path.join(SHARED, "bench/hpo")


def search(command, algorithm, name, seed, workers, evaluations):
    """The best value after each evaluation, in the order in which they end."""
    _, value = problem(name)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(experiment(name, evaluations, bandwidth=workers, seed=seed, algorithm=algorithm))
        file.flush()
        child = subprocess.Popen([command, "-e", file.name, "-l", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 text=True, bufsize=1)
        rng, clock, running, best, told = random.Random(seed), 0.0, [], [], 0
        while len(best) < evaluations:
            while len(running) < workers and told < evaluations:
                record = json.loads(child.stdout.readline())
                heapq.heappush(running, (clock + math.exp(0.5 * rng.gauss(0, 1)), record["trial"], record))
                told += 1
            clock, _, record = heapq.heappop(running)
            result = value(record["assignments"])
            best.append(max(result, best[-1]) if best else result)
            record["status"], record["metrics"] = "completed", {"value": result}
            child.stdin.write(json.dumps(record) + "\n")
        child.stdin.close()
        child.wait()
    return best


def main():
    arg = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arg.add_argument("command", nargs="?", default="mb-suggest")
    arg.add_argument("--algorithm", default="auto")
    arg.add_argument("--workers", type=int, default=64)
    arg.add_argument("--evaluations", type=int, default=256)
    arg.add_argument("--sequential", type=int, default=96)
    arg.add_argument("--seeds", type=int, default=10)
    arg.add_argument("--problems", default="public")
    arg.add_argument("--out", help="a line of JSON a problem and seed")
    opt = arg.parse_args()
    out = open(opt.out, "w") if opt.out else None
    with open(os.path.join(BENCH, "scale.json")) as file:
        scale = json.load(file)
    differences, sums = [], [0.0, 0.0]
    for seed in range(opt.seeds):
        at = [0.0, 0.0]
        for name in names(opt.problems):
            best, median = scale[name]["best"], scale[name]["median"]
            many = search(opt.command, opt.algorithm, name, seed, opt.workers, opt.evaluations)
            one = search(opt.command, opt.algorithm, name, seed, 1, opt.sequential)
            pair = [(best - run[-1]) / (best - median) for run in (many, one)]
            at = [a + b for a, b in zip(at, pair)]
            if out:
                print(json.dumps({"problem": name, "seed": seed, "many": pair[0], "one": pair[1]}), file=out, flush=True)
        at = [a / len(names(opt.problems)) for a in at]
        sums = [a + b for a, b in zip(sums, at)]
        differences.append(at[0] - at[1])
        n = len(differences)
        mean = sum(differences) / n
        error = math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1) / n) if n > 1 else float("nan")
        print(f"{n} seeds: {opt.workers} workers at {opt.evaluations} {sums[0] / n:.4f}, 1 worker at {opt.sequential} "
              f"{sums[1] / n:.4f}, difference {mean:+.4f} +- {error:.4f}", flush=True)


if __name__ == "__main__":
    if not os.path.exists(BENCH):
        print(f"skipped: needs {BENCH}")
        sys.exit(77)
    sys.path.insert(0, BENCH)
    from objective import experiment
    from problems import problem
    from run import names
    main()
