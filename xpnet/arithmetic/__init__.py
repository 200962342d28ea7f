"""Namespaces that follow the Array API: the library's own arithmetic, and the same bits everywhere."""

from __future__ import annotations

from typing import Any

from xpnet.arithmetic.exact import exact
from xpnet.errors import unknown_name

__all__ = ["exact", "get_arithmetic", "standard"]


def standard(xp: Any) -> Any:
    """Return the namespace as it is: the library's own arithmetic.

    Parameters
    ----------
    xp : namespace
        The array library's, following the Array API standard.

    Returns
    -------
    namespace
        `xp`.
    """
    return xp


_ARITHMETICS = {"standard": standard, "exact": exact}


def get_arithmetic(name: str) -> Any:
    """Return the function that turns an array library's namespace into that of an arithmetic.

    Parameters
    ----------
    name : str
        ``"standard"`` or ``"exact"``.

    Returns
    -------
    callable
        `standard` or `exact`: takes a namespace and returns one.

    Raises
    ------
    InvalidInputError
        For any other name.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> get_arithmetic("standard")(np) is np
    True
    """
    try:
        return _ARITHMETICS[name]
    except KeyError:
        raise unknown_name("arithmetic", name, _ARITHMETICS) from None
