"""Checkpoints: everything that a run needs to go on, in one file, on any backend."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xpnet.backends import Backend, State
from xpnet.errors import DataError, XpnetError
from xpnet.io import check_folder, read_weights, write_weights
from xpnet.nn.network import MLP
from xpnet.nn.parameters import check_parameters
from xpnet.optim import Optimizer, optimizer_config, optimizer_from_config
from xpnet.training.history import History
from xpnet.training.settings import Settings
from xpnet.validation import check_count

_EVALUATED = ("iteration", "train_accuracy", "test_accuracy", "gradient_norm", "best_iteration")


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often training writes a checkpoint.

    Parameters
    ----------
    path : path-like
        The file; each checkpoint replaces the last one, whole.
    every : int
        After so many iterations.

    Raises
    ------
    DataError
        If the folder cannot be written: told before training, not after it.

    Examples
    --------
    >>> Checkpoint("/nowhere/run.safetensors", every=100)
    Traceback (most recent call last):
    ...
    xpnet.errors.DataError: cannot write /nowhere/run.safetensors: /nowhere is no folder that can be written
    """

    path: str | Path
    every: int

    def __post_init__(self) -> None:
        check_count("every", self.every)
        check_folder(self.path)


@dataclass
class Saved:
    """What a checkpoint holds.

    Attributes
    ----------
    net : MLP
        The network, its parameters as they were.
    optimizer : Optimizer
        The rule of the update.
    slots : dict
        What the optimiser remembers, as arrays of the network's backend.
    settings : Settings
        What the run was asked for; with ``iteration`` it gives the position in the random stream.
    iteration : int
        How many updates were done.
    data_shape : tuple of int
        The shape of the training data.
    history : History
        All that was measured.
    """

    net: MLP
    optimizer: Optimizer
    slots: dict[str, dict[str, Any]]
    settings: Settings
    iteration: int
    data_shape: tuple[int, ...]
    history: History

    @property
    def state(self) -> State:
        """The state of the training step."""
        return {"params": self.net.params, "optimizer": self.slots}


def write_checkpoint(path: str | Path, saved: Saved) -> None:
    """Write a checkpoint; a process killed meanwhile leaves the last one whole.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    to_numpy = saved.net.backend.to_numpy
    arrays = {f"params/{name}": to_numpy(value) for name, value in saved.net.params.items()}
    for slot, values in saved.slots.items():
        arrays |= {f"optimizer/{slot}/{name}": to_numpy(value) for name, value in values.items()}
    best = saved.history.best_params
    arrays |= {f"best/{name}": to_numpy(value) for name, value in best.items()}
    arrays["history/loss"] = np.asarray(saved.history.loss, dtype=np.float64)
    described = {
        "net": saved.net.config,
        "optimizer": optimizer_config(saved.optimizer),
        "settings": asdict(saved.settings),
        "iteration": saved.iteration,
        "data_shape": list(saved.data_shape),
        "history": {name: getattr(saved.history, name) for name in _EVALUATED},
    }
    write_weights(path, arrays, {"xpnet_checkpoint": json.dumps(described)})


def read_checkpoint(path: str | Path, backend: str | Backend = "auto", device: str | None = None) -> Saved:
    """Read a checkpoint onto any backend.

    Parameters
    ----------
    path : path-like
        What `write_checkpoint` wrote.
    backend, device : optional
        Where the run goes on.

    Returns
    -------
    Saved

    Raises
    ------
    DataError
        If the file is missing, damaged, no checkpoint, or one of another version of xpnet.
    InvalidInputError
        If what it holds does not fit together.
    """
    arrays, metadata = read_weights(path)
    if "xpnet_checkpoint" not in metadata:
        raise DataError(
            f"{path} is not a checkpoint of xpnet; a model alone cannot be trained on: load it and train"
        )
    try:
        return _restored(arrays, json.loads(metadata["xpnet_checkpoint"]), backend, device)
    except XpnetError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(
            f"{path} is damaged, or a checkpoint of another version of xpnet ({reason})"
        ) from error


def _restored(
    arrays: Mapping[str, np.ndarray], described: dict[str, Any], backend: str | Backend, device: str | None
) -> Saved:
    """Return what the arrays and the description of a checkpoint stand for."""
    groups: dict[str, dict[str, Any]] = {}
    for name, value in arrays.items():
        group, _, key = name.rpartition("/")
        groups.setdefault(group, {})[key] = value
    net = MLP.from_params(groups["params"], backend, device, **described["net"])

    def on_device(group: str) -> dict[str, Any]:
        check_parameters(net.chain, groups[group])
        return {name: net.backend.asarray(groups[group][name]) for name in net.params}

    best = on_device("best") if "best" in groups else {}
    history = History(**described["history"], best_params=best, loss=groups["history"]["loss"].tolist())
    optimizer = optimizer_from_config(described["optimizer"])
    slots = {slot: on_device(f"optimizer/{slot}") for slot in optimizer.slots}
    settings = Settings(**described["settings"])
    shape = tuple(described["data_shape"])
    return Saved(net, optimizer, slots, settings, described["iteration"], shape, history)
