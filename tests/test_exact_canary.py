"""A library whose float64 is not what exact arithmetic rests on is found out before it is used."""

import time

import array_api_compat.numpy as np
import numpy
import pytest

from xpnet.arithmetic.canary import check_library, check_products, check_rounding
from xpnet.errors import BackendError, XpnetError


def leading_bits(x, bits, axis):
    """Keep as many bits as a fixed-point number has that holds the largest one along an axis."""
    unit = 2.0 ** (numpy.ceil(numpy.log2(numpy.abs(x).max(axis, keepdims=True))) - bits)
    return numpy.rint(x / unit) * unit


def mantissa(x, bits):
    """Round each number to some bits."""
    fraction, exponent = numpy.frexp(x)
    return numpy.ldexp(numpy.rint(fraction * 2.0**bits) / 2.0**bits, exponent)


def emulated(bits):
    return lambda a, b: leading_bits(a, bits, 1) @ leading_bits(b, bits, 0)


def tf32(a, b):
    return (mantissa(a, 11).astype("float32") @ mantissa(b, 11).astype("float32")).astype("float64")


def float32(a, b):
    return (a.astype("float32") @ b.astype("float32")).astype("float64")


def summed_in_float32(a, b):
    """Exact products, added in float32."""
    return numpy.einsum("ij,jk->jik", a, b).astype("float32").sum(0).astype("float64")


def strassen(a, b):
    """One level: seven products in place of eight."""
    (a11, a12), (a21, a22) = (numpy.split(part, 2, 1) for part in numpy.split(a, 2))
    (b11, b12), (b21, b22) = (numpy.split(part, 2, 1) for part in numpy.split(b, 2))
    m1, m2, m3 = (a11 + a22) @ (b11 + b22), (a21 + a22) @ b11, a11 @ (b12 - b22)
    m4, m5 = a22 @ (b21 - b11), (a11 + a12) @ b22
    m6, m7 = (a21 - a11) @ (b11 + b12), (a12 - a22) @ (b21 + b22)
    return numpy.block([[m1 + m4 - m5 + m7, m3 + m5], [m2 + m4, m1 - m2 + m3 + m6]])


def in_pieces(a, b):
    """Sums in another order: right as well."""
    return sum(a[:, i::5] @ b[i::5] for i in range(5))


class Library:
    """NumPy with another matrix product."""

    def __init__(self, matmul):
        self.matmul = matmul

    def __getattr__(self, name):
        return getattr(np, name)


class Registers(numpy.ndarray):
    """Float64 computed in the 64 bits of x87 registers, then stored."""

    def __array_ufunc__(self, ufunc, method, *inputs, **_):
        wide = [numpy.asarray(x).astype(numpy.longdouble) for x in inputs]
        return getattr(ufunc, method)(*wide).astype("float64").view(Registers)


@pytest.mark.parametrize("shape", [(8, 8), (50, 130)])
def test_every_library_here_is_sound(backend, shape):
    check_library(backend.xp, backend.asarray, backend.to_numpy, str(backend), shape)


@pytest.mark.parametrize("matmul", [in_pieces, emulated(35), emulated(53)])
def test_another_order_and_enough_bits_will_do(matmul):
    check_products(Library(matmul), np.asarray, np.asarray, "NumPy")


@pytest.mark.parametrize("matmul", [tf32, float32, summed_in_float32, emulated(20), emulated(34), strassen])
def test_fewer_bits_are_found_out(matmul):
    with pytest.raises(XpnetError, match=r"CUBLAS_EMULATE_DOUBLE_PRECISION.*Strassen") as caught:
        check_products(Library(matmul), np.asarray, np.asarray, "cublas on cuda:0")
    assert "CUBLAS_FIXEDPOINT_EMULATION_MANTISSA_BIT_COUNT" in str(caught.value)
    assert "product of cublas on cuda:0" in str(caught.value)


@pytest.mark.skipif(
    numpy.finfo(numpy.longdouble).nmant != 63, reason="long double has not x87's 64 bits here"
)
def test_rounding_twice_is_found_out():
    def in_registers(x):
        return numpy.asarray(x).view(Registers)

    with pytest.raises(BackendError, match=r"this one rounds float64 twice.*64-bit Python"):
        check_rounding(in_registers, numpy.asarray, "this one")


@pytest.mark.parametrize("operation", range(3))
def test_python_itself_is_tried(operation, monkeypatch):
    from xpnet.arithmetic import canary

    def rounded_twice(*operands):
        right = list(sum_difference_product(*operands))
        if isinstance(operands[0], float):
            right[operation] = 1.0
        return tuple(right)

    sum_difference_product = canary._sum_difference_product
    monkeypatch.setattr(canary, "_sum_difference_product", rounded_twice)
    with pytest.raises(BackendError, match="Python rounds float64 twice"):
        check_rounding(np.asarray, np.asarray, "NumPy")


def test_it_takes_less_than_a_millisecond():
    def once():
        start = time.perf_counter()
        check_library(np, np.asarray, np.asarray, "NumPy")
        return time.perf_counter() - start

    assert min(once() for _ in range(20)) < 1e-3
