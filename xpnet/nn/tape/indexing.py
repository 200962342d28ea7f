"""Vector-Jacobian products of what picks elements.

The standard has no way to add up into rows by number. Of slices the gradient is laid between zeros; of rows
that are taken it is a product with rows of zeros and ones, which costs memory by rows taken times rows there,
adds up exactly in exact arithmetic, and is computed by BLAS elsewhere. An infinite gradient makes NaN of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xpnet.errors import InvalidInputError

Array = Any
Pull = Callable[[Array], Array]


def is_mask(part: Any) -> bool:
    """Tell whether part of a key chooses by truth values."""
    return isinstance(part, bool) or (hasattr(part, "dtype") and "bool" in str(part.dtype))


def has_arrays(part: Any) -> bool:
    """Tell whether part of a key is an array of row numbers."""
    return hasattr(part, "dtype") and hasattr(part, "ndim")


def gather(xp: Any, x: Array, key: tuple[Any, ...]) -> Array:
    """Return elements by arrays of numbers, as `take` along the axes that they stand for, the first ones.

    Parameters
    ----------
    xp : namespace
        A tape.
    x : array
        From where.
    key : tuple
        Integers and integer arrays, of shapes that broadcast; after them ``...`` or full slices.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> gather(np, np.asarray([[1.0, 2.0], [3.0, 4.0]]), (np.asarray([1, 0, 1]), 0)).tolist()
    [3.0, 1.0, 3.0]
    """
    places = [part for part in key if has_arrays(part) or hasattr(part, "__index__")]
    rest = key[len(places) :]
    plain = all(part is Ellipsis or (isinstance(part, slice) and part == slice(None)) for part in rest)
    if not plain or any(part is not place for part, place in zip(key, places, strict=False)):
        raise InvalidInputError(
            "the tape takes arrays of numbers as the first parts of a key alone, x[i] and x[i, j]: for others"
            " take slices first, or call xp.take along an axis"
        )
    number: Any = 0
    for place, n in zip(places, x.shape, strict=False):
        number = number * n + (_from_start(xp, place, n) if has_arrays(place) else range(n)[place])
    shape, left = tuple(number.shape), tuple(x.shape[len(places) :])
    rows = xp.reshape(x, (math.prod(x.shape[: len(places)]), *left))
    return xp.reshape(xp.take(rows, xp.reshape(number, (-1,)), axis=0), (*shape, *left))


def _from_start(xp: Any, numbers: Array, n: int) -> Array:
    """Return row numbers that count from the start, where some count from the end."""
    return xp.where(numbers < 0, numbers + n, numbers)


def scattered(xp: Any, g: Array, indices: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Return zeros of a shape, with gradients added along an axis at the places that they were taken from.

    Parameters
    ----------
    xp : namespace
        What computes.
    g : array
        As the shape, but for the axis, which has one entry or more for each of the indices.
    indices : array of int, shape (taken,)
        The places.
    shape : tuple of int
        Of the result.
    axis : int
        From 0.

    Examples
    --------
    >>> import numpy as np
    >>> scattered(np, np.asarray([1.0, 2.0, 4.0]), np.asarray([0, 2, 0]), (3,), 0)
    array([5., 0., 2.])
    """
    n, before, after = shape[axis], math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    taken = math.prod(indices.shape)
    hits = xp.expand_dims(_numbers(xp, n, indices), axis=1) == _from_start(
        xp, xp.reshape(indices, (1, taken)), n
    )
    parts = xp.reshape(g, (taken, after) if before == 1 else (before, taken, after))
    return xp.reshape(xp.matmul(xp.astype(hits, g.dtype), parts), shape)


def _numbers(xp: Any, n: int, indices: Array) -> Array:
    # Arrays under JAX's tracer have no device; what they are combined with settles it.
    return xp.arange(n, dtype=indices.dtype, device=getattr(indices, "device", None))


def _take(xp: Any, y: Array, x: Array, indices: Array, axis: int | None = None) -> Pull:
    shape = tuple(x.shape)
    place = 0 if axis is None else range(len(shape))[axis]
    return lambda g: scattered(xp, g, indices, shape, place)


