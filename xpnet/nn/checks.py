"""Checks of what layers and losses return, made while a step is recorded: they cost nothing afterwards."""

from __future__ import annotations

from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.trees import Tree, flat

Array = Any


def check_like(what: str, array: Any, shape: tuple[int, ...]) -> None:
    """Raise `InvalidInputError` unless an array has the shape that it should have.

    Parameters
    ----------
    what : str
        As a reader would call it.
    array : array
        What a layer or a loss returned.
    shape : tuple of int
        The batch first.
    """
    found = getattr(array, "shape", None)
    if found is None or tuple(found) != shape:
        told = f"{array!r}" if found is None else f"of the shape {tuple(found)}"
        raise InvalidInputError(f"{what} must be an array of the shape {shape}; it is {told}")


def check_gradients(params: Tree, gradients: Tree) -> None:
    """Raise `InvalidInputError` unless there is a gradient of each parameter, of its shape, and no other."""
    wanted, given = flat(params), flat(gradients)
    if wanted.keys() != given.keys():
        raise InvalidInputError(
            f"backward must return gradients of {', '.join(wanted)}; it returned those of"
            f" {', '.join(given) or 'nothing'}"
        )
    for name, parameter in wanted.items():
        check_like(f"the gradient of {name}", given[name], tuple(parameter.shape))
