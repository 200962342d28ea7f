"""Checkpoints: everything that a run needs to go on, in one file, on any backend."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xpnet.backends import Backend
from xpnet.describe import describe, restore
from xpnet.errors import DataError, XpnetError
from xpnet.io import check_folder, read_weights, write_weights
from xpnet.models.arrays import check_tree
from xpnet.models.files import CHECKPOINT, blueprint_from, named_arrays, variables_of
from xpnet.models.model import Model
from xpnet.nn.layer import NOTHING, Tree
from xpnet.optim import Optimizer
from xpnet.training.history import History
from xpnet.training.settings import Settings
from xpnet.trees import flat, like, nested
from xpnet.validation import check_count, settle

_EVALUATED = (
    *("iteration", "train_score", "test_score", "metric", "gradient_norm"),
    *("best_iteration", "best_score"),
)


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
        settle(self, every=check_count("every", self.every))
        check_folder(self.path)


@dataclass
class Position:
    """Where a run stands.

    Attributes
    ----------
    iteration : int
        How many updates were done; with the settings it gives the position in the random streams.
    slots : dict of trees
        What the optimiser remembers, as arrays of the network's backend.
    history : History
        All that was measured.
    """

    iteration: int
    slots: dict[str, Tree]
    history: History


@dataclass
class Saved:
    """What a checkpoint holds.

    Attributes
    ----------
    net : Model
        The network, its variables as they were.
    optimizer : Optimizer
        The rule of the update.
    settings : Settings
        What the run was asked for.
    position : Position
        Where it stands.
    data_shape : tuple of int
        The shape of the training data.
    given : tuple of str
        What it was trained with: ``"weight"``, ``"validation"``.
    """

    net: Model
    optimizer: Optimizer
    settings: Settings
    position: Position
    data_shape: tuple[int, ...]
    given: tuple[str, ...]


def write_checkpoint(path: str | Path, saved: Saved) -> None:
    """Write a checkpoint; a process killed meanwhile leaves the last one whole.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    net, history = saved.net, saved.position.history
    trees = {
        "model": named_arrays(net.variables),
        "optimizer": saved.position.slots,
        "best": named_arrays(history.best),
    }
    arrays = {name: net.backend.to_numpy(leaf) for name, leaf in flat(trees).items()}
    arrays["history/loss"] = np.asarray(history.loss, dtype=np.float64)
    described = {
        "model": net.config,
        "optimizer": describe(saved.optimizer),
        "settings": asdict(saved.settings),
        "iteration": saved.position.iteration,
        "data_shape": list(saved.data_shape),
        "given": list(saved.given),
        "history": {name: getattr(history, name) for name in _EVALUATED},
    }
    write_weights(path, arrays, {CHECKPOINT: json.dumps(described)})


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
    if CHECKPOINT not in metadata:
        raise DataError(
            f"{path} is not a checkpoint of xpnet; a model alone cannot be trained on: load it and train"
        )
    try:
        return _restored(nested(arrays), json.loads(metadata[CHECKPOINT]), backend, device)
    except XpnetError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(
            f"{path} is damaged, or a checkpoint of another version of xpnet ({reason})"
        ) from error


def _restored(
    trees: dict[str, Any], described: dict[str, Any], backend: str | Backend, device: str | None
) -> Saved:
    """Return what the arrays and the description of a checkpoint stand for."""
    blueprint = blueprint_from(described["model"])
    net = Model.build(blueprint, variables_of(flat(trees["model"])), backend, device)
    optimizer = restore(described["optimizer"])
    best = NOTHING
    if "best" in trees:
        best = net.with_variables(variables_of(flat(trees["best"]))).variables
    history = History(**described["history"], best=best, loss=trees["history"]["loss"].tolist())
    with net.backend.scope():
        beginning = optimizer.init(net.xp, net.params)
    found = flat(trees.get("optimizer", {}))
    check_tree("memory of the optimiser", flat(beginning), found)
    slots = like(beginning, [net.backend.asarray(found[name]) for name in flat(beginning)])
    position = Position(described["iteration"], slots, history)
    settings = Settings(**described["settings"])
    shape, given = tuple(described["data_shape"]), tuple(described["given"])
    return Saved(net, optimizer, settings, position, shape, given)
