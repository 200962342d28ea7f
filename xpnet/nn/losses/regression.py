"""What losses of values have in common: targets are values, and R² tells how right the outputs are."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.loss import Array, Loss, Shape
from xpnet.nn.losses.targets import check_values


class Regression(Loss):
    """The base class of losses of values.

    The mean is over samples and outputs. Targets are values, ``(batch, outputs)``, of one output also
    ``(batch,)``; integer labels for several outputs are taken for one-hot rows.
    """

    metric: ClassVar[str] = "R²"

    def check_outputs(self, outputs: Shape) -> None:
        """Raise `InvalidInputError` unless outputs are vectors."""
        if len(outputs) != 1:
            raise InvalidInputError(
                f"{type(self).__name__} is of one vector a sample, not of the shape {outputs}"
            )

    def check(self, xp: Any, t: Array, outputs: Shape, dtype: Any) -> Array:
        """Return target values, shape (batch, outputs)."""
        return check_values(xp, t, outputs, dtype)

    def elements(self, outputs: Shape) -> int:
        """Return the number of outputs."""
        return math.prod(outputs)

    def score(self, xp: Any, y: Array, t: Array) -> float:
        """Return the coefficient of determination, R², of what is predicted, the mean over the outputs."""
        return determination(xp, self.predict(xp, y), t)


def determination(xp: Any, predicted: Array, t: Array) -> float:
    """Return the coefficient of determination, R², the mean over the outputs.

    It is 1 less the squared errors over those of the mean of the targets; for an output whose
    targets are all alike, 1 where it is right and 0 elsewhere.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    predicted, t : arrays, shape (batch, outputs)
        Values, and what they should be.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.asarray([[1.0], [2.0], [3.0]])
    >>> determination(np, t, t), determination(np, np.full_like(t, 2.0), t)
    (1.0, 0.0)
    """
    deviation, difference = t - xp.mean(t, axis=0, keepdims=True), predicted - t
    errors = xp.sum(difference * difference, axis=0)
    spread = xp.sum(deviation * deviation, axis=0)
    return _mean([_of_one(float(errors[i]), float(spread[i])) for i in range(errors.shape[0])])


def _of_one(errors: float, spread: float) -> float:
    if spread > 0.0:
        return 1.0 - errors / spread
    return 1.0 if errors == 0.0 else 0.0


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)
