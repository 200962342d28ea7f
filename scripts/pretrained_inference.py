"""A network that somebody else trained reads the 10,000 test digits of MNIST.

First the activation functions are drawn (step, sigmoid, ReLU on -5..5). Then `sample_weight.pkl`, the weights
of a 784-50-100-10 sigmoid network from the companion code of the book "Deep Learning from Scratch", is read
as pure data: no code of the pickle is run. It predicts in batches of 100, and all images it gets wrong are
drawn with their true and predicted label.

The original, and the textbook code on these files: an accuracy of 0.9352, 648 wrong. On raw pixels, 0 to 255
instead of the 0 to 1 that the network was trained on, it is 0.9207: nothing fails, only the answers are
worse. Nothing here is random or takes long: ``--seed`` and ``--quick`` change nothing.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from common import print_table, run

import xpnet
from xpnet.datasets.locate import data_directory
from xpnet.errors import DataError
from xpnet.models.inputs import ScaleWarning
from xpnet.nn import functional
from xpnet.plots import activation_functions, misclassified, save_figure

BATCH_SIZE = 100
WEIGHTS = "sample_weight.pkl"


def experiment(arguments: argparse.Namespace) -> None:
    activations_path = arguments.out / "activation_functions.png"
    draw_activations(activations_path, arguments.backend)

    net = xpnet.load(find_weights(), activation="sigmoid", backend=arguments.backend)
    data = xpnet.datasets.load("mnist")
    pixels, labels = data.x_test.astype("float32"), data.t_test

    predicted = predict(net, pixels * (1 / 255))
    wrong = predicted != labels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScaleWarning)  # they are far from 0..1 on purpose
        raw_wrong = predict(net, pixels) != labels

    print(f"{net}, {len(labels):,} test images\n")
    print_table(
        ["pixels", "accuracy", "wrong", "original", "wrong"],
        [
            ["scaled, 0..1", f"{1 - wrong.mean():.4f}", f"{wrong.sum()}", "0.9352", "648"],
            ["raw, 0..255", f"{1 - raw_wrong.mean():.4f}", f"{raw_wrong.sum()}", "0.9207", "793"],
        ],
    )
    wrong_path = arguments.out / "pretrained_wrong.png"
    save_figure(misclassified(pixels[wrong], labels[wrong], predicted[wrong]), wrong_path)
    print(f"\nfigure: {activations_path}\nfigure: {wrong_path}")


def draw_activations(path: Path, backend: xpnet.Backend) -> None:
    """Draw the functions themselves, computed on the backend."""
    x = np.linspace(-5, 5, 1001)
    functions = {
        "step": functional.step_forward,
        "sigmoid": functional.sigmoid_forward,
        "ReLU": functional.relu_forward,
    }
    on_device = backend.asarray(x, "float32")
    curves = {
        name: backend.to_numpy(forward(backend.xp, on_device)[0]) for name, forward in functions.items()
    }
    save_figure(activation_functions(x, curves), path)


def find_weights() -> Path:
    path = data_directory() / WEIGHTS
    if not path.is_file():
        raise DataError(
            f"{path} is missing: take ch03/{WEIGHTS} from github.com/oreilly-japan/deep-learning-from-scratch"
            " and put it there, or set XPNET_DATA to the folder that holds it"
        )
    return path


def predict(net: xpnet.MLP, x: np.ndarray) -> np.ndarray:
    """Predict in batches, as one does where the data is larger than the memory."""
    batches = [net.predict(x[start : start + BATCH_SIZE]) for start in range(0, len(x), BATCH_SIZE)]
    return np.concatenate([net.backend.to_numpy(labels) for labels in batches])


if __name__ == "__main__":
    run(experiment, __doc__)
