"""Vector-Jacobian products of what moves, joins and repeats elements."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from xpnet.nn.tape.indexing import scattered
from xpnet.nn.tape.reductions import axes_of, inverse

Array = Any
Pull = Callable[[Array], Array]


def _reshaped(xp: Any, y: Array, x: Array, *args: Any, **kwargs: Any) -> Pull:
    shape = x.shape
    return lambda g: xp.reshape(g, shape)


def _permute_dims(xp: Any, y: Array, x: Array, axes: tuple[int, ...]) -> Pull:
    back = inverse(axes_of(x.ndim, tuple(axes)))
    return lambda g: xp.permute_dims(g, back)


def _roll(xp: Any, y: Array, x: Array, shift: Any, axis: Any = None) -> Pull:
    back = tuple(-n for n in shift) if isinstance(shift, tuple) else -shift
    return lambda g: xp.roll(g, back, axis=axis)


def _repeat(xp: Any, y: Array, x: Array, repeats: Any, axis: int | None = None) -> Pull:
    """Add up what was repeated."""
    before = tuple(x.shape)
    shape, place = ((math.prod(before),), 0) if axis is None else (before, axes_of(x.ndim, axis)[0])
    if isinstance(repeats, int):
        parts = (*shape[: place + 1], repeats, *shape[place + 1 :])
        return lambda g: xp.reshape(xp.sum(xp.reshape(g, parts), axis=place + 1), before)
    numbers = xp.arange(shape[place], dtype=repeats.dtype, device=getattr(repeats, "device", None))
    rows = xp.repeat(numbers, repeats)
    return lambda g: xp.reshape(scattered(xp, g, rows, shape, place), before)


def _tile(xp: Any, y: Array, x: Array, repetitions: tuple[int, ...]) -> Pull:
    """Add up the tiles."""
    before, n = x.shape, y.ndim
    shape, times = ((1,) * (n - len(a)) + tuple(a) for a in (before, repetitions))
    parts = tuple(m for pair in zip(times, shape, strict=True) for m in pair)
    return lambda g: xp.reshape(xp.sum(xp.reshape(g, parts), axis=tuple(range(0, 2 * n, 2))), before)


def _concat(xp: Any, y: Array, *arrays: Array, axis: int | None = 0) -> Callable[[Array], list[Array]]:
    """Take the gradient apart."""
    place = 0 if axis is None else axes_of(y.ndim, axis)[0]
    shapes = [tuple(x.shape) for x in arrays]
    lengths = [math.prod(shape) if axis is None else shape[place] for shape in shapes]
    before, stops = (slice(None),) * place, list(accumulate(lengths))

    def pull(g: Array) -> list[Array]:
        ends = zip(lengths, stops, strict=True)
        parts = [g[(*before, slice(stop - length, stop), ...)] for length, stop in ends]
        if axis is None:
            return [xp.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        return parts

    return pull


def _stack(xp: Any, y: Array, *arrays: Array, axis: int = 0) -> Callable[[Array], list[Array]]:
    return lambda g: list(xp.unstack(g, axis=axis))


def _broadcast_arrays(xp: Any, y: list[Array], *arrays: Array) -> Callable[[list[Array]], list[Array]]:
    return lambda g: g


def _diff(
    xp: Any, x: Array, /, *, axis: int = -1, n: int = 1, prepend: Array = None, append: Array = None
) -> Array:
    """Compute `diff` by slices and differences."""
    parts = [part for part in (prepend, x, append) if part is not None]
    x = xp.concat(parts, axis=axis) if len(parts) > 1 else x
    before = (slice(None),) * axes_of(x.ndim, axis)[0]
    for _ in range(n):
        x = x[(*before, slice(1, None), ...)] - x[(*before, slice(None, -1), ...)]
    return x


def _meshgrid(xp: Any, *arrays: Array, indexing: str = "xy") -> list[Array]:
    """Compute `meshgrid` by reshaping and broadcasting."""
    n = len(arrays)
    places = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else range(n)
    columns = [
        xp.reshape(x, tuple(-1 if i == place else 1 for i in range(n)))
        for x, place in zip(arrays, places, strict=True)
    ]
    return list(xp.broadcast_arrays(*columns))


RULES: dict[str, tuple[Any, ...]] = {
    "expand_dims": (_reshaped,),
    "flip": (lambda xp, y, x, axis=None: lambda g: xp.flip(g, axis=axis),),
    "matrix_transpose": (lambda xp, y, x: lambda g: xp.matrix_transpose(g),),
    "moveaxis": (lambda xp, y, x, source, destination: lambda g: xp.moveaxis(g, destination, source),),
    "permute_dims": (_permute_dims,),
    "repeat": (_repeat,),
    "reshape": (_reshaped,),
    "roll": (_roll,),
    "squeeze": (_reshaped,),
    "tile": (_tile,),
    "tril": (lambda xp, y, x, k=0: lambda g: xp.tril(g, k=k),),
    "triu": (lambda xp, y, x, k=0: lambda g: xp.triu(g, k=k),),
    "unstack": (lambda xp, y, x, axis=0: lambda g: xp.stack(g, axis=axis),),
}
OF_SEQUENCES: dict[str, Callable[..., Callable[..., list[Array]]]] = {
    "broadcast_arrays": _broadcast_arrays,
    "concat": _concat,
    "stack": _stack,
}
COMPOSED: dict[str, Callable[..., Any]] = {"diff": _diff, "meshgrid": _meshgrid}
