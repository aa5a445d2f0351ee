#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# What Optuna and pymoo reach on the problems of many_problems.h, in the same words. For a Python that has them (pip
# install optuna pymoo torch): MB_PEERS names it.
#
#   peers_many.py constraints|objectives|failures|heldout METHOD SEEDS [PROBLEM]...
import math
import random
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


def beam(x):
    h, l, t, b = x
    half_sum, load, length = (h + t) / 2, 6000, 14
    r, j = math.sqrt(l * l / 4 + half_sum**2), 2 * math.sqrt(2) * h * l * (l * l / 12 + half_sum**2)
    direct, twist = load / (math.sqrt(2) * h * l), load * (length + l / 2) * r / j
    return [1.10471 * h * h * l + 0.04811 * t * b * (14 + l)], [
        math.sqrt(direct**2 + direct * twist * l / r + twist**2) - 13600,
        6 * load * length / (b * t * t) - 30000,
        h - b,
        0.10471 * h * h + 0.04811 * t * b * (14 + l) - 5,
        4 * load * length**3 / (30e6 * t**3 * b) - 0.25,
        load - 4.013 * 30e6 * t * b**3 / 6 / length**2 * (1 - t / (2 * length) * math.sqrt(30e6 / 48e6)),
    ]


def vessel(x):
    shell, head, r, l = x[0] / 16, x[1] / 16, x[2], x[3]
    return [0.6224 * shell * r * l + 1.7781 * head * r * r + 3.1661 * shell**2 * l + 19.84 * shell**2 * r], [
        0.0193 * r - shell,
        0.00954 * r - head,
        1296000 - math.pi * r * r * l - 4 * math.pi * r**3 / 3,
    ]


def g06(x):
    return [(x[0] - 10) ** 3 + (x[1] - 20) ** 3], [
        100 - (x[0] - 5) ** 2 - (x[1] - 5) ** 2,
        (x[0] - 6) ** 2 + (x[1] - 5) ** 2 - 82.81,
    ]


def g08(x):
    f = -math.sin(2 * math.pi * x[0]) ** 3 * math.sin(2 * math.pi * x[1]) / (x[0] ** 3 * (x[0] + x[1]))
    return [f], [x[0] ** 2 - x[1] + 1, 1 - x[0] + (x[1] - 4) ** 2]


def cantilever(x):
    price = [7850 * 1, 2700 * 3, 4430 * 20][x[0]]
    strength, stiffness = [250e6, 270e6, 880e6][x[0]], [200e9, 70e9, 114e9][x[0]]
    w, h = x[2] / 1e3, x[3] / 1e3
    wi, hi = (max(w - h / 5, 0), 0.8 * h) if x[1] else (0, 0)
    inertia = (w * h**3 - wi * hi**3) / 12
    return [price * (w * h - wi * hi) + (10 if x[1] else 0)], [
        math.log(5000 * h / (2 * inertia) / strength),
        math.log(5000 / (3 * stiffness * inertia) / 0.004),
    ]


def ball3(x):
    good = math.dist(x, [0.5] * 3) <= 0.4924
    return ([math.dist(x, [0.8857, 0.3072, 0.6928])] if good else None), []


def ball4(x):
    good = math.dist(x, [0.5] * 4) <= 0.5642
    return ([math.dist(x, [0.8662, 0.1338, 0.6831, 0.7747])] if good else None), []


def kinds(x):
    f = math.dist(x[:4], [0.3, 0.8, 0.45, 0.55]) + [0.3, 0, 0, 0.1][x[4]]
    return ([f] if sum(x[:4]) >= 2 and x[4] != 2 else None), []


def branin(x):
    a = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return [a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10 - 0.397887], []


