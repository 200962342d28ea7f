"""Pooling: one number for each window of an image, channel by channel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Any

from xpnet.nn.context import Context
from xpnet.nn.layer import Cache, Layer, Shape, Tree, Variables
from xpnet.nn.windows import Axis, Padding, axes_of, check_padding, check_pair, fitted, image
from xpnet.validation import settle

Array = Any


@dataclass(frozen=True)
class _Pooling(Layer):
    """What windows that go over each channel have in common."""

    size: int | tuple[int, int]
    stride: int | tuple[int, int] | None = None
    padding: Padding = "valid"

    def __post_init__(self) -> None:
        settle(self, size=check_pair("size", self.size))
        settle(self, stride=self.size if self.stride is None else check_pair("stride", self.stride))
        settle(self, padding=check_padding(self.padding, self.size))  # type: ignore[arg-type]

    def output_shape(self, inputs: Shape) -> Shape:
        """Return ``(channels, height, width)``."""
        rows, columns = self._axes(inputs)
        return (inputs[0], rows.outputs, columns.outputs)

    def _axes(self, inputs: Shape) -> tuple[Axis, Axis]:
        return axes_of(self, inputs, self.size, self.stride, self.padding)  # type: ignore[arg-type]


@dataclass(frozen=True)
class MaxPool2D(_Pooling):
    """The largest element of each window.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the windows.
    stride : int or (int, int), optional
        From a window to the next; the size where omitted.
    padding : {"valid", "same"}, int or (int, int), default "valid"
        Around the images, as of `Conv2D`, but what is there is smaller than anything.

    Raises
    ------
    InvalidInputError
        If an argument is out of range.

    Notes
    -----
    Where several elements are the largest, the gradient goes to the first, row by row.

    Examples
    --------
    >>> import numpy as np
    >>> from xpnet.nn.context import context
    >>> from xpnet.nn.layer import NOTHING
    >>> MaxPool2D(2).forward(context(np), NOTHING, np.arange(8.0).reshape(1, 1, 2, 4))[0]
    array([[[[5., 7.]]]])
    """

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the largest elements, shape (batch, channels, height, width), a cache, and no state."""
        axes = self._axes(tuple(x.shape[1:]))
        y, *others = _windows(c.xp, x, axes, -math.inf)
        for other in others:
            y = c.xp.maximum(y, other)
        return y, (x, y), {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradient of the inputs: each output's goes to the first of its largest."""
        if not need_dx:
            return None, {}
        x, y = cache
        axes = self._axes(tuple(x.shape[1:]))
        hits = [element == y for element in _windows(c.xp, x, axes, -math.inf)]
        later = zip(hits[1:], accumulate(hits, c.xp.logical_or), strict=False)
        firsts = [hits[0], *(c.xp.logical_and(hit, c.xp.logical_not(earlier)) for hit, earlier in later)]
        parts = [c.xp.where(first, dy, c.xp.zeros_like(dy)) for first in firsts]
        return _back_in_place(c.xp, parts, axes), {}


@dataclass(frozen=True)
class AvgPool2D(_Pooling):
    """The mean of each window.

    Parameters
    ----------
    size, stride, padding
        As of `MaxPool2D`; the padding is zeros, which count.

    Raises
    ------
    InvalidInputError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from xpnet.nn.context import context
    >>> from xpnet.nn.layer import NOTHING
    >>> AvgPool2D(2).forward(context(np), NOTHING, np.arange(8.0).reshape(1, 1, 2, 4))[0]
    array([[[[2.5, 4.5]]]])
    """

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the means, shape (batch, channels, height, width), the shape of the inputs, and no state."""
        inputs = tuple(x.shape[1:])
        y, *others = _windows(c.xp, x, self._axes(inputs), 0)
        for other in others:
            y = y + other
        return y * self._share, inputs, {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradient of the inputs: each output's goes to all of its window alike."""
        if not need_dx:
            return None, {}
        parts = [dy * self._share] * math.prod(self.size)  # type: ignore[arg-type]
        return _back_in_place(c.xp, parts, self._axes(cache)), {}

    @property
    def _share(self) -> float:
        return 1.0 / math.prod(self.size)  # type: ignore[arg-type]


@dataclass(frozen=True)
class GlobalAvgPool2D(Layer):
    """The mean of each channel: images become vectors.

    References
    ----------
    M. Lin, Q. Chen and S. Yan, "Network in network", ICLR 2014.

    Examples
    --------
    >>> GlobalAvgPool2D().output_shape((64, 7, 7))
    (64,)
    """

    def output_shape(self, inputs: Shape) -> Shape:
        """Return ``(channels,)``."""
        return (image(self, inputs)[0],)

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the means, shape (batch, channels), the shape of the inputs, and no state."""
        shape = tuple(x.shape)
        return c.xp.sum(x, axis=(2, 3)) * (1.0 / math.prod(shape[2:])), shape, {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradient of the inputs: each output's goes to all of its channel alike."""
        if not need_dx:
            return None, {}
        share = c.xp.reshape(dy * (1.0 / math.prod(cache[2:])), (*dy.shape, 1, 1))
        return c.xp.broadcast_to(share, cache), {}


def _windows(xp: Any, x: Array, axes: tuple[Axis, Axis], padding: float) -> list[Array]:
    """Return the first elements of all windows, the second ones, and so on, row by row."""
    rows, columns = axes
    x = fitted(xp, x, 2, rows.before, (rows.outputs - 1) * rows.stride + rows.size, padding)
    x = fitted(xp, x, 3, columns.before, (columns.outputs - 1) * columns.stride + columns.size, padding)
    return [
        x[:, :, rows.places(i), columns.places(j)] for i, j in product(range(rows.size), range(columns.size))
    ]


def _back_in_place(xp: Any, parts: list[Array], axes: tuple[Axis, Axis]) -> Array:
    """Return the images whose windows `_windows` would return as parts; what overlaps is added."""
    rows, columns = axes
    lines = [
        _along(xp, parts[i * columns.size : (i + 1) * columns.size], 3, columns) for i in range(rows.size)
    ]
    return _along(xp, lines, 2, rows)


def _along(xp: Any, parts: list[Array], axis: int, along: Axis) -> Array:
    """Put the first elements of all windows, the second ones and so on in their places along an axis."""
    sums: list[Array] = []
    for first in range(along.stride):
        total = None
        for later, part in enumerate(parts[first :: along.stride]):
            moved = fitted(xp, part, axis, later, along.outputs + along.cells - 1)
            total = moved if total is None else total + moved
        sums.append(xp.zeros_like(sums[0]) if total is None else total)
    stacked = xp.stack(sums, axis=axis + 1)
    shape = stacked.shape
    joined = xp.reshape(stacked, (*shape[:axis], shape[axis] * along.stride, *shape[axis + 2 :]))
    return fitted(xp, joined, axis, -along.before, along.length)
