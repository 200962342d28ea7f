"""The fully connected layer: an affine map, forward and backward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from xpnet.nn.context import Context
from xpnet.nn.initializers import check_init
from xpnet.nn.layer import Cache, Layer, Parameter, Shape, Tree, Variables, vector
from xpnet.validation import check_count, check_number, settle

Array = Any


def affine_forward(xp: Any, x: Array, W: Array, b: Array, scale: float = 1.0) -> tuple[Array, Any]:
    """Return ``scale * x @ W + b`` and what its backward pass needs.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    x : array, shape (batch, inputs)
        One sample a row.
    W : array, shape (inputs, outputs)
        The weights.
    b : array, shape (outputs,)
        The biases.
    scale : float, default 1.0
        A constant factor of the inputs, 1/255 for pixels: cheaper here than on every input.

    Returns
    -------
    y : array, shape (batch, outputs)
    cache : tuple
        For `affine_backward`.

    Examples
    --------
    >>> import numpy as np
    >>> y, cache = affine_forward(np, np.ones((1, 2)), np.ones((2, 3)), np.zeros(3))
    >>> y
    array([[2., 2., 2.]])
    """
    return _scaled(xp.matmul(x, W), scale) + b, (x, W, scale)


def affine_backward(xp: Any, dy: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Return the gradients of the inputs, the weights and the biases.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    dy : array, shape (batch, outputs)
        The gradient of the loss with respect to what `affine_forward` returned.
    cache : tuple
        What `affine_forward` returned beside it.

    Returns
    -------
    dx : array, shape (batch, inputs)
    dW : array, shape (inputs, outputs)
    db : array, shape (outputs,)

    Examples
    --------
    >>> import numpy as np
    >>> y, cache = affine_forward(np, np.ones((1, 2)), np.ones((2, 3)), np.zeros(3))
    >>> dx, dW, db = affine_backward(np, np.ones((1, 3)), cache)
    >>> dx
    array([[3., 3.]])
    """
    return affine_input_gradient(xp, dy, cache), *affine_parameter_gradients(xp, dy, cache)


def affine_input_gradient(xp: Any, dy: Array, cache: Any) -> Array:
    """Return the gradient of the inputs alone, ``(batch, inputs)``."""
    _, W, scale = cache
    return xp.matmul(_scaled(dy, scale), xp.matrix_transpose(W))


def affine_parameter_gradients(xp: Any, dy: Array, cache: Any) -> tuple[Array, Array]:
    """Return the gradients of the weights and the biases alone: all that the first layer needs."""
    x, _, scale = cache
    return xp.matmul(xp.matrix_transpose(x), _scaled(dy, scale)), xp.sum(dy, axis=0)


def _scaled(array: Array, scale: float) -> Array:
    return array if scale == 1.0 else array * scale


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer: ``y = scale * x @ W + b``.

    Parameters
    ----------
    units : int
        How many outputs.
    init : {"he", "xavier", "uniform"} or float, default "he"
        The initial weights, see `initial`; biases begin at 0.
    scale : float, default 1.0
        A constant factor of the inputs, cheaper here than on every input.

    Raises
    ------
    InvalidInputError
        If an argument is out of range.

    Examples
    --------
    >>> Dense(50).variables((784,)).params["W"].shape
    (784, 50)
    """

    affine: ClassVar[bool] = True

    units: int
    init: str | float = "he"
    scale: float = 1.0

    def __post_init__(self) -> None:
        settle(self, units=check_count("units", self.units), init=check_init(self.init))
        settle(self, scale=check_number("scale", self.scale, 0.0))

    def output_shape(self, inputs: Shape) -> Shape:
        """Return ``(units,)``."""
        vector(self, inputs)
        return (self.units,)

    def variables(self, inputs: Shape) -> Variables:
        """Declare ``W``, shape (inputs, units), and ``b``, shape (units,)."""
        features = vector(self, inputs)
        fans = features, self.units
        weights = Parameter((features, self.units), self.init, fans, decayed=True)
        return Variables({"W": weights, "b": Parameter((self.units,))}, {})

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the outputs, shape (batch, units), a cache, and no state."""
        y, cache = affine_forward(c.xp, c.operand(x), v.params["W"], v.params["b"], self.scale)
        return y, cache, {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradients of the inputs, shape (batch, inputs), and of the parameters."""
        x, _, scale = cache
        gradients = {"W": c.samples.matmul(x, _scaled(dy, scale)), "b": c.samples.sum(dy)}
        return (affine_input_gradient(c.xp, dy, cache) if need_dx else None), gradients

    def on_pixels(self, scale: float) -> Dense:
        """Return the layer that multiplies its outputs, fewer than its inputs, by the constant."""
        return replace(self, scale=self.scale * scale)
