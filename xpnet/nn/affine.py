"""The affine map of a fully connected layer, forward and backward."""

from __future__ import annotations

from typing import Any

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
