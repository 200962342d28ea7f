"""Dropout: while training, each input is left out at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from xpnet.nn.context import Context
from xpnet.nn.layer import Cache, Layer, Tree, Variables
from xpnet.nn.randombits import STEPS
from xpnet.validation import check_number, settle

Array = Any


@dataclass(frozen=True)
class Dropout(Layer):
    """While training, set a share of the inputs to zero and scale the others up; else change nothing.

    The masks are the same bits on every library and device.

    Parameters
    ----------
    rate : float, default 0.5
        The share that is left out, from 0 to below 1: the nearest multiple of ``2**-16``.

    Raises
    ------
    InvalidInputError
        If the rate is out of range.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a simple way to
    prevent neural networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from xpnet.nn.context import context
    >>> from xpnet.nn.layer import NOTHING
    >>> training = context(np, training=True, random=np.asarray([0, 7], dtype=np.int32))
    >>> Dropout(0.5).forward(training, NOTHING, np.ones((2, 4)))[0]
    array([[0., 0., 0., 0.],
           [2., 2., 0., 2.]])
    """

    random: ClassVar[bool] = True

    rate: float = 0.5

    def __post_init__(self) -> None:
        settle(self, rate=check_number("rate", self.rate, 0.0, 1.0 - 1.0 / STEPS))

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the inputs, some of them zero and the others scaled up, and which are kept."""
        if not c.training:
            return x, None, {}
        kept = c.xp.astype(c.choice(tuple(x.shape), 1.0 - self.rate), x.dtype)
        return self._scaled(c, kept, x), kept, {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradient of the inputs."""
        if not need_dx:
            return None, {}
        return (dy if cache is None else self._scaled(c, cache, dy)), {}

    def _scaled(self, c: Context, kept: Array, x: Array) -> Array:
        """Divide what is kept: division flushes what some libraries take for zero, a product lifts it."""
        return c.xp.divide(x * kept, 1.0 - round(self.rate * STEPS) / STEPS)
