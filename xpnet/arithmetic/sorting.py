"""Order: ties stay as they were, NaN is above everything, zeros are +0 and positions int64.

Built from the ascending stable sort alone, on whose result all libraries agree.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.arithmetic.ordering import positive_zero
from xpnet.arithmetic.rounding import is_floating

Array = Any


def sort(xp: Any, x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """Return the elements in order along an axis.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of a real dtype.
    axis : int, default -1
        Along which to sort.
    descending : bool, default False
        Whether the largest comes first; NaN before it.
    stable : bool, default True
        Makes no difference: what compares equal is equal.

    Returns
    -------
    array

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> sort(np, np.asarray([2.0, -0.0, 3.0]), descending=True).tolist()
    [3.0, 2.0, 0.0]
    """
    ascending = xp.sort(positive_zero(xp, x), axis=axis)
    return xp.flip(ascending, axis=axis) if descending else ascending


def argmax(xp: Any, x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the position of the largest element along an axis: the first of several, NaN above everything.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of a real dtype.
    axis : int or None, optional
        Along which; of the flat array where omitted.
    keepdims : bool, default False
        Whether `axis` stays, with length 1.

    Returns
    -------
    array of the library's default integer dtype

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> int(argmax(np, np.asarray([1.0, np.nan, 3.0])))
    1
    """
    return _first(xp, x, xp.argmax(x, axis=axis, keepdims=keepdims), axis, keepdims)


def argmin(xp: Any, x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the position of the smallest element along an axis: the first of several; of NaN where one is.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of a real dtype.
    axis : int or None, optional
        Along which; of the flat array where omitted.
    keepdims : bool, default False
        Whether `axis` stays, with length 1.

    Returns
    -------
    array of the library's default integer dtype

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> int(argmin(np, np.asarray([1.0, 0.0, 3.0])))
    1
    """
    return _first(xp, x, xp.argmin(x, axis=axis, keepdims=keepdims), axis, keepdims)


def _first(xp: Any, x: Array, found: Array, axis: int | None, keepdims: bool) -> Array:
    """Return the position of the first NaN where there is one, which CuPy passes over."""
    if not is_floating(xp, x):
        return found
    missing = xp.isnan(x)
    first = xp.argmax(xp.astype(missing, xp.int32), axis=axis, keepdims=keepdims)
    return xp.where(xp.any(missing, axis=axis, keepdims=keepdims), first, found)


def argsort(xp: Any, x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """Return the positions that put an array in order along an axis, ties as they were.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        Of a real dtype.
    axis : int, default -1
        Along which to sort.
    descending : bool, default False
        Whether the largest comes first; NaN before it.
    stable : bool, default True
        Makes no difference: where ties may lie anywhere, each library has its own place for them.

    Returns
    -------
    array of int64

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> argsort(np, np.asarray([2, 3, 3]), descending=True).tolist()
    [1, 2, 0]
    """
    numbers = positive_zero(xp, x)
    if not descending:
        return xp.astype(xp.argsort(numbers, axis=axis, stable=True), xp.int64)
    backwards = xp.argsort(xp.flip(numbers, axis=axis), axis=axis, stable=True)
    return (x.shape[axis] - 1) - xp.astype(xp.flip(backwards, axis=axis), xp.int64)


def searchsorted(
    xp: Any, x1: Array, x2: Array, /, *, side: str = "left", sorter: Array | None = None
) -> Array:
    """Return where numbers belong in a sorted array.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x1 : array of one axis
        Sorted, NaN at its end.
    x2 : array
        What to look for.
    side : {"left", "right"}, default "left"
        Before or behind what is equal.
    sorter : array of integers, optional
        What puts `x1` in order.

    Returns
    -------
    array of int64
        Of the shape of `x2`.

    Examples
    --------
    >>> import numpy as np
    >>> searchsorted(np, np.asarray([1.0, 2.0, np.nan]), np.asarray([2.0, np.nan])).tolist()
    [1, 2]
    """
    ordered = x1 if sorter is None else xp.take(x1, sorter, axis=0)
    if not is_floating(xp, x1):
        return xp.astype(xp.searchsorted(ordered, x2, side=side), xp.int64)
    # NaN is looked for, and stands in the array, as an infinity that is counted apart.
    missing, unknown = xp.isnan(ordered), xp.isnan(x2)
    numbers = xp.astype(xp.count_nonzero(xp.logical_not(missing)), xp.int64)
    found = xp.searchsorted(xp.where(missing, math.inf, ordered), xp.where(unknown, math.inf, x2), side=side)
    place = xp.minimum(xp.astype(found, xp.int64), numbers)
    return xp.where(unknown, numbers if side == "left" else x1.shape[0], place)
