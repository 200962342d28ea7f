"""exp, expm1 and tanh in ``+ - *`` and correctly rounded division.

Libraries disagree in the last bits of these functions. Here each is a fixed sequence of operations that
IEEE 754 rounds correctly; the library's own ``exp`` only finds the power of two, where some per cent do
not matter. The method is the classical one (Tang 1989, ACM TOMS 15, 144-157; Muller, Elementary Functions),
with a series in place of a table and fitted polynomial, so that each coefficient is a fraction that
anyone can check:

- **exp**: x = n log(2) + r with |r| < 0.3467, and exp(x) = 2^n (1 + (r + r² q(r))), where q is the series of
  (exp(r) - 1 - r) / r², 1/2! + r/3! + ... + r^11/13!. The next term contributes less than 2^-57.
- **expm1**: 2^n ((1 - 2^-n) + r + r² q(r)), which does not cancel near 0, where n = 0.
- **tanh**: q = t / (t + 2) with t = expm1(2|x|), and the sign of x; where t < 1, (t - t q) / 2, which is the
  same with the rounding errors of q made small.

Errors, in units in the last place (ulp) of float64, are below 0.72 for exp, 1.2 for expm1 and 1.9 for tanh;
below 1.8 for the sigmoid computed as q = e / (1 + e) with e = exp(-|x|), and then e - e q for x < 0 and 1 - q
otherwise: so far as `scripts/exact_bounds.py` and searches over some 10^7 arguments found. A float32 result
is the float64 one rounded once more: within 0.500001 ulp of float32.

At the ends: exp is 0 below -708.39, where its value is about to be subnormal, and infinity above 709.78;
expm1 is -1 below -50. Subnormal arguments of expm1 and tanh give 0, every zero is +0, NaN gives NaN.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.arithmetic.powers import inverse_power, power_of_two
from xpnet.arithmetic.quotient import moderate_quotient
from xpnet.arithmetic.rounding import flush, round_to, to_double
from xpnet.arithmetic.series import LN2_HIGH, LN2_LOW, polynomial

Array = Any

INVERSE_LN2 = 1.4426950408889634
"""1 / log(2), rounded; it only chooses n."""
COEFFICIENTS = tuple(1.0 / math.factorial(i) for i in range(13, 1, -1))
"""Of q, the highest power first."""
LEAST_EXPONENT = -708.39
GREATEST_EXPONENT = 710.0
LEAST_EXPM1 = -50.0
"""exp of it is less than half a unit in the last place of 1."""
LEAST_TANH = 2.0**-200
"""Below it, t² is far below the last place of t."""
LARGE_TANH = 25.0
"""Its tanh is 1, rounded."""


def exp(xp: Any, x: Array, /) -> Array:
    """Return e to the power of each element; the same bits everywhere.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64 or float32
        Any values.

    Returns
    -------
    array
        Within 1 ulp.

    Examples
    --------
    >>> import numpy as np
    >>> exp(np, np.asarray([0.0, 1.0])).tolist()
    [1.0, 2.718281828459045]
    """
    double = to_double(xp, x)
    n, r, tail = _reduce(xp, xp.minimum(xp.maximum(double, LEAST_EXPONENT), GREATEST_EXPONENT))
    half, rest = _power(xp, n)
    s = xp.maximum(r + 1.0, 0.5)  # it is larger: this keeps XLA from taking (r + 1) - 1 for r
    y = (_add(s, 1.0, r, tail) * half) * rest
    return round_to(xp, xp.where(double < LEAST_EXPONENT, 0.0, y), x.dtype)


def expm1(xp: Any, x: Array, /) -> Array:
    """Return exp(x) - 1, accurate near 0 too; the same bits everywhere.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64 or float32
        Any values.

    Returns
    -------
    array
        Within 2 ulp.

    Examples
    --------
    >>> import numpy as np
    >>> expm1(np, np.asarray([0.0, 1e-20])).tolist()
    [0.0, 1e-20]
    """
    return round_to(xp, _expm1(xp, to_double(xp, x)), x.dtype)


def tanh(xp: Any, x: Array, /) -> Array:
    """Return the hyperbolic tangent; the same bits everywhere.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64 or float32
        Any values.

    Returns
    -------
    array
        Within 2 ulp.

    Examples
    --------
    >>> import numpy as np
    >>> tanh(np, np.asarray([-50.0, 0.0, 50.0])).tolist()
    [-1.0, 0.0, 1.0]
    """
    double = to_double(xp, x)
    t = _expm1(xp, xp.minimum(xp.abs(double), LARGE_TANH) * 2.0)
    q = moderate_quotient(xp, xp.maximum(t, LEAST_TANH), t + 2.0)
    y = flush(xp, xp.where(t < 1.0, (t - t * q) * 0.5, q))
    return round_to(xp, xp.where(double < 0.0, 0.0 - y, y), x.dtype)


def _expm1(xp: Any, x: Array) -> Array:
    """Return exp(x) - 1 of float64."""
    n, r, tail = _reduce(xp, xp.minimum(xp.maximum(x, LEAST_EXPM1), GREATEST_EXPONENT))
    half, rest = _power(xp, n)
    one = 1.0 - inverse_power(xp, half) * inverse_power(xp, rest)
    return flush(xp, (_add(one + r, one, r, tail) * half) * rest)


def _reduce(xp: Any, x: Array) -> tuple[Array, Array, Array]:
    """Return n, r and exp(r) - 1 - r with x = n log(2) + r."""
    n = xp.round(x * INVERSE_LN2)
    high, low = x - n * LN2_HIGH, n * LN2_LOW
    r = high - low
    lost = (high - r) - low
    return n, r, (r * r) * polynomial(r, COEFFICIENTS) + lost


def _add(s: Array, one: Array | float, r: Array, tail: Array) -> Array:
    """Return one + r + tail, rounded as a whole; s is one + r rounded, and ``|one| >= |r|``."""
    return s + ((r - (s - one)) + tail)


def _power(xp: Any, n: Array) -> tuple[Array, Array]:
    """Return 2^n as two factors, for 2^1024 is above the largest float64."""
    h = xp.floor(n * 0.5)
    half = power_of_two(xp, h)
    return half, half * ((n - 2.0 * h) + 1.0)  # n - 2h is 0 or 1, the factor 2^0 or 2^1
