"""Load a network from a file, whatever wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from xpnet.backends import Backend
from xpnet.errors import DataError
from xpnet.io import read_weights
from xpnet.nn.network import MLP


def load(path: str | Path, backend: str | Backend = "auto", device: str | None = None, **config: Any) -> MLP:
    """Read a network from safetensors, npz, or a textbook pickle of ``W1 b1 W2 b2 …``.

    The format is told by the file's content. No code of a pickle is ever run.

    Parameters
    ----------
    path : path-like
        The file.
    backend, device : optional
        Where the network lives.
    **config
        The network's other arguments, where the file does not tell them or to override it:
        ``activation="sigmoid"``.

    Returns
    -------
    MLP

    Raises
    ------
    DataError
        If the file is missing, damaged, or holds no network.
    InvalidInputError
        If its parameters do not make a network.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> net = MLP([2, 3, 2], backend="numpy")
    >>> net.save(path)
    >>> load(path, backend="numpy").fingerprint() == net.fingerprint()
    True
    """
    params, metadata = read_weights(path)
    if "xpnet_checkpoint" in metadata:
        raise DataError(f"{path} is a checkpoint, not a model: go on training with xpnet.resume")
    return MLP.from_params(params, backend, device, **{**_stored_config(path, metadata), **config})


def _stored_config(path: str | Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of the network that a file tells; none where another program wrote it."""
    if "xpnet" not in metadata:
        return {}
    known = signature(MLP).parameters
    try:
        stored = json.loads(metadata["xpnet"])
        unknown = [name for name in stored.keys() if name not in known]  # noqa: SIM118 - a mapping, or an error
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path}: its description of the network is damaged: {error}") from error
    if unknown:
        raise DataError(
            f"{path} was written by another version of xpnet: it describes the network by"
            f" {', '.join(unknown)}, which this one does not know"
        )
    return stored
