"""Four optimisers on MNIST, from the same weights, on the same mini-batches.

784-100-100-100-100-10, ReLU, He's initial weights, 2,000 mini-batches of 128: SGD and Momentum with the
learning rate 0.01, AdaGrad with 0.01, Adam with 0.001, and otherwise as they come.

The book (chapter 6) shows four curves of the loss: SGD far behind the others, AdaGrad a little ahead of
Momentum and Adam.
"""

from __future__ import annotations

import argparse
import statistics

from common import print_table, run

import xpnet
from xpnet.plots import loss_curves, save_figure

RULES = {
    "SGD": xpnet.SGD(0.01),
    "Momentum": xpnet.Momentum(0.01),
    "AdaGrad": xpnet.AdaGrad(0.01),
    "Adam": xpnet.Adam(0.001),
}


def experiment(arguments: argparse.Namespace) -> None:
    data = xpnet.datasets.load("mnist")
    images = 2000 if arguments.quick else 60_000
    losses, table = {}, []
    for name, rule in RULES.items():
        net = xpnet.MLP([784, 100, 100, 100, 100, 10], seed=arguments.seed, backend=arguments.backend)
        history = xpnet.train(
            net,
            data.x_train[:images],
            data.t_train[:images],
            optimizer=rule,
            batch_size=128,
            iterations=100 if arguments.quick else 2000,
            eval_every=0,
            seed=arguments.seed,
        )
        losses[name] = history.loss
        accuracy = net.accuracy(data.x_test, data.t_test)
        table.append([name, *(f"{mean_loss(history.loss, share):.4f}" for share in (0.1, 0.5, 1.0))])
        table[-1].append(f"{accuracy:.4f}")
    print_table(["optimizer", "loss after a tenth", "after half", "at the end", "test accuracy"], table)

    path = arguments.out / "optimizer_comparison.png"
    title = "Four optimisers, the same weights and mini-batches"
    save_figure(loss_curves(losses, title), path)
    print(f"\nfigure: {path}")


def mean_loss(losses: list[float], share: float) -> float:
    """Return the mean of the last twentieth before a share of all iterations."""
    end = round(share * len(losses))
    return statistics.fmean(losses[end - max(1, len(losses) // 20) : end])


if __name__ == "__main__":
    run(experiment, __doc__)
