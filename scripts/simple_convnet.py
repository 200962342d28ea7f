"""The book's simple convolutional network on MNIST.

30 filters of 5 x 5, ReLU, 2 x 2 max pooling, 100 hidden units, ReLU, 10 outputs, weights 0.01 x normal; 20
epochs of mini-batches of 100 with Adam, learning rate 0.001. The figures have the accuracy, and the 30
filters before and after.

The book (chapter 7) reports a test accuracy of 0.9896; its filters, noise at first, come to see edges and
blobs. It takes about three minutes on one core.
"""

from __future__ import annotations

import argparse

import numpy as np
from common import print_table, run

import xpnet
from xpnet.plots import image_grid, save_figure, training_curves


def experiment(arguments: argparse.Namespace) -> None:
    data = xpnet.datasets.load("mnist")
    images, tests, epochs = (1000, 500, 2) if arguments.quick else (60_000, 10_000, 20)
    net = xpnet.Model(
        [
            xpnet.Conv2D(30, 5, init=0.01),
            xpnet.ReLU(),
            xpnet.MaxPool2D(2),
            xpnet.Flatten(),
            xpnet.Dense(100, init=0.01),
            xpnet.ReLU(),
            xpnet.Dense(10, init=0.01),
        ],
        inputs=(1, 28, 28),
        seed=arguments.seed,
        backend=arguments.backend,
    )
    print(f"{net.summary()}\n")
    before = filters(net)
    history = xpnet.train(
        net,
        data.x_train[:images],
        data.t_train[:images],
        optimizer=xpnet.Adam(0.001),
        batch_size=100,
        sampling="shuffle",
        epochs=epochs,
        validation=(data.x_test[:tests], data.t_test[:tests]),
        eval_every=images // 100,
        seed=arguments.seed,
    )
    print_table(
        ["accuracy at the end", "here", "the book"],
        [
            ["all training images", f"{history.train_accuracy[-1]:.4f}", "-"],
            ["all test images", f"{history.test_accuracy[-1]:.4f}", "0.9896"],
            ["best on the test images", f"{max(history.test_accuracy):.4f}", "-"],
        ],
    )
    print()
    figures = {
        "simple_convnet.png": training_curves(history),
        "simple_convnet_filters.png": image_grid({"before": before, "after": filters(net)}, columns=10),
    }
    for file, figure in figures.items():
        save_figure(figure, arguments.out / file)
        print(f"figure: {arguments.out / file}")


def filters(net: xpnet.Model) -> np.ndarray:
    """Return the filters of the first layer as images, shape (30, 5, 5)."""
    return np.array(net.backend.to_numpy(net.params["W1"]))[:, 0]


if __name__ == "__main__":
    run(experiment, __doc__)
