"""A runner for steps whose bits count, on libraries that compile: compiled when that pays, and compared."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from xpnet.backends import Backend
from xpnet.programs.eager import EagerLoop
from xpnet.programs.scanned import ScannedLoop
from xpnet.programs.step import Array, Batches, Chunk, Data, State, StepBuilder
from xpnet.trees import leaves, shapes

PATIENCE = 300
"""So many iterations one by one take about as long as compiling: no run takes twice as long as it must."""

_log = logging.getLogger(__name__)


class PatientLoop:
    """A training step, operation by operation at first, compiled from then on where that gives the same bits.

    Both compute the first chunk that is compiled. Where a compiler changes a single bit of it, all goes on
    operation by operation, which is said once.

    Parameters
    ----------
    build : callable
        From a namespace to the step.
    backend : Backend
        With `jit` and `scan`.
    length : int
        The most iterations of a chunk.
    """

    def __init__(self, build: StepBuilder, backend: Backend, length: int) -> None:
        self._eager = EagerLoop(build, backend)
        self._compiled = ScannedLoop(build, backend, length, guarded=True)
        self._backend = backend
        self._iterations: dict[Any, int] = {}
        self._same: dict[Any, bool] = {}

    def over(self, data: Data) -> Chunk:
        """Return the function that goes on with some data."""
        eager, compiled = self._eager.over(data), self._compiled.over(data)

        def chunk(state: State, batches: Batches) -> tuple[State, Array]:
            key = shapes((state, data, batches.at(0)))
            if self._same.get(key, False):
                return compiled(state, batches)
            result = eager(state, batches)
            self._iterations[key] = self._iterations.get(key, 0) + batches.iterations
            if key not in self._same and self._iterations[key] >= PATIENCE:
                self._same[key] = self._compare(result, compiled(state, batches))
            return result

        return chunk

    def _compare(self, expected: Any, found: Any) -> bool:
        same = all(
            self._bytes(a) == self._bytes(b) for a, b in zip(leaves(expected), leaves(found), strict=True)
        )
        if not same:
            _log.warning(
                "the compiler of %s changes bits of exact arithmetic: steps are computed operation by"
                " operation, which takes longer; no result is affected",
                self._backend.name,
            )
        return same

    def _bytes(self, array: Array) -> bytes:
        return np.ascontiguousarray(self._backend.to_numpy(array)).tobytes()
