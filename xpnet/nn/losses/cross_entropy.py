"""The cross-entropy between the softmax of the outputs and the targets: for classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.loss import Array, Loss, Shape
from xpnet.nn.losses.targets import check_labels, check_probabilities, one_hot


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


def cross_entropy(xp: Any, outputs: Array, rows: Array) -> tuple[Array, Array]:
    """Return each sample's cross-entropy and its probabilities.

    Computed from the logits, ``log(softmax) = z - max - log(sum(exp(z - max)))``, so that no
    probability is rounded to zero before its logarithm is taken.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    outputs : array, shape (..., batch, classes)
        The logits.
    rows : array, shape (batch, classes)
        One-hot rows, or probabilities.

    Returns
    -------
    losses : array, shape (..., batch)
    probabilities : array, shape (..., batch, classes)
    """
    shifted = outputs - xp.max(outputs, axis=-1, keepdims=True)
    exponentials = xp.exp(shifted)
    total = xp.sum(exponentials, axis=-1, keepdims=True)
    losses = -xp.sum(rows * (shifted - xp.log(total)), axis=-1)
    return losses, xp.divide(exponentials, total)


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Loss):
    """The cross-entropy of classes; targets are integer labels, or rows of probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> SoftmaxCrossEntropy().values(np, np.zeros((1, 10)), np.asarray([3])).round(4)
    array([2.3026])
    """

    metric: ClassVar[str] = "accuracy"

    def check_outputs(self, outputs: Shape) -> None:
        """Raise `InvalidInputError` unless there are two classes or more."""
        if len(outputs) != 1 or outputs[0] < 2:
            raise InvalidInputError(
                f"a softmax needs two outputs or more, one a class; this network's have the"
                f" shape {outputs}: give it 2 for two classes, or, for values, loss='mean_squared_error'"
            )

    def check(self, xp: Any, t: Array, outputs: Shape, dtype: Any) -> Array:
        """Return integer labels ``(batch,)``, or rows of probabilities ``(batch, classes)``."""
        t = check_labels(xp, t, outputs)
        return t if t.ndim == 1 else check_probabilities(xp, xp.astype(t, dtype, copy=False))

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return the cross-entropy of each sample, shape (batch,)."""
        return cross_entropy(xp, y, one_hot(xp, t, y))[0]

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return softmax minus targets, shape (batch, classes)."""
        return softmax(xp, y) - one_hot(xp, t, y)

    def values_and_gradient(self, xp: Any, y: Array, t: Array) -> tuple[Array, Array]:
        """Return both from one softmax."""
        rows = one_hot(xp, t, y)
        losses, probabilities = cross_entropy(xp, y, rows)
        return losses, probabilities - rows

    def score(self, xp: Any, y: Array, t: Array) -> float:
        """Return the share of samples whose most probable class is their label, 0 to 1."""
        return accuracy(xp, y, t)

    def predict(self, xp: Any, y: Array) -> Array:
        """Return the most probable class of each sample, shape (batch,)."""
        return xp.argmax(y, axis=-1)

    def probabilities(self, xp: Any, y: Array) -> Array:
        """Return the probabilities of the classes, shape (batch, classes)."""
        return softmax(xp, y)


def accuracy(xp: Any, y: Array, t: Array) -> float:
    """Return the share of samples whose largest output is that of their label, 0 to 1.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    y : array, shape (batch, classes)
        The outputs.
    t : array, shape (batch,) of integers, or (batch, classes)
        The labels.
    """
    labels = t if t.ndim == 1 else xp.argmax(t, axis=-1)
    predicted = xp.argmax(y, axis=-1)
    hits = xp.sum(xp.astype(predicted == xp.astype(labels, predicted.dtype), xp.int32))
    return int(hits) / y.shape[0]
