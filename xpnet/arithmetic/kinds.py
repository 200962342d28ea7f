"""Booleans, integers and floating-point numbers do not mix: the standard leaves it open what comes of it.

An int32 and a float32 make float64 in NumPy and float32 in PyTorch and JAX. Here a mixture is refused with
a sentence. A Python number takes the dtype of the array beside it, an integer beside floating point too.
The operators ``+ - *`` and the comparisons are the libraries' own and cannot refuse anything.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

from xpnet.errors import InvalidInputError

Array = Any

MIXABLE = {"bool": ("bool",), "integral": ("int", "bool"), "real floating": ("float", "int", "bool")}
"""By the kind of an array, the Python numbers that may stand beside it."""


def of_one_kind(xp: Any, name: str, /, *operands: Any, **options: Any) -> Any:
    """Call a function of the library on operands of one kind.

    Parameters
    ----------
    xp : namespace
        The array library's.
    name : str
        Of the function.
    *operands : array, Python number or dtype, or one sequence of them
        What it takes.
    **options
        Passed on.

    Returns
    -------
    array, or whatever the function returns

    Raises
    ------
    InvalidInputError
        Where kinds are mixed.

    Examples
    --------
    >>> import numpy as np
    >>> of_one_kind(np, "add", np.asarray([1.0]), 2).tolist()
    [3.0]
    """
    many = isinstance(operands[0], list | tuple)
    check_kinds(xp, name, *(operands[0] if many else operands))
    return getattr(xp, name)(*operands, **options)


def where(xp: Any, condition: Array, a: Array | float, b: Array | float, /) -> Array:
    """Choose element by element.

    Parameters
    ----------
    xp : namespace
        The array library's.
    condition : array of bool
        Where `a` is chosen.
    a, b : array or Python number
        Of one kind. Two numbers make booleans, int64 or float64.

    Returns
    -------
    array
        Of the shape that the three broadcast to.

    Raises
    ------
    InvalidInputError
        Where kinds are mixed.

    Examples
    --------
    >>> import numpy as np
    >>> where(np, np.asarray([True, False]), 1, 0.5).tolist()
    [1.0, 0.5]
    """
    if _is_number(a) and _is_number(b):
        a = xp.full_like(condition, a, dtype=default_dtype(xp, a, b))
    check_kinds(xp, "where", a, b)
    return xp.where(condition, a, b)


def default_dtype(xp: Any, *numbers: float) -> Any:
    """Return the dtype of Python numbers: bool, int64 or float64.

    Parameters
    ----------
    xp : namespace
        The array library's.
    *numbers : bool, int or float
        At least one.

    Returns
    -------
    dtype
        Bool where all are, int64 where all are integers, else float64.
    """
    if all(isinstance(number, bool) for number in numbers):
        return xp.bool
    return xp.int64 if all(isinstance(number, Integral) for number in numbers) else xp.float64


def check_kinds(xp: Any, name: str, *operands: Any) -> None:
    """Raise `InvalidInputError` unless operands are of one kind.

    Parameters
    ----------
    xp : namespace
        The array library's.
    name : str
        Of the function that takes them.
    *operands : array, Python number or dtype
        At least one is no number.
    """
    dtypes = [_dtype(x) for x in operands if not _is_number(x)]
    kinds = {kind_of(xp, dtype) for dtype in dtypes}
    numbers = {type(x).__name__ for x in operands if _is_number(x)}
    mixed = len(kinds) > 1 or any(numbers - set(MIXABLE.get(kind, numbers)) for kind in kinds)
    if mixed or _without_common_integer(xp, dtypes):
        given = ", ".join([*(str(dtype) for dtype in dtypes), *sorted(numbers)])
        raise InvalidInputError(
            f"exact arithmetic: {name} of {given} is another dtype on each library: convert with astype first"
        )


def kind_of(xp: Any, dtype: Any) -> str:
    """Return ``"bool"``, ``"integral"``, ``"real floating"`` or ``"other"``.

    Parameters
    ----------
    xp : namespace
        The array library's.
    dtype : dtype
        One of its own.

    Returns
    -------
    str
        As `isdtype` knows it.
    """
    if dtype in (xp.float32, xp.float64):
        return "real floating"
    return next((kind for kind in MIXABLE if xp.isdtype(dtype, kind)), "other")


def _without_common_integer(xp: Any, dtypes: list[Any]) -> bool:
    """Tell whether uint64 meets signed integers: no integer dtype holds both."""
    wide = getattr(xp, "uint64", None)
    return wide in dtypes and any(xp.isdtype(dtype, "signed integer") for dtype in dtypes)


def _is_number(x: Any) -> bool:
    """Tell whether it is a number of Python's: float64 of NumPy is an array, though a subclass of float."""
    return type(x) in (bool, int, float)


def _dtype(x: Any) -> Any:
    """Return the dtype of an array; dtypes, which some libraries make classes, as they are."""
    return x if isinstance(x, type) else getattr(x, "dtype", x)
