"""Vector-Jacobian products of sums, means, products, extremes and what else runs along axes.

Of equal largest or smallest elements each has an equal share of the gradient, as in PyTorch's `amax`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Array = Any
Pull = Callable[[Array], Array]
Axis = int | tuple[int, ...] | None


def axes_of(ndim: int, axis: Axis) -> tuple[int, ...]:
    """Return axes as numbers from 0.

    Examples
    --------
    >>> axes_of(3, -1), axes_of(2, None)
    ((2,), (0, 1))
    """
    every = range(ndim)
    if axis is None:
        return tuple(every)
    return tuple(every[i] for i in (axis if isinstance(axis, tuple) else (axis,)))


def kept_shape(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """Return a shape with length 1 along axes, as a reduction with ``keepdims`` leaves it."""
    axes = axes_of(len(shape), axis)
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def spreading(xp: Any, x: Array, axis: Axis, keepdims: bool) -> Pull:
    """Return what brings the result of a reduction of ``x`` to a shape that broadcasts with ``x``."""
    axes = axes_of(x.ndim, axis)
    if keepdims or sorted(axes) == list(range(len(axes))):  # leading axes are added by themselves
        return _identity
    shape = kept_shape(x.shape, axis)
    return lambda g: xp.reshape(g, shape)


def _identity(g: Array) -> Array:
    return g


def _count(x: Array, axis: Axis) -> int:
    return math.prod(x.shape[i] for i in axes_of(x.ndim, axis))


def _sum(xp: Any, y: Array, x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Pull:
    return spreading(xp, x, axis, keepdims)


def _mean(xp: Any, y: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Pull:
    spread, share = spreading(xp, x, axis, keepdims), 1.0 / max(_count(x, axis), 1)
    return lambda g: spread(g * share)


def _var(
    xp: Any, y: Array, x: Array, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Pull:
    spread, free = spreading(xp, x, axis, keepdims), _count(x, axis) - correction
    share = 2.0 / free if free else math.inf
    return lambda g: spread(g * share) * (x - xp.mean(x, axis=axis, keepdims=True))


def _std(xp: Any, y: Array, x: Array, **settings: Any) -> Pull:
    """Go through the root of the variance; of equal elements the gradient is taken to be 0."""
    through = _var(xp, y, x, **settings)

    def pull(g: Array) -> Array:
        still = y == 0
        return through(xp.where(still, 0.0, xp.divide(g * 0.5, xp.where(still, 1.0, y))))

    return pull


def _extreme(xp: Any, y: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Pull:
    spread = spreading(xp, x, axis, keepdims)

    def pull(g: Array) -> Array:
        hits = x == spread(y)
        shares = xp.sum(xp.astype(hits, x.dtype), axis=axis, keepdims=True)
        return xp.where(hits, xp.divide(spread(g), shares), 0.0)

    return pull


def _prod(xp: Any, y: Array, x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Pull:
    """Multiply by the product of all the others, which needs no division by zero."""
    spread, axes, count = spreading(xp, x, axis, keepdims), axes_of(x.ndim, axis), _count(x, axis)
    order = (*(i for i in range(x.ndim) if i not in axes), *axes)

    def pull(g: Array) -> Array:
        last = xp.permute_dims(x, order)
        rows = xp.reshape(last, (*last.shape[: x.ndim - len(axes)], count))
        others = _before(xp, rows) * xp.flip(_before(xp, xp.flip(rows, axis=-1)), axis=-1)
        return spread(g) * xp.permute_dims(xp.reshape(others, last.shape), inverse(order))

    return pull


def _before(xp: Any, rows: Array) -> Array:
    """Return for each element the product of those before it in its row."""
    return xp.cumulative_prod(rows, axis=-1, include_initial=True)[..., :-1]


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """Return the permutation that undoes another.

    Examples
    --------
    >>> inverse((2, 0, 1))
    (1, 2, 0)
    """
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def _cumulative_sum(
    xp: Any, y: Array, x: Array, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Pull:
    last = 0 if axis is None else axis

    def pull(g: Array) -> Array:
        g = _without_initial(g, last) if include_initial else g
        return xp.flip(xp.cumulative_sum(xp.flip(g, axis=last), axis=last), axis=last)

    return pull


def _without_initial(g: Array, axis: int) -> Array:
    return g[(slice(None),) * axes_of(g.ndim, axis)[0] + (slice(1, None), ...)]


def _cumulative_prod(
    xp: Any, y: Array, x: Array, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Pull:
    """Add up for each element the products that contain it, of all their other elements.

    It takes memory by the square of the axis, and is right at zeros, where a division by ``x`` is not.
    """
    last = 0 if axis is None else axis

    def pull(g: Array) -> Array:
        g = _without_initial(g, last) if include_initial else g
        g, rows = (xp.expand_dims(xp.moveaxis(a, last, -1), axis=-2) for a in (g, x))
        one = xp.eye(x.shape[last], dtype=x.dtype, device=getattr(x, "device", None))
        others = xp.cumulative_prod(xp.where(one == 1.0, 1.0, rows), axis=-1)  # row i without element i
        return xp.moveaxis(xp.sum(xp.triu(g * others), axis=-1), -1, last)

    return pull


RULES: dict[str, tuple[Any, ...]] = {
    "cumulative_prod": (_cumulative_prod,),
    "cumulative_sum": (_cumulative_sum,),
    "max": (_extreme,),
    "mean": (_mean,),
    "min": (_extreme,),
    "prod": (_prod,),
    "std": (_std,),
    "sum": (_sum,),
    "var": (_var,),
}
