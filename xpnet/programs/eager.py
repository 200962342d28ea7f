"""Runners for every library: the recorded calls one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xpnet.backends import Backend
from xpnet.programs.linear import linear
from xpnet.programs.step import Array, Batch, Batches, Chunk, Data, State, StepBuilder, check_carry
from xpnet.programs.tracing import record
from xpnet.trees import Tree, in_order_of, leaves, like, map_tree, shapes


class EagerLoop:
    """A training step: recorded at the first batch of each structure, its calls repeated from then on.

    Parameters
    ----------
    build : callable
        From a namespace to the step.
    backend : Backend
        What computes.
    """

    def __init__(self, build: StepBuilder, backend: Backend) -> None:
        self._build, self._backend = build, backend
        self._programs: dict[Any, Callable[..., list[Array]]] = {}

    def over(self, data: Data) -> Chunk:
        """Return the function that goes on with some data."""

        def chunk(state: State, batches: Batches) -> tuple[State, Array]:
            rows = map_tree(self._to_device, batches)
            step = self._program(state, data, rows.at(0))
            resident = leaves(data)
            carried, losses = leaves(state), []
            for i in range(batches.iterations):
                batch = [leaf for leaf in leaves(rows.at(i)) if leaf is not None]
                *carried, loss = step(*carried, *resident, *batch)
                losses.append(loss)
            return like(state, carried), self._backend.xp.stack(losses)

        return chunk

    def _program(self, state: State, data: Data, batch: Batch) -> Callable[..., list[Array]]:
        key = shapes((state, data, batch))
        if key not in self._programs:
            recording, (after, _) = record(self._build, self._backend.xp, state, data, batch)
            check_carry(state, after)
            outputs = (in_order_of(state, recording.outputs[0]), recording.outputs[1])
            self._programs[key] = linear(recording._replace(outputs=outputs))
        return self._programs[key]

    def _to_device(self, array: Any) -> Array | None:
        return None if array is None else self._backend.from_numpy(array)


class EagerFunction:
    """A function of arrays that stay and arrays that change, traced once to see that it is portable.

    Parameters
    ----------
    build : callable
        From a namespace to the function ``(fixed, moving) -> array``.
    xp : namespace
        The library's own.
    """

    def __init__(self, build: Callable[[Any], Callable[[Tree, Tree], Array]], xp: Any) -> None:
        self._build, self._xp, self._function = build, xp, build(xp)
        self._seen = False

    def over(self, fixed: Tree) -> Callable[[Tree], Array]:
        """Return the function of what changes."""

        def function(moving: Tree) -> Array:
            if self._seen:
                return self._function(fixed, moving)
            _, result = record(self._build, self._xp, fixed, moving)  # refuses what is not portable
            self._seen = True
            return result

        return function
