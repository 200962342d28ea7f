"""Exact matrix products: the same bits in any order and on every library, within the stated bound."""

from fractions import Fraction

import array_api_compat.numpy as np
import flushing
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xpnet.arithmetic import exact
from xpnet.arithmetic.splitting import reserved_bits, slices
from xpnet.errors import InvalidInputError

backend = flushing.backend

XP = exact(np)
DTYPES = ("float64", "float32")


def same_bits(a, b):
    """Tell whether two NumPy arrays are the same in dtype, shape and bytes; all NaN are one."""
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return False
    if a.dtype.kind == "f":
        a, b = (numpy.where(numpy.isnan(x), numpy.asarray(numpy.nan, x.dtype), x) for x in (a, b))
    return a.tobytes() == b.tobytes()


def matrices(rng, n, k, m, exponents=(-30, 30)):
    """Return two matrices of numbers of many magnitudes."""
    a, b = (
        numpy.ldexp(rng.uniform(-1, 1, shape), rng.integers(*exponents, shape)) for shape in ((n, k), (k, m))
    )
    return a, b


def exact_product(a, b):
    """Return the product of two NumPy matrices in fractions."""
    a, b = ([[Fraction(float(v)) for v in row] for row in x] for x in (a, b))
    return [
        [sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a
    ]


def assert_within(product, reference, bound):
    """Assert that each element is within its bound, and the rounding of the result, of the exact one."""
    for i, row in enumerate(reference):
        for j, value in enumerate(row):
            rounding = abs(value) * Fraction(4, 2**53)
            assert abs(Fraction(float(product[i, j])) - value) <= Fraction(float(bound[i, j])) + rounding


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64, allow_subnormal=True)


@st.composite
def pairs(draw):
    n, k, m = draw(st.integers(1, 3)), draw(st.integers(1, 8)), draw(st.integers(1, 3))
    moderate = st.floats(-1e150, 1e150)
    return draw(arrays("float64", (n, k), elements=moderate)), draw(
        arrays("float64", (k, m), elements=moderate)
    )


@given(pairs(), st.randoms(use_true_random=False), st.integers(0, 20))
def test_permuting_and_padding_the_contracted_axis_changes_no_bit(pair, random, padding):
    a, b = pair
    product = XP.matmul(a, b)
    order = list(range(a.shape[1]))
    random.shuffle(order)
    assert same_bits(XP.matmul(a[:, order], b[order]), product)
    zeros_a, zeros_b = numpy.zeros((a.shape[0], padding)), numpy.zeros((padding, b.shape[1]))
    wider = numpy.concatenate([a, zeros_a], 1), numpy.concatenate([b, zeros_b], 0)
    assert same_bits(XP.matmul(*wider), product)


@given(pairs())
def test_within_the_stated_bound_of_fractions(pair):
    a, b = pair
    row, column = (
        numpy.maximum(numpy.abs(x).max(axis, keepdims=True), 2.0**-470) for x, axis in ((a, 1), (b, 0))
    )
    bound = a.shape[1] * 2.0 ** (reserved_bits(a.shape[1]) - 51) * row * column
    assert_within(XP.matmul(a, b), exact_product(a, b), bound)


@pytest.mark.parametrize("k", [1, 50, 1024, 1025, 3000])
def test_the_bound_holds_on_either_side_of_a_class_of_lengths(k):
    rng = numpy.random.default_rng(k)
    a, b = matrices(rng, 2, k, 2)
    bound = k * 2.0 ** (reserved_bits(k) - 51) * numpy.abs(a).max(1)[:, None] * numpy.abs(b).max(0)
    assert_within(XP.matmul(a, b), exact_product(a, b), bound)
    order = rng.permutation(k)
    assert same_bits(XP.matmul(a[:, order], b[order]), XP.matmul(a, b))
    assert not same_bits(a[:, order] @ b[order], a @ b) or k == 1


def test_bytes_by_floats_in_one_product_within_the_stated_bound():
    rng = numpy.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 784), dtype="uint8")
    weights = rng.standard_normal((784, 4))
    product = XP.matmul(pixels, weights)
    bound = numpy.broadcast_to(784 * 255 * 2.0**-35 * numpy.abs(weights).max(0), (3, 4))
    assert_within(product, exact_product(pixels, weights), bound)
    order = rng.permutation(784)
    assert same_bits(XP.matmul(pixels[:, order], weights[order]), product)
    assert same_bits(XP.matmul(weights.T, pixels.T), product.T.copy())


@pytest.mark.parametrize("k", [65_536, 65_537, 100_000])
def test_long_products_are_better_than_float32(k):
    rng = numpy.random.default_rng(k)
    a, b = rng.uniform(-1, 1, (2, k)), rng.uniform(-1, 1, (k, 1))
    reference = exact_product(a, b)
    assert_within(XP.matmul(a, b), reference, numpy.full((2, 1), k * 2.0 ** (-35 if k <= 65_536 else -42)))
    order = rng.permutation(k)
    assert same_bits(XP.matmul(a[:, order], b[order]), XP.matmul(a, b))
    pixels = rng.integers(0, 256, (1, k), dtype="uint8")
    bound = numpy.full((1, 1), k * 255 * 2.0 ** (-29 if k <= 65_536 else -43))
    assert_within(XP.matmul(pixels, b), exact_product(pixels, b), bound)
    assert same_bits(XP.matmul(pixels[:, order], b[order]), XP.matmul(pixels, b))


