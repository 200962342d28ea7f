"""Exact elementary functions, division and square root: the same bits on every library, and how accurate."""

import math
from fractions import Fraction

import array_api_compat.numpy as np
import flushing
import mpmath
import numpy
import pytest
from test_exact_matmul import DTYPES, same_bits

from xpnet.arithmetic import exact
from xpnet.arithmetic.powers import power_of_two, power_of_two_above
from xpnet.arithmetic.series import LN2_HIGH, LN2_LOW
from xpnet.nn.activation_functions import sigmoid_forward

backend = flushing.backend

XP = exact(np)
ELEMENTARY = ("exp", "expm1", "tanh", "log", "log1p", "sqrt")


def sigmoid(xp, x):
    return sigmoid_forward(xp, x)[0]


def spread(rng, least, most, n):
    """Return positive numbers of all magnitudes between two powers of two."""
    return numpy.ldexp(rng.uniform(0.5, 1, n), rng.integers(least, most, n))


def arguments(name, n, dtype="float64"):
    """Return arguments over the whole range of a function."""
    rng = numpy.random.default_rng(len(name))
    small = spread(rng, -60, 1, n)
    if name in ("log", "sqrt"):
        least, most = (-1021, 1024) if dtype == "float64" else (-125, 128)
        x = [spread(rng, least, most, n), rng.uniform(0.3, 3, n), 1 + small, 1 - small / 2]
    elif name == "log1p":
        x = [spread(rng, -60, 127, n), rng.uniform(-0.999, 2, n), small, -small / 2]
    else:
        low, high = {"exp": (-708.3, 709.7), "expm1": (-60, 709.7), "tanh": (-30, 30), "sigmoid": (-708, 40)}[
            name
        ]
        x = [rng.uniform(low, high, n), rng.uniform(-5, 5, n), small, -small]
    return numpy.concatenate(x).astype(dtype)


def reference(name):
    return (lambda v: 1 / (1 + mpmath.exp(-v))) if name == "sigmoid" else getattr(mpmath, name)


def largest_error(name, x, y):
    """Return the largest difference to mpmath in units in the last place."""
    worst = 0.0
    with mpmath.workprec(160):
        for argument, value in zip(x.tolist(), y.tolist(), strict=True):
            true = reference(name)(mpmath.mpf(argument))
            worst = max(
                worst, float(abs(mpmath.mpf(value) - true) / float(numpy.spacing(y.dtype.type(abs(true)))))
            )
    return worst


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("exp", 0.72),
        ("expm1", 1.2),
        ("tanh", 1.9),
        ("log", 0.9),
        ("log1p", 1.5),
        ("sigmoid", 1.8),
        ("sqrt", 0.5),
    ],
)
def test_accurate_in_float64(name, bound):
    x = arguments(name, 1500)
    y = sigmoid(XP, x) if name == "sigmoid" else getattr(XP, name)(x)
    assert largest_error(name, x, y) <= bound


@pytest.mark.parametrize("name", ELEMENTARY)
def test_rounded_once_in_float32(name):
    with numpy.errstate(over="ignore"):
        x = arguments(name, 500, "float32")
        y = getattr(XP, name)(x)
    normal = numpy.isfinite(y) & (numpy.abs(y) > 2.0**-125)
    assert normal.mean() > 0.3
    assert largest_error(name, x[normal], y[normal]) <= 0.500001


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*ELEMENTARY, "sigmoid"])
def test_the_same_bits_as_numpy(backend, name, dtype):
    xp = exact(backend.xp)
    special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        math.inf,
        -math.inf,
        math.nan,
        5e-324,
        -5e-324,
        2.0**-126,
        1e-40,
        -1e-40,
        1e300,
    ]
    with numpy.errstate(all="ignore"):
        rng = numpy.random.default_rng(0)
        x = numpy.concatenate(
            [arguments(name, 10_000, dtype), -spread(rng, -1074, 1024, 1000), special]
        ).astype(dtype)
        function = sigmoid if name == "sigmoid" else lambda xp, x: getattr(xp, name)(x)
        assert same_bits(backend.to_numpy(function(xp, backend.asarray(x))), function(XP, x))


@pytest.mark.parametrize("name", ELEMENTARY)
def test_the_same_bits_for_millions_of_arguments(name):
    torch = pytest.importorskip("torch")
    import array_api_compat.torch as torch_xp

    x = arguments(name, 500_000)
    y = getattr(exact(torch_xp), name)(torch.from_numpy(x))
    assert same_bits(y.numpy(), getattr(XP, name)(x))


