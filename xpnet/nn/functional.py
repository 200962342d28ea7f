"""The functions that networks are made of, each on its own, as the textbook writes them.

Every ``*_forward`` returns its value and a cache, every ``*_backward`` takes the gradient of that
value and the cache. The first argument ``xp`` is the namespace that computes.
"""

from __future__ import annotations

from typing import Any

from xpnet.nn.activation_functions import (
    gelu_backward,
    gelu_forward,
    identity_backward,
    identity_forward,
    leaky_relu_backward,
    leaky_relu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    silu_backward,
    silu_forward,
    softmax_backward,
    softmax_forward,
    softplus_backward,
    softplus_forward,
    step_backward,
    step_forward,
    tanh_backward,
    tanh_forward,
)
from xpnet.nn.affine import affine_backward, affine_forward
from xpnet.nn.losses.cross_entropy import SoftmaxCrossEntropy, softmax
from xpnet.nn.losses.loss import REDUCTIONS, Loss
from xpnet.nn.losses.squared_error import MeanSquaredError
from xpnet.nn.losses.targets import one_hot
from xpnet.validation import check_name

__all__ = [
    "affine_backward",
    "affine_forward",
    "gelu_backward",
    "gelu_forward",
    "identity_backward",
    "identity_forward",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "mean_squared_error_backward",
    "mean_squared_error_forward",
    "one_hot",
    "relu_backward",
    "relu_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "silu_backward",
    "silu_forward",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
    "softmax_forward",
    "softplus_backward",
    "softplus_forward",
    "step_backward",
    "step_forward",
    "tanh_backward",
    "tanh_forward",
]

Array = Any


def softmax_cross_entropy_forward(
    xp: Any, outputs: Array, targets: Array, reduction: str = "mean"
) -> tuple[Array, Any]:
    """Return the cross-entropy between the softmax of the outputs and the targets, and a cache.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    outputs : array, shape (batch, classes)
        The logits.
    targets : array, shape (batch,) of integers, or (batch, classes)
        Labels, or rows of probabilities.
    reduction : {"mean", "sum"}, default "mean"
        Over the samples.

    Returns
    -------
    loss : array, shape ()
    cache : tuple
        For `softmax_cross_entropy_backward`.

    Raises
    ------
    InvalidInputError
        If the reduction is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> loss, cache = softmax_cross_entropy_forward(np, np.zeros((1, 10)), np.asarray([3]))
    >>> round(float(loss), 4)
    2.3026
    """
    return _forward(SoftmaxCrossEntropy(), xp, outputs, targets, reduction)


def softmax_cross_entropy_backward(xp: Any, cache: Any) -> Array:
    """Return the gradient of the logits: softmax minus targets, ``(batch, classes)``."""
    return _backward(cache)


def mean_squared_error_forward(
    xp: Any, outputs: Array, targets: Array, reduction: str = "mean"
) -> tuple[Array, Any]:
    """Return the squared differences of outputs and targets, averaged or summed, and a cache.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    outputs : array, shape (batch, outputs)
        What the network says.
    targets : array, shape (batch,) of integers, or (batch, outputs)
        Labels, compared as one-hot rows, or target values.
    reduction : {"mean", "sum"}, default "mean"
        Over samples and outputs.

    Returns
    -------
    loss : array, shape ()
    cache : tuple
        For `mean_squared_error_backward`.

    Raises
    ------
    InvalidInputError
        If the reduction is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> float(mean_squared_error_forward(np, np.ones((1, 2)), np.asarray([[0.0, 1.0]]))[0])
    0.5
    """
    return _forward(MeanSquaredError(), xp, outputs, one_hot(xp, targets, outputs), reduction)


def mean_squared_error_backward(xp: Any, cache: Any) -> Array:
    """Return the gradient of the outputs, ``(batch, outputs)``."""
    return _backward(cache)


def _forward(loss: Loss, xp: Any, outputs: Array, targets: Array, reduction: str) -> tuple[Array, Any]:
    check_name("reduction", reduction, REDUCTIONS)
    values, gradient = loss.values_and_gradient(xp, outputs, targets)
    elements = outputs.shape[0] * loss.elements(tuple(outputs.shape[1:]))
    factor = 1.0 / elements if reduction == "mean" else 1.0
    return xp.sum(values) * factor, (gradient, factor)


def _backward(cache: Any) -> Array:
    gradient, factor = cache
    return gradient * factor
