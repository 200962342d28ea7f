"""Loss functions: ``forward(xp, outputs, targets, reduction) -> (loss, cache)``, ``backward(xp, cache)``.

Targets are integer labels ``(batch,)`` or rows ``(batch, classes)``: one-hot, or any rows of target
values. `LOSSES` finds a pair by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from xpnet.validation import check_name

Array = Any

REDUCTIONS = ("mean", "sum")


def softmax(xp: Any, logits: Array) -> Array:
    """Return probabilities: the exponentials of the last axis over their sum.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    logits : array, shape (classes,) or (batch, classes)
        One sample, or one a row. Of any size: the largest is subtracted first.

    Returns
    -------
    array
        Of the same shape; the last axis sums to 1.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np, np.asarray([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    exponentials = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return xp.divide(exponentials, xp.sum(exponentials, axis=-1, keepdims=True))


def one_hot(xp: Any, targets: Array, outputs: Array) -> Array:
    """Return integer labels as rows of zeros with a one, of the dtype of ``outputs``; rows as they are.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    targets : array, shape (batch,) of integers, or (batch, classes)
        The labels.
    outputs : array, shape (batch, classes)
        What they are to be compared with.

    Returns
    -------
    array, shape (batch, classes)

    Examples
    --------
    >>> import numpy as np
    >>> one_hot(np, np.asarray([2, 0]), np.zeros((2, 3)))
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    if targets.ndim == 2:
        return xp.astype(targets, outputs.dtype, copy=False)
    # Arrays under JAX's tracer have no device; what they are combined with settles it.
    classes = xp.arange(outputs.shape[-1], dtype=targets.dtype, device=getattr(targets, "device", None))
    return xp.astype(xp.expand_dims(targets, axis=-1) == classes, outputs.dtype)


def softmax_cross_entropy_forward(
    xp: Any, outputs: Array, targets: Array, reduction: str = "mean"
) -> tuple[Array, Any]:
    """Return the cross-entropy between the softmax of the outputs and the targets, and a cache.

    Computed from the logits, ``log(softmax) = z - max - log(sum(exp(z - max)))``, so that no
    probability is rounded to zero before its logarithm is taken.

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
    factor = _mean_of_samples(reduction, outputs.shape)
    rows = one_hot(xp, targets, outputs)
    losses, probabilities = _cross_entropy(xp, outputs, rows)
    return xp.sum(losses) * factor, (probabilities, rows, factor)


def _cross_entropy(xp: Any, outputs: Array, rows: Array) -> tuple[Array, Array]:
    """Return each sample's cross-entropy ``(..., batch)`` and probabilities ``(..., batch, classes)``."""
    shifted = outputs - xp.max(outputs, axis=-1, keepdims=True)
    exponentials = xp.exp(shifted)
    total = xp.sum(exponentials, axis=-1, keepdims=True)
    losses = -xp.sum(rows * (shifted - xp.log(total)), axis=-1)
    return losses, xp.divide(exponentials, total)


def softmax_cross_entropy_backward(xp: Any, cache: Any) -> Array:
    """Return the gradient of the logits: softmax minus targets, ``(batch, classes)``."""
    probabilities, rows, factor = cache
    return (probabilities - rows) * factor


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
    factor = _mean_of_elements(reduction, outputs.shape)
    losses, difference = _squared_error(xp, outputs, one_hot(xp, targets, outputs))
    return xp.sum(losses) * factor, (difference, factor)


def _squared_error(xp: Any, outputs: Array, rows: Array) -> tuple[Array, Array]:
    """Return each sample's sum of squared differences ``(..., batch)``, and the differences."""
    difference = outputs - rows
    return xp.sum(difference * difference, axis=-1), difference


def mean_squared_error_backward(xp: Any, cache: Any) -> Array:
    """Return the gradient of the outputs, ``(batch, outputs)``."""
    difference, factor = cache
    return difference * (2.0 * factor)


def losses_of_samples(xp: Any, loss: str, outputs: Array, rows: Array, reduction: str) -> Array:
    """Return what each sample adds to the loss, for any number of stacked copies of a batch.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    loss : str
        A name in `LOSSES`.
    outputs : array, shape (..., batch, classes)
        What each copy says.
    rows : array, shape (batch, classes)
        What all copies should have said.
    reduction : {"mean", "sum"}
        As in the loss itself.

    Returns
    -------
    array, shape (..., batch)
        The loss of a copy is the sum over its last axis.
    """
    return LOSSES[loss].of_samples(xp, outputs, rows)[0] * LOSSES[loss].factor(reduction, rows.shape)


def _mean_of_samples(reduction: str, shape: tuple[int, ...]) -> float:
    return _factor(reduction, shape[0])


def _mean_of_elements(reduction: str, shape: tuple[int, ...]) -> float:
    return _factor(reduction, math.prod(shape))


def _factor(reduction: str, count: int) -> float:
    check_name("reduction", reduction, REDUCTIONS)
    # Inverted on the host: a compiled division by a constant may round differently.
    return 1.0 / count if reduction == "mean" else 1.0


class Loss(NamedTuple):
    """The functions of one loss that belong together."""

    forward: Callable[..., tuple[Array, Any]]
    backward: Callable[[Any, Any], Array]
    of_samples: Callable[[Any, Array, Array], tuple[Array, Array]]
    factor: Callable[[str, tuple[int, ...]], float]


LOSSES = {
    "softmax_cross_entropy": Loss(
        softmax_cross_entropy_forward, softmax_cross_entropy_backward, _cross_entropy, _mean_of_samples
    ),
    "mean_squared_error": Loss(
        mean_squared_error_forward, mean_squared_error_backward, _squared_error, _mean_of_elements
    ),
}
