"""Checks of what users hand in, before any of it is computed with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from numbers import Real
from typing import Any

from xpnet.errors import InvalidInputError, unknown_name

Array = Any

_MOST_WEIGHTS = 2**36  # 256 GB in float32

DTYPES = ("float32", "float64")

_ROUNDING = 1e-3
"""Rows of probabilities may be so far from adding up to 1."""


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
    weights = sum(int(a) * int(b) for a, b in pairwise(sizes))
    if weights > _MOST_WEIGHTS:
        raise InvalidInputError(f"sizes {sizes!r} make {weights:.1e} weights, more than any memory holds")
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


def check_numeric(xp: Any, name: str, array: Array) -> Array:
    """Return an array of numbers or truth values, or raise `InvalidInputError` naming the argument."""
    if not xp.isdtype(array.dtype, ("bool", "integral", "real floating")):
        raise InvalidInputError(f"{name} must be an array of real numbers, not one of dtype {array.dtype}")
    return array


def check_inputs(xp: Any, x: Array, features: int) -> Array:
    """Return samples as rows, ``(batch, features)``, or raise `InvalidInputError`.

    Images ``(batch, rows, columns)`` are flattened.
    """
    if x.ndim > 2 and math.prod(x.shape[1:]) == features:
        x = xp.reshape(x, (x.shape[0], features))
    if x.ndim != 2 or x.shape[1] != features:
        hint = f"; for one sample, give x[None, :] of shape (1, {features})" if x.ndim == 1 else ""
        raise InvalidInputError(
            f"x must have the shape (batch, {features}): one sample a row, as many columns as the network"
            f" has inputs; it has the shape {tuple(x.shape)}{hint}"
        )
    if x.shape[0] == 0:
        raise InvalidInputError("x is empty: there must be at least one sample")
    if xp.isdtype(x.dtype, "real floating") and not bool(xp.all(xp.isfinite(x))):
        raise InvalidInputError(
            f"x contains NaN, infinity or numbers beyond {x.dtype}: clean the data, or fill what is missing"
        )
    return x


def check_targets(xp: Any, t: Array, samples: int, classes: int) -> Array:
    """Return labels ``(batch,)`` or rows ``(batch, classes)``, or raise `InvalidInputError`."""
    if t.ndim == 2 and t.shape == (samples, classes):
        return t
    if t.ndim != 1 or t.shape[0] != samples:
        raise InvalidInputError(
            f"t must have the shape ({samples},), a label for each sample of x, or ({samples}, {classes}),"
            f" a one-hot row for each; it has the shape {tuple(t.shape)}"
        )
    if not xp.isdtype(t.dtype, "integral"):
        raise InvalidInputError(
            f"labels must be integers, not {t.dtype}; for one-hot rows give {classes} columns"
        )
    low, high = int(xp.min(t)), int(xp.max(t))
    if low < 0 or high >= classes:
        raise InvalidInputError(
            f"labels must lie between 0 and {classes - 1}, the network has {classes} outputs;"
            f" these run from {low} to {high}"
        )
    return t


def check_rows(xp: Any, t: Array, loss: str) -> Array:
    """Return finite rows ``(batch, classes)``, or raise `InvalidInputError`.

    The cross-entropy's gradient, softmax minus targets, is right for rows that add up to 1 alone.
    """
    if not bool(xp.all(xp.isfinite(t))):
        raise InvalidInputError("t contains NaN or infinity")
    if loss == "softmax_cross_entropy" and bool(xp.any(xp.abs(xp.sum(t, axis=1) - 1.0) > _ROUNDING)):
        raise InvalidInputError(
            "each row of t must add up to 1, as one-hot rows and probabilities do;"
            " for other target values give loss='mean_squared_error' to the network"
        )
    return t
