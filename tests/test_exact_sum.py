"""Exact sums: the same bits in any order and on every library, within the stated bound."""

import math
from fractions import Fraction

import array_api_compat.numpy as np
import flushing
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_exact_matmul import DTYPES, same_bits

from xpnet.arithmetic import exact
from xpnet.arithmetic.summation import _of_slice

backend = flushing.backend

XP = exact(np)
rows = arrays("float64", st.integers(1, 40), elements=st.floats(-1e300, 1e300))


@given(rows, st.randoms(use_true_random=False), st.integers(0, 50))
def test_permuting_padding_and_reshaping_change_no_bit(x, random, padding):
    total = XP.sum(x)
    shuffled = x.tolist()
    random.shuffle(shuffled)
    assert same_bits(XP.sum(numpy.asarray(shuffled)), total)
    assert same_bits(XP.sum(numpy.concatenate([x, numpy.zeros(padding)])), total)
    assert same_bits(XP.sum(numpy.reshape(x, (1, -1, 1)), axis=(0, 1, 2)), total)


@given(rows)
def test_within_the_stated_bound_of_fractions(x):
    reference = sum(map(Fraction, x.tolist()))
    bound = len(x) * Fraction(max(float(numpy.abs(x).max()), 2.0**-900)) / 2**67
    assert abs(Fraction(float(XP.sum(x))) - reference) <= bound + abs(reference) / 2**53


def test_the_order_does_not_show_where_it_does_in_numpy():
    rng = numpy.random.default_rng(0)
    x = rng.uniform(1, 2, 100_000)
    assert float(XP.sum(x)) == float(sum(map(Fraction, x.tolist())))
    order = rng.permutation(x.size)
    assert same_bits(XP.sum(x[order]), XP.sum(x))
    mixed = x * numpy.where(x > 1.5, 1e8, -1.0)
    assert same_bits(XP.sum(mixed[order]), XP.sum(mixed))
    assert numpy.sum(mixed[order]) != numpy.sum(mixed)


def test_near_the_correctly_rounded_sum_but_not_always_the_same():
    x = numpy.asarray([1.0, 2.0**-53, 2.0**-69])
    assert math.fsum(x.tolist()) == 1.0 + 2.0**-52
    assert float(XP.sum(x)) == 1.0


def test_a_million_terms_and_more_stay_exact():
    x = numpy.random.default_rng(1).standard_normal(2**20 + 1)
    for terms in (x[:-1], x):
        assert same_bits(XP.sum(terms), XP.sum(terms[::-1].copy()))


def test_weights_of_a_wide_layer_are_added_in_blocks():
    x = numpy.random.default_rng(2).standard_normal(4100 * 4100)  # more than 2^24
    total = XP.sum(x)
    assert abs(float(total) - math.fsum(x.tolist())) <= x.size * numpy.abs(x).max() * 2.0**-59
    x[:] = x[::-1].copy()
    assert same_bits(XP.sum(numpy.reshape(x, (4100, 4100)), axis=(0, 1)), total)
    x[: 2**24] = 0.0
    assert same_bits(XP.sum(x), XP.sum(x[2**24 :]))


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (1, -1), (2, 1, 0)])
def test_blocks_are_added_exactly(backend, axis, monkeypatch):
    x = numpy.random.default_rng(3).standard_normal((7, 6, 11))
    x[:, 0] *= 1e9
    total = numpy.asarray(XP.sum(x, axis=axis))
    monkeypatch.setattr("xpnet.arithmetic.summation.BLOCK", 5)
    in_blocks = backend.to_numpy(exact(backend.xp).sum(backend.asarray(x), axis=axis))
    assert same_bits(in_blocks, total)


def test_sums_of_blocks_beyond_53_bits_do_not_depend_on_the_blocks(monkeypatch):
    rng = numpy.random.default_rng(4)
    integers = rng.integers(2**51, 2**52, 1000).astype("float64")
    rounded = float(sum(map(int, integers.tolist())))
    for length in (1, 2):  # longer ones of such numbers would not add up exactly
        monkeypatch.setattr("xpnet.arithmetic.summation.BLOCK", length)
        assert float(_of_slice(np, rng.permutation(integers), (0,))[0]) == rounded


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_the_same_bits_and_shape_as_numpy(backend, dtype, axis, keepdims):
    xp = exact(backend.xp)
    rng = numpy.random.default_rng(2)
    x = numpy.ldexp(rng.uniform(-1, 1, (7, 60, 11)), rng.integers(-60, 60, (7, 60, 11))).astype(dtype)
    for name in ("sum", "mean", "max", "min"):
        result = backend.to_numpy(getattr(xp, name)(backend.asarray(x), axis=axis, keepdims=keepdims))
        assert same_bits(result, numpy.asarray(getattr(XP, name)(x, axis=axis, keepdims=keepdims)))
        assert result.shape == getattr(x, name)(axis=axis, keepdims=keepdims).shape
        numpy.testing.assert_allclose(
            result, getattr(x.astype("float64"), name)(axis=axis, keepdims=keepdims), 1e-6
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinities_nan_zeros_and_subnormal_numbers(backend, dtype):
    xp = exact(backend.xp)
    inf, nan, tiny = numpy.inf, numpy.nan, float(numpy.finfo(dtype).smallest_normal) / 4
    x = numpy.asarray(
        [[inf, 1], [-inf, 1], [inf, -inf], [nan, 1], [-0.0, -0.0], [tiny, tiny], [1, tiny]], dtype=dtype
    )
    with numpy.errstate(invalid="ignore"):
        total = backend.to_numpy(xp.sum(backend.asarray(x), axis=1))
    assert same_bits(total, numpy.asarray([inf, -inf, nan, nan, 0, 0, 1], dtype=dtype))


def test_of_nothing_and_of_integers(backend):
    xp = exact(backend.xp)
    assert backend.to_numpy(xp.sum(backend.asarray(numpy.zeros((0, 3))), axis=0)).tolist() == [0, 0, 0]
    assert numpy.isnan(backend.to_numpy(xp.mean(backend.asarray(numpy.zeros((0, 3))), axis=0))).all()
    assert int(xp.sum(backend.asarray(numpy.asarray([1, 2, 3])))) == 6
    assert float(xp.sum(backend.asarray(numpy.asarray(2.5)))) == 2.5


def test_float32_is_the_float64_sum_rounded_once():
    x = numpy.random.default_rng(3).standard_normal(1000).astype("float32")
    assert same_bits(XP.sum(x), XP.sum(x.astype("float64")).astype("float32"))
    assert XP.sum(x, dtype=np.float64).dtype == numpy.float64
