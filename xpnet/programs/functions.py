"""What the functions of the standard are in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

VIEWS = frozenset(
    {"broadcast_to", "expand_dims", "flip", "getitem", "matrix_transpose", "moveaxis", "permute_dims"}
    | {"reshape", "squeeze"}
)
"""Functions that may return a view of their first argument, which then costs nothing at replay."""

REDUCTIONS = {
    "sum": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "all": np.logical_and,
    "any": np.logical_or,
}
"""Functions that reduce by a ufunc."""

# Ufuncs that have another name in NumPy.
_UFUNCS = {
    "abs": np.absolute,
    "bitwise_invert": np.invert,
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
    "round": np.rint,
}


def ufunc_of(name: str) -> Callable[..., Any] | None:
    """Return NumPy's ufunc for a function of the standard, where there is one.

    Examples
    --------
    >>> ufunc_of("abs")
    <ufunc 'absolute'>
    """
    function = _UFUNCS.get(name, getattr(np, name, None))
    return function if isinstance(function, np.ufunc) else None
