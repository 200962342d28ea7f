"""Correct rounding out of a library that is a unit in the last place off: quotients, reciprocals, roots."""

import math

import array_api_compat.numpy as np
import numpy
import pytest
from test_exact_functions import arguments, spread
from test_exact_matmul import matrices, same_bits

from xpnet.arithmetic import exact
from xpnet.arithmetic.quotient import moderate_quotient, quotient, reciprocal, split

XP = exact(np)
DIRECTIONS = ("up", "down", "either")


class Careless:
    """NumPy whose division, reciprocal and square root are a unit off, or may be."""

    def __init__(self, direction):
        self.direction = direction

    def __getattr__(self, name):
        return getattr(np, name)

    def _off(self, x):
        rng = numpy.random.default_rng(x.size)
        towards = {"up": 1, "down": -1}.get(self.direction) or rng.integers(-1, 2, x.shape)
        beside = numpy.nextafter(x, numpy.where(towards > 0, math.inf, -math.inf))
        return numpy.where((towards != 0) & numpy.isfinite(x) & (x != 0), beside, x)

    def divide(self, a, b):
        return self._off(numpy.divide(a, b))

    def reciprocal(self, x):
        return self._off(numpy.reciprocal(x))

    def sqrt(self, x):
        return self._off(numpy.sqrt(x))


careless = pytest.mark.parametrize("direction", DIRECTIONS)


def hardest_quotients(n):
    """Return a and b with a / b as near to the midpoint of two numbers as can be: ``2 a 2^53 = N b ± 1``."""
    rng = numpy.random.default_rng(n)
    found = []
    while len(found) < n:
        b = int(rng.integers(2**52, 2**53)) | 1
        for sign in (1, -1):
            midpoint = -sign * pow(b, -1, 2**54) % 2**54
            a, rest = divmod(midpoint * b + sign, 2**54)
            if midpoint >= 2**53 and a >= 2**52:
                assert rest == 0
                found.append((float(a), float(b)))
    return numpy.asarray(found).T


def ordinary_pairs():
    """Return pairs of numbers of many magnitudes and signs, easy ones and hard ones."""
    rng = numpy.random.default_rng(0)
    a, b = (spread(rng, -450, 450, 60_000) * rng.choice([-1.0, 1.0], 60_000) for _ in range(2))
    hard_a, hard_b = hardest_quotients(2000)
    small = numpy.arange(1.0, 200.0)
    exact_a, exact_b = (x.ravel() for x in numpy.meshgrid(small, small))  # among them powers of two
    near = numpy.nextafter(exact_a, 0.0)
    return numpy.concatenate([a, hard_a, exact_a, near]), numpy.concatenate([b, hard_b, exact_b, exact_b])


@careless
def test_quotients_are_correctly_rounded(direction):
    a, b = ordinary_pairs()
    assert same_bits(quotient(Careless(direction), a, b), a / b)
    assert same_bits(quotient(Careless(direction), -a, b), -a / b)
    moderate = (numpy.abs(a) > 2.0**-400) & (numpy.abs(a) < 2.0**400) & (b > 2.0**-400) & (b < 2.0**400)
    a, b = a[moderate], b[moderate]
    assert same_bits(moderate_quotient(Careless(direction), a, b), a / b)


@careless
def test_reciprocals_are_correctly_rounded(direction):
    _, b = ordinary_pairs()
    b = numpy.concatenate([b, 1.0 / b, numpy.ldexp(1.0, numpy.arange(-960, 960))])
    assert same_bits(reciprocal(Careless(direction), b), 1.0 / b)


@careless
def test_float32_needs_no_correction(direction):
    rng = numpy.random.default_rng(1)
    a, b = (spread(rng, -120, 128, 200_000).astype("float32").reshape(-1, 10) for _ in range(2))
    powers = numpy.ldexp(1.0, numpy.arange(-126, 128)).astype("float32")
    careless = exact(Careless(direction))
    with numpy.errstate(all="ignore"):
        for x, y in (
            (a, b),
            (a, b[:, :1]),
            (a[:1] * 0 + powers[:, None], powers[:1]),
            (powers, powers[::-1]),
        ):
            assert same_bits(careless.divide(x, y), XP.divide(x, y))
        ratio = a.astype("float64") / b
        fits = (ratio > 2.0**-126) & (ratio < 2.0**128)
        assert same_bits(XP.divide(a, b)[fits], ratio[fits].astype("float32"))
    assert same_bits(careless.sqrt(a), numpy.sqrt(a))


@careless
def test_the_square_root_is_correctly_rounded(direction):
    squares = numpy.arange(1, 2000.0) ** 2
    ends = 2.0 ** numpy.arange(-900, 900) * (1.0 - 2.0**-53)
    x = numpy.concatenate(
        [
            arguments("sqrt", 100_000),
            squares,
            numpy.nextafter(squares, 0),
            numpy.nextafter(squares, inf),
            ends,
        ]
    )
    assert same_bits(exact(Careless(direction)).sqrt(x), numpy.sqrt(x))


inf = math.inf


@careless
@pytest.mark.parametrize("name", ["exp", "expm1", "tanh", "log", "log1p"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_functions_do_not_show_it(direction, name, dtype):
    x = arguments(name, 20_000, dtype)
    x = x[numpy.abs(x) > 1e-250] if dtype == "float64" else x
    with numpy.errstate(all="ignore"):
        assert same_bits(getattr(exact(Careless(direction)), name)(x), getattr(XP, name)(x))


@careless
def test_products_and_sums_do_not_show_it(direction):
    a, b = matrices(numpy.random.default_rng(2), 20, 300, 10)
    careless = exact(Careless(direction))
    assert same_bits(careless.matmul(a, b), XP.matmul(a, b))
    assert same_bits(careless.sum(a, axis=0), XP.sum(a, axis=0))
    assert same_bits(careless.divide(a, b.T[:, :1][:1]), XP.divide(a, b.T[:, :1][:1]))
    assert same_bits(careless.divide(2.5, a), XP.divide(2.5, a))


def test_both_parts_of_a_number_have_26_bits():
    top = 2.0 - 2.0**-52 * numpy.arange(1, 1000)
    x = numpy.concatenate([spread(numpy.random.default_rng(3), -300, 300, 10_000), top])
    high, low = split(x)
    assert numpy.all(high + low == x)
    for part in (high, low):
        mantissa = numpy.frexp(part)[0] * 2**26
        assert numpy.all(mantissa == numpy.rint(mantissa))


@pytest.mark.parametrize("a", [0.0, -1.0, 1.0, inf, -inf, math.nan, 1e308, 1e-300])
@pytest.mark.parametrize("b", [0.0, -1.0, 3.0, inf, -inf, math.nan, 1e308, 1e-300])
def test_the_ends_are_the_library_s(a, b):
    a, b = numpy.full(3, a), numpy.full(3, b)
    with numpy.errstate(all="ignore"):
        assert same_bits(quotient(np, a, b), a / b + 0.0)  # zeros are +0
        assert same_bits(reciprocal(np, b), 1.0 / b + 0.0)