inf, nan = math.inf, math.nan
ENDS = {
    "exp": [(0, 1), (-0.0, 1), (-709, 0), (-inf, 0), (inf, inf), (710, inf), (5e-324, 1)],
    "expm1": [(-0.0, 0), (-inf, -1), (-60, -1), (inf, inf), (5e-324, 0), (1e-300, 1e-300)],
    "tanh": [(-0.0, 0), (-inf, -1), (inf, 1), (5e-324, 0), (-1e-300, -1e-300)],
    "log": [(0, -inf), (-0.0, -inf), (5e-324, -inf), (1, 0), (-1, nan), (-inf, nan), (inf, inf)],
    "log1p": [(-1, -inf), (-2, nan), (-0.0, 0), (inf, inf), (-inf, nan), (1e-300, 1e-300)],
    "sqrt": [(-0.0, 0), (5e-324, 0), (-5e-324, 0), (-1, nan), (-inf, nan), (inf, inf), (4, 2)],
}


@pytest.mark.parametrize(("name", "pairs"), ENDS.items())
def test_ends(backend, name, pairs):
    x, expected = (numpy.asarray(column, dtype="float64") for column in zip(*pairs, (nan, nan), strict=True))
    with numpy.errstate(over="ignore"):
        y = backend.to_numpy(getattr(exact(backend.xp), name)(backend.asarray(x)))
    assert same_bits(y, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_division_has_the_same_bits_as_numpy(backend, dtype):
    xp = exact(backend.xp)
    rng = numpy.random.default_rng(0)
    least, most = (-1074, 1024) if dtype == "float64" else (-149, 128)
    a, b = (spread(rng, least, most, 30_000).reshape(-1, 10).astype(dtype) for _ in range(2))
    with numpy.errstate(all="ignore"):
        for x, y in ((a, b), (a, b[:, :1]), (a, b[0]), (a[:, :1], b), (a[0], b), (a, b[0, :1]), (a, a)):
            quotient = backend.to_numpy(xp.divide(backend.asarray(x), backend.asarray(y)))
            assert same_bits(quotient, XP.divide(x, y))
            true, ordinary = x.astype("float64") / y, numpy.finfo(dtype)
            parts = [numpy.abs(v) for v in numpy.broadcast_arrays(x, y, true, 1 / y.astype("float64"))]
            safe = numpy.all(
                [(v > ordinary.smallest_normal * 2) & (v < ordinary.max / 2) for v in parts], axis=0
            )
            assert safe.mean() > 0.2
            numpy.testing.assert_allclose(quotient[safe], true[safe], rtol=1.5 * float(ordinary.eps))
        for function in (lambda xp, x: xp.divide(x, 3.0), lambda xp, x: xp.divide(2.5, x)):
            assert same_bits(backend.to_numpy(function(xp, backend.asarray(a))), function(XP, a))


def test_division_is_correctly_rounded_by_a_divisor_of_full_size():
    a, b = (spread(numpy.random.default_rng(i), -300, 300, 1000) for i in range(2))
    assert same_bits(XP.divide(a, b), a / b)
    assert [
        float(Fraction(x) / Fraction(y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)
    ] == XP.divide(a, b).tolist()


def test_arrays_without_axes_are_divided_as_arrays(backend):
    """NumPy's float64 is an array of no axes, and a subclass of Python's float too."""
    xp, rng = exact(backend.xp), numpy.random.default_rng(4)
    for a, b in rng.uniform(1, 2, (100, 2)):
        quotient = xp.divide(backend.asarray(numpy.asarray(a)), backend.asarray(numpy.asarray(b)))
        assert float(quotient) == a / b
        assert float(XP.divide(a, b)) == a / b


def test_powers_of_two_are_exact(backend):
    n = numpy.arange(-960.0, 961.0)
    assert backend.to_numpy(power_of_two(backend.xp, backend.asarray(n))).tolist() == [2.0**i for i in n]
    v = numpy.concatenate(
        [[x, numpy.nextafter(x, 0), numpy.nextafter(x, math.inf)] for x in (2.0**i for i in n)]
    )
    above = backend.to_numpy(power_of_two_above(backend.xp, backend.asarray(v)))
    assert above.tolist() == [
        2.0 ** math.ceil(math.log2(x)) if math.frexp(x)[0] == 0.5 else 2.0 ** math.frexp(x)[1] for x in v
    ]


def test_the_two_parts_of_log_2():
    with mpmath.workprec(200):
        assert abs(mpmath.mpf(LN2_HIGH) + mpmath.mpf(LN2_LOW) - mpmath.log(2)) < mpmath.mpf(2) ** -86
    assert (LN2_HIGH * 2**32).is_integer()
