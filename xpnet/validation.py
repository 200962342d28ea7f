"""Checks of what users hand in, before any of it is computed with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xpnet.errors import InvalidInputError, unknown_name

Array = Any

DTYPES = ("float32", "float64")


def check_dtype(name: str) -> str:
    """Return the name of a dtype that networks compute in, or raise `InvalidInputError`."""
    if str(name) not in DTYPES:
        raise unknown_name("dtype", name, DTYPES)
    return str(name)


def check_sizes(sizes: Sequence[int]) -> list[int]:
    """Return layer sizes, inputs first and outputs last, or raise `InvalidInputError`."""
    if len(sizes) < 2 or any(isinstance(n, bool) or int(n) != n or n < 1 for n in sizes):
        raise InvalidInputError(
            f"sizes must be at least two positive integers, inputs first and classes last, not {list(sizes)}"
        )
    return [int(n) for n in sizes]


def check_number(name: str, value: float, low: float, high: float = math.inf) -> float:
    """Return a finite number ``low <= value <= high``, or raise `InvalidInputError` naming the argument."""
    if not (math.isfinite(value) and low <= value <= high):
        bounds = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
        raise InvalidInputError(f"{name} must be a finite number, {bounds}, not {value}")
    return float(value)


def check_count(name: str, value: int, low: int = 1) -> int:
    """Return a whole number of at least ``low``, or raise `InvalidInputError` naming the argument."""
    if isinstance(value, bool) or int(value) != value or value < low:
        raise InvalidInputError(f"{name} must be a whole number of at least {low}, not {value!r}")
    return int(value)


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
        if xp.isdtype(t.dtype, "real floating") and not bool(xp.all(xp.isfinite(t))):
            raise InvalidInputError("t contains NaN or infinity")
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
