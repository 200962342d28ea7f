"""The way to the host: any library's array as a NumPy array, in a dtype that every library has."""

from __future__ import annotations

from typing import Any

import numpy as np

from xpnet.backends.known import backend_of
from xpnet.backends.machine import host_memory
from xpnet.errors import InvalidInputError

__all__ = ["common_dtype", "dtype_name", "host_memory", "plain", "to_host"]

_COMMON = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")
_WIDENED = {
    **{name: name for name in _COMMON},
    **dict.fromkeys(("float96", "float128", "longdouble"), "float64"),
    **dict.fromkeys(("uint16", "uint32", "uint64"), "int64"),
    **dict.fromkeys(("int2", "int4", "uint2", "uint4"), "int8"),
}
_SMALL_FLOATS = ("float16", "bfloat16", "float8_", "float6_", "float4_")


def dtype_name(dtype: Any) -> str:
    """Return a dtype's name in the standard, whichever library's it is.

    Examples
    --------
    >>> dtype_name(np.dtype(">f4"))
    'float32'
    """
    return dtype.name if isinstance(dtype, np.dtype) else str(dtype).rpartition(".")[2]


def common_dtype(name: str) -> str | None:
    """Return which dtype that every library has holds numbers of another; None where none does.

    Examples
    --------
    >>> common_dtype("bfloat16"), common_dtype("uint16"), common_dtype("complex64")
    ('float32', 'int64', None)
    """
    return "float32" if name.startswith(_SMALL_FLOATS) else _WIDENED.get(name)


def to_host(array: Any, name: str = "array") -> np.ndarray:
    """Return any library's array, or nested sequences of numbers, as a NumPy array.

    Only the module of the library that made the array is imported.

    Parameters
    ----------
    array : array of any library, or nested sequence of numbers
        What to bring.
    name : str, optional
        What the caller calls it, for the error's message.

    Raises
    ------
    InvalidInputError
        If it is no array, or none that can be read.

    Examples
    --------
    >>> to_host([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]])
    """
    _refuse_sparse(array, name)
    if isinstance(array, np.ma.MaskedArray):
        raise InvalidInputError(f"{name} is a masked array: fill what is masked, {name}.filled(…)")
    owner = backend_of(array)
    if owner is not None:
        return owner.to_numpy(owner.bare(array, name))
    try:
        return np.asarray(array)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InvalidInputError(
            f"{name} must be an array of real numbers, or lists of one length: {error}"
        ) from error


def plain(array: np.ndarray, name: str = "array") -> np.ndarray:
    """Return an array of numbers in a dtype and byte order that every library has.

    Parameters
    ----------
    array : numpy.ndarray
        Of any dtype.
    name : str, optional
        What the caller calls it, for the error's message.

    Raises
    ------
    InvalidInputError
        If it does not hold real numbers, or an integer beyond int64.

    Examples
    --------
    >>> plain(np.asarray([1, 2], dtype=">u2")).dtype
    dtype('int64')
    """
    wanted = common_dtype(dtype_name(array.dtype))
    if wanted is None:
        raise InvalidInputError(
            f"{name} must be an array of real numbers, not one of dtype {array.dtype}: convert it first,"
            " as array.astype('float32') does"
        )
    if array.dtype.kind == "u" and array.dtype.itemsize == 8:
        _refuse_beyond_int64(array, name)
    return array.astype(wanted, copy=False)


def _refuse_sparse(array: Any, name: str) -> None:
    for method in ("toarray", "todense"):
        if hasattr(array, method):
            raise InvalidInputError(
                f"{name} is sparse, a {type(array).__name__}: give it whole, as {name}.{method}() is"
            )


def _refuse_beyond_int64(array: np.ndarray, name: str) -> None:
    largest = int(array.max(initial=0))
    if largest > np.iinfo(np.int64).max:
        raise InvalidInputError(
            f"{name} holds the integer {largest}, beyond int64: give it as numbers of float64"
        )
