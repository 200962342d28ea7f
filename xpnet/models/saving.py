"""Load a model from a file, whatever wrote it."""

from __future__ import annotations

from os import PathLike
from typing import Any

from xpnet.backends import Backend
from xpnet.errors import DataError, InvalidInputError
from xpnet.io import read_weights
from xpnet.models.files import CHECKPOINT, MODEL, read_blueprint, variables_of
from xpnet.models.mlp import MLP
from xpnet.models.model import Model


def load(
    path: str | PathLike[str], backend: str | Backend = "auto", device: str | None = None, **config: Any
) -> Model:
    """Read a model from safetensors, npz, or a textbook pickle of ``W1 b1 W2 b2 …``.

    The format is told by the file's content. No code of a pickle is ever run.

    Parameters
    ----------
    path : path-like
        The file.
    backend, device : optional
        Where the model lives.
    **config
        Settings that the file does not tell, or others than it tells: ``dtype``, ``arithmetic`` …; for
        a file that describes no network also ``activation``.

    Returns
    -------
    Model

    Raises
    ------
    DataError
        If the file is missing, damaged, or holds no network.
    InvalidInputError
        If its parameters do not make a network, or there is no setting of that name.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> net = MLP([2, 3, 2], backend="numpy")
    >>> net.save(path)
    >>> load(path, backend="numpy").fingerprint() == net.fingerprint()
    True
    """
    if not isinstance(path, str | PathLike):
        raise InvalidInputError(f"path must be the name of a file, not {path!r}")
    arrays, metadata = read_weights(path)
    if CHECKPOINT in metadata:
        raise DataError(f"{path} is a checkpoint, not a model: go on training with xpnet.resume")
    if MODEL not in metadata:
        return MLP.from_params(arrays, backend, device, **config)
    blueprint = read_blueprint(path, metadata[MODEL]).changed(**config)
    return Model.build(blueprint, variables_of(arrays), backend, device)