def test_all_bits_of_the_largest_operands_are_held():
    pixels = numpy.full((1, 1024), 255, dtype="uint8")
    weights = numpy.full((1024, 1), 1.0 - 2.0**-35)
    assert XP.matmul(pixels, weights)[0, 0] == 1024 * 255 * (1.0 - 2.0**-35)
    ones = numpy.full((1, 1024), 1.0 - 2.0**-20)
    assert XP.matmul(ones, ones.T)[0, 0] == 1024 * (1.0 - 2.0**-20) ** 2


@given(arrays("float64", (1, 12), elements=st.floats(-1e300, 1e300)), st.integers(0, 12))
def test_slices_of_blocks_add_up_to_the_whole(x, cut):
    """What lets workers split a sum: slices made with one scale may be added in any grouping."""
    largest = numpy.abs(x).max(1, keepdims=True)
    whole, unit = slices(np, x, largest, 21, 2, -470)
    blocks = [slices(np, part, largest, 21, 2, -470) for part in (x[:, :cut], x[:, cut:])]
    for i in range(2):
        assert sum(block[i].sum() for block, _ in blocks) == whole[i].sum()
    assert all(same_bits(block_unit, unit) for _, block_unit in blocks)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_as_numpy(backend, dtype):
    xp = exact(backend.xp)
    rng = numpy.random.default_rng(1)
    a, b = (x.astype(dtype) for x in matrices(rng, 100, 300, 20))
    pixels = rng.integers(0, 256, (100, 300), dtype="uint8")
    stack = numpy.stack([a, -a])
    tiny = a.astype("float64") * 2.0**-100
    for left, right in (
        (a, b), (stack, b), (a[:, :1], -b[:1]), (0 * a, -abs(b)), (a[:, :0], b[:0]),
        (pixels, b), (pixels.T, a), (a.T, pixels), (tiny.astype(dtype), tiny.T.astype(dtype)),
    ):  # fmt: skip
        product = backend.to_numpy(xp.matmul(backend.asarray(left), backend.asarray(right)))
        assert product.dtype == dtype
        assert same_bits(product, XP.matmul(left, right))


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinity_and_nan_make_nan_of_their_row_or_column_alone(backend, dtype):
    xp = exact(backend.xp)
    a, b = (x.astype(dtype) for x in matrices(numpy.random.default_rng(2), 5, 6, 4))
    clean = XP.matmul(a, b)
    a[1, 2], a[3, 0], b[5, 0] = numpy.inf, numpy.nan, -numpy.inf
    with numpy.errstate(invalid="ignore"):
        product = backend.to_numpy(xp.matmul(backend.asarray(a), backend.asarray(b)))
    bad = numpy.zeros((5, 4), dtype=bool)
    bad[[1, 3]] = bad[:, 0] = True
    assert same_bits(product, numpy.where(bad, numpy.asarray(numpy.nan, dtype), clean))


def test_extreme_magnitudes_neither_overflow_nor_lose_their_bits():
    a = numpy.asarray([[1e300, 1e299, -1e300]])
    b = numpy.asarray([[1e-140], [1e-141], [0.5e-140]])
    assert XP.matmul(a, b)[0, 0] == pytest.approx(0.51e160, rel=1e-11)
    assert XP.matmul(a, b * 1e-20)[0, 0] == 0.0  # a column below the floor of 2^-470 = 3e-142
    row = numpy.asarray([[2.0**996, 2.0**-996]])
    assert (
        XP.matmul(row, numpy.ones((2, 1)))[0, 0] == 2.0**996
    )  # what is negligible in its row counts as zero
    assert not numpy.signbit(XP.matmul(a * 0.0, -b)[0, 0])


def test_float32_is_the_float64_product_rounded_once():
    a, b = (x.astype("float32") for x in matrices(numpy.random.default_rng(3), 20, 100, 20))
    in_double = XP.matmul(a.astype("float64"), b.astype("float64"))
    assert same_bits(XP.matmul(a, b), in_double.astype("float32"))


@settings(max_examples=30)
@given(st.integers(1, 2**24))
def test_the_reserve_covers_the_length(k):
    assert 2 ** reserved_bits(k) >= k


def test_what_cannot_be_multiplied_is_refused():
    with pytest.raises(InvalidInputError, match="not shapes"):
        XP.matmul(numpy.ones(3), numpy.ones((3, 2)))
    with pytest.raises(InvalidInputError, match="floating-point operand"):
        XP.matmul(numpy.ones((1, 3), dtype="uint8"), numpy.ones((3, 2), dtype="uint8"))
    with pytest.raises(InvalidInputError, match="float64 and float32"):
        XP.matmul(numpy.ones((1, 3), dtype="int64"), numpy.ones((3, 2)))
    with pytest.raises(InvalidInputError, match="smaller batches"):
        reserved_bits(2**24 + 1)
