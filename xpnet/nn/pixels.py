"""Inputs stored as bytes: converted on the device, and only for the batch at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xpnet.nn.context import Context
from xpnet.nn.layer import Cache, Layer, Shape, Tree, Variables

Array = Any

PIXEL_SCALE = 1.0 / 255.0
"""What bytes that are pixels are multiplied by."""


def on_pixels(layer: Layer, scale: float) -> Layer:
    """Return the layer that takes bytes and multiplies them by a constant first.

    Examples
    --------
    >>> from xpnet.nn.affine import Dense
    >>> on_pixels(Dense(3), 0.5).scale
    0.5
    """
    home = next(cls for cls in type(layer).__mro__ if "forward" in vars(cls))
    cheap = layer.on_pixels(scale) if "on_pixels" in vars(home) else None  # of that forward, not an older one
    return cheap or Pixels(layer, scale)


@dataclass(frozen=True)
class Pixels(Layer):
    """A layer whose inputs are bytes, converted and multiplied by a constant first.

    Parameters
    ----------
    layer : Layer
        What takes the result.
    scale : float
        The constant.
    """

    layer: Layer
    scale: float

    @property
    def prefix(self) -> str:  # type: ignore[override]
        """What the layer's variables are called as a group."""
        return self.layer.prefix

    @property
    def numbered(self) -> bool:
        """Whether the layer is."""
        return self.layer.numbered

    def output_shape(self, inputs: Shape) -> Shape:
        """Return the shape of one sample's output."""
        return self.layer.output_shape(inputs)

    def variables(self, inputs: Shape) -> Variables:
        """Declare what the layer declares."""
        return self.layer.variables(inputs)

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Convert, multiply, and go on with the layer."""
        x = c.floating(x)
        return self.layer.forward(c, v, x if self.scale == 1.0 else x * self.scale)

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradients of the layer; nobody needs that of bytes."""
        return None, self.layer.backward(c, v, dy, cache, need_dx=False)[1]
