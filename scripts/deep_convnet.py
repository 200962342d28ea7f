"""The book's deep convolutional network on MNIST: six convolutions.

Twice 16, twice 32 and twice 64 filters of 3 x 3, ReLU after each and a 2 x 2 max pooling after each pair; 50
hidden units, dropout of one half, 10 outputs. Mini-batches of 100 with Adam, learning rate 0.001, which a
cosine takes down to nothing over 12 epochs. The figures have the accuracy, and every wrong test image.

The book (chapter 8) reports a test accuracy of 0.9938 after 20 epochs; it drops out half of the ten outputs
as well, and keeps its learning rate. On a core of a busy machine it took half an hour.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from common import print_table, run

import xpnet
from xpnet.plots import misclassified, save_figure, training_curves


def experiment(arguments: argparse.Namespace) -> None:
    data = xpnet.datasets.load("mnist")
    images, tests, epochs = (500, 100, 1) if arguments.quick else (60_000, 10_000, 12)
    x_test, t_test = data.x_test[:tests], data.t_test[:tests]
    net = xpnet.Model(layers(), inputs=(1, 28, 28), seed=arguments.seed, backend=arguments.backend)
    print(f"{net.summary()}\n")
    started = time.perf_counter()
    history = xpnet.train(
        net,
        data.x_train[:images],
        data.t_train[:images],
        optimizer=xpnet.Adam(0.001, schedule=xpnet.Cosine(epochs * images // 100)),
        batch_size=100,
        sampling="shuffle",
        epochs=epochs,
        validation=(x_test, t_test),
        eval_every=2 * images // 100,
        seed=arguments.seed,
    )
    minutes = (time.perf_counter() - started) / 60
    print_table(
        ["after training", "here", "the book"],
        [
            ["accuracy on all training images", f"{history.train_accuracy[-1]:.4f}", "-"],
            ["accuracy on all test images", f"{history.test_accuracy[-1]:.4f}", "0.9938"],
            ["minutes", f"{minutes:.1f}", "-"],
        ],
    )
    predicted = np.array(net.backend.to_numpy(net.predict(x_test)))
    wrong = predicted != t_test
    print(f"\nwrong: {np.sum(wrong)} of {tests:,} test images")
    figures = {
        "deep_convnet.png": training_curves(history),
        "deep_convnet_wrong.png": misclassified(x_test[wrong], t_test[wrong], predicted[wrong]),
    }
    for file, figure in figures.items():
        save_figure(figure, arguments.out / file)
        print(f"figure: {arguments.out / file}")


def layers() -> list[xpnet.Layer]:
    found: list[xpnet.Layer] = []
    # The book pads the second layer of 32 by 2, so that three poolings by 2 come out even.
    for filters, paddings in ((16, (1, 1)), (32, (1, 2)), (64, (1, 1))):
        for padding in paddings:
            found += [xpnet.Conv2D(filters, 3, padding=padding), xpnet.ReLU()]
        found.append(xpnet.MaxPool2D(2))
    head = [xpnet.Flatten(), xpnet.Dense(50), xpnet.ReLU(), xpnet.Dropout(0.5), xpnet.Dense(10)]
    return [*found, *head]


if __name__ == "__main__":
    run(experiment, __doc__)
