"""The squared error: for networks that predict values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xpnet.nn.losses.loss import Array
from xpnet.nn.losses.regression import Regression


@dataclass(frozen=True)
class MeanSquaredError(Regression):
    """The squared differences of outputs and targets; what is predicted is the mean.

    Examples
    --------
    >>> import numpy as np
    >>> MeanSquaredError().values(np, np.ones((1, 2)), np.asarray([[0.0, 3.0]]))
    array([5.])
    """

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return each sample's sum of squared differences, shape (batch,)."""
        difference = y - t
        return xp.sum(difference * difference, axis=-1)

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return twice the differences, shape (batch, outputs)."""
        return (y - t) * 2.0
