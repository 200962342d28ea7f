"""Batch normalisation against none, over sixteen scales of the initial weights.

784-100-100-100-100-100-10, ReLU, on 1,000 images of MNIST: 20 epochs of mini-batches of 100, SGD with the
learning rate 0.01, normal initial weights of sixteen standard deviations from 1 to 0.0001, with a batch
normalisation after each of the five hidden layers and without.

The book (chapter 6) shows sixteen panels of the training accuracy: with normalisation nearly all learn, and
faster; without it only a few scales in the middle learn at all.
"""

from __future__ import annotations

import argparse
from contextlib import suppress

import numpy as np
from common import print_table, run

import xpnet
from xpnet.errors import TrainingError
from xpnet.plots import curve_panels, save_figure

SCALES = np.logspace(0, -4, num=16)
WITH, WITHOUT = "batch normalisation", "none"


def experiment(arguments: argparse.Namespace) -> None:
    panels, table = {}, []
    scales = SCALES[2::5] if arguments.quick else SCALES
    for scale in scales:
        curves = {name: accuracies(float(scale), name, arguments) for name in (WITH, WITHOUT)}
        panels[f"weights of {scale:.2g}"] = curves
        table.append([f"{scale:.2g}", f"{curves[WITH][-1]:.3f}", f"{curves[WITHOUT][-1]:.3f}"])
    print_table(["scale of the weights", "with batch normalisation", "without"], table)
    learnt = [sum(curves[name][-1] > 0.5 for curves in panels.values()) for name in (WITH, WITHOUT)]
    print(f"\nabove 0.5 at the end: {learnt[0]} of {len(scales)} with, {learnt[1]} without")

    path = arguments.out / "batch_normalization.png"
    figure = curve_panels(panels, "epoch", "training accuracy", limits=(0.0, 1.0), first=0)
    save_figure(figure, path)
    print(f"figure: {path}")


def accuracies(scale: float, normalisation: str, arguments: argparse.Namespace) -> list[float]:
    """Return the accuracy on the 1,000 training images, before the first epoch and after each.

    Where the loss is no longer a number, the accuracies end.
    """
    data = xpnet.datasets.load("mnist")
    layers: list[xpnet.Layer] = []
    for _ in range(5):
        layers += [xpnet.Dense(100, scale), xpnet.ReLU()]
        if normalisation == WITH:
            layers.insert(-1, xpnet.BatchNorm())
    net = xpnet.Model(
        [*layers, xpnet.Dense(10, scale)], inputs=(784,), seed=arguments.seed, backend=arguments.backend
    )
    found: list[float] = []

    def collect(evaluation: xpnet.Evaluation) -> None:
        found.append(evaluation.history.train_accuracy[-1])

    with suppress(TrainingError):
        xpnet.train(
            net,
            data.x_train[:1000],
            data.t_train[:1000],
            optimizer=xpnet.SGD(0.01),
            batch_size=100,
            sampling="shuffle",
            epochs=3 if arguments.quick else 20,
            eval_every=10,
            seed=arguments.seed,
            callbacks=[collect],
            progress=False,
        )
    return found


if __name__ == "__main__":
    run(experiment, __doc__)
