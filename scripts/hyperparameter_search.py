"""A search over learning rate and weight decay.

784-100-100-100-100-100-100-10, ReLU, on 500 images of MNIST, a fifth of them set aside for validation. A
learning rate from 10**-6 to 10**-2 and a weight decay from 10**-8 to 10**-4 are drawn on a logarithmic scale,
and 50 epochs of mini-batches of 100 trained with SGD; all that 100 times. The figure has the best twenty.

The book (chapter 6) shows: what learns well has a learning rate of 0.001 to 0.01, and weight decays from
10**-8 to 10**-6 are among the best. Its best validation accuracy was 0.83.
"""

from __future__ import annotations

import argparse

import numpy as np
from common import print_table, run

import xpnet
from xpnet.plots import curve_panels, save_figure

SHOWN = 20


def experiment(arguments: argparse.Namespace) -> None:
    data = xpnet.datasets.load("mnist")
    rng = np.random.default_rng(arguments.seed)
    order = rng.permutation(500)
    x, t = data.x_train[:500][order], data.t_train[:500][order]
    trials = []
    for _ in range(SHOWN if arguments.quick else 100):
        rate, decay = (float(10.0 ** rng.uniform(*ends)) for ends in ((-6, -2), (-8, -4)))
        trials.append((rate, decay, fit(x, t, rate, decay, arguments)))
    trials.sort(key=lambda trial: -trial[2].test_accuracy[-1])
    rows = [
        [f"{place}", f"{rate:.5f}", f"{decay:.1e}", f"{history.test_accuracy[-1]:.2f}"]
        for place, (rate, decay, history) in enumerate(trials[:5], 1)
    ]
    print_table(["place", "learning rate", "weight decay", "validation accuracy"], rows)
    good = [rate for rate, _, history in trials if history.test_accuracy[-1] > 0.7]
    if good:
        print(f"\nabove 0.7: {len(good)} of {len(trials)}, learning rates {min(good):.4f} to {max(good):.4f}")

    panels = {
        f"{place}: rate {rate:.4f}\ndecay {decay:.0e}": {
            "training": history.train_accuracy,
            "validation": history.test_accuracy,
        }
        for place, (rate, decay, history) in enumerate(trials[:SHOWN], 1)
    }
    path = arguments.out / "hyperparameter_search.png"
    save_figure(curve_panels(panels, "epoch", "accuracy", columns=5, limits=(0.0, 1.0), first=0), path)
    print(f"figure: {path}")


def fit(
    x: np.ndarray, t: np.ndarray, rate: float, decay: float, arguments: argparse.Namespace
) -> xpnet.History:
    """Train on four fifths of the images; validate on the first fifth."""
    net = xpnet.MLP([784, *[100] * 6, 10], l2=decay, seed=arguments.seed, backend=arguments.backend)
    return xpnet.train(
        net,
        x[100:],
        t[100:],
        optimizer=xpnet.SGD(rate),
        batch_size=100,
        sampling="shuffle",
        epochs=3 if arguments.quick else 50,
        validation=(x[:100], t[:100]),
        eval_every=4,
        seed=arguments.seed,
        progress=False,
    )


if __name__ == "__main__":
    run(experiment, __doc__)
