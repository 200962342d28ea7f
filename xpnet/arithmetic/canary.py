"""What exact arithmetic asks of a library and its device, tried before it is relied upon.

Everything rests on float64 as IEEE 754 has it: each ``+ - *`` rounded once, and a `matmul` that gives the
right integer wherever all partial sums have at most 53 bits. Both can be lost without a word: 32-bit x86
rounds to the 64 bits of its x87 registers first; libraries can be told to emulate float64 by shorter
numbers, or multiply fewer times than they should (Strassen). So the worst case is computed and compared
with the answer in Python's integers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xpnet.errors import BackendError

Array = Any

TERMS = 1024
"""The length that leaves a slice the most bits."""
WIDTHS = ((22, 21), (8, 35))
"""Bits of the two operands: floats, and bytes by floats. With 10 bits for the sum they are 53."""
PERIOD = 7
"""Rows and columns repeat after so many: no divisor of `TERMS`, or all sums would end in zeros."""
SHAPE = (8, 8)


def check_library(
    xp: Any,
    asarray: Callable[[Any], Any],
    to_numpy: Callable[[Any], Any],
    where: str,
    shape: tuple[int, int] = SHAPE,
) -> None:
    """Raise `BackendError` unless a library computes as exact arithmetic needs it.

    Parameters
    ----------
    xp : namespace
        The array library's own.
    asarray : callable
        Makes an array on the device of nested lists of Python numbers.
    to_numpy : callable
        Brings an array to the host.
    where : str
        The library and device, as a reader would call them.
    shape : tuple of int, default (8, 8)
        Of the product that is tried. Libraries may emulate or split large ones alone.

    Raises
    ------
    BackendError
        As `check_rounding` and `check_products`.

    Examples
    --------
    >>> import numpy as np
    >>> check_library(np, np.asarray, np.asarray, "NumPy")
    """
    check_rounding(asarray, to_numpy, where)
    check_products(xp, asarray, to_numpy, where, shape)


def check_rounding(asarray: Callable[[Any], Any], to_numpy: Callable[[Any], Any], where: str) -> None:
    """Raise `BackendError` unless ``+ - *`` of float64 are rounded once, by the library and by Python.

    Parameters
    ----------
    asarray, to_numpy, where
        As in `check_library`.

    Raises
    ------
    BackendError
        Where they are rounded to more bits first, as on 32-bit x86.

    Examples
    --------
    >>> import numpy as np
    >>> check_rounding(np.asarray, np.asarray, "NumPy")
    """
    # Each is just above the midpoint of two float64 numbers, and on it when rounded to 64 bits.
    operands = (1.0, 2.0**-53 + 2.0**-78, 2.0**-54 + 2.0**-79, 1.0 + 2.0**-26, 1.0 + 2.0**-27 + 2.0**-51)
    expected = [1.0 + 2.0**-52, 1.0 - 2.0**-53, 1.0 + 2.0**-26 + 2.0**-27 + 2.0**-51 + 2.0**-52]
    on_host = _sum_difference_product(*operands)
    on_device = _sum_difference_product(*(asarray([number]) for number in operands))
    if list(on_host) != expected:
        raise BackendError(_twice("Python"))
    if [float(to_numpy(number)[0]) for number in on_device] != expected:
        raise BackendError(_twice(where))


def check_products(
    xp: Any,
    asarray: Callable[[Any], Any],
    to_numpy: Callable[[Any], Any],
    where: str,
    shape: tuple[int, int] = SHAPE,
) -> None:
    """Raise `BackendError` unless a matrix product of integers of 53 bits is what it must be.

    Parameters
    ----------
    xp, asarray, to_numpy, where, shape
        As in `check_library`.

    Raises
    ------
    BackendError
        Where it is another integer.

    Examples
    --------
    >>> import numpy as np
    >>> check_products(np, np.asarray, np.asarray, "NumPy")
    """
    rows, columns, terms = (asarray([i % PERIOD for i in range(length)]) for length in (*shape, TERMS))
    for bits in WIDTHS:
        left, right = _tables(*bits)
        a = xp.take(xp.take(asarray(left), rows, axis=0), terms, axis=1)
        b = xp.take(xp.take(asarray(right), terms, axis=0), columns, axis=1)
        known = xp.take(xp.take(asarray(_product(left, right)), rows, axis=0), columns, axis=1)
        if not bool(to_numpy(xp.all(xp.matmul(a, b) == known))):
            raise BackendError(_wrong(where))


def _sum_difference_product(one: Any, tiny: Any, less: Any, c: Any, d: Any) -> tuple[Any, Any, Any]:
    """Return one sum, one difference and one product, of numbers or of arrays."""
    return one + tiny, one - less, c * d


def _tables(p: int, q: int) -> tuple[list[list[float]], list[list[float]]]:
    """Return what the operands repeat: integers just below 2^p and 2^q, with all kinds of last bits."""
    period = range(PERIOD)
    left = [[2.0**p - 1 - (37 * i * i + 11 * i * j + 91 * j) % 97 for j in period] for i in period]
    right = [[2.0**q - 1 - (53 * j * j + 29 * i * j + 17 * i) % 89 for i in period] for j in period]
    return left, right


def _product(left: list[list[float]], right: list[list[float]]) -> list[list[float]]:
    """Return the product of the repeated tables, computed in Python's integers; each has at most 53 bits."""
    often = [len(range(j, TERMS, PERIOD)) for j in range(PERIOD)]
    return [
        [
            float(sum(n * int(a) * int(row[i]) for n, a, row in zip(often, numbers, right, strict=True)))
            for i in range(PERIOD)
        ]
        for numbers in left
    ]


def _twice(where: str) -> str:
    """Return the message about double rounding."""
    return (
        f"{where} rounds float64 twice, as the x87 unit of 32-bit x86 does: exact arithmetic would not be "
        f"the same bits here. Use a 64-bit Python, or arithmetic='standard'"
    )


def _wrong(where: str) -> str:
    """Return the message about a wrong product."""
    return (
        f"the matrix product of {where} is not IEEE float64: a sum of integers below 2^53 came out wrong, so "
        "that exact arithmetic would not be exact. Something computes with fewer bits: emulation of float64 "
        "(unset CUBLAS_EMULATE_DOUBLE_PRECISION, or raise CUBLAS_FIXEDPOINT_EMULATION_MANTISSA_BIT_COUNT), "
        "mixed precision (TF32, float32 or bfloat16 in place of float64), or a fast multiplication such as "
        "Strassen's. Switch it off, or use arithmetic='standard'"
    )
