"""The cross-entropy of questions that are answered by yes or no, one an output."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.loss import Array, Loss, Shape
from xpnet.nn.losses.targets import check_values
from xpnet.validation import check_number, settle


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """The cross-entropy between the sigmoid of each output and its target, 0 or 1.

    With one output it tells two classes apart, and answers as two outputs with a softmax do: `predict`
    gives labels ``(batch,)``, and the probabilities are of class 0 and of class 1, ``(batch, 2)``. Several
    outputs are as many labels, of which a sample has any number: `predict` gives 0 or 1 for each, and the
    probabilities are those of 1, both ``(batch, labels)``; targets that are integers ``(batch,)`` are taken
    for one-hot rows, each class against the rest.

    An output ``y`` is a logit, the probability of 1 is ``p = 1 / (1 + exp(-y))``, and the loss is
    ``-w * t * log(p) - (1 - t) * log(1 - p)``. Both logarithms are taken from the logit, ``-log(1 - p)`` as
    ``max(y, 0) + log1p(exp(-|y|))`` and ``-log(p)`` as that less ``y``: nothing overflows, and no probability
    is rounded to zero before. The mean is over samples and outputs.

    Parameters
    ----------
    positive_weight : float, default 1.0
        Weight ``w`` of targets that are 1; above 1 where these are rare. The mean is not divided by it.

    Raises
    ------
    InvalidInputError
        If the weight is no positive number.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.2.

    Examples
    --------
    >>> import numpy as np
    >>> BinaryCrossEntropy().values(np, np.asarray([[0.0], [1e4]]), np.asarray([[1.0], [0.0]])).round(4)
    array([6.931e-01, 1.000e+04])
    """

    metric: ClassVar[str] = "accuracy"

    positive_weight: float = 1.0

    def __post_init__(self) -> None:
        settle(self, positive_weight=check_number("positive_weight", self.positive_weight, 0.0))
        if self.positive_weight == 0.0:
            raise InvalidInputError("positive_weight must be above 0: nothing would be learnt of 1")

    def check_outputs(self, outputs: Shape) -> None:
        """Raise `InvalidInputError` unless outputs are vectors."""
        if len(outputs) != 1:
            raise InvalidInputError(f"a sample has one vector of labels, not one of the shape {outputs}")

    def check(self, xp: Any, t: Array, outputs: Shape, dtype: Any) -> Array:
        """Return targets from 0 to 1, shape (batch, outputs), from numbers or truth values."""
        t = check_values(xp, t, outputs, dtype)
        low, high = float(xp.min(t)), float(xp.max(t))
        if low < 0.0 or high > 1.0:
            raise InvalidInputError(
                f"t must hold 0 and 1, or probabilities; these run from {low:g} to {high:g}"
            )
        return t

    def elements(self, outputs: Shape) -> int:
        """Return the number of outputs."""
        return math.prod(outputs)

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return each sample's sum over the outputs, shape (batch,)."""
        above, rest = xp.maximum(y, 0.0), xp.log1p(xp.exp(-xp.abs(y)))
        of_one, of_zero = (above - y) + rest, above + rest
        return xp.sum(self.positive_weight * t * of_one + (1.0 - t) * of_zero, axis=-1)

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return ``(1 - t) * p - w * t * (1 - p)``, which is ``p - t`` without a weight, (batch, outputs)."""
        p = _probability(xp, y)
        return (1.0 - t) * p - self.positive_weight * t * (1.0 - p)

    def score(self, xp: Any, y: Array, t: Array) -> float:
        """Return the share of samples that are right in every label, 0 to 1."""
        right = xp.all((y > 0.0) == (t > 0.5), axis=-1)
        return int(xp.sum(xp.astype(right, xp.int32))) / y.shape[0]

    def predict(self, xp: Any, y: Array) -> Array:
        """Return 1 where it is the more probable, else 0: (batch,) of one output, else (batch, labels)."""
        labels = xp.astype(y > 0.0, xp.int32)
        return labels[:, 0] if y.shape[-1] == 1 else labels

    def probabilities(self, xp: Any, y: Array) -> Array:
        """Return those of both classes, (batch, 2), of one output; else those of 1, (batch, labels)."""
        return _probability(xp, xp.concat([-y, y], axis=-1) if y.shape[-1] == 1 else y)


def _probability(xp: Any, y: Array) -> Array:
    """Return the sigmoid, from the exponential of ``-|y|`` alone, which does not overflow."""
    e = xp.exp(-xp.abs(y))
    q = xp.divide(e, 1.0 + e)
    return xp.where(y < 0.0, q, 1.0 - q)
