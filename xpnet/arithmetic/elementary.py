"""Exponential functions, logarithms and hyperbolic tangent in ``+ - *`` and correctly rounded division.

Libraries disagree in the last bits of these functions. Here each is a fixed sequence of operations that IEEE 754
rounds correctly; the library's own ``exp`` and ``log2`` only find the power of two, where some per cent do not
matter. The methods are the classical ones (Tang 1989, ACM TOMS 15, 144-157; Tang 1990, ACM TOMS 16,
378-400; Muller, Elementary Functions, chapters 5 and 10), with series in place of fitted polynomials, so that
each coefficient is a fraction anyone can check:

- **exp**: x = n log(2) + r with |r| <= 0.3466, and exp(x) = 2^n (1 + (r + r² q(r))), where q is the series of
  (exp(r) - 1 - r) / r² up to r^11 / 13!. The next term is below 2^-57. log(2) is a sum of two parts, the first
  with 21 zeros at its end, so that its product with n is exact.
- **expm1**: 2^n ((1 - 2^-n) + r + r² q(r)), which does not cancel near 0, where n = 0.
- **log**: x = 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), and, with s = f / (2 + f) and |s| < 0.1716,
  log(1 + f) = 2 (s + s³/3 + s⁵/5 + ...) = f - (f²/2 - s (f²/2 + t)), t = 2 s²/3 + 2 s⁴/5 + ..., up to s^22.
  The next term is below 2^-58.
- **log1p**: log(u) + c / u with u = 1 + x rounded and c what the rounding lost, exactly (Knuth's two-sum).
- **tanh**: -t / (t + 2), t = expm1(-2|x|), and the sign of x.

**Errors** measured against mpmath in units in the last place of float64, over a million arguments spread over the
whole range: MEASURED. float32 results are these, rounded once.

**At the ends.** exp is 0 below -708.39, where its value is about to be subnormal, and infinity
above 709.78; expm1 is -1 below -50; log of zero and of subnormal numbers is -infinity, of negative numbers NaN. Zeros come out
as +0, subnormal arguments of expm1, log1p and tanh give 0, and NaN gives NaN.
"""

from __future__ import annotations

import math
from typing import Any

from xpnet.arithmetic.powers import power_of_two, power_of_two_above
from xpnet.arithmetic.rounding import flush, round_to, to_double

Array = Any

SMALLEST_NORMAL = 2.0**-1022
SQRT_HALF = 0.7071067811865476
INVERSE_LN2 = 1.4426950408889634
"""1 / log(2), rounded; it only chooses n."""
LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
"""The first 32 bits of log(2)."""
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
"""log(2) - LN2_HIGH, rounded."""
EXP_SERIES = tuple(1.0 / math.factorial(i) for i in range(13, 1, -1))
"""Coefficients of q, the highest power first."""
LOG_SERIES = tuple(2.0 / (2 * i + 1) for i in range(11, 0, -1))
"""Coefficients of t / s², the highest power first."""
LEAST_EXPONENT = -708.39
GREATEST_EXPONENT = 710.0
"""exp of it overflows."""


def polynomial(x: Array, coefficients: list[float]) -> Array:
    y = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        y = y * x + c
    return y


def _reduce(xp: Any, x: Array) -> tuple[Array, Array, Array]:
    n = xp.round(x * INVERSE_LN2)
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    return n, r, (r * r) * polynomial(r, EXP_COEFFICIENTS)


def exp(xp: Any, x: Array) -> Array:
    double = xp.minimum(xp.maximum(to_double(xp, x), -746.0), 710.0)
    n, r, tail = _reduce(xp, double)
    half = xp.floor(n * 0.5)
    power = power_of_two(xp, half)
    y = (((r + tail) + 1.0) * power) * (power * ((n - 2.0 * half) + 1.0))
    return round_to(xp, flush(xp, y), x.dtype)


def expm1(xp: Any, x: Array) -> Array:
    double = xp.minimum(xp.maximum(to_double(xp, x), -50.0), 710.0)
    n, r, tail = _reduce(xp, double)
    half = xp.floor(n * 0.5)
    power = power_of_two(xp, half)
    rest = power * ((n - 2.0 * half) + 1.0)
    one = 1.0 - xp.reciprocal(power) * xp.reciprocal(rest)
    y = (((one + r) + tail) * power) * rest
    return round_to(xp, flush(xp, y), x.dtype)


def _log(xp: Any, x: Array) -> Array:
    small = x < 2.0**-900
    x = xp.where(small, x * 2.0**100, x)
    power = power_of_two_above(xp, x * 2.0**-60)
    e = xp.round(xp.log2(power)) + xp.where(small, -40.0, 60.0)
    m = (x * 2.0**-60) * xp.reciprocal(power)
    low = m < SQRT_HALF
    m = xp.where(low, m * 2.0, m)
    e = xp.where(low, e - 1.0, e)
    f = m - 1.0
    s = xp.divide(f, f + 2.0)
    z = s * s
    tail = z * polynomial(z, LOG_COEFFICIENTS)
    square = 0.5 * f * f
    return e * LN2_HIGH - ((square - (s * (square + tail) + e * LN2_LOW)) - f)


def log(xp: Any, x: Array) -> Array:
    double = to_double(xp, x)
    regular = (double >= 2.0**-1022) & (double < float("inf"))
    y = _log(xp, xp.where(regular, double, 1.0))
    special = xp.where(
        double > 1.0, double, xp.where(xp.abs(double) < 2.0**-1022, -float("inf"), float("nan"))
    )
    return round_to(xp, xp.where(regular, y, special), x.dtype)


def log1p(xp: Any, x: Array) -> Array:
    double = to_double(xp, x)
    regular = (double > -1.0) & (double < float("inf"))
    v = xp.where(regular, double, 0.0)
    u = v + 1.0
    back = u - 1.0
    lost = (1.0 - (u - back)) + (v - back)
    y = flush(xp, _log(xp, u) + xp.divide(lost, u))
    special = xp.where(double > -1.0, double, xp.where(double == -1.0, -float("inf"), float("nan")))
    return round_to(xp, xp.where(regular, y, special), x.dtype)


def tanh(xp: Any, x: Array) -> Array:
    double = to_double(xp, x)
    t = expm1(xp, xp.abs(double) * -2.0)
    y = flush(xp, xp.divide(0.0 - t, t + 2.0))
    return round_to(xp, xp.where(double < 0.0, 0.0 - y, y), x.dtype)
