"""Runners for libraries that compile: a whole chunk of iterations, or a function, as one program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xpnet.backends import Backend
from xpnet.programs.guarded import ZEROS, GuardedRecord
from xpnet.programs.step import Array, Batches, Chunk, Data, State, StepBuilder, check_carry
from xpnet.programs.tracing import Record, record
from xpnet.trees import Tree, in_order_of, leaves, like, map_tree, shapes


class ScannedLoop:
    """A training step, compiled once for all chunks of inputs of one structure, however long they are.

    Arrays go in and out as lists: compilers sort the keys of mappings, and some sums go by their order.

    Parameters
    ----------
    build : callable
        From a namespace to the step.
    backend : Backend
        With `jit` and `scan`.
    length : int
        The most iterations of a chunk; shorter ones are filled up, not compiled anew.
    guarded : bool, default False
        Whether the bits must be those of the operations one by one, see `xpnet.programs.guarded`.
    """

    def __init__(self, build: StepBuilder, backend: Backend, length: int, guarded: bool = False) -> None:
        self._build, self._backend, self._length = build, backend, length
        self._zeros = ZEROS if guarded else {}
        self._programs: dict[Any, Callable[..., Any]] = {}

    def over(self, data: Data) -> Chunk:
        """Return the function that goes on with some data."""

        def chunk(state: State, batches: Batches) -> tuple[State, Array]:
            count, filled = batches.iterations, self._filled_up(batches)
            key = shapes((state, data, filled))
            if key not in self._programs:
                self._programs[key] = self._compiled(state, data, filled)
            program = self._programs[key]
            after, losses = program(leaves(state), leaves(data), leaves(filled), np.int32(count), self._zeros)
            return like(state, after), losses if losses.shape[0] == count else losses[:count]

        return chunk

    def _filled_up(self, batches: Batches) -> Batches:
        missing = self._length - batches.iterations
        if missing <= 0:
            return batches

        def filled(array: np.ndarray | None) -> np.ndarray | None:
            if array is None:
                return None
            return np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)])

        return map_tree(filled, batches)

    def _compiled(self, *inputs: Tree) -> Callable[..., Any]:
        state_like, data_like, batches_like = map_tree(lambda _: None, inputs)
        build, backend = self._build, self._backend

        def program(
            state: list[Array], data: list[Array], batches: list[Array], count: Array, zeros: dict[str, Array]
        ) -> Any:
            resident = like(data_like, data)

            def step(carried: list[Array], row: list[Array]) -> tuple[list[Array], Array]:
                before, batch = like(state_like, carried), like(batches_like, row)
                made = GuardedRecord(zeros) if zeros else Record()
                _, (after, loss) = record(build, backend.xp, before, resident, batch, made=made)
                check_carry(before, after)
                return leaves(in_order_of(state_like, after)), loss

            return backend.scan(step, state, batches, count)

        return backend.jit(program)


class CompiledFunction:
    """A function of some arrays that stay and some that change, compiled once for each structure.

    Parameters
    ----------
    build : callable
        From a namespace to the function ``(fixed, moving) -> array``.
    backend : Backend
        With `jit`.
    """

    def __init__(self, build: Callable[[Any], Callable[[Tree, Tree], Array]], backend: Backend) -> None:
        self._build, self._backend = build, backend
        self._programs: dict[Any, Callable[..., Any]] = {}

    def over(self, fixed: Tree) -> Callable[[Tree], Array]:
        """Return the function of what changes."""

        def function(moving: Tree) -> Array:
            key = shapes((fixed, moving))
            if key not in self._programs:
                self._programs[key] = self._compiled(fixed, moving)
            return self._programs[key](leaves(fixed), leaves(moving))

        return function

    def _compiled(self, *inputs: Tree) -> Callable[..., Any]:
        fixed_like, moving_like = map_tree(lambda _: None, inputs)
        build, backend = self._build, self._backend

        def program(fixed: list[Array], moving: list[Array]) -> Array:
            return record(build, backend.xp, like(fixed_like, fixed), like(moving_like, moving))[1]

        return backend.jit(program)
