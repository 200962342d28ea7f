"""Division that no compiler and no library can round in two ways.

Division is correctly rounded by IEEE 754, but compilers rewrite it: XLA turns the division by a
scalar or by a broadcast array into a multiplication by the reciprocal, PyTorch does so for scalars
on a GPU. XLA's float32 division on the CPU is not correctly rounded at all, nor is OpenCL's float64 on some
GPUs. So the library's float64 division is trusted within one unit in the last place, not more:

- float32 by float32 is divided in float64, where a unit in the last place does not matter: a quotient of two
  numbers of 24 bits is at least 16 of them away from a midpoint of float32;
- float64 by a divisor as large as the result is divided by `xpnet.arithmetic.quotient`: correctly rounded;
- a smaller divisor, which would be broadcast, is inverted first and then multiplied by: two roundings,
  within 1.5 units in the last place of float64. A Python number is inverted on the host.

Subnormal operands and results count as zero.
"""

from __future__ import annotations

from typing import Any

from xpnet.arithmetic.quotient import quotient, reciprocal
from xpnet.arithmetic.rounding import (
    SMALLEST_NORMAL_FLOAT32,
    floating_dtype,
    flush,
    round_to,
    smallest_normal,
    to_double,
)

Array = Any

NEGLIGIBLE_FLOAT32 = SMALLEST_NORMAL_FLOAT32 * (1.0 + 2.0**-30)
"""Below the next quotient of float32 numbers, and a unit in the last place does not lift 2^-126 above it."""


def divide(xp: Any, a: Any, b: Any, /) -> Array:
    """Divide element by element; the same bits everywhere.

    Parameters
    ----------
    xp : namespace
        The array library's.
    a, b : array of float64 or float32, or float
        Dividend and divisor, of shapes that broadcast; at least one is an array.

    Returns
    -------
    array of float64 or float32
        Correctly rounded where both are float32 or the shape of `b` is the result's, else within 1.5 units in
        the last place. Divisors above 2^1022 give 0 in the latter case.

    Examples
    --------
    >>> import numpy as np
    >>> divide(np, np.asarray([1.0, 2.0]), np.asarray([4.0, 8.0])).tolist()
    [0.25, 0.25]
    """
    if type(b) in (int, float):  # not isinstance: a float64 of NumPy's is a float, and an array of no axes
        return round_to(xp, flush(xp, _operand(xp, a) * (1.0 / float(b))), a.dtype)
    divisor = _operand(xp, b)
    if type(a) in (int, float):
        return round_to(xp, flush(xp, flush(xp, reciprocal(xp, divisor)) * float(a)), b.dtype)
    dividend = _operand(xp, a)
    if floating_dtype(xp, a, b) == xp.float32:
        return _float32(xp, dividend, divisor)
    if _broadcasts(dividend.shape, divisor.shape):
        return flush(xp, dividend * flush(xp, reciprocal(xp, divisor)))
    return flush(xp, quotient(xp, xp.broadcast_to(dividend, divisor.shape), divisor))


def _float32(xp: Any, a: Array, b: Array) -> Array:
    """Divide float32 numbers, given in float64."""
    if _broadcasts(a.shape, b.shape):
        ratio = a * xp.reciprocal(b)
    else:
        ratio = xp.divide(xp.broadcast_to(a, b.shape), b)
    return xp.astype(flush(xp, ratio, NEGLIGIBLE_FLOAT32), xp.float32)


def _operand(xp: Any, x: Array) -> Array:
    """Return an operand in float64, without subnormal numbers."""
    return flush(xp, to_double(xp, x), smallest_normal(xp, x))


def _broadcasts(dividend: tuple[int, ...], divisor: tuple[int, ...]) -> bool:
    """Tell whether the divisor is smaller than the result along some axis."""
    if len(divisor) < len(dividend):
        return True
    aligned = divisor[len(divisor) - len(dividend) :]
    return any(n == 1 != m for m, n in zip(dividend, aligned, strict=True))
