"""``xpnet predict``."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from xpnet.cli import options
from xpnet.cli.console import err
from xpnet.cli.models import load_data, load_model
from xpnet.errors import DataError, InvalidInputError
from xpnet.io import write_atomically

EXAMPLES = options.examples(
    "xpnet predict runs/digits-20260101-120000 digits --output labels.csv",
    "xpnet predict runs/digits-20260101-120000 images.npy --output probabilities.npy --proba",
    "xpnet predict sample_weight.pkl mnist --activation sigmoid > labels.txt",
)

_FORMATS = (".npy", ".csv")


def command(
    model: options.Model,
    samples: Annotated[
        str, typer.Argument(help="A .npy file, one sample a row, or a data set (its test samples).")
    ],
    output: Annotated[
        Path | None, typer.Option(help="A .npy or .csv file; standard output where omitted.")
    ] = None,
    proba: Annotated[
        bool, typer.Option("--proba", help="Probabilities of all classes, not the likeliest class.")
    ] = False,
    activation: options.StoredActivation = None,
    backend: options.BackendName = "auto",
    device: options.Device = None,
    data_dir: options.DataDir = None,
) -> None:
    """Classify samples with a trained network."""
    if output is not None and output.suffix not in _FORMATS:
        raise InvalidInputError(f"--output must end in {' or '.join(_FORMATS)}; it is {output}")
    net = load_model(model, backend, device, activation)
    if samples.endswith(".npy"):
        x = _read_samples(Path(samples))
    else:
        x = load_data(model, samples, data_dir)[1].x_test
    predicted = net.backend.to_numpy(net.predict_proba(x) if proba else net.predict(x))
    if output is None:
        sys.stdout.write(_csv(predicted))
        return
    write_atomically(output, _npy(predicted) if output.suffix == ".npy" else _csv(predicted).encode())
    err.print(f"{len(predicted):,} predictions written to {output}", markup=False, soft_wrap=True)


def _read_samples(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, EOFError) as error:
        raise DataError(f"{path} is no .npy file of numbers: {error}") from error


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _csv(array: NDArray[Any]) -> str:
    rows = array.tolist() if array.ndim == 2 else [[label] for label in array.tolist()]
    return "".join(",".join(map(repr, row)) + "\n" for row in rows)
