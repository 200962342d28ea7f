"""Sums that do not depend on their order, by the splitting that `xpnet.arithmetic.splitting` explains.

Up to 2^20 terms leave 53 - 20 = 33 bits to a slice. Two slices hold what is within 2^67 of the largest term,
hence the error is at most ``k |x| 2**-67`` for k terms of which |x| is the largest magnitude, and the
rounding of the result. More terms leave 29 bits and ``k |x| 2**-59``. That is near the correctly rounded
sum, not always the same: 1 + 2^-53 + 2^-69 comes out as 1. |x| counts as at least 2^-900 (in float32
2^-50): smaller terms than 2^-68 times that count as zero.

More than 2^24 terms are added in blocks, all scaled as the whole. The sum of a block is an integer of at most
53 bits. It is cut into two, which add up exactly over all blocks; the two are added last, rounded once.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.arithmetic.rounding import MANTISSA, round_to, to_double
from xpnet.arithmetic.splitting import slices

Array = Any
Axis = int | tuple[int, ...] | None

FLOOR = -900
"""Magnitudes count as at least 2^FLOOR, so that no result is a subnormal number."""
FLOOR_FLOAT32 = -50
"""Of float32 terms, so that subnormal float32 numbers, 2^-126 and less, are rounded away."""
SUM_RESERVED = 20
"""Bits set aside for the number of terms, where that is at most a million..."""
BLOCK_RESERVED = 24
"""... and where it is more."""
BLOCK = 2**BLOCK_RESERVED
"""More terms are added in blocks of so many."""
HALF = 2.0**27
"""A block's sum is cut here into two integers of 27 bits, which add up exactly for 2^26 blocks."""


def sum(  # noqa: A001
    xp: Any, x: Array, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False
) -> Array:
    """Add up; the same bits everywhere.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        float64 or float32; or integers, or booleans to be counted, added as int64.
    axis : int, tuple of int or None, optional
        What to add up; everything where omitted.
    dtype : dtype, optional
        Of the result; where omitted that of a floating-point `x`, int64 for integers, unsigned ones too.
    keepdims : bool, optional
        Whether `axis` stays, with length 1.

    Returns
    -------
    array
        Within the bound of the module's docstring. With infinities of one sign, that infinity; with
        both or NaN, NaN.

    Raises
    ------
    InvalidInputError
        Where their dtype is neither float64, float32, boolean nor an integer one.

    Examples
    --------
    >>> import numpy as np
    >>> sum(np, np.asarray([1e16, 1.0, -1e16])).tolist()
    1.0
    """
    if xp.isdtype(x.dtype, ("bool", "integral")):
        return _of_integers(xp, x, axis, dtype, keepdims)
    axes = _axes(axis, x.ndim)
    if math.prod(x.shape[i] for i in axes):
        total = _total(xp, x, axes)
    else:
        total = xp.sum(to_double(xp, x), axis=axes, keepdims=True)
    total = total if keepdims else xp.squeeze(total, axis=axes)
    return round_to(xp, total, x.dtype if dtype is None else dtype)


def mean(xp: Any, x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the mean; the same bits everywhere: the sum, times the reciprocal of the number of elements.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64 or float32
        What to average.
    axis : int, tuple of int or None, optional
        Along what; everything where omitted.
    keepdims : bool, optional
        Whether `axis` stays, with length 1.

    Returns
    -------
    array
        Rounded twice more than the sum; float32 only once. NaN where there is nothing to average.

    Raises
    ------
    InvalidInputError
        As `sum`, and for integers.

    Examples
    --------
    >>> import numpy as np
    >>> mean(np, np.asarray([1.0, 2.0, 4.5])).tolist()
    2.5
    """
    double = to_double(xp, x)
    terms = math.prod(x.shape[i] for i in _axes(axis, x.ndim))
    factor = 1.0 / terms if terms else math.nan
    return round_to(xp, sum(xp, double, axis=axis, keepdims=keepdims) * factor, x.dtype)


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """Return the axes to contract."""
    if axis is None:
        return tuple(range(ndim))
    return axis if isinstance(axis, tuple) else (axis,)


def _of_integers(xp: Any, x: Array, axis: Axis, dtype: Any, keepdims: bool) -> Array:
    """Return the sum of integers: the library never rounds those, but has its own dtype for the result."""
    total = xp.sum(xp.astype(x, xp.int64), axis=axis, dtype=xp.int64, keepdims=keepdims)
    return total if dtype is None else xp.astype(total, dtype)


def _total(xp: Any, x: Array, axes: tuple[int, ...]) -> Array:
    """Return the sum in float64 along axes that are not empty and are kept."""
    terms = math.prod(x.shape[i] for i in axes)
    bits = MANTISSA - (SUM_RESERVED if terms <= 2**SUM_RESERVED else BLOCK_RESERVED)
    double = to_double(xp, x)
    top, bottom = xp.max(double, axis=axes, keepdims=True), xp.min(double, axis=axes, keepdims=True)
    floor = FLOOR_FLOAT32 if x.dtype == xp.float32 else FLOOR
    cut, unit = slices(xp, double, xp.maximum(top, -bottom), bits, count=2, floor=floor)
    upper, lower = (_of_slice(xp, part, axes) for part in cut)
    total = (upper + lower * 2.0 ** -(bits + 1)) * unit + 0.0
    return xp.where(xp.isfinite(unit), total, top + bottom)  # top + bottom: what infinities and NaN add up to


def _of_slice(xp: Any, integers: Array, axes: tuple[int, ...]) -> Array:
    """Return the sum of a slice along axes that are kept: exact, or of several blocks rounded once."""
    lengths = [integers.shape[i] for i in axes]
    if math.prod(lengths) <= BLOCK:
        return xp.sum(integers, axis=axes, keepdims=True)
    total = _of_blocks(xp, xp.moveaxis(integers, axes, tuple(range(-len(axes), 0))), math.prod(lengths))
    return xp.reshape(total, _kept(integers.shape, axes))


def _of_blocks(xp: Any, integers: Array, terms: int) -> Array:
    """Return the sum along the last axes, which hold so many terms."""
    rows = xp.reshape(integers, (-1, terms))
    upper = lower = 0.0
    for start in range(0, terms, BLOCK):
        block = xp.sum(rows[:, start : min(start + BLOCK, terms)], axis=1)
        high = xp.round(block * (1.0 / HALF))
        upper, lower = high + upper, (block - high * HALF) + lower
    return upper * HALF + lower  # what blocks the terms lay in does not show: both sums are exact


def _kept(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape with length 1 along axes."""
    contracted = {axis % len(shape) for axis in axes}
    return tuple(1 if i in contracted else n for i, n in enumerate(shape))
