"""A network trained without backward propagation: its gradient is measured, weight by weight.

784-50-100-10, ReLU, weights 0.1 x normal, MNIST; mini-batches of 10, learning rate 0.01, 1,000 steps. For
every step each of the 45,360 parameters is moved by 0.0001 to either side, to see how the loss changes.
Once on one fixed batch, which is learned by heart, and once on a fresh batch each step; both loss curves in
one figure. A second figure sets the numerical against the backward gradient, at the start and at the end.

No numbers of the original are at hand. What the curves can be held against is backward propagation from the
same weights on the same batches: the same losses, hundreds of times sooner. The two gradients agree to eight
digits, but for weights whose small move takes a ReLU across its kink. On one fixed batch many units end close
by their kinks; with moves of 0.0000001 the gradients agree there as well. All is computed in float64: float32
has too few digits for such small differences.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from common import print_table, run
from rich.progress import track

import xpnet
from xpnet.plots import gradient_comparison, loss_curves, save_figure

BATCH_SIZE, LEARNING_RATE = 10, 0.01

Batch = tuple[np.ndarray, np.ndarray]


class Comparison(NamedTuple):
    """All elements of the gradients of one batch."""

    name: str
    numerical: np.ndarray
    backward: np.ndarray
    finer: np.ndarray  # numerical, by steps of 1e-7 instead of 1e-4


def experiment(arguments: argparse.Namespace) -> None:
    data = xpnet.datasets.load("mnist")
    steps = 3 if arguments.quick else 1000
    rng = np.random.default_rng(arguments.seed)
    rows = rng.integers(len(data.x_train), size=(steps, BATCH_SIZE))
    fresh = [(data.x_train[row], data.t_train[row]) for row in rows]

    curves, table = {}, []
    comparisons = [compare("start", network(arguments), fresh[0])]
    for name, batches in {"fixed batch": fresh[:1] * steps, "fresh batches": fresh}.items():
        net, twin = network(arguments), network(arguments)
        curves[name], seconds = descend(net, net.numerical_gradient, batches)
        backward_losses, backward_seconds = descend(twin, twin.gradient, batches)
        comparisons.append(compare(f"end, {name}", net, batches[-1]))
        table.append(summary(f"{name}, numerical", curves[name], seconds))
        table.append(summary(f"{name}, backward", backward_losses, backward_seconds))

    print(f"{net}, {steps:,} steps\n")
    print_table(["loss", "first step", "last step", "mean of the last tenth", "seconds"], table)
    print()
    print_table(
        ["numerical - backward gradient", "largest element", "difference", "above 1e-7", "with h = 1e-7"],
        [differences(comparison) for comparison in comparisons],
    )
    figures = {
        "numerical_gradient_sgd.png": loss_curves(curves, "Trained with the numerical gradient"),
        "numerical_against_backward.png": gradient_comparison([comparison[:3] for comparison in comparisons]),
    }
    print()
    for file, figure in figures.items():
        save_figure(figure, arguments.out / file)
        print(f"figure: {arguments.out / file}")


def network(arguments: argparse.Namespace) -> xpnet.MLP:
    return xpnet.MLP(
        [784, 50, 100, 10],
        activation="relu",
        init=0.1,
        seed=arguments.seed,
        dtype="float64",
        backend=arguments.backend,
    )


def descend(
    net: xpnet.MLP, gradient: Callable[[Any, Any], dict[str, Any]], batches: Sequence[Batch]
) -> tuple[list[float], float]:
    """Take a step down the slope for each batch; return the losses before the steps, and the seconds."""
    started = time.perf_counter()
    losses = []
    for x, t in track(batches, transient=True, disable=not sys.stdout.isatty()):
        losses.append(net.loss(x, t))
        slopes = gradient(x, t)
        net.params = {name: value - LEARNING_RATE * slopes[name] for name, value in net.params.items()}
    return losses, time.perf_counter() - started


def compare(name: str, net: xpnet.MLP, batch: Batch) -> Comparison:
    def flat(gradient: dict[str, Any]) -> np.ndarray:
        return np.concatenate([net.backend.to_numpy(value).ravel() for value in gradient.values()])

    finer = net.numerical_gradient(*batch, h=1e-7)
    return Comparison(name, flat(net.numerical_gradient(*batch)), flat(net.gradient(*batch)), flat(finer))


def differences(comparison: Comparison) -> list[str]:
    name, numerical, backward, finer = comparison
    difference, finer_difference = np.abs(numerical - backward), np.abs(finer - backward)
    return [
        name,
        f"{np.abs(backward).max():.4f}",
        f"{difference.max():.1e}",
        f"{np.sum(difference > 1e-7):,}",
        f"{finer_difference.max():.1e}",
    ]


def summary(name: str, losses: list[float], seconds: float) -> list[str]:
    tenth = max(1, len(losses) // 10)
    mean = np.mean(losses[-tenth:])
    return [name, f"{losses[0]:.6f}", f"{losses[-1]:.6f}", f"{mean:.6f}", f"{seconds:.1f}"]


if __name__ == "__main__":
    run(experiment, __doc__)
