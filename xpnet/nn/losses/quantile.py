"""The pinball loss: for networks that predict a quantile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.loss import Array, Loss
from xpnet.nn.losses.regression import Regression
from xpnet.validation import check_number, settle


@dataclass(frozen=True)
class Quantile(Regression):
    """The pinball loss: what is predicted is the value that a share ``q`` of the targets lies below.

    With ``d = y - t`` it is ``max((1 - q) * d, -q * d)``. The score is the mean loss with a minus: R² would
    take a good quantile for a bad mean.

    Parameters
    ----------
    q : float, default 0.5
        The share, between 0 and 1. One half is the median.

    Raises
    ------
    InvalidInputError
        If it is not between 0 and 1.

    References
    ----------
    R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> Quantile(0.75).values(np, np.ones((1, 1)), np.asarray([[3.0]]))
    array([1.5])
    """

    metric: ClassVar[str] = "score"

    q: float = 0.5

    def __post_init__(self) -> None:
        settle(self, q=check_number("q", self.q, 0.0, 1.0))
        if self.q in (0.0, 1.0):
            raise InvalidInputError(f"q must lie between 0 and 1, not on the edge, {self.q:g}")

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return each sample's sum over the outputs, shape (batch,)."""
        d = y - t
        return xp.sum(xp.maximum((1.0 - self.q) * d, -self.q * d), axis=-1)

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return ``1 - q`` above the target, ``-q`` below it, and their mean at the kink."""
        return 0.5 * xp.sign(y - t) + (0.5 - self.q)

    def score(self, xp: Any, y: Array, t: Array) -> float:
        """Return the mean loss with a minus."""
        return Loss.score(self, xp, y, t)
