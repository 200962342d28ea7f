"""Into float64 and out of it: every exact function computes in float64 and rounds once, at its end."""

from __future__ import annotations

from typing import Any

from xpnet.errors import InvalidInputError

Array = Any

SMALLEST_NORMAL = 2.0**-1022
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
    if x.dtype == xp.float32:
        x = xp.where(xp.abs(x) <= SMALLEST_NORMAL_FLOAT32, xp.zeros_like(x), x)
    elif x.dtype not in (xp.uint8, xp.int8):
        raise InvalidInputError(
            f"exact arithmetic computes in float64 and float32, not in {x.dtype}: convert the array first"
        )
    return xp.astype(x, xp.float64)


def flush(xp: Any, x: Array) -> Array:
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
    return xp.where(xp.abs(x) <= SMALLEST_NORMAL, xp.zeros_like(x), x)


def round_to(xp: Any, x: Array, dtype: Any) -> Array:
    """Return a float64 array in another floating-point dtype, rounded once, to nearest, without subnormal numbers.

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
    if dtype == xp.float64:
        return x
    return xp.astype(xp.where(xp.abs(x) <= SMALLEST_NORMAL_FLOAT32, xp.zeros_like(x), x), xp.float32)


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
