"""What a model file holds, and how it is written."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from os import PathLike
from typing import Any

from xpnet.backends import Backend, get_backend
from xpnet.describe import describe, restore
from xpnet.errors import DataError, InvalidInputError, XpnetError
from xpnet.io import write_weights
from xpnet.models.blueprint import Blueprint
from xpnet.nn.layer import Variables
from xpnet.trees import flat, nested

MODEL, CHECKPOINT = "xpnet", "xpnet_checkpoint"
"""Under which name the metadata of a file describe a model, or a run."""

_STATE = "state/"


def write_model(path: str | PathLike[str], blueprint: Blueprint, variables: Variables) -> None:
    """Write a blueprint and its variables, NumPy arrays, to a safetensors file; see `Model.save`."""
    write_weights(path, named_arrays(variables), {MODEL: json.dumps(describe(blueprint))})


def read_blueprint(path: str | PathLike[str], text: str) -> Blueprint:
    """Return the blueprint that a file describes, or raise `DataError`."""
    try:
        return blueprint_from(json.loads(text))
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path}: its description of the network is damaged: {error}") from error


def blueprint_from(description: Any) -> Blueprint:
    """Return the blueprint of a description, or raise `InvalidInputError`."""
    blueprint = restore(description)
    if not isinstance(blueprint, Blueprint):
        raise InvalidInputError("it describes no network, or was written by another version of xpnet")
    return blueprint


def named_arrays(variables: Variables) -> dict[str, Any]:
    """Return parameters by name and the running state by name behind ``state/``, as a file holds them."""
    return {**flat(variables.params), **{_STATE + name: leaf for name, leaf in flat(variables.state).items()}}


def variables_of(arrays: Mapping[str, Any]) -> Variables:
    """Return the variables that `named_arrays` named."""
    state = {name.removeprefix(_STATE): leaf for name, leaf in arrays.items() if name.startswith(_STATE)}
    params = {name: leaf for name, leaf in arrays.items() if not name.startswith(_STATE)}
    return Variables(nested(params), nested(state))


def backend_like(name: str, device: str) -> Backend:
    """Return a library on a device where both are there, else NumPy, which is told in the log."""
    try:
        return get_backend(name, device)
    except XpnetError as error:
        logging.getLogger("xpnet").warning("the network goes on with NumPy: %s", error)
        return get_backend("numpy")
