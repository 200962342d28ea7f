"""Overfitting on purpose, and two cures: weight decay and dropout.

784-100-100-100-100-100-100-10, ReLU, on the first 300 images of MNIST: 201 epochs of mini-batches of 100,
SGD with the learning rate 0.01. Then the same with the penalty 0.1 on the squares of the weights, and with a
dropout of 0.2 behind every hidden layer.

The book (chapter 6) shows: without a cure all training images are right from epoch 100 on and the test
accuracy stays near 0.76; with weight decay, and with dropout, the gap between the two is smaller and the
training accuracy does not reach 1.
"""

from __future__ import annotations

import argparse

from common import print_table, run

import xpnet
from xpnet.plots import curve_panels, save_figure

CURES: dict[str, dict[str, float]] = {
    "none": {},
    "weight decay 0.1": {"l2": 0.1},
    "dropout 0.2": {"dropout": 0.2},
}


def experiment(arguments: argparse.Namespace) -> None:
    panels, table = {}, []
    for name, cure in CURES.items():
        history = fit(arguments, **cure)
        panels[name] = {"training": history.train_accuracy, "test": history.test_accuracy}
        ends = history.train_accuracy[-1], history.test_accuracy[-1]
        table.append([name, *(f"{end:.3f}" for end in ends), f"{ends[0] - ends[1]:.3f}"])
    print_table(["cure", "training accuracy", "test accuracy", "gap"], table)
    print("the book, without a cure: 1.000 on the training images, about 0.76 on the test images")

    path = arguments.out / "overfitting.png"
    save_figure(curve_panels(panels, "epoch", "accuracy", columns=3, limits=(0.0, 1.02), first=0), path)
    print(f"\nfigure: {path}")


def fit(arguments: argparse.Namespace, l2: float = 0.0, dropout: float = 0.0) -> xpnet.History:
    data = xpnet.datasets.load("mnist")
    hidden: list[xpnet.Layer] = []
    for _ in range(6):
        hidden += [xpnet.Dense(100), xpnet.ReLU()]
        if dropout:
            hidden.append(xpnet.Dropout(dropout))
    net = xpnet.Model(
        [*hidden, xpnet.Dense(10)], inputs=(784,), l2=l2, seed=arguments.seed, backend=arguments.backend
    )
    return xpnet.train(
        net,
        data.x_train[:300],
        data.t_train[:300],
        optimizer=xpnet.SGD(0.01),
        batch_size=100,
        sampling="shuffle",
        epochs=5 if arguments.quick else 201,
        validation=(data.x_test, data.t_test),
        eval_every=3,
        seed=arguments.seed,
    )


if __name__ == "__main__":
    run(experiment, __doc__)
