"""Largest, smallest and conversion: what never rounds differently, but for zeros and subnormal numbers.

Libraries disagree whether the larger of -0 and +0 is the first, the second or +0; adding +0 makes +0 of
both. They disagree whether a subnormal float32 survives a conversion; here it becomes +0.
"""

from __future__ import annotations

from typing import Any

from xpnet.arithmetic.rounding import flush, is_floating, round_to, smallest_normal, to_double

Array = Any
Axis = int | tuple[int, ...] | None


def _positive_zero(xp: Any, x: Array) -> Array:
    """Return floating-point numbers with +0 in place of -0; others as they are."""
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
    return _positive_zero(xp, xp.maximum(a, b))


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
    return _positive_zero(xp, xp.minimum(a, b))


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
    return _positive_zero(xp, xp.max(x, axis=axis, keepdims=keepdims))


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
    return _positive_zero(xp, xp.min(x, axis=axis, keepdims=keepdims))


def astype(xp: Any, x: Array, dtype: Any, /, **options: Any) -> Array:
    """Convert to another dtype, from float32 to float64 or back without subnormal numbers.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of any dtype.
    dtype : dtype
        The one wanted.
    **options
        ``copy`` and ``device``, for the library.

    Returns
    -------
    array of `dtype`
        Rounded to nearest.
    """
    if is_floating(xp, x) and x.dtype != dtype and dtype in (xp.float32, xp.float64):
        return round_to(xp, flush(xp, to_double(xp, x), smallest_normal(xp, x)), dtype)
    return xp.astype(x, dtype, **options)
