"""The exact namespace: an array library's functions, those replaced that are not the same bits everywhere.

What it passes through, `SAME_BITS`, is the same bits on every library already: the operators ``+ - *`` and
comparisons, whatever moves, selects or compares elements, and the rounding to integers. What is computed in
another way by the sibling modules is listed in `REPLACED`; what the standard leaves open, such as default
dtypes and the order of ties, is settled in one way by `PINNED`. Functions `OF_ONE_KIND` refuse to mix
integers with floating-point numbers; so do those that are `FLUSHED`, whose subnormal results become zeros.
Every other function of the library is refused, since it might differ from library to library: better an
error than other bits.

Numbers are what IEEE 754 says as long as they are normal: libraries compute differently with subnormal
numbers (XLA on the CPU takes them for zeros), and the operators are the libraries' own. The
functions here make zeros of them, take both zeros for +0, and give NaN as NaN, whatever its sign and payload.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

from xpnet.arithmetic.conversion import astype
from xpnet.arithmetic.creation import arange, asarray, eye, full, ones, zeros, zeros_like
from xpnet.arithmetic.division import divide
from xpnet.arithmetic.exponential import exp, expm1, tanh
from xpnet.arithmetic.kinds import of_one_kind, where
from xpnet.arithmetic.logarithm import log, log1p
from xpnet.arithmetic.ordering import larger, largest, sign, smaller, smallest
from xpnet.arithmetic.settling import flushed
from xpnet.arithmetic.sorting import argmax, argmin, argsort, searchsorted, sort
from xpnet.arithmetic.splitting import matmul
from xpnet.arithmetic.square_root import sqrt
from xpnet.arithmetic.summation import mean, sum  # noqa: A004
from xpnet.errors import XpnetError

REPLACED: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "divide": divide,
        "exp": exp,
        "expm1": expm1,
        "log": log,
        "log1p": log1p,
        "matmul": matmul,
        "max": largest,
        "maximum": larger,
        "mean": mean,
        "min": smallest,
        "minimum": smaller,
        "sqrt": sqrt,
        "sum": sum,
        "tanh": tanh,
    }
)
"""What is computed here; each takes the namespace first."""
PINNED: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "arange": arange,
        "argmax": argmax,
        "argmin": argmin,
        "argsort": argsort,
        "asarray": asarray,
        "astype": astype,
        "empty": zeros,
        "empty_like": zeros_like,
        "eye": eye,
        "full": full,
        "ones": ones,
        "searchsorted": searchsorted,
        "sign": sign,
        "sort": sort,
        "where": where,
        "zeros": zeros,
    }
)
"""Where the standard leaves a choice, or a library does otherwise: one behaviour of them all."""
OF_ONE_KIND = frozenset(
    {"concat", "equal", "greater", "greater_equal", "less", "less_equal", "not_equal", "result_type", "stack"}
)
"""The library's own, on operands of one kind."""
FLUSHED = frozenset({"add", "multiply", "square", "subtract"})
"""Likewise, with zeros in place of subnormal results; the operators ``+ - *`` leave them to the library."""

_PASSED_THROUGH = {
    "dtypes": "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64",
    "constants": "e inf nan newaxis pi",
    "what tells about dtypes": "finfo iinfo isdtype",
    "creation": "from_dlpack full_like meshgrid ones_like zeros_like",
    "to integers": "ceil floor round trunc",
    "sign": "abs negative positive",
    "comparison": "isfinite isinf isnan",
    "logic": "all any count_nonzero logical_and logical_not logical_or logical_xor",
    "integers": "bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor",
    "choosing": "take take_along_axis tril triu",
    "shapes": "broadcast_arrays broadcast_to expand_dims flip matrix_transpose moveaxis permute_dims "
    "repeat reshape roll squeeze tile unstack",
}
SAME_BITS = frozenset(name for names in _PASSED_THROUGH.values() for name in names.split())
"""Names of the standard that are passed through: a test compares the values of each on every library."""


class NotExactError(XpnetError, AttributeError):
    """A function was asked for that has no exact version."""


class ExactNamespace:
    """An Array API namespace whose results are the same bits on every array library.

    Parameters
    ----------
    xp : namespace
        The array library's, following the Array API standard, with float64.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> ExactNamespace(np).sum(np.asarray([1e16, 1.0, -1e16])).tolist()
    1.0
    """

    def __init__(self, xp: Any) -> None:
        self._xp = xp
        self.__array_api_version__ = xp.__array_api_version__
        for name, function in (*REPLACED.items(), *PINNED.items()):
            setattr(self, name, partial(function, xp))
        for name in OF_ONE_KIND:
            setattr(self, name, partial(of_one_kind, xp, name))
        for name in FLUSHED:
            setattr(self, name, partial(flushed, xp, name))
        for name in SAME_BITS:
            if hasattr(xp, name):
                setattr(self, name, getattr(xp, name))

    def __array_namespace_info__(self) -> Any:
        """Return the library's inspection namespace: devices and dtypes."""
        return self._xp.__array_namespace_info__()

    def __getattr__(self, name: str) -> Any:
        """Refuse what is neither replaced nor passed through."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotExactError(
            f"exact arithmetic has no {name!r}: the libraries do not agree on its bits. "
            f"Compute it from {', '.join(sorted(REPLACED))} and the operators + - *, "
            f"or use arithmetic='standard'"
        )

    def __repr__(self) -> str:
        return f"exact({getattr(self._xp, '__name__', self._xp)})"


def exact(xp: Any) -> ExactNamespace:
    """Return the exact namespace over an array library's own.

    Nothing is remembered: a namespace that records a program, and the data that it refers to, goes when its
    user lets it go.

    Parameters
    ----------
    xp : namespace
        The array library's, following the Array API standard, with float64.

    Returns
    -------
    ExactNamespace
        To be used in its place.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> exact(np).exp(np.asarray([0.0])).tolist()
    [1.0]
    """
    return ExactNamespace(xp)
