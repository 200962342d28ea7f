"""Layers that give a sample another shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.context import Context
from xpnet.nn.layer import Cache, Layer, Shape, Tree, Variables
from xpnet.validation import check_shape, settle

Array = Any


class _Reshaping(Layer):
    """A layer that moves no number."""

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the samples in their new shape, the old one, and no state."""
        inputs = tuple(x.shape[1:])
        return c.xp.reshape(x, (x.shape[0], *self.output_shape(inputs))), inputs, {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradient in the old shape."""
        return (c.xp.reshape(dy, (dy.shape[0], *cache)) if need_dx else None), {}


@dataclass(frozen=True)
class Flatten(_Reshaping):
    """Samples of any shape as vectors: what stands between images and `Dense`.

    Examples
    --------
    >>> Flatten().output_shape((1, 28, 28))
    (784,)
    """

    def output_shape(self, inputs: Shape) -> Shape:
        """Return the number of all elements, as a shape."""
        return (math.prod(inputs),)


@dataclass(frozen=True)
class Reshape(_Reshaping):
    """Samples in another shape of as many elements.

    Parameters
    ----------
    shape : tuple of int
        Of one sample.

    Raises
    ------
    InvalidInputError
        If it is no shape, or the inputs have another number of elements.

    Examples
    --------
    >>> Reshape((1, 28, 28)).output_shape((784,))
    (1, 28, 28)
    """

    shape: Shape

    def __post_init__(self) -> None:
        settle(self, shape=check_shape("shape", self.shape))

    def output_shape(self, inputs: Shape) -> Shape:
        """Return ``shape``."""
        if math.prod(self.shape) != math.prod(inputs):
            raise InvalidInputError(
                f"{self!r} takes samples of {math.prod(self.shape)} elements, not the shape {inputs}"
            )
        return self.shape
