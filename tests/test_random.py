"""The random streams: the same numbers for ever, and numbers that look random."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpnet.errors import InvalidInputError
from xpnet.random import Stream, check_seed

seeds = st.integers(0, 2**64 - 1)
MANY = 100_000


def uniform(seed=0, purpose="test", counter=0, count=8):
    return Stream(seed, purpose, counter).uniform((count,))


# The first numbers. They never change: runs of earlier versions must be repeatable.

WORDS = ["0x7a09ab3615d70e83", "0x5426069155f0a5f7", "0xa62d5a96e2839bd5"]
UNIFORM = ["0x1.e826acd8575c2p-2", "0x1.50981a4557c28p-2", "0x1.4c5ab52dc5073p-1"]
NORMAL = ["0x1.63581a3e212e9p-1", "0x1.279abc4538cf1p-2", "-0x1.ff1dcadcc01bap-9"]
INTEGERS = [[58327, 2459, 6791, 34635], [17643, 53570, 53823, 43740]]
PERMUTATION = [6, 7, 2, 0, 5, 1, 4, 3]


def test_first_words():
    words = Stream(0, "W1").words(3)
    assert [hex(word) for word in words.tolist()] == WORDS


def test_first_numbers_of_each_distribution():
    assert [number.hex() for number in Stream(0, "W1").uniform((3,)).tolist()] == UNIFORM
    assert [number.hex() for number in Stream(0, "W1").normal((3,)).tolist()] == NORMAL
    assert Stream(0, "batches").integers(60_000, (2, 4)).tolist() == INTEGERS
    assert Stream(2**64 - 1, "shuffle", 7).permutation(8).tolist() == PERMUTATION


def test_a_stream_is_philox_as_numpy_documents_it():
    """Key: the seed and the purpose's CRC-32. Counter: in the highest word."""
    from zlib import crc32

    philox = np.random.Philox(key=[12, crc32(b"W1")], counter=[0, 0, 0, 5])
    np.testing.assert_array_equal(Stream(12, "W1", 5).words(100), philox.random_raw(100))


# Addresses


@given(seed=seeds)
def test_the_same_address_gives_the_same_numbers(seed):
    np.testing.assert_array_equal(uniform(seed), uniform(seed))
    np.testing.assert_array_equal(Stream(seed, "a").normal((3, 2)), Stream(seed, "a").normal((3, 2)))


@given(a=seeds, b=seeds)
def test_different_seeds_give_different_numbers(a, b):
    assert (a == b) == np.array_equal(uniform(a), uniform(b))


def test_seeds_that_differ_in_one_bit_give_different_numbers():
    drawn = {uniform(seed).tobytes() for seed in [0, *(2**i for i in range(64)), 2**64 - 1]}
    assert len(drawn) == 66


def test_purposes_and_counters_give_different_numbers():
    drawn = [
        uniform(0, purpose, counter) for purpose in ("W1", "b1", "W2", "batches") for counter in range(50)
    ]
    assert len({numbers.tobytes() for numbers in drawn}) == 200


def test_a_stretch_can_be_drawn_without_those_before_it():
    stretches = [uniform(counter=i) for i in range(5)]
    for i in (4, 0, 2):
        np.testing.assert_array_equal(uniform(counter=i), stretches[i])


def test_a_stream_goes_on_where_it_was():
    stream = Stream(0, "test")
    parts = np.concatenate([stream.uniform((3,)), stream.uniform((5,))])
    np.testing.assert_array_equal(parts, uniform())


def test_stretches_are_independent_of_each_other():
    rows = np.stack([uniform(counter=i, count=2000) for i in range(30)])
    correlation = np.corrcoef(rows) - np.eye(30)
    assert np.abs(correlation).max() < 5 / math.sqrt(2000)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "0", None, True])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(InvalidInputError, match=r"seed must be an integer between 0 and 2\*\*64 - 1, not"):
        check_seed(seed)
    with pytest.raises(InvalidInputError, match="seed must be"):
        Stream(seed, "test")


def test_integers_of_numpy_are_seeds():
    np.testing.assert_array_equal(uniform(np.int64(5)), uniform(5))


# Distributions


def test_uniform():
    numbers = Stream(1, "test").uniform((MANY,))
    assert numbers.dtype == np.float64
    assert numbers.min() >= 0.0
    assert numbers.max() < 1.0
    assert np.all(numbers * 2.0**53 == np.floor(numbers * 2.0**53))
    check_shares(np.histogram(numbers, 20, (0.0, 1.0))[0], [0.05] * 20)


def test_normal():
    numbers = Stream(1, "test").normal((MANY,))
    edges = np.linspace(-3.0, 3.0, 25)
    cumulative = [0.0, *(0.5 * (1 + math.erf(edge / math.sqrt(2))) for edge in edges), 1.0]
    check_shares(np.histogram(numbers, [-np.inf, *edges, np.inf])[0], np.diff(cumulative))
    assert abs(numbers.mean()) < 5 / math.sqrt(MANY)
    assert abs(numbers.var() - 1) < 5 * math.sqrt(2 / MANY)
    assert 3.8 < np.abs(numbers).max() < 6


@pytest.mark.parametrize("high", [1, 2, 7, 10, 1000, 2**40 + 1, 2**63])
def test_integers(high):
    numbers = Stream(1, "test").integers(high, (MANY,))
    assert numbers.dtype == np.int64
    assert numbers.min() >= 0
    assert numbers.max() < high
    bins = min(high, 10)
    shares = [(high * (i + 1) // bins - high * i // bins) / high for i in range(bins)]
    edges = [high * i // bins for i in range(bins)]
    check_shares(np.bincount(np.searchsorted(edges, numbers, side="right") - 1), shares)


def test_integers_reject_the_words_that_would_favour_small_numbers(monkeypatch):
    """Of 2**64 words, 2**64 mod 10 = 6 at the top are left over."""
    words = iter([[2**64 - 1, 13, 2**64 - 7], [2**64 - 6], [29]])
    stream = Stream(0, "test")
    monkeypatch.setattr(stream, "words", lambda count: np.asarray(next(words), dtype=np.uint64))
    assert stream.integers(10, (3,)).tolist() == [3, 9, 9]


def test_permutation():
    orders = np.stack([Stream(seed, "test").permutation(5) for seed in range(5000)])
    assert np.all(np.sort(orders, axis=1) == np.arange(5))
    for position in range(5):
        check_shares(np.bincount(orders[:, position]), [0.2] * 5)
    assert len({tuple(order) for order in orders.tolist()}) == 120
    assert Stream(0, "test").permutation(1).tolist() == [0]


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 4), (2, 0, 3)])
def test_shapes(shape):
    stream = Stream(0, "test")
    assert (
        stream.uniform(shape).shape == stream.normal(shape).shape == stream.integers(5, shape).shape == shape
    )


def check_shares(counts, expected):
    """Assert that no count is more than five standard deviations from what is expected."""
    total, expected = sum(counts), np.asarray(expected)
    deviation = np.sqrt(total * expected * (1 - expected))
    assert np.all(np.abs(counts - total * expected) <= 5 * deviation)
