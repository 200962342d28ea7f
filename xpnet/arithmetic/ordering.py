"""Largest, smallest and sign: what never rounds, but for the sign of zeros.

Libraries disagree whether the larger of -0 and +0 is the first, the second or +0; adding +0 makes +0 of both.
"""

from __future__ import annotations

from typing import Any

from xpnet.arithmetic.kinds import check_kinds
from xpnet.arithmetic.rounding import is_floating

Array = Any
Axis = int | tuple[int, ...] | None


def positive_zero(xp: Any, x: Array) -> Array:
    """Return floating-point numbers with +0 in place of -0; others as they are.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of any dtype.

    Returns
    -------
    array
        Of the same dtype and shape.
    """
    return x + 0.0 if is_floating(xp, x) else x


def larger(xp: Any, a: Array | float, b: Array | float, /) -> Array:
    """Return the larger of each two elements; NaN where one of the two is.

    Parameters
    ----------
    xp : namespace
        The array library's.
    a, b : array or float
        At least one is an array.

    Returns
    -------
    array
        Zeros are +0.
    """
    check_kinds(xp, "maximum", a, b)
    return positive_zero(xp, xp.maximum(a, b))


def smaller(xp: Any, a: Array | float, b: Array | float, /) -> Array:
    """Return the smaller of each two elements; NaN where one of the two is.

    Parameters
    ----------
    xp : namespace
        The array library's.
    a, b : array or float
        At least one is an array.

    Returns
    -------
    array
        Zeros are +0.
    """
    check_kinds(xp, "minimum", a, b)
    return positive_zero(xp, xp.minimum(a, b))


def largest(xp: Any, x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the largest element along axes; NaN where one is among them.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of a real dtype.
    axis : int, tuple of int or None, optional
        Along what; everything where omitted.
    keepdims : bool, optional
        Whether `axis` stays, with length 1.

    Returns
    -------
    array
        Zeros are +0.
    """
    return positive_zero(xp, xp.max(x, axis=axis, keepdims=keepdims))


def smallest(xp: Any, x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the smallest element along axes; NaN where one is among them.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of a real dtype.
    axis : int, tuple of int or None, optional
        Along what; everything where omitted.
    keepdims : bool, optional
        Whether `axis` stays, with length 1.

    Returns
    -------
    array
        Zeros are +0.
    """
    return positive_zero(xp, xp.min(x, axis=axis, keepdims=keepdims))


def sign(xp: Any, x: Array, /) -> Array:
    """Return 1 for positive numbers, -1 for negative ones, 0 for zeros and NaN for NaN.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of a real dtype.

    Returns
    -------
    array
        Zeros are +0.
    """
    return positive_zero(xp, xp.sign(x))