def _take_along_axis(xp: Any, y: Array, x: Array, indices: Array, axis: int = -1) -> Pull:
    """Compare each place with each index; a single index needs no sum."""
    n = x.shape[axis]

    def pull(g: Array) -> Array:
        rows, g = (xp.moveaxis(a, axis, -1) for a in (_from_start(xp, indices, n), g))
        numbers = _numbers(xp, n, indices)
        if rows.shape[-1] == 1:
            return xp.moveaxis(xp.where(rows == numbers, g, 0.0), -1, axis)
        hits = xp.expand_dims(rows, axis=-1) == numbers
        return xp.moveaxis(xp.sum(xp.where(hits, xp.expand_dims(g, axis=-1), 0.0), axis=-2), -1, axis)

    return pull


def _sort(xp: Any, y: Array, x: Array, axis: int = -1, **settings: Any) -> Pull:
    """Put each gradient back where its element came from: by the inverse of the order."""

    def pull(g: Array) -> Array:
        order = xp.argsort(x, axis=axis, **settings)
        return xp.take_along_axis(g, xp.argsort(order, axis=axis), axis=axis)

    return pull


def _getitem(xp: Any, y: Array, x: Array, key: Any) -> Pull:
    """Lay the gradient between zeros, axis by axis."""
    shape = tuple(x.shape)
    ranges = _ranges(shape, key if isinstance(key, tuple) else (key,))

    def pull(g: Array) -> Array:
        g = xp.reshape(g, tuple(len(chosen) for chosen in ranges))
        for axis, (chosen, n) in enumerate(zip(ranges, shape, strict=True)):
            if chosen != range(n):
                g = _between_zeros(xp, g, axis, chosen, n)
        return g

    return pull


def _ranges(shape: tuple[int, ...], key: tuple[Any, ...]) -> list[range]:
    """Return for each axis which elements a key of integers, slices, None and ``...`` chooses."""
    parts = [part for part in key if part is not None]
    if Ellipsis not in parts:
        parts.append(Ellipsis)
    place = parts.index(Ellipsis)
    full = [slice(None)] * (len(shape) - len(parts) + 1)
    every = zip((*parts[:place], *full, *parts[place + 1 :]), map(range, shape), strict=True)
    return [numbers[part] if isinstance(part, slice) else _alone(numbers[part]) for part, numbers in every]


def _alone(number: int) -> range:
    return range(number, number + 1)


def _between_zeros(xp: Any, g: Array, axis: int, chosen: range, n: int) -> Array:
    """Return an axis of ``n`` elements, zeros but for those chosen."""
    if not chosen:
        return _zeros(xp, g, axis, n)
    if chosen.step < 0:
        g, chosen = xp.flip(g, axis=axis), chosen[::-1]
    if len(chosen) > 1 and chosen.step > 1:
        apart = xp.expand_dims(g, axis=axis + 1)
        apart = xp.concat([apart, _zeros(xp, apart, axis + 1, chosen.step - 1)], axis=axis + 1)
        shape = tuple(g.shape)
        apart = xp.reshape(apart, (*shape[:axis], shape[axis] * chosen.step, *shape[axis + 1 :]))
        g = apart[(slice(None),) * axis + (slice(None, chosen[-1] - chosen[0] + 1), ...)]
    around = (_zeros(xp, g, axis, chosen[0]), g, _zeros(xp, g, axis, n - 1 - chosen[-1]))
    return xp.concat([part for part in around if part.shape[axis]], axis=axis)


def _zeros(xp: Any, g: Array, axis: int, n: int) -> Array:
    shape = (*g.shape[:axis], n, *g.shape[axis + 1 :])
    return xp.zeros(shape, dtype=g.dtype, device=getattr(g, "device", None))


RULES: dict[str, tuple[Any, ...]] = {
    "getitem": (_getitem,),
    "sort": (_sort,),
    "take": (_take,),
    "take_along_axis": (_take_along_axis,),
}
