#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes steps-more.json, in the format of steps.json: what PyTorch computes, in float64, with layer norm, a clipped
gradient, weights held to a norm, the average of the weights, Lion, and OneCycleLR's momentum.

Lion is not in PyTorch: here its update stands as algorithm 2 of the paper has it. Gradients are those before clipping.
"""
import copy
import json

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
BASE = {"learning_rate": 0.01, "weight_decay": 0.001, "activation": "relu", "optimizer": "adam",
        "hidden_layer_config": [5]}
CASES = [
    {"layer_norm": True},
    {"layer_norm": True, "hidden_layer_config": [7, 4], "activation": "gelu", "optimizer": "sgd"},
    {"gradient_clip": 0.3},
    {"gradient_clip": 1000.0, "optimizer": "sgd"},
    {"max_norm": 0.5, "hidden_layer_config": [7, 4], "learning_rate": 0.1},
    {"optimizer": "lion", "weight_decay": 0.1},
    {"optimizer": "lion", "beta1": 0.5, "beta2": 0.8},
    {"ema_decay": 0.3},
    {"ema_decay": 0.05, "optimizer": "sgd", "learning_rate": 0.5},
]


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * p.grad
                p.sub_(lr * (c.sign() + decay * p))
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


def optimizer_of(case, params):
    lr, decay = case["learning_rate"], case["weight_decay"]
    if case["optimizer"] == "lion":
        return Lion(params, lr, (case.get("beta1", 0.9), case.get("beta2", 0.99)), decay)
    if case["optimizer"] == "sgd":
        return torch.optim.SGD(params, lr, weight_decay=decay)
    return torch.optim.Adam(params, lr, (0.9, 0.999), weight_decay=decay)


def run(number, case, inputs=6, classes=3, batch=4, steps=5):
    torch.manual_seed(100 + number)
    layers, width = [], inputs
    activation = {"relu": nn.ReLU, "gelu": nn.GELU}[case["activation"]]
    for hidden in case["hidden_layer_config"]:
        layers += [nn.Linear(width, hidden)] + ([nn.LayerNorm(hidden)] if "layer_norm" in case else []) + [activation()]
        width = hidden
    net = nn.Sequential(*layers, nn.Linear(width, classes))
    decay = case.get("ema_decay", 0.0)
    average = copy.deepcopy(net)
    optimizer = optimizer_of(case, net.parameters())
    loss_of = nn.CrossEntropyLoss()
    state = lambda of: {n: p.detach().tolist() for n, p in of.named_parameters()}
    record = {"case": case, "inputs": inputs, "classes": classes, "parameters": [n for n, _ in net.named_parameters()],
              "start": state(net), "steps": []}
    for step in range(steps):
        x, y = torch.rand(batch, inputs), torch.randint(classes, (batch,))
        optimizer.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        gradient = {n: p.grad.tolist() for n, p in net.named_parameters()}
        if "gradient_clip" in case:
            nn.utils.clip_grad_norm_(net.parameters(), case["gradient_clip"])
        optimizer.step()
        if "max_norm" in case:
            with torch.no_grad():
                for layer in [l for l in net if isinstance(l, nn.Linear)][:-1]:
                    norms = layer.weight.norm(dim=1, keepdim=True)
                    layer.weight.mul_(torch.clamp(case["max_norm"] / norms, max=1))
        row = {"x": x.tolist(), "y": y.tolist(), "loss": loss.item(), "gradient": gradient, "after": state(net)}
        if decay:
            with torch.no_grad():  # step counts from 1
                d = min(decay, (2.0 + step) / (11.0 + step))
                for old, new in zip(average.parameters(), net.parameters()):
                    old.add_((1 - d) * (new - old))
            row["average"] = state(average)
        record["steps"].append(row)
    x = torch.rand(batch, inputs)
    record["predict"] = {"x": x.tolist(), "logits": net(x).tolist()}
    return record


def one_cycle(total):
    p = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([p], 0.1, momentum=0.95)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=total)
    values = []
    for _ in range(total):
        values.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        schedule.step()
    return values


def main():
    cases = [run(number, {**BASE, **change}) for number, change in enumerate(CASES)]
    with open("steps-more.json", "w") as file:
        json.dump({"made_with": f"torch {torch.__version__}, float64", "cases": cases, "momentum": one_cycle(20)}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
