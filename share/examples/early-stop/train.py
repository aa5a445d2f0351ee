"""Fits y = sin(3 x) by a polynomial, epoch by epoch, and asks after each whether it is worth going on."""
import json
import math
import random
import subprocess
import sys

EPOCHS, DEGREE = 30, 5


def should_stop(record):
    """mb-suggest judges by the curves in the log: 0 is stop, 1 is go on."""
    asked = subprocess.run(["mb-suggest", "--should-stop", "--trial", "-", "-q"], input=json.dumps(record), text=True)
    return asked.returncode == 0


def main():
    record = json.loads(sys.stdin.readline())
    rate, momentum = record["assignments"]["learning_rate"], record["assignments"]["momentum"]
    rng = random.Random(record["seed"])
    points = [(x / 20, math.sin(3 * x / 20)) for x in range(-20, 21)]
    weights, speed, curve = [0.0] * (DEGREE + 1), [0.0] * (DEGREE + 1), []
    for epoch in range(1, EPOCHS + 1):
        rng.shuffle(points)
        loss = 0.0
        for x, y in points:
            powers = [x ** i for i in range(DEGREE + 1)]
            error = sum(w * p for w, p in zip(weights, powers)) - y
            loss += error * error / len(points)
            for i, power in enumerate(powers):
                speed[i] = momentum * speed[i] - rate * error * power
                weights[i] += speed[i]
        if not loss < 1e6:
            sys.exit("diverged")
        curve.append({"epoch": epoch, "loss": loss})
        if epoch < EPOCHS and should_stop({"trial": record["trial"], "epoch_metrics": curve}):
            break
    # A trial that ended itself is a result like any other, with the loss that it had come to.
    print(json.dumps({"metrics": {"loss": curve[-1]["loss"], "epochs": len(curve)}, "epoch_metrics": curve}))


main()
