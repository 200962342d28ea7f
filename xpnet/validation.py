"""Checks of what users hand in, before any of it is computed with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

from xpnet.errors import InvalidInputError, unknown_name

DTYPES = ("float32", "float64")


def check_name(kind: str, name: Any, known: Iterable[str]) -> str:
    """Return a name that is one of those known, or raise `InvalidInputError` with the nearest match."""
    if not isinstance(name, str) or name not in known:
        raise unknown_name(kind, name, known)
    return name


def check_dtype(name: Any) -> str:
    """Return the name of a dtype that networks compute in, or raise `InvalidInputError`."""
    return check_name("dtype", str(name), DTYPES)


def check_sizes(sizes: Sequence[int]) -> list[int]:
    """Return layer sizes, inputs first and outputs last, or raise `InvalidInputError`."""
    ordered = hasattr(sizes, "__getitem__")  # a set is not
    if not ordered or len(sizes) < 2 or not all(_is_whole(n) and n >= 1 for n in sizes):
        raise InvalidInputError(
            f"sizes must be at least two positive integers, inputs first and classes last, not {sizes!r}"
        )
    return [int(n) for n in sizes]


def check_number(name: str, value: Any, low: float, high: float = math.inf) -> float:
    """Return a finite number ``low <= value <= high``, or raise `InvalidInputError` naming the argument.

    What is returned is Python's own float: a scalar of NumPy would widen float32 arrays to its own dtype,
    on some libraries and not on others.
    """
    number = _as_float(value)
    if not (math.isfinite(number) and low <= number <= high):
        bounds = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
        raise InvalidInputError(f"{name} must be a finite number, {bounds}, not {value!r}")
    return number


def check_count(name: str, value: Any, low: int = 1) -> int:
    """Return a whole number of at least ``low``, or raise `InvalidInputError` naming the argument."""
    if not _is_whole(value) or value < low:
        raise InvalidInputError(f"{name} must be a whole number of at least {low}, not {value!r}")
    return int(value)


def check_shape(name: str, value: Any) -> tuple[int, ...]:
    """Return the shape of one sample, or raise `InvalidInputError` naming the argument."""
    if not isinstance(value, tuple | list) or not all(_is_whole(n) and n >= 1 for n in value):
        raise InvalidInputError(
            f"{name} must be the shape of one sample, as (784,) or (1, 28, 28), not {value!r}"
        )
    return tuple(int(n) for n in value)


def check_flag(name: str, value: Any) -> bool:
    """Return True or False, or raise `InvalidInputError` naming the argument."""
    if not isinstance(value, bool):
        raise InvalidInputError(f"{name} must be True or False, not {value!r}")
    return value


def settle(thing: object, **checked: Any) -> None:
    """Set fields of a frozen dataclass to what their checks returned: Python's own numbers."""
    for name, value in checked.items():
        object.__setattr__(thing, name, value)


def _is_whole(value: Any) -> bool:
    return _as_float(value).is_integer()


def _as_float(value: Any) -> float:
    """Return a real number as a float, and NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf
