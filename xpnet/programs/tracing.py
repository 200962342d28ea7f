"""Tracing: run a pure function once on stand-ins that record every Array API call.

The record is linear: the calls in their order, each with the numbers of the values that it reads and of
the one that it makes. Values computed from nothing but constants are constants themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

Array = Any


class Ref(NamedTuple):
    """A traced value's number, where a call's argument is one."""

    number: int


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
    values : list of arrays
        By number: the inputs first, then the results, as they came out while tracing.
    """

    calls: list[Call] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)

    def input(self, value: Array) -> Tracer:
        """Return a stand-in for an input of the function."""
        self.values.append(value)
        return Tracer(self, len(self.values) - 1)

    def call(
        self, name: str, function: Callable[..., Array], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Compute a call and record it; without a traced argument it is a constant and only computed."""
        value = function(*_map(args, _value_of), **_map(kwargs, _value_of))
        if name in _CONSTANT or not _any_traced((args, kwargs)):
            return value
        result = self.input(value)
        self.calls.append(Call(name, function, _map(args, _ref_of), _map(kwargs, _ref_of), result.number))
        return result


# Only the shape of their argument counts, which never changes.
_CONSTANT = frozenset({"zeros_like", "ones_like", "empty_like", "result_type", "isdtype", "finfo", "iinfo"})


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
        attribute = getattr(self._xp, name)
        if not callable(attribute) or isinstance(attribute, type) or name.startswith("_"):
            return attribute

        def function(*args: Any, **kwargs: Any) -> Any:
            return self._record.call(name, attribute, args, kwargs)

        return function


class Tracer:
    """A stand-in for an array, which records what is done with it."""

    __array_ufunc__ = None  # NumPy's arrays leave mixed operations to the methods below

    def __init__(self, record: Record, number: int) -> None:
        self.record, self.number = record, number

    @property
    def value(self) -> Array:
        """The array that it stands for, while tracing."""
        return self.record.values[self.number]

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "dtype", "ndim", "size", "device"):
            return getattr(self.value, name)
        raise AttributeError(f"a traced array has no {name!r}: call a function of the namespace")

    def __getitem__(self, key: Any) -> Any:
        return self.record.call("getitem", _getitem, (self, key), {})

    def __bool__(self) -> bool:
        raise TypeError("a traced step must not read values: use xp.where instead of if")

    __float__ = __int__ = __bool__


def _operator(name: str, swapped: bool = False) -> Callable[..., Any]:
    function = getattr(np, name)

    def method(self: Tracer, *other: Any) -> Any:
        args = (*other, self) if swapped else (self, *other)
        return self.record.call(name, function, args, {})

    return method


for _name, _function in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}.items():
    setattr(Tracer, f"__{_name}__", _operator(_function))
    setattr(Tracer, f"__r{_name}__", _operator(_function, swapped=True))
for _name, _function in {
    "neg": "negative",
    "invert": "invert",
    "abs": "abs",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}.items():
    setattr(Tracer, f"__{_name}__", _operator(_function))


def _getitem(array: Array, key: Any) -> Array:
    return array[key]


def _value_of(item: Any) -> Any:
    return item.value if isinstance(item, Tracer) else item


def _ref_of(item: Any) -> Any:
    return Ref(item.number) if isinstance(item, Tracer) else item


def _map(item: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to every leaf of nested tuples, lists and dicts."""
    if isinstance(item, Ref):
        return function(item)
    if isinstance(item, tuple | list):
        return type(item)(_map(part, function) for part in item)
    if isinstance(item, dict):
        return {name: _map(part, function) for name, part in item.items()}
    return function(item)


def _any_traced(item: Any) -> bool:
    if isinstance(item, tuple | list):
        return any(map(_any_traced, item))
    if isinstance(item, dict):
        return any(map(_any_traced, item.values()))
    return isinstance(item, Tracer)
