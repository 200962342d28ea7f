"""The operators that every array library computes alike, for stand-ins that note what is done to arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}
"""By Python's name the standard's function; each has a form with swapped operands."""
_OTHERS = {
    "neg": "negative",
    "pos": "positive",
    "invert": "bitwise_invert",
    "abs": "abs",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}


def add_operators(cls: type, method: Callable[..., Callable[..., Any]]) -> None:
    """Give a class the operators.

    Parameters
    ----------
    cls : type
        Of the stand-ins.
    method : callable
        ``method(name, function, swapped=False)`` returns the method of an operator, from the name of the
        standard's function, Python's own function, and whether the operands come the other way round.

    Examples
    --------
    >>> class Told: ...
    >>> add_operators(Told, lambda name, function, swapped=False: lambda self, *other: (name, swapped))
    >>> Told() - 1, 1 - Told(), -Told()
    (('subtract', False), ('subtract', True), ('negative', False))
    """
    for name, standard in {**_BINARY, **_OTHERS}.items():
        function = getattr(operator, f"__{name}__")
        setattr(cls, f"__{name}__", method(standard, function))
        if name in _BINARY:
            setattr(cls, f"__r{name}__", method(standard, function, swapped=True))
