"""Residual blocks: layers whose outputs are added to their inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.context import Context
from xpnet.nn.layer import Cache, Shape, Tree, Variables
from xpnet.nn.sequential import Sequential

Array = Any


@dataclass(frozen=True)
class Residual(Sequential):
    """Layers in a row whose outputs are added to their inputs [1]_: ``x + layers(x)``.

    Its variables have the names that `Sequential` gives them, under the name of the block.

    Parameters
    ----------
    layers : sequence of Layer
        From the inputs to what is added; samples keep their shape.

    Raises
    ------
    InvalidInputError
        If there are none, one is no layer, or they give samples another shape.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR 2016.

    Examples
    --------
    >>> from xpnet.nn.activations import ReLU
    >>> from xpnet.nn.affine import Dense
    >>> from xpnet.trees import flat
    >>> block = Residual([Dense(3), ReLU(), Dense(4)])
    >>> list(flat(Sequential([Dense(4), block]).variables((8,)).params))
    ['W1', 'b1', 'residual2/W1', 'residual2/b1', 'residual2/W2', 'residual2/b2']
    """

    prefix: ClassVar[str] = "residual"

    def output_shape(self, inputs: Shape) -> Shape:
        """Return the shape of the inputs, which the layers must keep."""
        found = super().output_shape(inputs)
        if found != inputs:
            raise InvalidInputError(
                f"the layers of {self!r} give samples of the shape {inputs} the shape {found}, and the two"
                " cannot be added: let the last layer return the shape of the inputs"
            )
        return inputs

    def shapes(self, inputs: Shape) -> list[Shape]:
        """Return the shapes of one sample on its way, the sum at the end."""
        return [*super().shapes(inputs), inputs]

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the sum of the inputs and the outputs of the last layer."""
        y, cache, state = super().forward(c, v, x)
        return x + y, cache, state

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradients of the inputs, by both ways, and of the parameters."""
        dx, gradients = super().backward(c, v, dy, cache, need_dx)
        return (dy + dx if need_dx else None), gradients
