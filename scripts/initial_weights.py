"""What initial weights do: to the activations before any training, and to the training.

First, 1,000 samples of 100 normal numbers pass through five layers of 100, sigmoid and ReLU, with normal
weights of the standard deviation 1 (sigmoid) and 0.01, with Xavier's and with He's: histograms of the
activations. Then 784-100-100-100-100-10 with ReLU learns MNIST, 2,000 mini-batches of 128, SGD with
the learning rate 0.01, from each.

The book (chapter 6) shows: with 1 the sigmoids sit at 0 and 1, with 0.01 all at 0.5, with Xavier's they are
spread; ReLU dies away with 0.01 and stays alike through the layers with He's alone. From 0.01 nothing is
learnt in 2,000 steps; He's is a little faster than Xavier's.
"""

from __future__ import annotations

import argparse

import numpy as np
from common import print_table, run

import xpnet
from xpnet.plots import histogram_panels, loss_curves, save_figure

LAYERS, WIDTH = 5, 100
SIGMOID: dict[str, float | str] = {"0.01": 0.01, "1": 1.0, "Xavier": "xavier"}
RELU: dict[str, float | str] = {"0.01": 0.01, "Xavier": "xavier", "He": "he"}


def experiment(arguments: argparse.Namespace) -> None:
    found = {
        "initial_weights_sigmoid.png": (activations(xpnet.Sigmoid(), SIGMOID, arguments), (0.0, 1.0)),
        "initial_weights_relu.png": (activations(xpnet.ReLU(), RELU, arguments), (0.0, 2.5)),
    }
    for file, (rows, limits) in found.items():
        table = [[name, *(f"{values.std():.3f}" for values in layers)] for name, layers in rows.items()]
        kind = "sigmoid" if "sigmoid" in file else "ReLU"
        print_table([f"spread of {kind}", *(f"layer {i}" for i in range(1, LAYERS + 1))], table)
        titled = {f"weights: {name}": layers for name, layers in rows.items()}
        save_figure(histogram_panels(titled, limits, f"activation ({kind})"), arguments.out / file)
        print()
    losses = training(arguments)
    print_table(
        ["initial weights", "first loss", "last loss"],
        [[name, f"{loss[0]:.3f}", f"{np.mean(loss[-50:]):.3f}"] for name, loss in losses.items()],
    )
    title = "Loss on MNIST by initial weights (ReLU)"
    save_figure(loss_curves(losses, title), arguments.out / "initial_weights_training.png")
    print()
    for file in (*found, "initial_weights_training.png"):
        print(f"figure: {arguments.out / file}")


def activations(
    function: xpnet.Layer, inits: dict[str, float | str], arguments: argparse.Namespace
) -> dict[str, list[np.ndarray]]:
    """Return the activations of each layer before training, shape (1000, 100), by initial weights."""
    rows: dict[str, list[np.ndarray]] = {}
    for name, init in inits.items():
        x = np.random.default_rng(arguments.seed).normal(size=(1000, WIDTH))
        rows[name] = []
        for number in range(LAYERS):
            net = xpnet.Model(
                [xpnet.Dense(WIDTH, init), function],
                inputs=(WIDTH,),
                seed=arguments.seed + number,
                backend=arguments.backend,
            )
            x = net.backend.to_numpy(net.logits(x))
            rows[name].append(x)
    return rows


def training(arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Return the loss of each iteration, by initial weights."""
    data = xpnet.datasets.load("mnist")
    images = 2000 if arguments.quick else 60_000
    losses = {}
    for name, init in RELU.items():
        net = xpnet.MLP(
            [784, 100, 100, 100, 100, 10], init=init, seed=arguments.seed, backend=arguments.backend
        )
        history = xpnet.train(
            net,
            data.x_train[:images],
            data.t_train[:images],
            optimizer=xpnet.SGD(0.01),
            batch_size=128,
            iterations=100 if arguments.quick else 2000,
            eval_every=0,
            seed=arguments.seed,
        )
        losses[name] = history.loss
    return losses


if __name__ == "__main__":
    run(experiment, __doc__)
