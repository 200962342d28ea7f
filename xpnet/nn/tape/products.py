"""Vector-Jacobian products of matrix products and their kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xpnet.nn.tape.reductions import axes_of, inverse

Array = Any
Pull = Callable[[Array], Array]


def _left(xp: Any, y: Array, a: Array, b: Array) -> Pull:
    """Give ``g bᵀ``; a vector is a matrix of one row, or of one column."""
    if b.ndim == 1:
        return lambda g: xp.expand_dims(g, axis=-1) * b
    if a.ndim > 1:
        return lambda g: xp.matmul(g, xp.matrix_transpose(b))
    return lambda g: xp.squeeze(xp.matmul(xp.expand_dims(g, axis=-2), xp.matrix_transpose(b)), axis=-2)


def _right(xp: Any, y: Array, a: Array, b: Array) -> Pull:
    """Give ``aᵀ g``; a vector is a matrix of one row, or of one column."""
    if a.ndim == 1 and b.ndim == 1:
        return lambda g: g * a
    if a.ndim == 1:
        return lambda g: xp.expand_dims(a, axis=-1) * xp.expand_dims(g, axis=-2)
    if b.ndim > 1:
        return lambda g: xp.matmul(xp.matrix_transpose(a), g)
    return lambda g: xp.squeeze(xp.matmul(xp.matrix_transpose(a), xp.expand_dims(g, axis=-1)), axis=-1)


def _pairs(a: Array, b: Array, axes: Any) -> tuple[tuple[list[int], list[int]], tuple[list[int], list[int]]]:
    """Return the contracted axes of `a` and of `b`, and those of each that stay."""
    if isinstance(axes, int):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    ours, theirs = (list(axes_of(x.ndim, tuple(some))) for x, some in zip((a, b), axes, strict=True))
    free = ([i for i in range(x.ndim) if i not in some] for x, some in ((a, ours), (b, theirs)))
    return (ours, theirs), (next(free), next(free))


def _tensordot_left(xp: Any, y: Array, a: Array, b: Array, axes: Any = 2) -> Pull:
    """Contract the gradient with what stays of `b`, and put the axes in their places."""
    (ours, theirs), (kept, others) = _pairs(a, b, axes)
    back = inverse((*kept, *(ours[theirs.index(i)] for i in sorted(theirs))))
    axes = tuple(range(len(kept), y.ndim)), tuple(others)
    return lambda g: xp.permute_dims(xp.tensordot(g, b, axes=axes), back)


def _tensordot_right(xp: Any, y: Array, a: Array, b: Array, axes: Any = 2) -> Pull:
    """Contract what stays of `a` with the gradient, and put the axes in their places."""
    (ours, theirs), (others, kept) = _pairs(a, b, axes)
    back = inverse((*(theirs[ours.index(i)] for i in sorted(ours)), *kept))
    axes = tuple(others), tuple(range(len(others)))
    return lambda g: xp.permute_dims(xp.tensordot(a, g, axes=axes), back)


RULES: dict[str, tuple[Any, ...]] = {
    "matmul": (_left, _right),
    "tensordot": (_tensordot_left, _tensordot_right),
    "vecdot": (
        lambda xp, y, a, b, axis=-1: lambda g: xp.expand_dims(g, axis=axis) * b,
        lambda xp, y, a, b, axis=-1: lambda g: xp.expand_dims(g, axis=axis) * a,
    ),
}
