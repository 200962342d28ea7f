"""A record whose calls a compiler may fuse, but neither contract nor fold.

A compiler that makes one fused multiply-add of ``a * b + c`` rounds once where the libraries round twice. So
each product gets a -0.0 added that is an argument of the compiled program, not a constant: contracted into
``fma(a, b, -0.0)`` it rounds as the product does, and nothing is left to contract with the next sum. A
constant zero that is added, to make +0.0 of -0.0, is an argument too: compilers take ``x + 0.0`` for ``x``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from xpnet.programs.tracing import Record

Array = Any

_DTYPES = ("float32", "float64")
ZEROS = {
    **{f"+{name}": np.zeros((), name) for name in _DTYPES},
    **{f"-{name}": np.negative(np.zeros((), name)) for name in _DTYPES},
}
"""What a guarded program takes as arguments."""
_PRODUCTS = frozenset({"multiply", "square"})
_SUMS = frozenset({"add", "subtract"})


class GuardedRecord(Record):
    """A record of calls within a compiled program.

    Parameters
    ----------
    zeros : mapping of str to array, shape ()
        `ZEROS`, as arguments of the program.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> made = GuardedRecord(ZEROS)
    >>> float(made.compute("multiply", np.multiply, (np.asarray(2.0), 3.0), {}))
    6.0
    """

    def __init__(self, zeros: Mapping[str, Array]) -> None:
        super().__init__()
        self._zeros = zeros

    def compute(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Return what a call gives for values: products with -0.0 added, sums with zeros of the program."""
        if name in _SUMS:
            dtype = next(item.dtype for item in args if hasattr(item, "dtype"))
            zero = self._zero("+", dtype)
            args = tuple(zero if _is_zero(item) and zero is not None else item for item in args)
        value = function(*args, **kwargs)
        if name in _PRODUCTS and (zero := self._zero("-", value.dtype)) is not None:
            return value + zero
        return value

    def _zero(self, sign: str, dtype: Any) -> Array | None:
        return self._zeros.get(f"{sign}{dtype}")


def _is_zero(item: Any) -> bool:
    return type(item) is float and item == 0.0
