"""``xpnet evaluate``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpnet import datasets, metrics
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
    """Measure a trained network: loss and accuracy, and how it does on each class; or R² of values."""
    net = load_model(model, backend, device, activation)
    name, data = load_data(model, dataset, data_dir)
    tell("model", str(model))
    tell("network", net.title)
    metric = net.network.loss.metric
    for label, x, t in (("training set", data.x_train, data.t_train), ("test set", data.x_test, data.t_test)):
        told = f"loss {net.loss(x, t):.4f}, {metric} {net.score(x, t):.4f}"
        predicted = net.predict(x)
        if metric != "accuracy":
            error = metrics.mean_absolute_error(net.prepare(x, t)["t"], predicted)
            told = f"{told}, mean absolute error {error:.4f}"
        tell(label, f"{told}, {len(t):,} samples of {name}")
    if metric == "accuracy":
        matrix = metrics.confusion_matrix(data.t_test, predicted, len(datasets.class_names(name)))
        shares = [
            f(data.t_test, predicted, average=None, classes=len(matrix))
            for f in (metrics.precision, metrics.recall, metrics.f1)
        ]
        _tell_classes(datasets.class_names(name), matrix, np.stack(shares, axis=1))
        _tell_confusions(datasets.class_names(name), matrix)


def _tell_classes(names: tuple[str, ...], matrix: NDArray[Any], shares: NDArray[Any]) -> None:
    table = new_table("class", ">samples", ">precision", ">recall", ">F1", "most often taken for")
    for label, name in enumerate(names):
        wrong = matrix[label].copy()
        wrong[label] = 0
        other = int(wrong.argmax())
        hint = f"{names[other]} ({wrong[other]} times)" if wrong[other] else "-"
        table.add_row(name, f"{matrix[label].sum():,}", *(f"{share:.4f}" for share in shares[label]), hint)
    out.print(table)


def _tell_confusions(names: tuple[str, ...], matrix: NDArray[Any]) -> None:
    out.print("test samples by their class, a row, and by the class predicted, a column")
    table = new_table("", *(f">{label}" for label in range(len(names))))
    table.padding = 0  # ten classes of thousands of samples fit into 80 columns
    for label, name in enumerate(names):
        heading = name if name == str(label) else f"{label} {name}"
        table.add_row(heading, *(str(count) if count else "-" for count in matrix[label]))
    out.print(table)
