"""What keeps numbers that decay towards zero the same on libraries that disagree on subnormal numbers.

The operators ``+ - *`` are the libraries' own. XLA on the CPU takes subnormal numbers for zeros, NumPy and
PyTorch compute with them: a weight that a penalty shrinks for ever, or a velocity without gradient, would
part the bits when it gets there. So in exact arithmetic what is carried to the next iteration is set to +0
while it is still far above: a term that is subnormal, below 2^-126 in float32 and 2^-1022 in float64, is then
less than half a unit in the last place of whatever it is added to, and is rounded away on every library.

The sign and the payload of NaN are each processor's own: every NaN becomes one and the same.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.arithmetic.kinds import of_one_kind
from xpnet.arithmetic.rounding import is_floating

Array = Any

NEGLIGIBLE, NEGLIGIBLE_FLOAT32 = 2.0**-960, 2.0**-100
"""Above ``2**-1022 * 2**54`` and ``2**-126 * 2**25``, with room for a sum of some terms."""


def settle(xp: Any, x: Array) -> Array:
    """Return an array with +0 in place of what is negligible, and of -0, and with one NaN; infinities pass.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array
        A parameter, or what an optimiser remembers; integers and booleans stay as they are.

    Returns
    -------
    array
        Of the same shape and dtype.

    Examples
    --------
    >>> import numpy as np
    >>> settle(np, np.asarray([2.0**-970, -0.0, 1.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    if not is_floating(xp, x):
        return x
    least = NEGLIGIBLE_FLOAT32 if x.dtype == xp.float32 else NEGLIGIBLE
    kept = xp.where(xp.abs(x) < least, 0.0, x)
    return xp.where(kept != kept, math.nan, kept)


def flushed(xp: Any, name: str, /, *operands: Any) -> Array:
    """Call a function of the library, and make zeros of subnormal results.

    ``xp.multiply(a, b)`` is for products that are scaled up later, where ``a * b`` would do otherwise: a
    learning rate of 4 lifts a subnormal gradient to where it counts.

    Parameters
    ----------
    xp : namespace
        The array library's.
    name : str
        Of a function that rounds correctly.
    *operands : array or Python number
        Of one kind.

    Returns
    -------
    array

    Raises
    ------
    InvalidInputError
        Where kinds are mixed.

    Examples
    --------
    >>> import numpy as np
    >>> flushed(np, "multiply", np.asarray([1e-300, 3.0]), 1e-10).tolist()
    [0.0, 3e-10]
    """
    result = of_one_kind(xp, name, *operands)
    if not is_floating(xp, result):
        return result
    return xp.where(xp.abs(result) < float(xp.finfo(result.dtype).smallest_normal), 0.0, result)
