"""Division that no compiler can round in two ways.

Division is correctly rounded by IEEE 754, but compilers rewrite it: XLA turns the division by a
scalar or by a broadcast array into a multiplication by the reciprocal, PyTorch does so for scalars
on a GPU, and XLA's float32 division on the CPU is not correctly rounded at all. So:

- a divisor as large as the result is divided by, in float64: correctly rounded;
- a smaller divisor, which would be broadcast, is inverted first and then multiplied by: two roundings,
  within 1.5 units in the last place. A Python number is inverted on the host.

Subnormal operands and results count as zero.
"""

from __future__ import annotations

from typing import Any

from xpnet.arithmetic.rounding import floating_dtype, flush, round_to, smallest_normal, to_double

Array = Any


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
        Correctly rounded where the shape of `b` is the result's, else within 1.5 units in the last
        place. Divisors above 2^1022 give 0 in the latter case.

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
        return round_to(xp, flush(xp, flush(xp, xp.reciprocal(divisor)) * float(a)), b.dtype)
    dividend = _operand(xp, a)
    if _broadcasts(dividend.shape, divisor.shape):
        quotient = dividend * flush(xp, xp.reciprocal(divisor))
    else:
        quotient = xp.divide(xp.broadcast_to(dividend, divisor.shape), divisor)
    return round_to(xp, flush(xp, quotient), floating_dtype(xp, a, b))


def _operand(xp: Any, x: Array) -> Array:
    """Return an operand in float64, without subnormal numbers."""
    return flush(xp, to_double(xp, x), smallest_normal(xp, x))


def _broadcasts(dividend: tuple[int, ...], divisor: tuple[int, ...]) -> bool:
    """Tell whether the divisor is smaller than the result along some axis."""
    if len(divisor) < len(dividend):
        return True
    aligned = divisor[len(divisor) - len(dividend) :]
    return any(n == 1 != m for m, n in zip(dividend, aligned, strict=True))
