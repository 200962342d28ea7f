"""The square root, rounded correctly out of a library's that is not.

IEEE 754 asks for a correctly rounded square root, but PyTorch's vectorised one on the CPU (MKL's) is off by
one unit in the last place in one case out of 150. So the library's root s is only taken to be within one
unit of the right one; what decides between s and its neighbours is exact, and made of ``+ - *`` alone.

**The residual.** s is split into ``high``, its leading 26 bits, and ``low``, so that high², 2 high low and
low² are exact, and subtracting them from x, the largest first, is exact at each step (Dekker 1971, Numer.
Math. 18, 224-242). The products being exact, fused multiply-add changes nothing.

**The decision.** Let n be the neighbour of s in the direction of the residual and h = (n - s) / 2. The root
is nearer to n where x is beyond ``(s + h)² = s² + 2 s h + h²``, the residual beyond 2 s h + h².
Counted in units of the last place of s, residual and 2 s h are integers, and h² is 1/4 or 1/16: above s
the residual must be more than 2 s h, below s it suffices that it is equal.

Of float32 numbers the library's root in float64 will do: it is at least 4 units of its last place away from a
midpoint of float32.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.arithmetic.quotient import split, to_neighbour
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
        Correctly rounded.

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
    root = xp.sqrt(scaled)
    if x.dtype == xp.float64:
        root = _nearest(xp, scaled, root)
    root = xp.where(small, root * 2.0 ** (-LIFT / 2), root)
    special = xp.where(xp.abs(double) <= tiny, 0.0, xp.where(double > 0.0, double, math.nan))
    return round_to(xp, xp.where(regular, root, special), x.dtype)


def _nearest(xp: Any, x: Array, s: Array) -> Array:
    """Return the number next to the root of x, between 2^-622 and infinity; s is within one unit of it."""
    high, low = split(s)
    residual = ((x - high * high) - 2.0 * high * low) - low * low
    gap = to_neighbour(xp, s, xp.sign(residual))
    beyond = xp.not_equal(residual > s * gap, residual < 0.0)
    return s + xp.where(beyond, gap, 0.0)
