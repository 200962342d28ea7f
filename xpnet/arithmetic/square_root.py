"""The square root, rounded correctly out of a library's that is not.

IEEE 754 asks for a correctly rounded square root, but PyTorch's vectorised one on the CPU (MKL's) is off by
one unit in the last place in one case out of 150. With s from the library, x - s² is a number of float64,
and one step of Newton's method, ``s + (x - s²) / (2 s)``, lands on the nearest number whichever
neighbour s was.

**The residual.** s is split into ``high``, its leading 26 bits, and ``low``, so that high², 2 high low and
low² are exact, and subtracting them from x, the largest first, is exact at each step (Dekker 1971, Numer.
Math. 18, 224-242). The products being exact, fused multiply-add changes nothing.

**The step.** Count in units u of the last place of s, x being n u². The true root differs from
``s + (x - s²) / (2 s)`` by less than 2^-53 u, which matters only next to the midpoint m + 1/2 of two
numbers m and m + 1; no square root of an integer n is nearer to it than those of m² + m and m² + m + 1.
For m² + m + 1 the quotient is above 1/2 by at least 2^-54 and rounds to more than 1/2, from m
as well as from m + 1. For m² + m it is exactly the tie, and the even neighbour is taken from either. n has
trailing zeros enough to be m² + m only for m = 2^52, where the tie is decided rightly, and
m = 2^53 - 1: the root of ``(1 - 2^-53) 4^k`` comes out as 2^k, half a unit in the
last place too high, everywhere.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.arithmetic.rounding import round_to, smallest_normal, to_double

Array = Any

SMALL = -500
LIFT = 400
"""Numbers below 2^SMALL are taken times 2^LIFT, or their residual might be subnormal."""


def sqrt(xp: Any, x: Array, /) -> Array:
    """Return the square root; the same bits everywhere.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64 or float32
        NaN where negative; subnormal numbers and -0 count as 0.

    Returns
    -------
    array
        Correctly rounded, but for the one mantissa that the module's docstring names.

    Examples
    --------
    >>> import numpy as np
    >>> sqrt(np, np.asarray([0.0, 2.25, 9.0])).tolist()
    [0.0, 1.5, 3.0]
    """
    double = to_double(xp, x)
    tiny = smallest_normal(xp, x)
    regular = (double > tiny) & (double < math.inf)
    small = double < 2.0**SMALL
    lifted = xp.where(small, xp.minimum(double, 2.0**SMALL) * 2.0**LIFT, double)
    scaled = xp.where(regular, lifted, 1.0)
    root = _sqrt(xp, scaled)
    root = xp.where(small, root * 2.0 ** (-LIFT / 2), root)
    special = xp.where(xp.abs(double) <= tiny, 0.0, xp.where(double > 0.0, double, math.nan))
    return round_to(xp, xp.where(regular, root, special), x.dtype)


def _sqrt(xp: Any, x: Array) -> Array:
    """Return the square root of numbers between 2^-622 and infinity."""
    s = xp.sqrt(x)
    shifted = s * 2.0**27
    high = (s + shifted) - shifted
    low = s - high
    residual = ((x - high * high) - 2.0 * high * low) - low * low
    return s + xp.divide(residual, 2.0 * s)
