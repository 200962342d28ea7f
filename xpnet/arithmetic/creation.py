"""Arrays made of Python numbers: the dtype and the values that libraries choose each in their own way.

Where no dtype is given, floating-point numbers are float64, integers int64. PyTorch would take float32.
`empty` is filled with zeros, since what else it holds is left to chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from xpnet.arithmetic.kinds import default_dtype
from xpnet.errors import InvalidInputError

Array = Any
Shape = int | tuple[int, ...]


def arange(
    xp: Any,
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: Any = None,
) -> Array:
    """Return numbers at equal distances.

    Libraries do not agree on fractions: here number i is ``start + i * step``, computed on the host in
    float64 and rounded once more where `dtype` is float32.

    Parameters
    ----------
    xp : namespace
        The array library's.
    start, stop : int or float
        The first number, and the end, which is not reached; from 0 where only one is given.
    step : int or float, default 1
        The distance.
    dtype : dtype, optional
        Int64 where omitted and all three are integers, else float64.
    device : device, optional
        Where to make it.

    Returns
    -------
    array of one axis

    Raises
    ------
    InvalidInputError
        Where integers are asked for with fractions, or the step is 0.

    Examples
    --------
    >>> import numpy as np
    >>> arange(np, 0, 1, 0.25).tolist()
    [0.0, 0.25, 0.5, 0.75]
    """
    first, end = (0, start) if stop is None else (start, stop)
    if not step:
        raise InvalidInputError("arange needs a step other than 0")
    natural = default_dtype(xp, first, end, step, 0)
    wanted = natural if dtype is None else dtype
    if natural == xp.int64:
        return xp.arange(first, end, step, dtype=wanted, device=device)
    if not xp.isdtype(wanted, "real floating"):
        raise InvalidInputError(
            f"exact arithmetic: arange by fractions gives no {wanted}: convert with astype"
        )
    count = max(math.ceil((end - first) / step), 0)
    numbers = xp.asarray([first + i * step for i in range(count)], dtype=xp.float64, device=device)
    return xp.astype(numbers, wanted, copy=False)


def asarray(xp: Any, obj: Any, /, *, dtype: Any = None, **options: Any) -> Array:
    """Return an array of what is given.

    Parameters
    ----------
    xp : namespace
        The array library's.
    obj : array, Python number or nested sequence of them
        What it holds.
    dtype : dtype, optional
        Of Python numbers bool, int64 or float64 where omitted; of arrays their own.
    **options
        ``copy`` and ``device``, for the library.

    Returns
    -------
    array

    Examples
    --------
    >>> import numpy as np
    >>> asarray(np, [1, 2.5]).dtype
    dtype('float64')
    """
    if dtype is None:
        leaves = list(_leaves(obj))
        if all(type(leaf) in (bool, int, float) for leaf in leaves):
            dtype = default_dtype(xp, *leaves) if leaves else xp.float64
    return xp.asarray(obj, dtype=dtype, **options)


def full(xp: Any, shape: Shape, fill_value: float, *, dtype: Any = None, device: Any = None) -> Array:
    """Return an array of one number.

    Parameters
    ----------
    xp : namespace
        The array library's.
    shape : int or tuple of int
        Its lengths.
    fill_value : bool, int or float
        The number.
    dtype : dtype, optional
        Where omitted, bool, int64 or float64 as the number is.
    device : device, optional
        Where to make it.

    Returns
    -------
    array

    Examples
    --------
    >>> import numpy as np
    >>> full(np, 2, 0.5).tolist()
    [0.5, 0.5]
    """
    wanted = dtype or getattr(fill_value, "dtype", None) or default_dtype(xp, fill_value)
    return xp.full(shape, fill_value, dtype=wanted, device=device)


def eye(xp: Any, rows: int, columns: int | None = None, /, *, dtype: Any = None, **options: Any) -> Array:
    """Return a matrix of zeros with ones on a diagonal; float64 where no dtype is given.

    Parameters
    ----------
    xp : namespace
        The array library's.
    rows, columns : int
        As many columns as rows where omitted.
    dtype : dtype, optional
        Float64 where omitted.
    **options
        ``k`` and ``device``, for the library.

    Returns
    -------
    array, shape (rows, columns)
    """
    return xp.eye(rows, columns, dtype=xp.float64 if dtype is None else dtype, **options)


def ones(xp: Any, shape: Shape, *, dtype: Any = None, device: Any = None) -> Array:
    """Return ones; float64 where no dtype is given.

    Parameters
    ----------
    xp : namespace
        The array library's.
    shape : int or tuple of int
        Its lengths.
    dtype : dtype, optional
        Float64 where omitted.
    device : device, optional
        Where to make it.

    Returns
    -------
    array
    """
    return xp.ones(shape, dtype=xp.float64 if dtype is None else dtype, device=device)


def zeros(xp: Any, shape: Shape, *, dtype: Any = None, device: Any = None) -> Array:
    """Return zeros; float64 where no dtype is given.

    Parameters
    ----------
    xp : namespace
        The array library's.
    shape : int or tuple of int
        Its lengths.
    dtype : dtype, optional
        Float64 where omitted.
    device : device, optional
        Where to make it.

    Returns
    -------
    array
    """
    return xp.zeros(shape, dtype=xp.float64 if dtype is None else dtype, device=device)


def zeros_like(xp: Any, x: Array, /, **options: Any) -> Array:
    """Return zeros of the shape and dtype of an array.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        What they are to be like.
    **options
        ``dtype`` and ``device``, for the library.

    Returns
    -------
    array
    """
    return xp.zeros_like(x, **options)


def _leaves(obj: Any) -> Iterator[Any]:
    """Yield what nested sequences hold."""
    if isinstance(obj, list | tuple):
        for part in obj:
            yield from _leaves(part)
    else:
        yield obj
