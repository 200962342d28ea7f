"""Activation functions: ``forward(xp, x) -> (y, cache)`` and ``backward(xp, dy, cache) -> dx``.

All but softmax act elementwise, on arrays of any shape. None overflows, whatever finite number it is given.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.cross_entropy import softmax

Array = Any

_GELU_FACTOR, _GELU_CUBIC = 2.0 * math.sqrt(2.0 / math.pi), 0.044715
_GELU_BOUND = 10.0
"""From here on the gate is 0 or 1, rounded, in float64 too."""


def sigmoid(xp: Any, x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``.

    The exponential ``e`` is taken of ``-|x|`` alone, so that nothing overflows. With ``q = e / (1 + e)``
    the value is ``1 - q`` or, as ``e - e * q`` rather than ``q`` for a smaller error, ``q``.
    """
    e = xp.exp(-xp.abs(x))
    q = xp.divide(e, 1.0 + e)
    return xp.where(x < 0, e - e * q, 1.0 - q)


def sigmoid_forward(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return ``1 / (1 + exp(-x))`` and what its backward pass needs.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid_forward(np, np.asarray([-1e4, 0.0, 1e4]))[0]
    array([0. , 0.5, 1. ])
    """
    y = sigmoid(xp, x)
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


def leaky_relu_forward(xp: Any, x: Array, slope: float = 0.01) -> tuple[Array, Any]:
    """Return ``x`` where it is positive and ``slope * x`` elsewhere, ``0 <= slope <= 1``, and a cache.

    Examples
    --------
    >>> import numpy as np
    >>> leaky_relu_forward(np, np.asarray([-1.0, 2.0]), 0.5)[0]
    array([-0.5,  2. ])
    """
    return xp.maximum(x, x * slope), (x, slope)


def leaky_relu_backward(xp: Any, dy: Array, cache: Any) -> Array:
    """Return the gradient of the leaky rectifier's argument; its derivative at 0 is taken to be the slope."""
    x, slope = cache
    return xp.where(x > 0, dy, dy * slope)


def softplus_forward(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return ``log(1 + exp(x))``, as ``max(x, 0) + log1p(exp(-|x|))``, and what its backward pass needs.

    Examples
    --------
    >>> import numpy as np
    >>> softplus_forward(np, np.asarray([-1e4, 0.0, 50.0]))[0].round(4)
    array([ 0.    ,  0.6931, 50.    ])
    """
    y = xp.maximum(x, xp.zeros_like(x)) + xp.log1p(xp.exp(-xp.abs(x)))
    return y, y


def softplus_backward(xp: Any, dy: Array, cache: Array) -> Array:
    """Return the gradient of softplus's argument: ``dy * sigmoid(x)``, which is ``dy * (1 - exp(-y))``."""
    return dy * -xp.expm1(-cache)


def silu_forward(xp: Any, x: Array) -> tuple[Array, Any]:
    """Return ``x * sigmoid(x)`` [1]_ [2]_ and what its backward pass needs.

    References
    ----------
    .. [1] S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units for neural network function
       approximation in reinforcement learning", Neural Networks 107, 2018.
    .. [2] P. Ramachandran, B. Zoph and Q. V. Le, "Searching for activation functions", arXiv:1710.05941,
       2017: there it is called Swish.

    Examples
    --------
    >>> import numpy as np
    >>> silu_forward(np, np.asarray([0.0, 1e4]))[0]
    array([    0., 10000.])
    """
    gate = sigmoid(xp, x)
    y = x * gate
    return y, (y, gate)


def silu_backward(xp: Any, dy: Array, cache: Any) -> Array:
    """Return the gradient of SiLU's argument: ``dy * (g + y * (1 - g))`` with ``g = sigmoid(x)``."""
    y, gate = cache
    return dy * (gate + y * (1.0 - gate))


def gelu_forward(xp: Any, x: Array) -> tuple[Array, Any]:
    """Return the Gaussian error linear unit by its authors' approximation, and what its backward pass needs.

    ``0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`` [1]_ is within 5e-4 of ``x * Phi(x)`` with
    the normal distribution function Phi, for which the Array API has no ``erf``. Computed as
    ``x * sigmoid(z)`` with ``z`` twice the argument of tanh: the same, without the cancellation near -1.

    References
    ----------
    .. [1] D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> gelu_forward(np, np.asarray([-1.0, 0.0, 1.0]))[0].round(4)
    array([-0.1588,  0.    ,  0.8412])
    """
    near = xp.minimum(xp.maximum(x, -_GELU_BOUND), _GELU_BOUND)  # so that no square overflows
    gate = sigmoid(xp, near * (_GELU_FACTOR + (_GELU_FACTOR * _GELU_CUBIC) * (near * near)))
    y = x * gate
    return y, (y, gate, near)


def gelu_backward(xp: Any, dy: Array, cache: Any) -> Array:
    """Return the gradient of GELU's argument: ``dy * (g + y * (1 - g) * z')`` with ``g = sigmoid(z)``."""
    y, gate, near = cache
    slope = _GELU_FACTOR + (3.0 * _GELU_FACTOR * _GELU_CUBIC) * (near * near)
    return dy * (gate + y * (1.0 - gate) * slope)


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


def softmax_forward(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return the exponentials of the last axis over their sum, see `softmax`, and a cache."""
    y = softmax(xp, x)
    return y, y


def softmax_backward(xp: Any, dy: Array, cache: Array) -> Array:
    """Return the gradient of softmax's argument: ``y * (dy - sum(dy * y))``, the sum over the last axis."""
    return cache * (dy - xp.sum(dy * cache, axis=-1, keepdims=True))


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
