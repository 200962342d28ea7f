"""Activation functions: ``forward(xp, x) -> (y, cache)`` and ``backward(xp, dy, cache) -> dx``.

All act elementwise on arrays of any shape, and each is a layer too. `ACTIVATIONS` finds one by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from xpnet.errors import InvalidInputError
from xpnet.nn.context import Context
from xpnet.nn.layer import Cache, Layer, Tree, Variables

Array = Any


def sigmoid_forward(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return ``1 / (1 + exp(-x))`` and what its backward pass needs.

    The exponential ``e`` is taken of ``-|x|`` alone, so that nothing overflows. With ``q = e / (1 + e)``
    the value is ``1 - q`` or, as ``e - e * q`` rather than ``q`` for a smaller error, ``q``.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid_forward(np, np.asarray([-1e4, 0.0, 1e4]))[0]
    array([0. , 0.5, 1. ])
    """
    e = xp.exp(-xp.abs(x))
    q = xp.divide(e, 1.0 + e)
    y = xp.where(x < 0, e - e * q, 1.0 - q)
    return y, y


def sigmoid_backward(xp: Any, dy: Array, cache: Array) -> Array:
    """Return the gradient of the sigmoid's argument: ``dy * y * (1 - y)``."""
    return dy * cache * (1.0 - cache)


def relu_forward(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return ``max(x, 0)`` and what its backward pass needs; NaN stays NaN.

    Examples
    --------
    >>> import numpy as np
    >>> relu_forward(np, np.asarray([-1.0, 2.0]))[0]
    array([0., 2.])
    """
    y = xp.maximum(x, xp.zeros_like(x))
    return y, y


def relu_backward(xp: Any, dy: Array, cache: Array) -> Array:
    """Return the gradient of the rectifier's argument; its derivative at 0 is taken to be 0."""
    return xp.where(cache > 0, dy, xp.zeros_like(dy))


def tanh_forward(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return ``tanh(x)`` and what its backward pass needs.

    Examples
    --------
    >>> import numpy as np
    >>> tanh_forward(np, np.asarray([0.0]))[0]
    array([0.])
    """
    y = xp.tanh(x)
    return y, y


def tanh_backward(xp: Any, dy: Array, cache: Array) -> Array:
    """Return the gradient of the argument of tanh: ``dy * (1 - y**2)``."""
    return dy * (1.0 - cache * cache)


def identity_forward(xp: Any, x: Array) -> tuple[Array, None]:
    """Return ``x`` itself: with it a network of any depth is affine."""
    return x, None


def identity_backward(xp: Any, dy: Array, cache: None) -> Array:
    """Return ``dy`` itself."""
    return dy


def step_forward(xp: Any, x: Array) -> tuple[Array, None]:
    """Return 1 where ``x > 0`` and 0 elsewhere: the perceptron's activation, for inference only.

    Examples
    --------
    >>> import numpy as np
    >>> step_forward(np, np.asarray([-1.0, 0.0, 2.0]))[0]
    array([0., 0., 1.])
    """
    return xp.astype(x > 0, x.dtype), None


def step_backward(xp: Any, dy: Array, cache: None) -> Array:
    """Raise `InvalidInputError`: the step function has no derivative to train with."""
    raise InvalidInputError(
        "a network with the activation 'step' cannot be trained: its derivative is zero wherever it"
        " exists; train with 'sigmoid', its smooth relative, and use 'step' for inference"
    )


class Pair(NamedTuple):
    """The two functions that belong together."""

    forward: Callable[[Any, Array], tuple[Array, Any]]
    backward: Callable[[Any, Array, Any], Array]


class Activation(Layer):
    """A layer that applies a function to each element."""

    elementwise: ClassVar[bool] = True
    pair: ClassVar[Pair]

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the function's values, of the shape of the inputs, a cache, and no state."""
        y, cache = self.pair.forward(c.xp, x)
        return y, cache, {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradient of the inputs; there are no parameters."""
        return (self.pair.backward(c.xp, dy, cache) if need_dx else None), {}


@dataclass(frozen=True)
class ReLU(Activation):
    """The rectifier: ``max(x, 0)``."""

    pair = Pair(relu_forward, relu_backward)


@dataclass(frozen=True)
class Sigmoid(Activation):
    """The logistic function: ``1 / (1 + exp(-x))``."""

    pair = Pair(sigmoid_forward, sigmoid_backward)


@dataclass(frozen=True)
class Tanh(Activation):
    """The hyperbolic tangent."""

    pair = Pair(tanh_forward, tanh_backward)


@dataclass(frozen=True)
class Identity(Activation):
    """The inputs themselves."""

    pair = Pair(identity_forward, identity_backward)


@dataclass(frozen=True)
class Step(Activation):
    """1 where ``x > 0`` and 0 elsewhere, for inference only."""

    pair = Pair(step_forward, step_backward)


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "identity": Identity,
    "step": Step,
}
