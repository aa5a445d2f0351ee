#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# What Optuna and pymoo reach on the problems of constraints.c, objectives.c and failures.c, in the same words. For a
# Python that has them (pip install optuna pymoo torch): MB_PEERS names it.
#
#   peers_many.py constraints|objectives|failures METHOD SEEDS [PROBLEM]...
import math
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def spring(x):
    d, w, n = x
    return [(n + 2) * w * d * d], [
        1 - w**3 * n / (71785 * d**4),
        (4 * w * w - d * w) / (12566 * (w * d**3 - d**4)) + 1 / (5108 * d * d) - 1,
        1 - 140.45 * d / (w * w * n),
        (d + w) / 1.5 - 1,
    ]


def gardner1(x):
    return [math.cos(2 * x[0]) * math.cos(x[1]) + math.sin(x[0])], [math.cos(x[0] + x[1]) - 0.5]


def gardner2(x):
    return [math.sin(x[0]) + x[1]], [math.sin(x[0]) * math.sin(x[1]) + 0.95]


def gramacy(x):
    return [x[0] + x[1]], [
        1.5 - x[0] - 2 * x[1] - 0.5 * math.sin(2 * math.pi * (x[0] ** 2 - 2 * x[1])),
        x[0] ** 2 + x[1] ** 2 - 1.5,
    ]


def zdt(h):
    def f(x):
        g = 1 + 9 * sum(x[1:]) / (len(x) - 1)
        return [x[0], g * h(x[0], g)], []

    return f


zdt1 = zdt(lambda f, g: 1 - math.sqrt(f / g))
zdt2 = zdt(lambda f, g: 1 - (f / g) ** 2)
zdt3 = zdt(lambda f, g: 1 - math.sqrt(f / g) - f / g * math.sin(10 * math.pi * f))


def dtlz2(x):
    g = sum((v - 0.5) ** 2 for v in x[2:])
    a, b = x[0] * math.pi / 2, x[1] * math.pi / 2
    return [(1 + g) * math.cos(a) * math.cos(b), (1 + g) * math.cos(a) * math.sin(b), (1 + g) * math.sin(a)], []


def half(x):
    f = math.hypot(x[0] - 0.5, x[1] - 0.32)
    failed = x[0] + x[1] < 0.8 or math.hypot(x[0] - 0.6, x[1] - 0.56) < 0.24
    return (None if failed else [f]), []


# name: function, bounds, objectives, constraints
CONSTRAINTS = {
    "gardner1": (gardner1, [(0, 6)] * 2, 1, 1),
    "gardner2": (gardner2, [(0, 6)] * 2, 1, 1),
    "gramacy": (gramacy, [(0, 1)] * 2, 1, 2),
    "spring": (spring, [(0.05, 2), (0.25, 1.3), (2, 15)], 1, 4),
}
OBJECTIVES = {
    "zdt1": (zdt1, [(0, 1)] * 10, 2, 0),
    "zdt2": (zdt2, [(0, 1)] * 10, 2, 0),
    "zdt3": (zdt3, [(0, 1)] * 10, 2, 0),
    "dtlz2": (dtlz2, [(0, 1)] * 7, 3, 0),
}
FAILURES = {"half": (half, [(0, 1)] * 2, 1, 0)}
FAR = {2: [11, 11], 3: [2.5, 2.5, 2.5]}
NEAR = {2: [1.1, 1.1], 3: [1.1, 1.1, 1.1]}
BUDGET = {"constraints": 60, "objectives": 100, "failures": 60}


def optuna_run(method, problem, budget, seed):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    function, bounds, m, c = problem
    hold = (lambda trial: trial.user_attrs["c"]) if c else None
    sampler = {
        "optuna-gp": lambda: optuna.samplers.GPSampler(seed=seed, constraints_func=hold),
        "optuna-tpe": lambda: optuna.samplers.TPESampler(seed=seed, constraints_func=hold),
        "optuna-nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed, constraints_func=hold),
        "optuna-nsga2-20": lambda: optuna.samplers.NSGAIISampler(seed=seed, population_size=20, constraints_func=hold),
    }[method]()
    seen = []

    def objective(trial):
        x = [trial.suggest_float(f"x{i}", low, high) for i, (low, high) in enumerate(bounds)]
        f, constraint = function(x)
        trial.set_user_attr("c", constraint)
        seen.append((f, constraint))
        if f is None:
            raise RuntimeError
        return f if m > 1 else f[0]

    study = optuna.create_study(directions=["minimize"] * m, sampler=sampler)
    study.optimize(objective, n_trials=budget, catch=(RuntimeError,))
    return seen


def pymoo_run(method, problem, budget, seed):
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.optimize import minimize

    function, bounds, m, c = problem
    seen = []

    class Wrapped(ElementwiseProblem):
        def __init__(self):
            super().__init__(n_var=len(bounds), n_obj=m, n_ieq_constr=c, xl=[b[0] for b in bounds], xu=[b[1] for b in bounds])

        def _evaluate(self, x, out, *args, **kwargs):
            f, constraint = function(x)
            seen.append((f, constraint))
            out["F"] = f
            if c:
                out["G"] = constraint

    population = int(method.split("-")[2])
    minimize(Wrapped(), NSGA2(pop_size=population), ("n_eval", budget), seed=seed)
    return seen[:budget]


def random_run(_, problem, budget, seed):
    rng = np.random.default_rng(seed)
    function, bounds, _, _ = problem
    return [function([low + (high - low) * rng.random() for low, high in bounds]) for _ in range(budget)]


def volume(points, reference):
    from pymoo.indicators.hv import HV

    return float(HV(ref_point=np.array(reference, float))(np.array(points, float)))


def main():
    bench, method, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    problems = {"constraints": CONSTRAINTS, "objectives": OBJECTIVES, "failures": FAILURES}[bench]
    budget = BUDGET[bench]
    run = optuna_run if method.startswith("optuna") else pymoo_run if method.startswith("pymoo") else random_run
    for name in sys.argv[4:] or problems:
        problem = problems[name]
        runs = [run(method, problem, budget, 1000 + seed) for seed in range(seeds)]
        if bench == "objectives":
            for words, reference in (("far", FAR), ("near", NEAR)):
                values = [volume([f for f, _ in seen], reference[problem[2]]) for seen in runs]
                print(f"{name:10} {method:16} {words:5} {np.mean(values):10.4f} +- {np.std(values) / len(values)**.5:.4f}")
        else:
            late = 20 if bench == "failures" else 30
            bad = [np.mean([f is None or any(v > 0 for v in c) for f, c in seen[late:]]) for seen in runs]
            best = [min([f[0] for f, c in seen if f is not None and all(v <= 0 for v in c)] or [math.nan]) for seen in runs]
            print(f"{name:10} {method:16} bad after {late} {100 * np.mean(bad):5.1f} %  best mean {np.nanmean(best):9.5f} "
                  f"median {np.nanmedian(best):9.5f} without any {sum(map(math.isnan, best))}")
        sys.stdout.flush()


main()
