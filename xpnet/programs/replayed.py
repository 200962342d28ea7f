"""Runners for libraries whose functions take ``out=``: recorded once, replayed over fixed buffers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xpnet.programs.replay import Replay
from xpnet.programs.step import Array, Batch, Batches, Data, State, StepBuilder, check_carry
from xpnet.programs.tracing import Recording, record
from xpnet.trees import Tree, in_order_of, leaves, map_tree, shapes


class ReplayedLoop:
    """A training step: recorded at the first batch of each structure, replayed from then on.

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
    ...         w = state["w"] - batch.coefficients["rate"] * xp.take(data["x"], batch.indices)
    ...         return {"w": w}, xp.sum(w)
    ...     return step
    >>> chunk = ReplayedLoop(build, xp).over({"x": np.asarray([1.0, 2.0])})
    >>> chunk({"w": np.asarray([5.0])}, Batches(np.asarray([[0], [1]]), {"rate": np.ones(2)}))
    ({'w': array([2.])}, array([4., 2.]))
    """

    def __init__(self, build: StepBuilder, xp: Any) -> None:
        self._build, self._xp = build, xp
        self._recordings: dict[Any, Recording] = {}

    def over(self, data: Data) -> _Chunks:
        """Return the function that goes on with some data."""
        return _Chunks(self, data)

    def recording(self, state: State, data: Data, batch: Batch) -> Recording:
        """Return the step recorded for inputs of this structure."""
        key = shapes((state, data, batch))
        if key not in self._recordings:
            recording, (after, _) = record(self._build, self._xp, state, data, batch)
            check_carry(state, after)
            self._recordings[key] = recording
        return self._recordings[key]


class _Chunks:
    """The programs of one step over one set of data, by the structure of state and batch."""

    def __init__(self, loop: ReplayedLoop, data: Data) -> None:
        self._loop, self._data = loop, data
        self._programs: dict[Any, _Program] = {}

    def __call__(self, state: State, batches: Batches) -> tuple[State, Array]:
        first = batches.at(0)
        if first.indices is not None:  # in the integers that NumPy takes by
            first = first._replace(indices=first.indices.astype(np.intp))
        key = shapes((state, first))
        if key not in self._programs:
            recording = self._loop.recording(state, self._data, first)
            self._programs[key] = _Program(recording, state, self._data, first)
        return self._programs[key].run(state, batches)


class _Program:
    """One recorded step, bound to buffers of its own and to data."""

    def __init__(self, recording: Recording, state: State, data: Data, batch: Batch) -> None:
        self._state = map_tree(np.copy, state)
        self._batch = map_tree(lambda leaf: None if leaf is None else np.array(leaf), batch)
        numbers, buffers = leaves(recording.inputs), leaves((self._state, data, self._batch))
        inputs = {
            number: buffer for number, buffer in zip(numbers, buffers, strict=True) if number is not None
        }
        after, loss = recording.outputs
        spec = recording.record.specs[loss]
        self._loss = np.empty(spec.shape, dtype=spec.dtype)
        results = list(zip(leaves(after), leaves(in_order_of(after, self._state)), strict=True))
        rows = recording.inputs[2].indices
        self.replay = Replay(recording.record, inputs, [*results, (loss, self._loss)], rows)

    def run(self, state: State, batches: Batches) -> tuple[State, Array]:
        for buffer, leaf in zip(leaves(self._state), leaves(in_order_of(self._state, state)), strict=True):
            np.copyto(buffer, leaf)
        losses = np.empty(batches.iterations, dtype=self._loss.dtype)
        moving = [
            # Numbers of Python are assigned faster than NumPy's, and are the same.
            (buffer, rows.tolist() if rows.ndim == 1 else rows)
            for buffer, rows in zip(leaves(self._batch), leaves(batches), strict=True)
            if buffer is not None
        ]
        for i in range(batches.iterations):
            for buffer, rows in moving:
                buffer[...] = rows[i]
            self.replay.run()
            losses[i] = self._loss
        return map_tree(np.copy, self._state), losses


class ReplayedFunction:
    """A function of some arrays that stay and some that change: recorded once for each structure.

    Parameters
    ----------
    build : callable
        From a namespace to the function ``(fixed, moving) -> tree of arrays``.
    xp : namespace
        NumPy's functions.

    Examples
    --------
    >>> import array_api_compat.numpy as xp
    >>> double = ReplayedFunction(lambda xp: lambda w, x: xp.multiply(w, x), xp).over(np.asarray([2.0]))
    >>> double(np.asarray([3.0]))
    array([6.])
    """

    def __init__(self, build: Callable[[Any], Callable[[Tree, Tree], Tree]], xp: Any) -> None:
        self._build, self._xp = build, xp
        self._recordings: dict[Any, Recording] = {}

    def over(self, fixed: Tree) -> Callable[[Tree], Tree]:
        """Return the function of what changes; the arrays that stay are not copied."""
        programs: dict[Any, Callable[[Tree], Tree]] = {}

        def function(moving: Tree) -> Tree:
            key = shapes((fixed, moving))
            if key not in self._recordings:
                self._recordings[key], _ = record(self._build, self._xp, fixed, moving)
            if key not in programs:
                programs[key] = _bound(self._recordings[key], fixed, moving)
            return programs[key](moving)

        return function


def _bound(recording: Recording, fixed: Tree, example: Tree) -> Callable[[Tree], Tree]:
    buffers = map_tree(np.array, example)
    inputs = dict(zip(leaves(recording.inputs), leaves((fixed, buffers)), strict=True))
    specs = recording.record.specs
    results = map_tree(lambda number: np.empty(specs[number].shape, specs[number].dtype), recording.outputs)
    replay = Replay(
        recording.record, inputs, list(zip(leaves(recording.outputs), leaves(results), strict=True))
    )

    def function(moving: Tree) -> Tree:
        map_tree(np.copyto, buffers, moving)
        replay.run()
        return map_tree(np.copy, results)

    return function
