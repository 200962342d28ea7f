"""What is carried from one iteration to the next: no negligible numbers, one zero, one NaN."""

import math

import flushing
import numpy
import pytest
from test_exact_matmul import DTYPES

from xpnet.arithmetic import exact
from xpnet.arithmetic.settling import settle

backend = flushing.backend


def nans(dtype):
    """Return NaN of both signs and of several payloads."""
    bits = {
        "float64": (0x7FF8 << 48, 0xFFF8 << 48, 0x7FF8 << 48 | 12345),
        "float32": (0x7FC00000, 0xFFC00000, 0x7FFFFFFF),
    }
    return numpy.asarray(bits[dtype], dtype=dtype.replace("float", "uint")).view(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_zero_one_nan_and_nothing_negligible(backend, dtype):
    least = {"float64": 2.0**-960, "float32": 2.0**-100}[dtype]
    ordinary = [least, -least, 1.5, -3e7, math.inf, -math.inf]
    negligible = [0.0, -0.0, least * 0.99, -least * 0.99, 5e-324]
    x = numpy.concatenate([numpy.asarray(ordinary + negligible, dtype=dtype), nans(dtype)])
    settled = backend.to_numpy(settle(exact(backend.xp), backend.asarray(x)))
    nan = numpy.full(3, math.nan, dtype=dtype)
    expected = numpy.concatenate([numpy.asarray(ordinary + [0.0] * len(negligible), dtype=dtype), nan])
    assert settled.dtype == dtype
    assert settled.tobytes() == expected.tobytes()  # to the bits of NaN


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool"])
def test_what_is_not_floating_stays(backend, dtype):
    x = backend.asarray(numpy.asarray([0, 1, 100]).astype(dtype))
    assert settle(exact(backend.xp), x) is x
