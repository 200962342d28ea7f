"""Embeddings: a row of a table, which is trained, for each integer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.context import Context
from xpnet.nn.initializers import check_init
from xpnet.nn.layer import Cache, Layer, Parameter, Shape, Tree, Variables
from xpnet.validation import check_count, settle

Array = Any

_ELEMENTS_AT_ONCE = 2**24
"""Of the one-hot rows: 64 MB in float32."""


@dataclass(frozen=True)
class Embedding(Layer):
    """A vector for each integer id: row ``i`` of a trained table for the id ``i``.

    Samples are integers from 0 to ``count - 1``, of any shape: words of a sentence, categories of a column.
    It must be the first layer: ids have no gradient.

    Parameters
    ----------
    count : int
        How many ids there are.
    width : int
        The length of each vector.
    init : {"he", "xavier", "uniform"} or float, default 1.0
        The initial table, see `initial`; a number is the standard deviation.

    Raises
    ------
    InvalidInputError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from xpnet.nn.context import context
    >>> v = Variables({"table": np.asarray([[1.0, 2.0], [3.0, 4.0]])}, {})
    >>> Embedding(2, 2).forward(context(np), v, np.asarray([[1, 0, 1]]))[0]
    array([[[3., 4.],
            [1., 2.],
            [3., 4.]]])
    """

    count: int
    width: int
    init: str | float = 1.0

    def __post_init__(self) -> None:
        settle(self, count=check_count("count", self.count), width=check_count("width", self.width))
        settle(self, init=check_init(self.init))

    @property
    def ids(self) -> int:  # type: ignore[override]
        """How many ids there are."""
        return self.count

    def output_shape(self, inputs: Shape) -> Shape:
        """Return ``(*inputs, width)``."""
        return (*inputs, self.width)

    def products(self, inputs: Shape) -> int:
        """Return what the gradient costs: forward nothing is multiplied."""
        return math.prod(inputs) * self.count * self.width

    def variables(self, inputs: Shape) -> Variables:
        """Declare ``table``, shape (count, width)."""
        table = Parameter((self.count, self.width), self.init, (self.count, self.width), decayed=True)
        return Variables({"table": table}, {})

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the rows, shape (batch, *inputs, width), the ids, and no state."""
        if not c.xp.isdtype(x.dtype, "integral"):
            raise InvalidInputError(f"{self!r} takes integer ids: make it the first layer of the network")
        ids = c.xp.reshape(x, (-1,))
        rows = c.xp.take(v.params["table"], ids, axis=0)
        return c.xp.reshape(rows, (*x.shape, self.width)), ids, {}

    def backward(self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool) -> tuple[None, Tree]:
        """Return no gradient of ids, and that of the table: the sum of all that its rows were used for.

        As a product with one-hot rows, which is the same bits in any order and over any number of workers,
        and portable, as the scattering of sums is not. It is taken for some of the ids at once, so that the
        one-hot rows need bounded memory.
        """
        xp = c.xp
        dy = xp.reshape(dy, (-1, self.width))
        at_once = max(1, _ELEMENTS_AT_ONCE // dy.shape[0])
        parts = []
        for start in range(0, self.count, at_once):
            stop = min(start + at_once, self.count)
            numbers = xp.arange(start, stop, dtype=cache.dtype, device=getattr(cache, "device", None))
            chosen = xp.astype(xp.expand_dims(cache, axis=1) == numbers, dy.dtype)
            parts.append(c.samples.matmul(chosen, dy))
        return None, {"table": parts[0] if len(parts) == 1 else xp.concat(parts, axis=0)}
