# SPDX-License-Identifier: MIT
#
# An elastic net by coordinate descent (Friedman, Hastie, Tibshirani 2010, eq. 5), scored by k-fold cross-validation, in
# plain Python: the model of the tests of files written for cluster-hyperopt.
import csv
import os


def load(folder):
    with open(os.path.join(folder, "data.csv")) as file:
        rows = [[float(cell) for cell in row] for row in csv.reader(file)]
    return [row[:-1] for row in rows], [row[-1] for row in rows]


def mean(values):
    return sum(values) / len(values)


def fit(x, y, alpha, ratio, normalize, sweeps=60):
    d = len(x[0])
    centre = [mean([row[j] for row in x]) for j in range(d)]
    scale = [1.0] * d
    if normalize:
        scale = [mean([(row[j] - centre[j]) ** 2 for row in x]) ** 0.5 or 1.0 for j in range(d)]
    z = [[(row[j] - centre[j]) / scale[j] for j in range(d)] for row in x]
    offset = mean(y)
    residual = [value - offset for value in y]
    w = [0.0] * d
    for _ in range(sweeps):
        for j in range(d):
            column = [row[j] for row in z]
            rho = mean([c * (r + c * w[j]) for c, r in zip(column, residual)])
            shrunk = max(abs(rho) - alpha * ratio, 0.0) * (1 if rho > 0 else -1)
            new = shrunk / (mean([c * c for c in column]) + alpha * (1 - ratio))
            residual = [r - c * (new - w[j]) for c, r in zip(column, residual)]
            w[j] = new
    return lambda row: offset + sum(w[j] * (row[j] - centre[j]) / scale[j] for j in range(d))


def run_hyperopt(job):
    s = job["suggestion"]
    x, y = load(job["dataset"])
    folds, errors = int(s["folds"]), []
    for fold in range(folds):
        train = [i for i in range(len(x)) if i % folds != fold]
        test = [i for i in range(len(x)) if i % folds == fold]
        predict = fit([x[i] for i in train], [y[i] for i in train], s["alpha"], s["beta"], s["normalize"] == "True")
        errors += [(predict(x[i]) - y[i]) ** 2 for i in test]
    mse = mean(errors)
    with open(os.path.join(job["output_path"], "mse"), "w") as file:
        file.write("%r\n" % mse)
    seen = {"module": os.environ.get("MB_TEST_MODULE"), "venv": os.environ.get("VIRTUAL_ENV"), "cwd": os.getcwd()}
    return {"mse": mse, "r2": 1 - mse / mean([(v - mean(y)) ** 2 for v in y])}, seen
