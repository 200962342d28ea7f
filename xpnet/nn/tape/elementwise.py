"""Vector-Jacobian products of the functions that act element by element.

Where a function has no derivative, one is chosen, as PyTorch does: `abs` has 0 at 0; of equal elements
`maximum` and `minimum` give each a half; `clip` counts its bounds as inside.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

Array = Any
Pull = Callable[[Array], Array]


def _same(xp: Any, y: Array, *args: Any, **kwargs: Any) -> Pull:
    return _identity


def _negative(xp: Any, y: Array, *args: Any, **kwargs: Any) -> Pull:
    return operator.neg


def _identity(g: Array) -> Array:
    return g


def _larger(xp: Any, a: Array | float, b: Array | float) -> Pull:
    """Give the gradient where ``a > b``, and half of it where they are equal."""
    return lambda g: xp.where(a > b, g, xp.where(a == b, g * 0.5, 0.0))


def _base(xp: Any, y: Array, a: Array, b: Array | float) -> Pull:
    """Give the gradient of a power's base; that of ``a**0`` is 0, also at 0."""
    if isinstance(b, int | float):
        return lambda g: g * (b * xp.pow(a, b - 1)) if b else xp.zeros_like(g)

    def pull(g: Array) -> Array:
        zero = b == 0
        return xp.where(zero, 0.0, g * (b * xp.pow(a, xp.where(zero, 1.0, b) - 1.0)))

    return pull


def _exponent(xp: Any, y: Array, a: Array | float, b: Array) -> Pull:
    """Give the gradient of a power's exponent; that of ``0**b`` is 0."""
    if isinstance(a, int | float):
        return lambda g: g * (y * math.log(a)) if a else xp.zeros_like(g)
    return lambda g: g * (y * xp.log(xp.where(a == 0, 1.0, a)))


def _clipped(xp: Any, y: Array, x: Array, low: Any = None, high: Any = None) -> Pull:
    def pull(g: Array) -> Array:
        g = g if low is None else xp.where(x < low, 0.0, g)
        return g if high is None else xp.where(x > high, 0.0, g)

    return pull


def _low(xp: Any, y: Array, x: Array, low: Array, high: Any = None) -> Pull:
    def pull(g: Array) -> Array:
        g = xp.where(x < low, g, 0.0)
        return g if high is None else xp.where(low > high, 0.0, g)

    return pull


def _high(xp: Any, y: Array, x: Array, low: Any, high: Array) -> Pull:
    def pull(g: Array) -> Array:
        beyond = x > high if low is None else xp.logical_or(x > high, low > high)
        return xp.where(beyond, g, 0.0)

    return pull


RULES: dict[str, tuple[Any, ...]] = {
    "abs": (lambda xp, y, x: lambda g: g * xp.sign(x),),
    "acos": (lambda xp, y, x: lambda g: -xp.divide(g, xp.sqrt(1.0 - x * x)),),
    "acosh": (lambda xp, y, x: lambda g: xp.divide(g, xp.sqrt(x - 1.0) * xp.sqrt(x + 1.0)),),
    "add": (_same, _same),
    "asarray": (_same,),
    "asin": (lambda xp, y, x: lambda g: xp.divide(g, xp.sqrt(1.0 - x * x)),),
    "asinh": (lambda xp, y, x: lambda g: xp.divide(g, xp.sqrt(x * x + 1.0)),),
    "astype": (_same,),
    "atan": (lambda xp, y, x: lambda g: xp.divide(g, x * x + 1.0),),
    "atan2": (
        lambda xp, y, a, b: lambda g: xp.divide(g * b, a * a + b * b),
        lambda xp, y, a, b: lambda g: xp.divide(-g * a, a * a + b * b),
    ),
    "atanh": (lambda xp, y, x: lambda g: xp.divide(g, 1.0 - x * x),),
    "broadcast_to": (_same,),
    "clip": (_clipped, _low, _high),
    "copysign": (
        lambda xp, y, a, b: lambda g: g * (xp.sign(y) * xp.sign(a)),
        lambda xp, y, a, b: lambda g: xp.zeros_like(g),
    ),
    "cos": (lambda xp, y, x: lambda g: -g * xp.sin(x),),
    "cosh": (lambda xp, y, x: lambda g: g * xp.sinh(x),),
    "divide": (
        lambda xp, y, a, b: lambda g: xp.divide(g, b),
        lambda xp, y, a, b: lambda g: -xp.divide(g * y, b),
    ),
    "exp": (lambda xp, y, x: lambda g: g * y,),
    "expm1": (lambda xp, y, x: lambda g: g * (y + 1.0),),
    "hypot": (
        lambda xp, y, a, b: lambda g: g * xp.divide(a, y),
        lambda xp, y, a, b: lambda g: g * xp.divide(b, y),
    ),
    "log": (lambda xp, y, x: lambda g: xp.divide(g, x),),
    "log10": (lambda xp, y, x: lambda g: xp.divide(g * (1.0 / math.log(10.0)), x),),
    "log1p": (lambda xp, y, x: lambda g: xp.divide(g, x + 1.0),),
    "log2": (lambda xp, y, x: lambda g: xp.divide(g * (1.0 / math.log(2.0)), x),),
    "logaddexp": (
        lambda xp, y, a, b: lambda g: g * xp.exp(a - y),
        lambda xp, y, a, b: lambda g: g * xp.exp(b - y),
    ),
    "maximum": (
        lambda xp, y, a, b: _larger(xp, a, b),
        lambda xp, y, a, b: _larger(xp, b, a),
    ),
    "minimum": (
        lambda xp, y, a, b: _larger(xp, b, a),
        lambda xp, y, a, b: _larger(xp, a, b),
    ),
    "multiply": (lambda xp, y, a, b: lambda g: g * b, lambda xp, y, a, b: lambda g: g * a),
    "negative": (_negative,),
    "positive": (_same,),
    "pow": (_base, _exponent),
    "reciprocal": (lambda xp, y, x: lambda g: -g * (y * y),),
    "remainder": (_same, lambda xp, y, a, b: lambda g: -g * xp.floor(xp.divide(a, b))),
    "sin": (lambda xp, y, x: lambda g: g * xp.cos(x),),
    "sinh": (lambda xp, y, x: lambda g: g * xp.cosh(x),),
    "sqrt": (lambda xp, y, x: lambda g: xp.divide(g * 0.5, y),),
    "square": (lambda xp, y, x: lambda g: g * (x * 2.0),),
    "subtract": (_same, _negative),
    "tan": (lambda xp, y, x: lambda g: g * (y * y + 1.0),),
    "tanh": (lambda xp, y, x: lambda g: g * (1.0 - y * y),),
    "where": (
        _same,  # never asked for: truth values have no gradient
        lambda xp, y, condition, a, b: lambda g: xp.where(condition, g, 0.0),
        lambda xp, y, condition, a, b: lambda g: xp.where(condition, 0.0, g),
    ),
}