def hartmann6(x):
    a = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    p = [[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
         [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]]
    sums = [sum(a * (v - p) ** 2 for a, v, p in zip(*row)) for row in zip(a, [x] * 4, p)]
    return [3.32237 - sum(c * math.exp(-s) for c, s in zip([1, 1.2, 3, 3.2], sums))], []


def ackley(x):
    square = sum((v - 1) ** 2 for v in x) / 4
    wave = sum(math.cos(2 * math.pi * (v - 1)) for v in x) / 4
    return [20 - 20 * math.exp(-0.2 * math.sqrt(square)) + math.e - math.exp(wave)], []


def crashing(function):
    return lambda x: (None, []) if random.random() < 0.05 else function(x)


# name: function, bounds (a list: the values of a categorical), objectives, constraints
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
HELDOUT = {
    "beam": (beam, [(0.125, 2), (0.1, 10), (0.1, 10), (0.1, 2)], 1, 6),
    "vessel": (vessel, [range(1, 100), range(1, 100), (10, 200), (10, 200)], 1, 3),
    "g06": (g06, [(13, 100), (0, 100)], 1, 2),
    "g08": (g08, [(0.001, 10)] * 2, 1, 2),
    "cantilever": (cantilever, [[0, 1, 2], [0, 1], range(10, 151), (10, 200)], 1, 2),
    "ball3": (ball3, [(0, 1)] * 3, 1, 0),
    "ball4": (ball4, [(0, 1)] * 4, 1, 0),
    "kinds": (kinds, [(0, 1)] * 4 + [[0, 1, 2, 3]], 1, 0),
    "branin": (branin, [(-5, 10), (0, 15)], 1, 0),
    "branin5": (crashing(branin), [(-5, 10), (0, 15)], 1, 0),
    "ackley": (ackley, [(-4, 4)] * 4, 1, 0),
    "ackley5": (crashing(ackley), [(-4, 4)] * 4, 1, 0),
    "hartmann6": (hartmann6, [(0, 1)] * 6, 1, 0),
    "hartmann65": (crashing(hartmann6), [(0, 1)] * 6, 1, 0),
}
FAR = {2: [11, 11], 3: [2.5, 2.5, 2.5]}
NEAR = {2: [1.1, 1.1], 3: [1.1, 1.1, 1.1]}


def suggest(trial, i, bounds):
    if isinstance(bounds, list):
        return trial.suggest_categorical(f"x{i}", bounds)
    if isinstance(bounds, range):
        return trial.suggest_int(f"x{i}", bounds[0], bounds[-1])
    return trial.suggest_float(f"x{i}", *bounds)


def draw(rng, bounds):
    if isinstance(bounds, (list, range)):
        return bounds[int(rng.integers(len(bounds)))]
    return bounds[0] + (bounds[1] - bounds[0]) * rng.random()


def optuna_run(method, problem, budget, seed):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    random.seed(seed)
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
        x = [suggest(trial, i, part) for i, part in enumerate(bounds)]
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
    return [function([draw(rng, part) for part in bounds]) for _ in range(budget)]


def volume(points, reference):
    from pymoo.indicators.hv import HV

    return float(HV(ref_point=np.array(reference, float))(np.array(points, float)))


def main():
    bench, method, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    problems = {"constraints": CONSTRAINTS, "objectives": OBJECTIVES, "failures": FAILURES, "heldout": HELDOUT}[bench]
    budget = 100 if bench == "objectives" else 60
    first = 5000 if bench == "heldout" else 1000
    run = optuna_run if method.startswith("optuna") else pymoo_run if method.startswith("pymoo") else random_run
    for name in sys.argv[4:] or problems:
        problem = problems[name]
        runs = [run(method, problem, budget, first + seed) for seed in range(seeds)]
        if bench == "objectives":
            for words, reference in (("far", FAR), ("near", NEAR)):
                values = [volume([f for f, _ in seen], reference[problem[2]]) for seen in runs]
                print(f"{name:10} {method:16} {words:5} {np.mean(values):10.4f} +- {np.std(values) / len(values)**.5:.4f}")
        else:
            late = 30 if problem[3] else 20
            bad = [np.mean([f is None or any(v > 0 for v in c) for f, c in seen[late:]]) for seen in runs]
            best = [min([f[0] for f, c in seen if f is not None and all(v <= 0 for v in c)] or [math.nan]) for seen in runs]
            error = np.nanstd(best) / max(np.sum(~np.isnan(best)), 1) ** 0.5
            print(f"{name:10} {method:16} bad after {late} {100 * np.mean(bad):5.1f} %  best mean {np.nanmean(best):9.5f} "
                  f"+- {error:.5f} median {np.nanmedian(best):9.5f} without any {sum(map(math.isnan, best))}")
        sys.stdout.flush()


main()
