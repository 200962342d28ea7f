"""Three gradients, one answer: written by hand, by the tape, and by differences.

For each layer and each loss of the package a small network with it, in float64: the gradient of the loss by
all parameters as the layers' backward passes give it, as `xpnet.grad` derives it from the forward pass
alone, and by central differences. The figure has the largest difference from the first, relative to the
largest element.

The book (chapter 5) checks back-propagation against differences and finds them 1e-10 to 1e-13 apart; the
tape, which it does not have, should agree to the last digits of float64.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from common import print_table, run

import xpnet
from xpnet.nn.activations import ACTIVATIONS
from xpnet.nn.layer import Variables
from xpnet.nn.losses.table import LOSSES
from xpnet.plots import dot_rows, save_figure
from xpnet.random import random_words
from xpnet.trees import leaves

SAMPLES, CLASSES = 8, 3
IMAGE = (2, 8, 8)
LAYERS: dict[str, list[xpnet.Layer]] = {
    "AvgPool2D": [xpnet.Conv2D(3, 3), xpnet.AvgPool2D(2)],
    "BatchNorm": [xpnet.Conv2D(3, 3), xpnet.BatchNorm()],
    "Conv2D": [xpnet.Conv2D(3, 3, stride=2, padding=1)],
    "Dense": [xpnet.Flatten(), xpnet.Dense(6)],
    "Dropout": [xpnet.Conv2D(3, 3), xpnet.Dropout(0.3)],
    "GlobalAvgPool2D": [xpnet.Conv2D(3, 3), xpnet.GlobalAvgPool2D()],
    "LayerNorm": [xpnet.Flatten(), xpnet.Dense(6), xpnet.LayerNorm()],
    "MaxPool2D": [xpnet.Conv2D(3, 3), xpnet.MaxPool2D(2)],
    "Residual": [xpnet.Residual([xpnet.Conv2D(2, 3, padding="same"), xpnet.Tanh()])],
}
NOT_TRAINED = ("identity", "step")


def experiment(arguments: argparse.Namespace) -> None:
    rows = {f"layer {name}": differences(layers, arguments) for name, layers in LAYERS.items()}
    rows["layer Embedding"] = differences([xpnet.Embedding(5, 4)], arguments, inputs=(6,), ids=5)
    for name, kind in ACTIVATIONS.items():
        if name not in NOT_TRAINED:
            layers = [xpnet.Flatten(), xpnet.Dense(6), kind()]
            rows[f"activation {name}"] = differences(layers, arguments)
    for name in LOSSES:
        rows[f"loss {name}"] = differences([xpnet.Flatten(), xpnet.Dense(6), xpnet.Tanh()], arguments, name)
    table = [[name, *(f"{value:.1e}" for value in found.values())] for name, found in rows.items()]
    print_table(["differs from the backward pass", *next(iter(rows.values()))], table)
    for other in next(iter(rows.values())):
        print(f"largest, {other}: {max(found[other] for found in rows.values()):.1e}")

    path = arguments.out / "three_gradients.png"
    label = "largest difference from the backward pass, relative to the largest element"
    save_figure(dot_rows(rows, label, smallest=1e-17), path)
    print(f"\nfigure: {path}")


def differences(
    layers: list[xpnet.Layer],
    arguments: argparse.Namespace,
    loss: str = "softmax_cross_entropy",
    inputs: tuple[int, ...] = IMAGE,
    ids: int = 0,
) -> dict[str, float]:
    """Return how far the tape's and the numerical gradient are from the backward pass's."""
    rng = np.random.default_rng(arguments.seed)
    net = xpnet.Model(
        [*layers, xpnet.Flatten(), xpnet.Dense(CLASSES)],
        inputs=inputs,
        loss=loss,
        l2=0.01,
        seed=arguments.seed,
        dtype="float64",
        backend=arguments.backend,
    )
    shape = (SAMPLES, *inputs)
    x = rng.integers(0, ids, shape) if ids else rng.normal(size=shape)
    t = rng.integers(0, CLASSES, SAMPLES)  # which losses of values take for rows of zeros with a one
    backward = on_host(net, net.gradient(x, t))
    found = {"tape": by_tape(net, x, t), "differences": net.numerical_gradient(x, t, h=1e-5)}
    largest = max(np.abs(gradient).max() for gradient in backward)
    return {
        kind: max(
            float(np.abs(a - b).max() / largest)
            for a, b in zip(backward, on_host(net, gradients), strict=True)
        )
        for kind, gradients in found.items()
    }


def by_tape(net: xpnet.Model, x: np.ndarray, t: np.ndarray) -> Any:
    """Return the gradient that the tape makes of the forward pass."""
    data = net.prepare(x, t)
    words = random_words(net.blueprint.seed, np.zeros(1, dtype=np.int32))[0]
    random = net.backend.from_numpy(words)

    def loss(xp: Any, params: Any) -> Any:
        c = net.context(xp, training=True, random=random)
        return net.network.loss_of(c, Variables(params, net.state), data)

    with net.backend.scope():
        return xpnet.grad(loss)(net.xp, net.params)


def on_host(net: xpnet.Model, gradients: Any) -> list[np.ndarray]:
    return [np.asarray(net.backend.to_numpy(gradient)) for gradient in leaves(gradients)]


if __name__ == "__main__":
    run(experiment, __doc__)
