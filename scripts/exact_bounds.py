"""Measure every number that the documentation of exact arithmetic states, and print it beside the statement.

Elementary functions: the largest error in units in the last place, among seeded arguments and among the worst
ones that longer searches found. Arguments are screened in 64-bit floating point, where the machine has it,
and the worst of them computed with mpmath. Products and sums: the largest share of the stated bound that an
error takes, in fractions. Ends with status 1 where a number exceeds its statement.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import array_api_compat.numpy as xp
import mpmath
import numpy as np
from common import print_table

from xpnet.arithmetic import exact
from xpnet.arithmetic.splitting import reserved_bits
from xpnet.nn.activation_functions import sigmoid_forward

XP = exact(xp)
SCREENED = np.finfo(np.longdouble).nmant >= 63
"""Whether there is a floating-point type that is exact enough to find candidates with."""
CANDIDATES = 40


class Function(NamedTuple):
    """An elementary function: what its documentation states, where to look, and the worst arguments known."""

    stated: float
    areas: tuple[tuple[float, float], ...]
    worst: tuple[str, ...]


FUNCTIONS = {
    "exp": Function(0.72, ((-708.3, 709.7), (-5.0, 5.0)), ("0x1.b66ab4f68e545p+8",)),
    "expm1": Function(1.2, ((-50.0, 709.7), (-2.0, 2.0)), ("0x1.28fbc2b3430d1p+5",)),
    "tanh": Function(1.9, ((-20.0, 20.0), (0.17, 0.3)), ("0x1.a2b54c8a8475bp-3",)),
    "log": Function(0.9, ((0.5, 2.0), (0.696, 0.7072)), ("0x1.696ead699960fp-1",)),
    "log1p": Function(1.5, ((-0.999, 2.0), (0.39, 0.4143)), ("-0x1.32230a487b713p-2",)),
    "sigmoid": Function(1.8, ((-700.0, 40.0), (-3.0, -0.5)), ("-0x1.22560c644d5b4p+0",)),
    "sqrt": Function(0.5, ((0.0, 4.0),), ("0x1.fffffffffffffp-1",)),
}
ONCE_ROUNDED = 0.500001
"""Of float32 results, in units in the last place of float32."""


class Row(NamedTuple):
    """What was measured, and what is stated."""

    what: str
    found: float
    stated: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0, help="of the arguments (default: 0)")
    parser.add_argument("--quick", action="store_true", help="few arguments, a few seconds")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    with np.errstate(all="ignore"):
        rows = list(measured(rng, 20_000 if options.quick else 10_000_000))
    print_table(
        ["", "found", "stated"], [[row.what, f"{row.found:.4g}", f"{row.stated:.7g}"] for row in rows]
    )
    too_large = [row.what for row in rows if row.found > row.stated]
    if too_large:
        sys.exit(f"more than stated: {', '.join(too_large)}")


def measured(rng: np.random.Generator, count: int) -> Iterator[Row]:
    """Yield all that is measured; `count` is the number of arguments of each function."""
    for name, function in FUNCTIONS.items():
        yield Row(f"{name}, ulp", largest_error(name, function, rng, count), function.stated)
        if name != "sigmoid":
            error = float32_error(name, function, rng, min(count, 5000))
            yield Row(f"{name} of float32, ulp", error, ONCE_ROUNDED)
    yield Row("division by a broadcast divisor, ulp", division_error(rng, min(count, 200_000)), 1.5)
    for k in (50, 1024, 1025, 65_536, 65_537):
        yield Row(f"product of {k} terms, share of its bound", product_share(rng, k), 1.0)
        yield Row("the same of bytes, share of its bound", bytes_share(rng, k), 1.0)
    for k in (1000, 2**20, 2**20 + 2):
        yield Row(f"sum of {k} terms, share of its bound", sum_share(rng, k), 1.0)
    yield Row("sum of 1, 2^-53 and 2^-69, ulp from the rounded sum", sum_counterexample(), 1.0)
    for k, exponent in ((1024, 993), (65_536, 990), (2**24, 986)):
        if k <= 2 * count:
            yield Row(f"below 2^n a product of {k} terms does not overflow", exponent, overflow_exponent(k))


def value(name: str, x: np.ndarray) -> np.ndarray:
    """Return what exact arithmetic computes."""
    return sigmoid_forward(XP, x)[0] if name == "sigmoid" else getattr(XP, name)(x)


def largest_error(name: str, function: Function, rng: np.random.Generator, count: int) -> float:
    """Return the largest error in float64, in units in the last place."""
    found = [np.asarray([float.fromhex(x) for x in function.worst])]
    for low, high in function.areas:
        found += [suspects(name, rng.uniform(low, high, n)) for n in chunks(count // len(function.areas))]
    x = np.concatenate(found)
    return max(errors(name, x, value(name, x)))


def chunks(count: int, size: int = 1_000_000) -> Iterator[int]:
    """Yield numbers of arguments that fit into memory."""
    for start in range(0, count, size):
        yield min(size, count - start)


def suspects(name: str, x: np.ndarray) -> np.ndarray:
    """Return the arguments whose error looks largest; some of them where nothing can tell."""
    if not SCREENED:
        return x[: 10 * CANDIDATES]
    wide = x.astype(np.longdouble)
    true = 1 / (1 + np.exp(-wide)) if name == "sigmoid" else getattr(np, name)(wide)
    off = np.abs(value(name, x).astype(np.longdouble) - true) / np.spacing(np.abs(true.astype("float64")))
    return x[np.argsort(np.where(np.isfinite(off), off, 0))[-CANDIDATES:]]


def float32_error(name: str, function: Function, rng: np.random.Generator, count: int) -> float:
    """Return the largest error in float32, in units in the last place of float32."""
    low, high = function.areas[0]
    x = rng.uniform(max(low, -80.0), min(high, 80.0), count).astype("float32")
    return max(errors(name, x, value(name, x)))


def errors(name: str, x: np.ndarray, y: np.ndarray) -> Iterator[float]:
    """Yield the errors in units in the last place, computed with mpmath."""
    reference: Callable[[mpmath.mpf], mpmath.mpf] = getattr(mpmath, name, logistic)
    with mpmath.workprec(160):
        for argument, result in zip(x.tolist(), y, strict=True):
            true = reference(mpmath.mpf(argument))
            unit = float(np.spacing(y.dtype.type(abs(true))))
            yield float(abs(mpmath.mpf(float(result)) - true) / unit)


def logistic(x: mpmath.mpf) -> mpmath.mpf:
    """Return the sigmoid."""
    return 1 / (1 + mpmath.exp(-x))


def division_error(rng: np.random.Generator, count: int) -> float:
    """Return the largest error of a quotient by a broadcast divisor, in units in the last place."""
    a, b = rng.uniform(1, 2, (count // 100, 100)), rng.uniform(1, 2, (count // 100, 1))
    quotient = XP.divide(a, b)
    worst = 0.0
    for row, divisor, results in zip(a.tolist(), b[:, 0].tolist(), quotient, strict=True):
        true = [Fraction(x) / Fraction(divisor) for x in row[:5]]
        for t, y in zip(true, results.tolist(), strict=False):
            worst = max(worst, float(abs(Fraction(y) - t) / Fraction(float(np.spacing(float(t))))))
    return worst


def product_share(rng: np.random.Generator, k: int) -> float:
    """Return the largest error of a product of floats as a share of its bound."""
    a, b = worst_magnitudes(rng, (2, k)), worst_magnitudes(rng, (k, 2))
    bound = k * (2.0**-42 if k > 2**16 else 2.0 ** (reserved_bits(k) - 51))
    return share(XP.matmul(a, b), a, b, bound)


def bytes_share(rng: np.random.Generator, k: int) -> float:
    """Return the same of a product of bytes and floats."""
    a, b = rng.integers(0, 256, (2, k), dtype="uint8"), worst_magnitudes(rng, (k, 2))
    bound = k * (2.0**-43 if k > 2**16 else 2.0 ** (reserved_bits(k) - 45))
    return share(XP.matmul(a, b), a, b, bound)


def worst_magnitudes(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return positive numbers just above a power of two, which is scaled down furthest, with one bias."""
    return (1.0 + rng.uniform(0.25, 0.5, shape) * 2.0**-20) * np.where(rng.random(shape) < 0.5, 1.0, 0.75)


