"""Polynomials and log(2), for the exponential functions and the logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Array = Any

LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
"""The first 32 bits of log(2): its product with an integer of 21 bits is exact."""
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
"""log(2) - LN2_HIGH, rounded to float64."""


def polynomial(x: Array, coefficients: Sequence[float]) -> Array:
    """Evaluate a polynomial by Horner's rule.

    Parameters
    ----------
    x : array of float64
        Where.
    coefficients : sequence of float
        At least two, the highest power first.

    Returns
    -------
    array of float64
        Of the same shape.

    Examples
    --------
    >>> polynomial(2.0, [3.0, 2.0, 1.0])
    17.0
    """
    y = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        y = y * x + c
    return y
