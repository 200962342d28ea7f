"""The loss of counts: the outputs are logarithms of rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.losses.loss import Array, Shape
from xpnet.nn.losses.regression import Regression


@dataclass(frozen=True)
class Poisson(Regression):
    """The negative log-likelihood of counts that are Poisson's, without the term of the target alone.

    An output ``y`` is the logarithm of the rate: it is ``exp(y) - t * y``. Counts are of what happens at a
    rate, as calls in an hour; `predict` gives the rates, ``exp(y)``. Where the logarithm of a rate is above
    what `exp` holds, 88 in float32, both are infinite.

    References
    ----------
    P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd edition, 1989, chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> Poisson().values(np, np.zeros((1, 1)), np.asarray([[3.0]]))
    array([1.])
    >>> Poisson().predict(np, np.zeros((1, 1)))
    array([[1.]])
    """

    def check(self, xp: Any, t: Array, outputs: Shape, dtype: Any) -> Array:
        """Return counts, at least 0, shape (batch, outputs)."""
        t = super().check(xp, t, outputs, dtype)
        if (lowest := float(xp.min(t))) < 0.0:
            raise InvalidInputError(f"t must hold counts, at least 0; the lowest is {lowest:g}")
        return t

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return each sample's sum over the outputs, shape (batch,)."""
        return xp.sum(xp.exp(y) - t * y, axis=-1)

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return rates less counts, shape (batch, outputs)."""
        return xp.exp(y) - t

    def predict(self, xp: Any, y: Array) -> Array:
        """Return the rates, shape (batch, outputs)."""
        return xp.exp(y)
