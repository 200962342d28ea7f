"""Powers of two out of elementwise ``+ - *``, without ``frexp`` and ``ldexp``, which the standard lacks.

`power_of_two_above` is a variant of the extraction of the leading bit by Rump, Ogita and Oishi
(2008, SIAM J. Sci. Comput. 31, 189-224, section 3). Let 2^(n-1) < v < 2^n and c = 2^53 v. Then c
and c + v lie in [2^(n+52), 2^(n+53)], where float64 numbers are 2^n apart. So c + v is rounded to
c or to c + 2^n, and since v is more than half of 2^n, it is c + 2^n: taking c away leaves 2^n.
Where v is itself a power of two the tie leaves c and the difference is 0, and the larger of the
difference and v is the answer. The only product is by a power of two, hence exact: a compiler that
contracts products and sums into fused multiply-adds changes nothing.
"""

from __future__ import annotations

from typing import Any

Array = Any

LN2 = 0.6931471805599453
"""log(2), rounded to float64."""


def power_of_two_above(xp: Any, v: Array) -> Array:
    """Return the smallest power of two that is not below each element.

    Parameters
    ----------
    xp : namespace
        The array library's.
    v : array of float64
        Between 2^-1022 and 2^970; 2^53 times as much must not overflow.

    Returns
    -------
    array of float64
        Of the same shape. NaN for infinities and NaN.

    Examples
    --------
    >>> import numpy as np
    >>> power_of_two_above(np, np.asarray([0.3, 4.0, 5.0])).tolist()
    [0.5, 4.0, 8.0]
    """
    shifted = v * 2.0**53
    return xp.maximum((v + shifted) - shifted, v)


def inverse_power(xp: Any, power: Array) -> Array:
    """Return the reciprocal of powers of two, exactly.

    The library's own may be off by a unit in the last place: 2^-n (1 + e). e is found exactly, and
    (1 + e) (1 - e) is rounded to 1.

    Parameters
    ----------
    xp : namespace
        The array library's.
    power : array of float64
        Powers of two between 2^-1022 and 2^1022.

    Returns
    -------
    array of float64
        Of the same shape. NaN for infinities, zeros and NaN.

    Examples
    --------
    >>> import numpy as np
    >>> inverse_power(np, np.asarray([0.5, 4.0])).tolist()
    [2.0, 0.25]
    """
    near = xp.reciprocal(power)
    return near + near * (1.0 - power * near)


def power_of_two(xp: Any, n: Array) -> Array:
    """Return 2^n, exactly.

    The library's own ``exp`` gives 2^(n + 1/2) within a few units in the last place, or within 40 per
    cent, it does not matter: the next power of two is 2^(n+1).

    Parameters
    ----------
    xp : namespace
        The array library's.
    n : array of float64
        Integers between -1020 and 968.

    Returns
    -------
    array of float64
        Of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> power_of_two(np, np.asarray([-1.0, 0.0, 10.0])).tolist()
    [0.5, 1.0, 1024.0]
    """
    near = xp.exp((n - 0.5) * LN2)  # about 0.7 * 2^n
    shifted = near * 2.0**53
    return (near + shifted) - shifted
