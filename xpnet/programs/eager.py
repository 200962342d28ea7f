"""The runner for every library: the step called once an iteration, operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xpnet.backends import Backend
from xpnet.programs.step import Array, Batch, Batches, Chunk, Data, State, StepBuilder, check_carry
from xpnet.programs.tracing import record
from xpnet.trees import Tree, map_tree, shapes


class EagerLoop:
    """A training step, traced at the first batch of each structure to see that it is portable.

    Parameters
    ----------
    build : callable
        From a namespace to the step.
    backend : Backend
        What computes.
    """

    def __init__(self, build: StepBuilder, backend: Backend) -> None:
        self._build, self._backend = build, backend
        self._step = build(backend.xp)
        self._known: set[Any] = set()

    def over(self, data: Data) -> Chunk:
        """Return the function that goes on with some data."""

        def chunk(state: State, batches: Batches) -> tuple[State, Array]:
            on_device = map_tree(self._to_device, batches)
            self._check(state, data, batch_of(on_device, 0))
            losses = []
            for i in range(batches.iterations):
                state, loss = self._step(state, data, batch_of(on_device, i))
                losses.append(loss)
            return state, self._backend.xp.stack(losses)

        return chunk

    def _check(self, state: State, data: Data, batch: Batch) -> None:
        key = shapes((state, data, batch))
        if key not in self._known:
            _, (after, _) = record(self._build, self._backend.xp, state, data, batch)
            check_carry(state, after)
            self._known.add(key)

    def _to_device(self, array: Any) -> Array | None:
        return None if array is None else self._backend.from_numpy(array)


class EagerFunction:
    """A function of some arrays that stay and some that change, as it is.

    Parameters
    ----------
    build : callable
        From a namespace to the function ``(fixed, moving) -> array``.
    xp : namespace
        The library's own.
    """

    def __init__(self, build: Callable[[Any], Callable[[Tree, Tree], Array]], xp: Any) -> None:
        self._function = build(xp)

    def over(self, fixed: Tree) -> Callable[[Tree], Array]:
        """Return the function of what changes."""
        return lambda moving: self._function(fixed, moving)


def batch_of(batches: Batches, i: int) -> Batch:
    """Return one iteration's batch of a chunk that lies on the device."""

    def row(array: Array | None) -> Array | None:
        return None if array is None else array[i, ...]

    return Batch(
        row(batches.indices),
        {name: values[i, ...] for name, values in batches.coefficients.items()},
        row(batches.random),
    )
