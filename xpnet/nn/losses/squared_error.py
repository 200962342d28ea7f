"""The squared error: for networks that predict values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.loss import Array, Loss, Shape
from xpnet.nn.losses.targets import check_values


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """The squared differences of outputs and targets.

    The mean is over samples and outputs. Targets are values; integer labels for several outputs
    are taken for one-hot rows.

    Examples
    --------
    >>> import numpy as np
    >>> MeanSquaredError().values(np, np.ones((1, 2)), np.asarray([[0.0, 3.0]]))
    array([5.])
    """

    metric: ClassVar[str] = "R²"

    def check_outputs(self, outputs: Shape) -> None:
        """Raise `InvalidInputError` unless outputs are vectors."""
        if len(outputs) != 1:
            raise InvalidInputError(f"squared errors are of one vector a sample, not of the shape {outputs}")

    def check(self, xp: Any, t: Array, outputs: Shape, dtype: Any) -> Array:
        """Return target values, shape (batch, outputs)."""
        return check_values(xp, t, outputs, dtype)

    def elements(self, outputs: Shape) -> int:
        """Return the number of outputs."""
        return math.prod(outputs)

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return each sample's sum of squared differences, shape (batch,)."""
        difference = y - t
        return xp.sum(difference * difference, axis=-1)

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return twice the differences, shape (batch, outputs)."""
        return (y - t) * 2.0

    def score(self, xp: Any, y: Array, t: Array) -> float:
        """Return the coefficient of determination, R², the mean over the outputs.

        It is 1 less the squared errors over those of the mean of the targets; for an output whose
        targets are all alike, 1 where it is right and 0 elsewhere.
        """
        deviation, difference = t - xp.mean(t, axis=0, keepdims=True), y - t
        errors = xp.sum(difference * difference, axis=0)
        spread = xp.sum(deviation * deviation, axis=0)
        return _mean([_determination(float(errors[i]), float(spread[i])) for i in range(errors.shape[0])])


def _determination(errors: float, spread: float) -> float:
    if spread > 0.0:
        return 1.0 - errors / spread
    return 1.0 if errors == 0.0 else 0.0


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)
