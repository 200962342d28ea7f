"""What a training step is: types that whoever builds one and whoever runs one agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from xpnet.errors import XpnetError
from xpnet.trees import map_tree, shapes

Array = Any

State = dict[str, Any]
"""What a step carries from one iteration to the next: nested dicts of arrays."""

Data = Mapping[str, Array]
"""``x``, ``t`` and, where samples have weights, ``weight``: resident on the device, a sample a row."""


class Batch(NamedTuple):
    """What distinguishes one iteration from the others.

    Attributes
    ----------
    indices : array of int, shape (batch,), or None
        The rows of the data that it takes; None for all of them.
    coefficients : mapping of arrays, shape ()
        The learning rate and whatever else the host computes, in the dtype of the parameters.
    random : array of int32, shape (2,), or None
        What the random bits of the iteration are addressed by, for layers that draw some.
    """

    indices: Array | None
    coefficients: Mapping[str, Array]
    random: Array | None = None


class Batches(NamedTuple):
    """A chunk of iterations: the fields of `Batch`, the iterations as the first axis, on the host."""

    indices: np.ndarray | None
    coefficients: Mapping[str, np.ndarray]
    random: np.ndarray | None = None

    @property
    def iterations(self) -> int:
        """How many iterations there are."""
        return len(next(iter(self.coefficients.values())))

    def at(self, i: int) -> Batch:
        """Return one iteration's batch, wherever the chunk lies."""
        return Batch(*map_tree(lambda rows: None if rows is None else rows[i, ...], tuple(self)))


Step = Callable[[State, Data, Batch], tuple[State, Array]]
"""One training iteration: ``(state, data, batch) -> (state, loss)``, a pure function."""

StepBuilder = Callable[[Any], Step]
"""Builds the step from the array library's namespace, or from one that records."""

Chunk = Callable[[State, Batches], tuple[State, Array]]
"""Several iterations over one set of data: ``(state, batches) -> (state, losses)``."""


class Loop(Protocol):
    """A step's program, ready to run over any data of a known structure."""

    def over(self, data: Data) -> Chunk:
        """Return the function that goes on with some data; what it holds of them goes with it."""


class StepError(XpnetError, TypeError):
    """A step does what is not portable, or does not return what it was given."""


def check_carry(before: State, after: State) -> None:
    """Raise `StepError` unless a step returned a state of the structure that it was given.

    Examples
    --------
    >>> check_carry({"count": np.zeros(2)}, {"count": np.zeros(2, dtype="float32")})
    Traceback (most recent call last):
    ...
    xpnet.programs.step.StepError: the step was given count as float64 (2,) and returned it as float32
    (2,): what is carried keeps its shape and dtype
    """
    given, returned = _told(before), _told(after)
    for name in given.keys() | returned.keys():
        if given.get(name) != returned.get(name):
            raise StepError(
                f"the step was given {name} as {given.get(name, 'nothing')} and returned it as"
                f" {returned.get(name, 'nothing')}: what is carried keeps its shape and dtype"
            )


def _told(state: State) -> dict[str, str]:
    return {
        "/".join(path): f"{str(dtype).rpartition('.')[2]} {shape}" for path, shape, dtype in shapes(state)
    }
