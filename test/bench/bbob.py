#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The 24 noiseless functions of COCO's bbob suite (pip: coco-experiment), minimised by mb-suggest as a coprocess and by its
peers: optuna's GPSampler (pip: optuna, torch) and CMA-ES of the package cma. One line of JSON a run goes to --out.

    bbob.py run --method mb:auto --dims 5,10 --budget 100 --instances 1 --out runs.jsonl [--suggest mb-suggest]
    bbob.py run --method cma …            bbob.py run --method optuna --budget 50 …
    bbob.py score runs.jsonl … [--at 10,20,50,100]

--budget and --at are evaluations a dimension. The score is the share of the 51 targets 10^2, 10^1.8, … 10^-8 above the
optimum that are reached, as in COCO's figures, the mean over functions (those that all methods have), and of it the standard
error over functions of each method's difference to the first.
"""
import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def problem(suite, function, dims, instance):
    one = suite.get_problem_by_function_dimension_instance(function, dims, instance)
    best = [float(text) for text in open_best(one)]
    return one, float(one(best))


def open_best(one):
    one._best_parameter("print")
    with open("._bbob_problem_best_parameter.txt") as file:
        return file.read().split()


def by_mb(command, algorithm, one, budget, seed):
    dims, values = one.dimension, []
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(f"experiment: {{name: bbob, observation_budget: {budget}, parallel_bandwidth: 1, seed: {seed}, "
                   f"algorithm: {algorithm}}}\nmetrics: [{{name: f, objective: minimize}}]\nparameters:\n")
        for i in range(dims):
            file.write(f"  - {{name: x{i}, type: double, bounds: {{min: -5, max: 5}}}}\n")
        file.flush()
        child = subprocess.Popen([command, "-e", file.name, "-l", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 text=True, bufsize=1)
        while len(values) < budget:
            record = json.loads(child.stdout.readline())
            values.append(float(one([record["assignments"][f"x{i}"] for i in range(dims)])))
            record["status"], record["metrics"] = "completed", {"f": values[-1]}
            try:
                child.stdin.write(json.dumps(record) + "\n")
            except BrokenPipeError:
                break
        try:
            child.stdin.close()
        except BrokenPipeError:
            pass
        child.wait()
    return values


def by_cma(one, budget, seed):
    import cma
    import numpy
    values = []

    def value(x):
        values.append(float(one(x)))
        return values[-1]
    rng = numpy.random.default_rng(seed)
    cma.fmin2(value, lambda: rng.uniform(-4, 4, one.dimension), 2,
              {"verbose": -9, "seed": seed + 1, "maxfevals": budget, "bounds": [-5, 5]}, restarts=9, bipop=True)
    return values[:budget]


def by_optuna(one, budget, seed):
    import optuna
    import torch
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.GPSampler(seed=seed))
    values = []

    def value(trial):
        values.append(float(one([trial.suggest_float(f"x{i}", -5, 5) for i in range(one.dimension)])))
        return values[-1]
    study.optimize(value, n_trials=budget)
    return values


def run(opt):
    import cocoex
    suite = cocoex.Suite("bbob", "", "")
    os.chdir(tempfile.mkdtemp())
    functions = range(1, 25) if not opt.functions else [int(text) for text in opt.functions.split(",")]
    with open(opt.out, "a") as out:
        for instance in range(1, opt.instances + 1):
            for function in functions:
                for dims in map(int, opt.dims.split(",")):
                    one, best = problem(suite, function, dims, instance)
                    budget, start = opt.budget * dims, time.perf_counter()
                    if opt.method.startswith("mb:"):
                        values = by_mb(opt.suggest, opt.method[3:], one, budget, instance)
                    else:
                        values = {"cma": by_cma, "optuna": by_optuna}[opt.method](one, budget, instance)
                    took = time.perf_counter() - start
                    json.dump({"m": opt.name or opt.method, "f": function, "d": dims, "i": instance, "s": round(took, 2),
                               "y": [float(f"{value - best:.4g}") for value in values]}, out)
                    out.write("\n")
                    out.flush()


def score(opt):
    points, runs = [int(text) for text in opt.at.split(",")], collections.defaultdict(dict)
    targets = [10 ** (2 - 0.2 * k) for k in range(51)]
    for path in opt.files:
        with open(path) as file:
            for line in file:
                one = json.loads(line)
                runs[one["d"], one["m"]][one["f"], one["i"]] = one["y"]
    for dims in sorted({key[0] for key in runs}):
        methods = [key[1] for key in runs if key[0] == dims]
        print(f"{dims} dimensions        " + "".join(f"{f'{n} d':>18}" for n in points))
        shares = {}
        for method in methods:
            cells = ""
            for n in points:
                have = {key for m in methods for key in runs[dims, m] if len(runs[dims, m][key]) >= n * dims}
                mine = {key: y for key, y in runs[dims, method].items() if len(y) >= n * dims}
                common = have.intersection(*[{key for key, y in runs[dims, m].items() if len(y) >= n * dims} or have
                                             for m in methods])
                for key in common & set(mine):
                    best = min(mine[key][:n * dims])
                    shares[method, n, key] = sum(best <= target for target in targets) / len(targets)
                if not common & set(mine):
                    cells += f"{'-':>18}"
                    continue
                mean = statistics.mean(shares[method, n, key] for key in common)
                first = [shares[method, n, key] - shares[methods[0], n, key] for key in common
                         if (methods[0], n, key) in shares]
                error = statistics.stdev(first) / len(first) ** 0.5 if len(first) > 1 and method != methods[0] else 0
                cells += f"{mean:>11.3f} ±{error:.3f}"
            print(f"{method:20}{cells}   {len(runs[dims, method])} runs")


def main():
    arg = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = arg.add_subparsers(required=True)
    one = verbs.add_parser("run")
    one.add_argument("--method", required=True)
    one.add_argument("--name")
    one.add_argument("--suggest", default="mb-suggest")
    one.add_argument("--dims", default="5,10")
    one.add_argument("--functions")
    one.add_argument("--budget", type=int, default=100)
    one.add_argument("--instances", type=int, default=1)
    one.add_argument("--out", required=True)
    one.set_defaults(call=run)
    one = verbs.add_parser("score")
    one.add_argument("files", nargs="+")
    one.add_argument("--at", default="10,20,50,100")
    one.set_defaults(call=score)
    opt = arg.parse_args()
    if hasattr(opt, "out"):
        opt.out = os.path.abspath(opt.out)
    opt.call(opt)


if __name__ == "__main__":
    sys.exit(main())
