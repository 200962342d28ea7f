"""The programs of one model: made when first asked for, in the form that suits its backend, and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from xpnet.backends import Array, Backend
from xpnet.errors import InvalidInputError
from xpnet.programs.eager import EagerFunction, EagerLoop
from xpnet.programs.patient import PatientLoop
from xpnet.programs.replayed import ReplayedFunction, ReplayedLoop
from xpnet.programs.scanned import CompiledFunction, ScannedLoop
from xpnet.programs.step import Loop, StepBuilder
from xpnet.trees import Tree

T = TypeVar("T")

FunctionBuilder = Callable[[Any], Callable[[Tree, Tree], Array]]
"""Builds a function ``(fixed, moving) -> array`` from a namespace."""

_MOST_KEPT = 16
"""A search over learning rates makes a program for each; the oldest go."""


class Programs:
    """Programs by what they compute.

    Parameters
    ----------
    backend : Backend
        What computes.
    compilable : bool
        Whether a compiler may contract operations, which changes last bits.
    """

    def __init__(self, backend: Backend, compilable: bool) -> None:
        self.backend, self._compiles = backend, backend.compiles and compilable
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def loop(self, key: Hashable, build: StepBuilder, length: int) -> Loop:
        """Return the fastest form in which the library repeats a training step.

        Parameters
        ----------
        key : hashable
            What tells the step from others of the same model.
        build : callable
            From a namespace to the step.
        length : int
            The most iterations at once.
        """
        return self._get(("loop", key, length), lambda: self._new_loop(build, length))

    def function(self, key: Hashable, build: FunctionBuilder) -> Any:
        """Return the fastest form of a function of arrays that stay and arrays that change."""
        return self._get(("function", key), lambda: self._new_function(build))

    def plain_function(self, key: Hashable, build: FunctionBuilder) -> EagerFunction:
        """Return a function operation by operation, for arrays of a shape that may not come again."""
        return self._get(("plain function", key), lambda: EagerFunction(build, self.backend.xp))

    def _new_loop(self, build: StepBuilder, length: int) -> Loop:
        if self.backend.takes_out:
            return ReplayedLoop(build, self.backend.xp)
        if self._compiles:
            return ScannedLoop(build, self.backend, length)
        if self.backend.compiles:
            return PatientLoop(build, self.backend, length)
        return EagerLoop(build, self.backend)

    def _new_function(self, build: FunctionBuilder) -> Any:
        if self.backend.takes_out:
            return ReplayedFunction(build, self.backend.xp)
        if self._compiles:
            return CompiledFunction(build, self.backend)
        return EagerFunction(build, self.backend.xp)

    def _get(self, key: Hashable, make: Callable[[], T]) -> T:
        try:
            known = key in self._kept
        except TypeError as error:
            raise InvalidInputError(
                f"{error}: settings must be hashable, such as numbers, text and tuples, so that a"
                " program can be known by them"
            ) from error
        if not known:
            self._kept[key] = make()
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]
