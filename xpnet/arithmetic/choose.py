"""The arithmetics that a network can compute in, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xpnet.arithmetic.exact import exact
from xpnet.arithmetic.settling import settle
from xpnet.validation import check_name


@dataclass(frozen=True)
class Arithmetic:
    """An arithmetic: a namespace made from a library's own, and what it asks of a program around it.

    Attributes
    ----------
    namespace : callable
        From a library's namespace to the one to compute with.
    compilable : bool
        Whether it may be compiled as a whole, though a compiler contracts and reorders operations.
    integer_products : bool
        Whether its ``matmul`` takes a matrix of bytes with a matrix of floats.
    working_dtype : str or None
        A dtype that it needs beside that of the parameters.
    settle : callable or None
        Applied to each parameter, and to what the optimiser remembers, after an update.
    checked : bool
        Whether the library must pass `xpnet.arithmetic.canary.check_library` first.
    """

    namespace: Callable[[Any], Any]
    compilable: bool
    integer_products: bool = False
    working_dtype: str | None = None
    settle: Callable[[Any, Any], Any] | None = None
    checked: bool = False


def standard(xp: Any) -> Any:
    """Return the namespace as it is: the library's own arithmetic."""
    return xp


ARITHMETICS = {
    "standard": Arithmetic(standard, compilable=True),
    "exact": Arithmetic(
        exact, compilable=False, integer_products=True, working_dtype="float64", settle=settle, checked=True
    ),
}


def get_arithmetic(name: str) -> Arithmetic:
    """Return an arithmetic by name, or raise `InvalidInputError`.

    Examples
    --------
    >>> get_arithmetic("standard").compilable
    True
    """
    return ARITHMETICS[check_name("arithmetic", name, ARITHMETICS)]
