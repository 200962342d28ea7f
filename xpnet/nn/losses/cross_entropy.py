"""The cross-entropy between the softmax of the outputs and the targets: for classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.loss import Array, Loss, Shape
from xpnet.nn.losses.targets import check_labels, check_probabilities, one_hot, one_hot_rows
from xpnet.validation import check_number, settle


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

    Parameters
    ----------
    label_smoothing : float, default 0.0
        A share ``s`` of each target, from 0 to 1, that goes to all ``K`` classes alike: the target becomes
        ``(1 - s) * t + s / K``, and the outputs do not grow for ever.
    class_weights : sequence of float, optional
        How much a sample of each class counts, as if it were there so often: the weight of a sample is that
        of its label, or of a row of probabilities ``sum(t * class_weights)``. The mean is, as PyTorch's of
        labels, the sum of the weighted losses over the sum of the weights.

    Raises
    ------
    InvalidInputError
        If a setting is out of range.

    Notes
    -----
    The score counts all samples alike. PyTorch does otherwise where both are set: it weights by each class
    the share that goes there, not the whole sample by its own class.

    References
    ----------
    C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, "Rethinking the Inception architecture for
    computer vision", CVPR 2016, section 7.

    Examples
    --------
    >>> import numpy as np
    >>> SoftmaxCrossEntropy().values(np, np.zeros((1, 10)), np.asarray([3])).round(4)
    array([2.3026])
    >>> SoftmaxCrossEntropy(class_weights=[1, 3]).weights(np, np.asarray([1, 0, 1]), np.float64)
    array([3., 1., 3.])
    """

    metric: ClassVar[str] = "accuracy"

    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        settle(self, label_smoothing=check_number("label_smoothing", self.label_smoothing, 0.0, 1.0))
        if self.class_weights is not None:
            settle(self, class_weights=_checked(self.class_weights))

    def check_outputs(self, outputs: Shape) -> None:
        """Raise `InvalidInputError` unless there are two classes or more, each with a weight if any has."""
        if len(outputs) != 1 or outputs[0] < 2:
            raise InvalidInputError(
                f"a softmax needs two outputs or more, one a class; this network's have the"
                f" shape {outputs}: give it 2 for two classes, or loss='binary_cross_entropy',"
                " or, for values, loss='mean_squared_error'"
            )
        if self.class_weights is not None and len(self.class_weights) != outputs[0]:
            raise InvalidInputError(
                f"class_weights must be {outputs[0]} numbers, one a class; there are"
                f" {len(self.class_weights)}"
            )

    def check(self, xp: Any, t: Array, outputs: Shape, dtype: Any) -> Array:
        """Return integer labels ``(batch,)``, or rows of probabilities ``(batch, classes)``."""
        t = check_labels(xp, t, outputs)
        return t if t.ndim == 1 else check_probabilities(xp, xp.astype(t, dtype, copy=False))

    def weights(self, xp: Any, t: Array, dtype: Any) -> Array | None:
        """Return the weight of each sample's class, shape (batch,), or None without `class_weights`."""
        if self.class_weights is None:
            return None
        weights = xp.asarray(list(self.class_weights), dtype=dtype, device=getattr(t, "device", None))
        rows = t if t.ndim == 2 else one_hot_rows(xp, t, len(self.class_weights), dtype)
        return xp.sum(rows * weights, axis=-1)

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return the cross-entropy of each sample, shape (batch,)."""
        return cross_entropy(xp, y, self._rows(xp, y, t))[0]

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return softmax minus targets, shape (batch, classes)."""
        return softmax(xp, y) - self._rows(xp, y, t)

    def values_and_gradient(self, xp: Any, y: Array, t: Array) -> tuple[Array, Array]:
        """Return both from one softmax."""
        rows = self._rows(xp, y, t)
        losses, probabilities = cross_entropy(xp, y, rows)
        return losses, probabilities - rows

    def _rows(self, xp: Any, y: Array, t: Array) -> Array:
        """Return the targets as rows, (batch, classes), smoothed."""
        rows, share = one_hot(xp, t, y), self.label_smoothing
        return rows if share == 0.0 else rows * (1.0 - share) + share / y.shape[-1]

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


def _checked(weights: Any) -> tuple[float, ...]:
    """Return the weights of classes, or raise `InvalidInputError`."""
    if not isinstance(weights, tuple | list):
        raise InvalidInputError(f"class_weights must be a sequence of numbers, one a class, not {weights!r}")
    numbers = tuple(check_number("a class's weight", weight, 0.0) for weight in weights)
    if not any(numbers):
        raise InvalidInputError("class_weights must hold a number above 0: nothing would be learnt")
    return numbers
