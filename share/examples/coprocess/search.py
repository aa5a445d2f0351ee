#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drives a search from Python: `mb-suggest -l -` is a process to talk to, one JSON object a line each way."""

import json
import subprocess


def height(x):
    return (x - 2) ** 2


best = None
with subprocess.Popen(["mb-suggest", "-l", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as search:
    for line in search.stdout:
        trial = json.loads(line)
        trial["metrics"] = {"height": height(trial["assignments"]["x"])}
        trial["status"] = "completed"
        if best is None or trial["metrics"]["height"] < best["metrics"]["height"]:
            best = trial
        print(json.dumps(trial), file=search.stdin, flush=True)
print("best of %d: x = %.3f, height %.3f" % (trial["trial"], best["assignments"]["x"], best["metrics"]["height"]))
