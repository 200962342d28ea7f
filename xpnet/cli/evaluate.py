"""``xpnet evaluate``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpnet import datasets
from xpnet.cli import options
from xpnet.cli.console import new_table, out, tell
from xpnet.cli.models import load_data, load_model

EXAMPLES = options.examples(
    "xpnet evaluate runs/digits-20260101-120000",
    "xpnet evaluate runs/digits-20260101-120000/best.safetensors --backend torch",
    "xpnet evaluate sample_weight.pkl mnist --activation sigmoid",
)


def command(
    model: options.Model,
    dataset: options.OptionalDatasetName = None,
    activation: options.StoredActivation = None,
    backend: options.BackendName = "auto",
    device: options.Device = None,
    data_dir: options.DataDir = None,
) -> None:
    """Measure a trained network: loss and accuracy, and how it does on each class."""
    net = load_model(model, backend, device, activation)
    name, data = load_data(model, dataset, data_dir)
    tell("model", str(model))
    tell("network", repr(net))
    for label, x, t in (("training set", data.x_train, data.t_train), ("test set", data.x_test, data.t_test)):
        predicted = net.backend.to_numpy(net.predict(x))
        accuracy = float(np.mean(predicted == t))
        tell(label, f"loss {net.loss(x, t):.4f}, accuracy {accuracy:.4f}, {len(t):,} samples of {name}")
    _tell_classes(datasets.class_names(name), data.t_test, predicted)


def _tell_classes(names: tuple[str, ...], t: NDArray[Any], predicted: NDArray[Any]) -> None:
    table = new_table("class", ">test samples", ">accuracy", "most often taken for")
    for label, name in enumerate(names):
        found = np.bincount(predicted[t == label], minlength=len(names))
        samples, right = int(found.sum()), int(found[label])
        found[label] = 0
        wrong = int(found.argmax())
        hint = f"{names[wrong]} ({found[wrong]} times)" if found[wrong] else "-"
        table.add_row(name, f"{samples:,}", f"{right / max(samples, 1):.4f}", hint)
    out.print(table)
