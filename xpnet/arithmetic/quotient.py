"""Quotients of float64 that are correctly rounded, out of a library's that may not be.

IEEE 754 asks for correctly rounded division, but not every library promises it: OpenCL's on some GPUs may be
off by a unit in the last place. So the library's quotient q is only taken to be within one unit of the right
one. What decides between q and its neighbours is exact, and made of ``+ - *`` and comparisons alone.

**The residual.** a - q b is a number of float64. b and q are split into their leading 26 bits and the
rest, so that the four products are exact, and subtracting them from a, the largest first, is
exact at each step (Dekker 1971, Numer. Math. 18, 224-242). Where q is more than one unit from a / b it
may be rounded, but then it is far from what it is compared with.

**The neighbour.** With f a little above 2^-53, q f is between half a unit and one, and q ± q f is rounded to
the next number n; below a power of two, where the numbers lie twice as close, too.

**The decision.** a / b is nearer to n than to q where ``|a - q b| > |n - q| |b| / 2``. Both sides are float64
numbers, n - q being a power of two. They are never equal: a quotient of two numbers of 53 bits is
no midpoint, which has 54. Nothing is rounded, hence fused multiply-add changes nothing.

**The ends.** Where a is not between 2^-914 and 2^1020, or b or q is below 2^-969 or above 2^996, something
on the way might be subnormal or infinite: there the library's quotient stands. Scaling by powers of two
would do for those too, but it costs nearly as much again.
"""

from __future__ import annotations

from typing import Any

Array = Any

NEXT = 2.0**-53 * (1.0 + 2.0**-52)
"""A number plus this many times itself is rounded to the next one."""
LEAST = 2.0**-969
"""Divisors and quotients above it have no subnormal part."""
LEAST_HALFWAY, GREATEST_HALFWAY = 2.0**-968, 2.0**968
"""Where a is between 2^-914 and 2^1020: no product overflows, and the residual is no subnormal number."""


def quotient(xp: Any, a: Array, b: Array, /) -> Array:
    """Divide float64 numbers, correctly rounded.

    Parameters
    ----------
    xp : namespace
        The array library's; its `divide` is within one unit in the last place of the right number.
    a, b : array of float64
        Of the same shape. Zeros, infinities and NaN as IEEE 754 has it; no subnormal numbers.

    Returns
    -------
    array of float64
        The library's own at the ends of the range, see above; subnormal results are of no use. Zeros are +0.

    Examples
    --------
    >>> import numpy as np
    >>> quotient(np, np.asarray([1.0, 0.0]), np.asarray([3.0, 3.0])).tolist()
    [0.3333333333333333, 0.0]
    """
    return _nearest(xp, a, b, xp.divide(a, b))


def reciprocal(xp: Any, b: Array, /) -> Array:
    """Return 1 / b, correctly rounded.

    Parameters
    ----------
    xp : namespace
        The array library's; its `reciprocal` is within one unit in the last place of the right number.
    b : array of float64
        As in `quotient`.

    Returns
    -------
    array of float64
        As in `quotient`.

    Examples
    --------
    >>> import numpy as np
    >>> reciprocal(np, np.asarray([3.0, 1e300])).tolist()
    [0.3333333333333333, 1e-300]
    """
    return _nearest(xp, 1.0, b, xp.reciprocal(b))


def moderate_quotient(xp: Any, a: Array, b: Array, /) -> Array:
    """Divide float64 numbers of moderate size by positive ones, correctly rounded.

    Parameters
    ----------
    xp : namespace
        As in `quotient`.
    a, b : array of float64
        Of the same shape; b between 2^-400 and 2^400, and a likewise in magnitude, or 0.

    Returns
    -------
    array of float64

    Examples
    --------
    >>> import numpy as np
    >>> moderate_quotient(np, np.asarray([1.0, 0.0]), np.asarray([3.0, 3.0])).tolist()
    [0.3333333333333333, 0.0]
    """
    q = xp.divide(a, b)
    residual = _residual(a, b, q)
    gap = to_neighbour(xp, q, xp.sign(residual))
    return q + xp.where(xp.abs(residual) > xp.abs(gap * (b * 0.5)), gap, 0.0)


def to_neighbour(xp: Any, x: Array, direction: Array, /) -> Array:
    """Return how far it is to the next float64 number.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64
        Neither infinite nor subnormal.
    direction : array of float64
        1 for the next number above, -1 for that below, 0 for the number itself.

    Returns
    -------
    array of float64
        Powers of two with the sign of `direction`; 0 for zeros.

    Examples
    --------
    >>> import numpy as np
    >>> (to_neighbour(np, np.asarray([1.0, 1.0]), np.asarray([-1.0, 1.0])) * 2.0**53).tolist()
    [-1.0, 2.0]
    """
    return (x + (xp.abs(x) * NEXT) * direction) - x


def split(x: Array, /) -> tuple[Array, Array]:
    """Cut float64 numbers into their leading 26 bits and the rest, of 26 bits and a sign (Veltkamp 1968).

    Parameters
    ----------
    x : array of float64
        Below 2^996.

    Returns
    -------
    high, low : array of float64
        Their sum is `x`.

    Examples
    --------
    >>> split(1.0 + 2.0**-40)
    (1.0, 9.094947017729282e-13)
    """
    total = x * 2.0**27 + x
    high = total - (total - x)
    return high, x - high


def _nearest(xp: Any, a: Array | float, b: Array, q: Array) -> Array:
    """Return the number next to a / b; q is at most one unit in the last place from it."""
    residual = _residual(a, b, q)
    gap = to_neighbour(xp, q, xp.sign(residual) * xp.sign(b))
    halfway = xp.abs(gap * (b * 0.5))
    ordinary = (halfway > LEAST_HALFWAY) & (halfway < GREATEST_HALFWAY)
    ordinary = ordinary & (xp.minimum(xp.abs(b), xp.abs(q)) > LEAST)
    return q + xp.where((xp.abs(residual) > halfway) & ordinary, gap, 0.0)


def _residual(a: Array | float, b: Array, q: Array) -> Array:
    """Return a - q b."""
    b_high, b_low = split(b)
    q_high, q_low = split(q)
    return (((a - q_high * b_high) - q_high * b_low) - q_low * b_high) - q_low * b_low
