"""Huber's loss: the squared error near the target, the absolute error far from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.loss import Array
from xpnet.nn.losses.regression import Regression
from xpnet.validation import check_number, settle


@dataclass(frozen=True)
class Huber(Regression):
    """Half the squared difference up to ``delta``, and linear beyond, so that outliers pull less.

    With ``d = y - t`` it is ``d**2 / 2`` where ``|d| <= delta``, else ``delta * (|d| - delta / 2)``. In one
    formula, with ``m = min(|d|, delta)``, it is ``m * (|d| - m / 2)``.

    Parameters
    ----------
    delta : float, default 1.0
        Where it becomes linear.

    Raises
    ------
    InvalidInputError
        If it is no positive number.

    References
    ----------
    P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> import numpy as np
    >>> Huber().values(np, np.ones((1, 2)), np.asarray([[0.0, 4.0]]))
    array([3.])
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        settle(self, delta=check_number("delta", self.delta, 0.0))
        if self.delta == 0.0:
            raise InvalidInputError("delta must be above 0: without a square, take MeanAbsoluteError")

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return each sample's sum over the outputs, shape (batch,)."""
        distance = xp.abs(y - t)
        near = xp.minimum(distance, self.delta)
        return xp.sum(near * (distance - 0.5 * near), axis=-1)

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return the differences, none beyond ``delta``, shape (batch, outputs)."""
        return xp.maximum(xp.minimum(y - t, self.delta), -self.delta)
