"""Conversion to another dtype, where libraries and processors part.

They disagree whether a subnormal float32 survives; here it becomes +0. Beyond the range of an integer dtype C
leaves the result open: x86 gives the least integer, XLA and ARM the nearest one. Here it is the nearest one,
and 0 for NaN.
"""

from __future__ import annotations

from typing import Any

from xpnet.arithmetic.rounding import flush, is_floating, round_to, smallest_normal, to_double

Array = Any

RANGES = {f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)}
RANGES |= {f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)}
"""The least and the greatest integer of each dtype."""
LARGEST = {"int64": 2.0**63 - 2.0**10, "uint64": 2.0**64 - 2.0**11}
"""The greatest float64 that is in range, where the greatest integer is no float64."""


def astype(xp: Any, x: Array, dtype: Any, /, **options: Any) -> Array:
    """Convert to another dtype.

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
        Floating-point numbers rounded to nearest, without subnormal numbers. Integers made of them are cut
        towards 0 and to the range of the dtype, NaN is 0; as booleans all but zeros are true.

    Examples
    --------
    >>> import numpy as np
    >>> astype(np, np.asarray([-1.5, 300.0, np.nan]), np.uint8).tolist()
    [0, 255, 0]
    """
    if not is_floating(xp, x) or x.dtype == dtype:
        return xp.astype(x, dtype, **options)
    if dtype in (xp.float32, xp.float64):
        return round_to(xp, _without_subnormals(xp, x), dtype)
    if xp.isdtype(dtype, "integral"):
        return _to_integers(xp, to_double(xp, x), dtype)
    if xp.isdtype(dtype, "bool"):
        return _without_subnormals(xp, x) != 0.0
    return xp.astype(x, dtype, **options)


def _without_subnormals(xp: Any, x: Array) -> Array:
    """Return a floating-point array as float64, without the subnormal numbers of its own dtype."""
    return flush(xp, to_double(xp, x), smallest_normal(xp, x))


def _to_integers(xp: Any, x: Array, dtype: Any) -> Array:
    """Convert float64 to the nearest integers of a dtype."""
    name = next(name for name in RANGES if getattr(xp, name, None) == dtype)
    least, most = RANGES[name]
    largest = LARGEST.get(name, float(most))
    whole = xp.astype(xp.minimum(xp.maximum(xp.where(xp.isnan(x), 0.0, x), float(least)), largest), dtype)
    return xp.where(x > largest, xp.full_like(whole, most), whole) if name in LARGEST else whole
