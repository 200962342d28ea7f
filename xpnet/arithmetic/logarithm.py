"""log and log1p in ``+ - *`` and correctly rounded division.

The library's own ``log2`` only reads the exponent of a power of two, where any error below 1/2 does not
matter. The method is the classical one (Tang 1990, ACM TOMS 16, 378-400; Muller, Elementary Functions), with
a series for the polynomial, so that each coefficient is a fraction that anyone can check:

- **log**: x = 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt(2). With s = f / (2 + f), |s| < 0.1716,
  log(1 + f) = 2 (s + s³/3 + s⁵/5 + ...) = f - (f²/2 - s (f²/2 + t)), t = 2 s²/3 + 2 s⁴/5 + ... up to s^20.
  The next term contributes less than 2^-60 of the result. e log(2) is added in two parts, the larger
  one exact.
- **log1p**: log(u) + c / u with u = 1 + x rounded and c what the rounding lost, which Knuth's two-sum finds
  exactly (Knuth, The Art of Computer Programming, volume 2, section 4.2.2).

Errors, in units in the last place (ulp) of float64, are below 0.9 for log and 1.5 for log1p, so far as
`scripts/exact_bounds.py` and searches over some 10^7 arguments found. A float32 result is the float64 one
rounded once more: within 0.500001 ulp of float32.

At the ends: log is -infinity for zeros and subnormal numbers, infinity for infinity, NaN for negative
numbers; log1p is -infinity for -1 and NaN below. Zeros are +0.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.arithmetic.powers import inverse_power, power_of_two_above
from xpnet.arithmetic.quotient import moderate_quotient, quotient
from xpnet.arithmetic.rounding import flush, round_to, smallest_normal, to_double
from xpnet.arithmetic.series import LN2_HIGH, LN2_LOW, polynomial

Array = Any

SQRT_HALF = 0.7071067811865476
COEFFICIENTS = tuple(2.0 / i for i in range(21, 1, -2))
"""Of t / s², the highest power first."""
SHIFT = 60.0
"""Arguments are taken times 2^-SHIFT, so that `power_of_two_above` overflows on none..."""
SMALL = -900
LIFT = 100.0
"""... and those below 2^SMALL first times 2^LIFT, so that none is subnormal."""


def log(xp: Any, x: Array, /) -> Array:
    """Return the natural logarithm; the same bits everywhere.

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
    >>> log(np, np.asarray([1.0, 10.0])).tolist()
    [0.0, 2.302585092994046]
    """
    double = to_double(xp, x)
    tiny = smallest_normal(xp, x)
    regular = (double > tiny) & (double < math.inf)
    y = _log(xp, xp.where(regular, double, 1.0))
    special = xp.where(xp.abs(double) <= tiny, -math.inf, xp.where(double > 0.0, double, math.nan))
    return round_to(xp, xp.where(regular, y, special), x.dtype)


def log1p(xp: Any, x: Array, /) -> Array:
    """Return log(1 + x), accurate near 0 too; the same bits everywhere.

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
    >>> log1p(np, np.asarray([0.0, 1e-20])).tolist()
    [0.0, 1e-20]
    """
    double = to_double(xp, x)
    regular = (double > -1.0) & (double < math.inf)
    safe = xp.where(regular, double, 0.0)
    u = xp.maximum(safe + 1.0, 0.0)  # it is positive: this keeps XLA from taking (x + 1) - 1 for x
    back = u - 1.0
    lost = (1.0 - (u - back)) + (safe - back)
    y = flush(xp, _log(xp, u) + quotient(xp, lost, u))
    special = xp.where(double == -1.0, -math.inf, xp.where(double > 0.0, double, math.nan))
    return round_to(xp, xp.where(regular, y, special), x.dtype)


def _log(xp: Any, x: Array) -> Array:
    """Return the logarithm of positive, finite, normal float64."""
    e, f = _reduce(xp, x)
    s = moderate_quotient(xp, f, f + 2.0)
    z = s * s
    t = z * polynomial(z, COEFFICIENTS)
    square = f * f * 0.5
    return e * LN2_HIGH - ((square - (s * (square + t) + e * LN2_LOW)) - f)


def _reduce(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return e and f with x = 2^e (1 + f)."""
    small = x < 2.0**SMALL
    scaled = xp.where(small, xp.minimum(x, 2.0**SMALL) * 2.0**LIFT, x) * 2.0**-SHIFT
    power = power_of_two_above(xp, scaled)
    m = scaled * inverse_power(xp, power)  # above 1/2, at most 1
    e = xp.round(xp.log2(power)) + SHIFT
    e = xp.where(small, e - LIFT, e)
    low = m < SQRT_HALF
    return xp.where(low, e - 1.0, e), xp.where(low, m * 2.0, m) - 1.0
