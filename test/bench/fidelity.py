#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many epochs a search over rungs needs for what random search finds in 60 full trainings, on LCBench's curves.

    fidelity.py FOLDER [--workers W] [--seeds N] [--first-seed S] [--algorithm NAME] [--budget FULL] [--problems P,…]

FOLDER holds problems.py and peers/random.jsonl. Trainings are simulated: mb-suggest -l - suggests, W workers take as long as
their new epochs, a result of the surrogate at that epoch comes back. What counts is the best value at the full fidelity, 52
epochs. A run reaches the mark when that is no worse than the mean over random search's runs of their best after 60.
"""
import argparse
import heapq
import json
import os
import statistics
import subprocess
import sys
import tempfile

MIN, MAX, ETA = 2, 52, 3


def marks(folder):
    best = {}
    with open(os.path.join(folder, "peers", "random.jsonl")) as file:
        for line in file:
            run = json.loads(line)
            best.setdefault(run["p"], []).append(max(run["y"][:60]))
    return {name: statistics.fmean(values) for name, values in best.items()}


class Suggester:
    """mb-suggest -l -, one suggestion at a time."""

    def __init__(self, space, budget, workers, seed, algorithm):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "experiment.yaml")
        head = {"name": "bench", "observation_budget": budget, "parallel_bandwidth": workers, "seed": seed,
                "algorithm": algorithm}
        fidelity = {"fidelity": {"name": "epochs", "min": MIN, "max": MAX, "eta": ETA}}
        with open(path, "w") as file:
            json.dump({"experiment": head, **space, **fidelity}, file)
        self.child = subprocess.Popen(["mb-suggest", "-l", "-", "-e", path], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, bufsize=1)

    def next(self):
        return json.loads(self.child.stdout.readline())

    def tell(self, record, value):
        self.child.stdin.write(json.dumps({**record, "status": "completed", "metrics": {"value": value}}) + "\n")

    def close(self):
        self.child.kill()
        self.child.wait()
        self.folder.cleanup()


def run(problem, mark, opt, seed):
    """Epochs spent until the mark was reached (None: never), and the best value in the end."""
    space, value = problem
    suggester = Suggester(space, opt.budget, opt.workers, seed, opt.algorithm)
    spoken, spent, reached, best, now = 0, 0, None, -1e9, 0
    done, ends, number = {}, [], 0
    while True:
        # as many as fit are suggested: the cheapest move costs MIN
        while len(ends) < opt.workers and opt.budget * MAX - spoken >= MIN:
            record = suggester.next()
            epochs = record["fidelity"]["epochs"] - done.get(record["trial"], 0)
            done[record["trial"]] = record["fidelity"]["epochs"]
            spoken += epochs
            heapq.heappush(ends, (now + epochs, number, epochs, record))
            number += 1
        if not ends:
            break
        now, _, epochs, record = heapq.heappop(ends)
        y = value(record["assignments"], epoch=record["fidelity"]["epochs"])
        spent += epochs
        if record["fidelity"]["epochs"] == MAX:
            best = max(best, y)
            if reached is None and best >= mark:
                reached = spent
        suggester.tell(record, y)
    suggester.close()
    return reached, best


def main():
    arg = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arg.add_argument("folder")
    arg.add_argument("--workers", type=int, default=1)
    arg.add_argument("--seeds", type=int, default=10)
    arg.add_argument("--first-seed", type=int, default=1000)
    arg.add_argument("--algorithm", default="auto")
    arg.add_argument("--budget", type=int, default=24)
    arg.add_argument("--problems")
    opt = arg.parse_args()
    sys.path.insert(0, opt.folder)
    from problems import problem
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    mark = marks(opt.folder)
    names = opt.problems.split(",") if opt.problems else [name for name in mark if name.startswith("lcbench/")]
    everything, over = [], []
    for name in names:
        runs = [run(problem(name), mark[name], opt, opt.first_seed + seed) for seed in range(opt.seeds)]
        shares = [(reached if reached is not None else float("inf")) / (60 * MAX) for reached, _ in runs]
        everything += shares
        over += [best - mark[name] for _, best in runs]
        print(f"{name}: share of the epochs, median {statistics.median(shares):.3f}, in a fifth "
              f"{sum(share <= 0.2 for share in shares)}/{len(shares)}, best {statistics.fmean(b for _, b in runs):.2f}, "
              f"mark {mark[name]:.2f}")
    print(f"{opt.algorithm}, {opt.workers} workers: median share {statistics.median(everything):.3f}, in a fifth "
          f"{sum(share <= 0.2 for share in everything)}/{len(everything)}, reached at all "
          f"{sum(share < 9 for share in everything)}, mean over the mark {statistics.fmean(over):+.3f}")


if __name__ == "__main__":
    main()