def share(product: np.ndarray, a: np.ndarray, b: np.ndarray, bound: float) -> float:
    """Return the largest error beyond the rounding of the result, as a share of a bound for |a| = |b| = 1."""
    worst = 0.0
    for i, row in enumerate(a.tolist()):
        for j, column in enumerate(b.T.tolist()):
            true = sum((Fraction(x) * Fraction(y) for x, y in zip(row, column, strict=True)), Fraction(0))
            error = abs(Fraction(float(product[i, j])) - true) - abs(true) * Fraction(4, 2**53)
            allowed = bound * max(map(abs, row)) * max(map(abs, column))
            worst = max(worst, float(error / Fraction(allowed)))
    return worst


def sum_share(rng: np.random.Generator, k: int) -> float:
    """Return the error of a sum whose large terms cancel, as a share of its bound."""
    x = np.concatenate([np.ones(k // 4), -np.ones(k // 4), rng.uniform(0, 2.0**-50, k - k // 4 * 2)])
    true = math.fsum(x.tolist())
    bound = k * 2.0 ** (-67 if k <= 2**20 else -59)
    return max(abs(float(XP.sum(x)) - true) - abs(true) * 2.0**-52, 0.0) / bound


def sum_counterexample() -> float:
    """Return by how many units 1 + 2^-53 + 2^-69 is off: it should be rounded up, and is rounded down."""
    return float((1.0 + 2.0**-52 - XP.sum(np.asarray([1.0, 2.0**-53, 2.0**-69]))) * 2.0**52)


def overflow_exponent(k: int) -> int:
    """Return the least exponent of one operand at which a product of so many terms is infinite."""
    b = np.full((k, 1), 1.0 - 2.0**-50)
    exponent = 980
    while np.isfinite(XP.matmul(np.full((1, k), 2.0**exponent), b)).all():
        exponent += 1
    return exponent


if __name__ == "__main__":
    main()
