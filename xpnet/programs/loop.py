"""A loop of training steps on NumPy, each a replay over fixed buffers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xpnet.backends.base import Array, Batch, Batches, Data, State, StepBuilder
from xpnet.programs.replay import Replay
from xpnet.programs.tracing import Record, Tracer, TracingNamespace


class ReplayedLoop:
    """Repeats a training step: traced at the first batch of each shape, replayed from then on.

    Parameters
    ----------
    build : callable
        From a namespace to the step.
    xp : namespace
        NumPy's functions.

    Examples
    --------
    >>> import array_api_compat.numpy as xp
    >>> def build(xp):
    ...     def step(state, data, batch):
    ...         w = state["params"]["w"] - batch.coefficients["rate"] * xp.take(data[0], batch.indices)
    ...         return {"params": {"w": w}}, xp.sum(w)
    ...     return step
    >>> loop = ReplayedLoop(build, xp)
    >>> batches = Batches(np.asarray([[0], [1]]), {"rate": [1.0, 1.0]})
    >>> loop({"params": {"w": np.asarray([5.0])}}, (np.asarray([1.0, 2.0]), None), batches)
    ({'params': {'w': array([2.])}}, array([4., 2.]))
    """

    def __init__(self, build: StepBuilder, xp: Any) -> None:
        self._build, self._xp = build, xp
        self._programs: dict[tuple[Any, ...], _Program] = {}

    def __call__(self, state: State, data: Data, batches: Batches) -> tuple[State, Array]:
        """Return the state after a chunk of iterations, and the loss of each."""
        shape = None if batches.indices is None else batches.indices.shape[1]
        key = (shape, id(data[0]), id(data[1]))
        if key not in self._programs:
            self._programs[key] = _Program(self._build, self._xp, state, data, batches)
        return self._programs[key].run(state, batches)


class _Program:
    """One step over one set of buffers."""

    def __init__(self, build: StepBuilder, xp: Any, state: State, data: Data, batches: Batches) -> None:
        self._data = data  # kept, since the loop knows a program by its data's identity
        record = Record()
        inputs: dict[int, np.ndarray] = {}

        def trace(buffer: np.ndarray) -> Tracer:
            tracer = record.input(buffer)
            inputs[tracer.number] = buffer
            return tracer

        dtype = next(leaf for _, leaf in _leaves(state)).dtype
        self._leaves = {path: leaf.copy() for path, leaf in _leaves(state)}
        self._scalars = {name: np.asarray(row[0], dtype=dtype) for name, row in batches.coefficients.items()}
        self._indices = None if batches.indices is None else batches.indices[0].astype(np.intp)
        batch = Batch(
            None if self._indices is None else trace(self._indices),
            {name: trace(scalar) for name, scalar in self._scalars.items()},
        )
        traced = {path: trace(leaf) for path, leaf in self._leaves.items()}
        step = build(TracingNamespace(xp, record))
        after, loss = step(_like(state, traced), (trace(data[0]), _maybe(trace, data[1])), batch)
        results = [
            ((leaf if isinstance(leaf, Tracer) else trace(leaf)).number, self._leaves[path])  # or a constant
            for path, leaf in _leaves(after)
        ]
        self._loss = np.empty_like(loss.value)
        self._replay = Replay(record, inputs, [*results, (loss.number, self._loss)])

    def run(self, state: State, batches: Batches) -> tuple[State, Array]:
        for path, leaf in _leaves(state):
            np.copyto(self._leaves[path], leaf)
        count = len(next(iter(batches.coefficients.values())))
        losses = np.empty(count, dtype=self._loss.dtype)
        scalars = [(self._scalars[name], row) for name, row in batches.coefficients.items()]
        for i in range(count):
            if self._indices is not None:
                self._indices[:] = batches.indices[i]  # type: ignore[index]
            for scalar, row in scalars:
                scalar[()] = row[i]
            self._replay.run()
            losses[i] = self._loss
        return _like(state, {path: leaf.copy() for path, leaf in self._leaves.items()}), losses


def _maybe(function: Any, value: Any) -> Any:
    return None if value is None else function(value)


def _leaves(tree: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the arrays of nested dicts with the keys that lead to them."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _like(
    tree: dict[str, Any], leaves: dict[tuple[str, ...], Any], path: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return nested dicts of the same keys with other leaves."""
    return {
        key: _like(value, leaves, (*path, key)) if isinstance(value, dict) else leaves[*path, key]
        for key, value in tree.items()
    }
