"""Tracing: run a pure function once on stand-ins that record every Array API call.

The record is linear: the calls in their order, each with the numbers of the values that it reads and of
the one that it makes. It knows shapes, dtypes and memory orders; values live no longer than their stand-ins.
What is computed from nothing but constants is a constant itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from xpnet.programs.step import StepError
from xpnet.programs.tracer import Tracer
from xpnet.trees import Tree, leaves, map_tree

Array = Any


@dataclass(frozen=True)
class Ref:
    """A traced value's number, where a call's argument is one."""

    number: int


class Spec(NamedTuple):
    """What is known of a value before it is computed.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    order : tuple of int
        Its axes as they lie in memory, the outermost first: BLAS and sums may round another way for another.
    """

    shape: tuple[int, ...]
    dtype: Any
    order: tuple[int, ...]

    @classmethod
    def of(cls, array: Array) -> Spec:
        """Return what is known of an array."""
        strides = getattr(array, "strides", (0,) * array.ndim)
        order = sorted(range(array.ndim), key=lambda axis: -abs(strides[axis]))
        return cls(tuple(array.shape), array.dtype, tuple(order))


@dataclass(frozen=True)
class Call:
    """One recorded call.

    Attributes
    ----------
    name : str
        The function's name in the standard, or ``"getitem"``.
    function : callable
        The library's function.
    args, kwargs
        Its arguments; traced values as `Ref`, also within lists.
    result : int
        The number of the value that it makes.
    """

    name: str
    function: Callable[..., Array]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: int


@dataclass
class Record:
    """All calls of a traced function.

    Attributes
    ----------
    calls : list of Call
        In the order in which they were made.
    specs : list of Spec
        By number: what is known of each value.
    constants : dict of int to array
        Results that depend on no input.
    """

    calls: list[Call] = field(default_factory=list)
    specs: list[Spec] = field(default_factory=list)
    constants: dict[int, Array] = field(default_factory=dict)

    def input(self, value: Array) -> Tracer:
        """Return a stand-in for an input of the function."""
        return Tracer(self, value, self._number(value))

    def constant(self, value: Array) -> int:
        """Return the number of a result that is a constant."""
        number = self._number(value)
        self.constants[number] = value
        return number

    def call(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Compute a call and record it; without a traced argument it is a constant and only computed."""
        value = self.compute(name, function, map_tree(value_of, args), map_tree(value_of, kwargs))
        if isinstance(value, tuple | list):
            parts = range(len(value))
            return type(value)(self.call(name, partial(_part, function, i), args, kwargs) for i in parts)
        if not (hasattr(value, "shape") and hasattr(value, "dtype")):
            return value  # a dtype, a truth value
        if name in _CONSTANT or not any(map(_is_traced, leaves((args, kwargs)))):
            return Tracer(self, value, None)
        result = self._number(value)
        self.calls.append(Call(name, function, map_tree(_ref_of, args), map_tree(_ref_of, kwargs), result))
        return Tracer(self, value, result)

    def compute(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Return what a call gives for values."""
        return function(*args, **kwargs)

    def _number(self, value: Array) -> int:
        self.specs.append(Spec.of(value))
        return len(self.specs) - 1


# Only the shape of their argument counts, which never changes.
_CONSTANT = frozenset({"zeros_like", "ones_like", "empty_like"})


_DATA_DEPENDENT = frozenset(
    {"nonzero", "argwhere", "unique_all", "unique_counts", "unique_inverse", "unique_values"}
)


class TracingNamespace:
    """An Array API namespace that records what is called.

    Parameters
    ----------
    xp : namespace
        The library's own, which computes.
    record : Record
        Where the calls go.
    """

    def __init__(self, xp: Any, record: Record) -> None:
        self._xp, self._record = xp, record

    def __getattr__(self, name: str) -> Any:
        if name in _DATA_DEPENDENT:
            raise StepError(
                f"a step must not call xp.{name}: the shape of its result changes from iteration to iteration"
            )
        attribute = getattr(self._xp, name)
        if not callable(attribute) or isinstance(attribute, type) or name.startswith("_"):
            return attribute

        def function(*args: Any, **kwargs: Any) -> Any:
            return self._record.call(name, attribute, args, kwargs)

        return function


class Recording(NamedTuple):
    """A recorded function.

    Attributes
    ----------
    record : Record
        Its calls.
    inputs, outputs : trees of int
        The numbers of the values in the places of its arguments and results.
    """

    record: Record
    inputs: Tree
    outputs: Tree


def record(
    build: Callable[[Any], Callable[..., Tree]], xp: Any, *inputs: Tree, made: Record | None = None
) -> tuple[Recording, Tree]:
    """Run a function once on stand-ins for its inputs.

    Parameters
    ----------
    build : callable
        From a namespace to the function, from trees of arrays to a tree of arrays.
    xp : namespace
        The library's own.
    *inputs : trees of arrays
        What to run it on; None for what is absent.
    made : Record, optional
        An empty record of another kind.

    Returns
    -------
    recording : Recording
    results : tree of arrays
        What came out.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> recording, result = record(lambda xp: lambda x: xp.sum(x * 2.0), np, np.ones(3))
    >>> [call.name for call in recording.record.calls], float(result)
    (['multiply', 'sum'], 6.0)
    """
    made = Record() if made is None else made
    traced = map_tree(lambda leaf: None if leaf is None else made.input(leaf), inputs)
    results = build(TracingNamespace(xp, made))(*traced)
    numbers = map_tree(lambda leaf: None if leaf is None else leaf.number, traced)
    outputs = map_tree(lambda leaf: _output(made, leaf), results)
    return Recording(made, numbers, outputs), map_tree(value_of, results)


def _output(made: Record, leaf: Any) -> int:
    if isinstance(leaf, Tracer) and leaf.number is not None:
        return leaf.number
    return made.constant(value_of(leaf))


def _part(function: Callable[..., Any], position: int, *args: Any, **kwargs: Any) -> Array:
    """Return one of several results of a function."""
    return function(*args, **kwargs)[position]


def value_of(item: Any) -> Any:
    """Return the array that a stand-in stands for; anything else as it is."""
    return item.value if isinstance(item, Tracer) else item


def _is_traced(item: Any) -> bool:
    return isinstance(item, Tracer) and item.number is not None


def _ref_of(item: Any) -> Any:
    if isinstance(item, Tracer):
        return item.value if item.number is None else Ref(item.number)
    return item
