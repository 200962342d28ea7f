"""The run folder: everything that a training run leaves behind, and what it takes to repeat it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

import xpnet
from xpnet.backends import Backend
from xpnet.errors import DataError, InvalidInputError
from xpnet.io import write_atomically
from xpnet.models.model import Model
from xpnet.training import History

CONFIG, CHECKPOINT = "config.json", "checkpoint.safetensors"
MODEL, BEST, HISTORY, FIGURE = "model.safetensors", "best.safetensors", "history.csv", "training.png"


@dataclass(frozen=True)
class RunConfig:
    """What decides a run's every bit, and where it ran.

    Attributes
    ----------
    dataset : str
        The name of the data set.
    data_dir : str or None
        Where its files lie, as the user gave it.
    network : dict
        The arguments of the network.
    optimizer : dict
        Name and settings, schedule and clipping among them.
    settings : dict
        The other arguments of `xpnet.train`.
    early_stopping : int or None
        The patience.
    checkpoint_every : int or None
        Iterations between checkpoints.
    backend, device : str, str or None
        What the run computes on; the library's default device where None.
    versions : dict of str
        Of Python, xpnet, NumPy and the backend's library.
    """

    dataset: str
    data_dir: str | None
    network: dict[str, Any]
    optimizer: dict[str, Any]
    settings: dict[str, Any]
    early_stopping: int | None
    checkpoint_every: int | None
    backend: str
    device: str | None
    versions: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write ``config.json``; raises `DataError` where the folder cannot be written."""
        write_atomically(folder / CONFIG, (json.dumps(asdict(self), indent=2) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> RunConfig:
        """Read ``config.json``; raises `DataError` where it is missing or damaged."""
        path = folder / CONFIG
        try:
            return cls(**json.loads(path.read_bytes()))
        except OSError as error:
            raise DataError(f"{folder} is no run folder: cannot read {path}: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise DataError(f"{path} is damaged or not of xpnet {xpnet.__version__}: {error}") from error


def versions(backend: Backend) -> dict[str, str]:
    """Return the versions that a run depends on."""
    library = {backend.name: str(backend.info().version)}
    return {
        "python": platform.python_version(),
        "xpnet": xpnet.__version__,
        "numpy": np.__version__,
        **library,
    }


def new_folder(wanted: Path | None, dataset: str) -> Path:
    """Make the folder of a new run; nothing that is there is ever written over.

    Parameters
    ----------
    wanted : Path or None
        The folder; one under ``runs/``, named for data set and time, where None.
    dataset : str
        The name of the data set.

    Raises
    ------
    InvalidInputError
        If the folder holds something already.
    DataError
        If it cannot be made.
    """
    try:
        if wanted is None:
            return next(_made_under_runs(dataset))
        wanted.mkdir(parents=True, exist_ok=True)
        occupied = any(wanted.iterdir())
    except OSError as error:
        place = wanted or "a folder under runs/"
        raise DataError(f"cannot make {place}: {error.strerror}; give another with --out") from error
    if occupied:
        raise InvalidInputError(
            f"{wanted} is not empty and nothing is written over: give a new folder with --out,"
            f" or go on with a run: xpnet resume {wanted}"
        )
    return wanted


def _made_under_runs(dataset: str) -> Iterator[Path]:
    name = f"{dataset}-{datetime.now():%Y%m%d-%H%M%S}"
    for suffix in chain([""], (f"-{i}" for i in count(2))):
        folder = Path("runs") / (name + suffix)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        yield folder


def write_results(folder: Path, net: Model, history: History) -> None:
    """Write the last and the best model, the history and, where Matplotlib is, the figure."""
    net.save(folder / MODEL)
    if history.best_params:
        net.with_variables(history.best).save(folder / BEST)
    history.to_csv(folder / HISTORY)
    if find_spec("matplotlib"):
        history.plot(folder / FIGURE)
