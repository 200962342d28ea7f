"""The absolute error: for networks that predict values, where some targets are far off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xpnet.nn.losses.loss import Array
from xpnet.nn.losses.regression import Regression


@dataclass(frozen=True)
class MeanAbsoluteError(Regression):
    """The absolute differences of outputs and targets, ``|y - t|``; what is predicted is the median.

    Examples
    --------
    >>> import numpy as np
    >>> MeanAbsoluteError().values(np, np.ones((1, 2)), np.asarray([[0.0, 3.0]]))
    array([3.])
    """

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return each sample's sum of absolute differences, shape (batch,)."""
        return xp.sum(xp.abs(y - t), axis=-1)

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return the signs of the differences, shape (batch, outputs); at the kink it is 0."""
        return xp.sign(y - t)
