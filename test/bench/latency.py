#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Milliseconds from a told result to the next suggestion after N trials in 10 dimensions: mb-suggest as a coprocess, and
beside it, in the same run, the samplers of rustuna and optuna where they are installed (pip).

    latency.py [--algorithm tpe] [--n 1000,10000] [--dims 10] [--asks 50] [mb-suggest]
"""
import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time


def loss(point):
    return sum((value - 0.4) ** 2 for value in point)


def ours(command, algorithm, points, asks):
    dims = len(points[0])
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file, \
            tempfile.NamedTemporaryFile("w", suffix=".ndjson") as history:
        file.write("experiment: {name: latency, observation_budget: 1000000, parallel_bandwidth: 1}\n"
                   "metrics: [{name: loss, objective: minimize}]\nparameters:\n")
        for i in range(dims):
            file.write(f"  - {{name: x{i}, type: double, bounds: {{min: 0, max: 1}}}}\n")
        for trial, point in enumerate(points, 1):
            json.dump({"trial": trial, "assignments": {f"x{i}": u for i, u in enumerate(point)}, "status": "completed",
                       "metrics": {"loss": loss(point)}}, history)
            history.write("\n")
        file.flush()
        history.flush()
        argv = [command, "-e", file.name, "-a", algorithm, "-l", "-", "--history", history.name]
        start = time.perf_counter()
        subprocess.run(argv + ["-n", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        cold = time.perf_counter() - start
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        line, times = child.stdout.readline(), []
        for _ in range(asks):
            record = json.loads(line)
            record["status"], record["metrics"] = "completed", {"loss": loss(record["assignments"].values())}
            told = json.dumps(record) + "\n"
            start = time.perf_counter()
            child.stdin.write(told)
            line = child.stdout.readline()
            times.append(time.perf_counter() - start)
        child.stdin.close()
        child.wait()
    return times, cold


def theirs(library, points, asks):
    study = library.create_study(sampler=library.samplers.TPESampler(seed=1))
    names = [f"x{i}" for i in range(len(points[0]))]
    space = {name: library.distributions.FloatDistribution(0, 1) for name in names}
    for point in points:
        study.add_trial(library.trial.create_trial(params=dict(zip(names, point)), distributions=space, value=loss(point)))
    times = []
    for _ in range(asks):
        start = time.perf_counter()
        trial = study.ask()
        point = [trial.suggest_float(name, 0, 1) for name in names]
        study.tell(trial.number, loss(point))
        times.append(time.perf_counter() - start)
    return times


def main():
    arg = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arg.add_argument("--algorithm", default="tpe")
    arg.add_argument("--n", default="1000,10000")
    arg.add_argument("--dims", type=int, default=10)
    arg.add_argument("--asks", type=int, default=50)
    arg.add_argument("command", nargs="?", default="mb-suggest")
    opt = arg.parse_args()
    for n in map(int, opt.n.split(",")):
        rng = random.Random(1)
        points = [[rng.random() for _ in range(opt.dims)] for _ in range(n)]
        times, cold = ours(opt.command, opt.algorithm, points, opt.asks)
        mine = statistics.median(times)
        print(f"n = {n}: mb-suggest -a {opt.algorithm} {1e3 * mine:.3f} ms warm, {1e3 * cold:.1f} ms the whole process")
        for name in "rustuna", "optuna":
            try:
                library = __import__(name)
                __import__(name + ".distributions")
                __import__(name + ".samplers")
            except ImportError:
                print(f"  {name} is not installed")
                continue
            if name == "optuna":
                library.logging.set_verbosity(library.logging.ERROR)
            peer = statistics.median(theirs(library, points, min(opt.asks, 10) if name == "optuna" else opt.asks))
            print(f"  {name} TPE {1e3 * peer:.3f} ms: {peer / mine:.2f} times as long")


if __name__ == "__main__":
    main()
