"""Into float64 and out of it: every exact function computes in float64 and rounds once, at its end."""

from __future__ import annotations

from typing import Any

from xpnet.errors import InvalidInputError

Array = Any

MANTISSA = 53
"""Bits of a float64's mantissa, the leading one included."""
SMALLEST_NORMAL = 2.0**-1022
"""Smaller float64 numbers are subnormal."""
SMALLEST_NORMAL_FLOAT32 = 2.0**-126


def is_floating(xp: Any, x: Array) -> bool:
    """Tell whether an array is float64 or float32.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of any dtype.

    Returns
    -------
    bool
        Known from the dtype alone.
    """
    return x.dtype == xp.float64 or x.dtype == xp.float32


def to_double(xp: Any, x: Array) -> Array:
    """Return a floating-point array, or one of 8-bit integers, as float64; a float64 array as it is.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64, float32, uint8 or int8
        All of whose values are float64 numbers.

    Returns
    -------
    array of float64
        The same values.

    Raises
    ------
    InvalidInputError
        For any other dtype.
    """
    if x.dtype == xp.float64:
        return x
    if x.dtype not in (xp.float32, xp.uint8, xp.int8):
        raise InvalidInputError(
            f"exact arithmetic computes in float64 and float32, not in {x.dtype}: convert the array first"
        )
    return xp.astype(x, xp.float64)


def smallest_normal(xp: Any, x: Array) -> float:
    """Return the smallest normal number of an array's dtype.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64 or float32
        Only its dtype matters.

    Returns
    -------
    float
        2^-1022 or 2^-126.
    """
    return SMALLEST_NORMAL_FLOAT32 if x.dtype == xp.float32 else SMALLEST_NORMAL


def flush(xp: Any, x: Array, smallest: float = SMALLEST_NORMAL) -> Array:
    """Return a float64 array with +0 in place of -0 and of what is not above the smallest normal number.

    XLA on the CPU takes subnormal numbers for zeros, NumPy and PyTorch compute with them. The explicit
    comparison makes zeros of them everywhere, and of the smallest normal number too, because a result may
    become that one by being rounded as a subnormal number.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64
        Any values; infinities and NaN pass.
    smallest : float, optional
        The smallest normal number of the dtype that the values come from or go to.

    Returns
    -------
    array of float64
        Of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> flush(np, np.asarray([1e-310, -0.0, 2.5])).tolist()
    [0.0, 0.0, 2.5]
    """
    return xp.where(xp.abs(x) <= smallest, 0.0, x)


def round_to(xp: Any, x: Array, dtype: Any) -> Array:
    """Return a float64 array in another floating-point dtype, rounded once, without subnormal numbers.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64
        What was computed.
    dtype : dtype
        ``xp.float64``, which returns `x` as it is, or ``xp.float32``.

    Returns
    -------
    array of `dtype`
        Of the same shape.
    """
    return x if dtype == xp.float64 else xp.astype(flush(xp, x, SMALLEST_NORMAL_FLOAT32), dtype)


def floating_dtype(xp: Any, *arrays: Array) -> Any:
    """Return the dtype of a result: float32 where every floating-point array is, else float64.

    Parameters
    ----------
    xp : namespace
        The array library's.
    *arrays : array
        The operands; at least one is floating point.

    Returns
    -------
    dtype
        ``xp.float32`` or ``xp.float64``.
    """
    return xp.float64 if any(x.dtype == xp.float64 for x in arrays) else xp.float32
