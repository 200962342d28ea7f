"""Random bits inside a step: Threefry's published vectors, the same on every library, and how they fall."""

import numpy as np
import pytest
from conftest import require

import xpnet
from xpnet.nn import randombits
from xpnet.nn.randombits import random_bits, random_choice, threefry
from xpnet.random import random_words

# Known-answer vectors of Random123 for Threefry-2x32, by rounds: key, counter, result.
ZEROS, ONES = (0, 0), (0xFFFFFFFF, 0xFFFFFFFF)
PI = (0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3)
VECTORS = [
    (13, ZEROS, ZEROS, (0x9D1C5EC6, 0x8BD50731)),
    (13, ONES, ONES, (0xFD36D048, 0x2D17272C)),
    (13, *PI, (0xBA3E4725, 0xF27D669E)),
    (20, ZEROS, ZEROS, (0x6B200159, 0x99BA4EFE)),
    (20, ONES, ONES, (0x1CB996FC, 0xBB002BE7)),
    (20, *PI, (0xC4923A9C, 0x483DF7A0)),
]


NUMPY = xpnet.get_backend("numpy")


def words(backend, pair):
    return tuple(backend.asarray(np.asarray([word], np.uint32).view(np.int32)) for word in pair)


def unsigned(backend, pair):
    return tuple(int(backend.to_numpy(word).view(np.uint32)[0]) for word in pair)


def test_rounds():
    assert randombits.ROUNDS == 13


@pytest.mark.parametrize(("rounds", "key", "counter", "expected"), VECTORS)
def test_published_vectors(backend, monkeypatch, rounds, key, counter, expected):
    monkeypatch.setattr(randombits, "ROUNDS", rounds)
    with backend.scope():
        found = threefry(words(backend, key), words(backend, counter))
    assert unsigned(backend, found) == expected


def test_the_bits_are_those_of_jax(monkeypatch):
    require("jax")
    monkeypatch.setattr(randombits, "ROUNDS", 20)
    from jax.extend.random import threefry_2x32

    rng = np.random.default_rng(0)
    key, counters = rng.integers(0, 2**32, 2, dtype=np.uint32), rng.integers(0, 2**32, 64, dtype=np.uint32)
    expected = np.asarray(threefry_2x32(key, counters))
    halves = counters.view(np.int32)[:32], counters.view(np.int32)[32:]
    found = threefry(tuple(key.view(np.int32)[i : i + 1] for i in (0, 1)), halves)
    np.testing.assert_array_equal(np.concatenate(found).view(np.uint32), expected)


def drawn(backend, shape, seed=1, iteration=2, path="3", first_row=0):
    with backend.scope():
        random = backend.from_numpy(random_words(seed, np.asarray([iteration]))[0])
        return backend.to_numpy(random_bits(backend.xp, random, path, shape, first_row))


@pytest.mark.parametrize("shape", [(4,), (5, 1), (3, 7), (6, 2, 3, 2)])
def test_every_library_draws_the_same(backend, shape):
    found = drawn(backend, shape)
    assert (found.shape, found.dtype) == (shape, np.int32)
    np.testing.assert_array_equal(found, drawn(xpnet.get_backend("numpy"), shape))


def chosen(backend, shape, chance, first_row=0, path="3"):
    with backend.scope():
        key = backend.from_numpy(random_words(1, np.asarray([2]))[0])
        return backend.to_numpy(random_choice(backend.xp, key, path, shape, chance, first_row))


@pytest.mark.parametrize("shape", [(4,), (5, 1), (3, 7), (6, 2, 3, 2)])
@pytest.mark.parametrize("chance", [0.0, 0.3, 0.5, 1.0])
def test_every_library_chooses_the_same(backend, shape, chance):
    found = chosen(backend, shape, chance)
    assert (found.shape, found.dtype) == (shape, bool)
    np.testing.assert_array_equal(found, chosen(xpnet.get_backend("numpy"), shape, chance))


@pytest.mark.parametrize("steps", [0, 1, 2**15, 2**16 - 1, 2**16])
def test_chances_are_kept(steps):
    """Of 4 million elements, within 5 standard deviations; none and all are exact."""
    found, chance = chosen(NUMPY, (2000, 2000), steps / 2**16), steps / 2**16
    assert abs(found.mean() - chance) <= 5 * np.sqrt(chance * (1 - chance) / found.size)


def test_halves_of_a_word_choose_independently():
    """Each of an element's neighbours in its word is chosen as often as chance has it."""
    found = chosen(NUMPY, (1000, 1000), 0.3).reshape(1000, 4, 250)
    for i in range(4):
        for j in range(i):
            both = (found[:, i] & found[:, j]).mean()
            assert abs(both - 0.09) < 5 * np.sqrt(0.09 * 0.91 / 250_000)


def test_a_share_of_a_batch_is_part_of_the_whole(backend):
    whole = drawn(backend, (9, 5))
    np.testing.assert_array_equal(
        np.concatenate([drawn(backend, (4, 5)), drawn(backend, (5, 5), first_row=4)]), whole
    )
    parts = [chosen(backend, (4, 5), 0.4), chosen(backend, (5, 5), 0.4, first_row=4)]
    np.testing.assert_array_equal(np.concatenate(parts), chosen(backend, (9, 5), 0.4))


def test_iterations_are_addressed_one_by_one():
    several = np.asarray([5000, 3, 1023, 1024, 3])
    found = random_words(7, several)
    assert (found.shape, found.dtype) == ((5, 2), np.int32)
    alone = [random_words(7, several[i : i + 1])[0] for i in range(5)]
    np.testing.assert_array_equal(found, alone)
    assert len({row.tobytes() for row in random_words(7, np.arange(3000))}) == 3000


SHAPE = (200, 500)


def test_bytes_are_uniform():
    """The statistic of 255 degrees of freedom lies within 5 standard deviations."""
    counts = np.bincount(drawn(NUMPY, SHAPE).view(np.uint8).ravel(), minlength=256)
    expected = counts.sum() / 256
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert abs(statistic - 255) < 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize(
    "other", [{"iteration": 3}, {"path": "4"}, {"seed": 2}, {"seed": 1 + 2**32}, {"first_row": 200}], ids=str
)
def test_neighbours_are_independent(other):
    """As many bits are equal as chance has it, and both samples come from one distribution."""
    a, b = drawn(NUMPY, SHAPE), drawn(NUMPY, SHAPE, **other)
    equal = np.unpackbits((~(a ^ b)).view(np.uint8)).mean()
    assert abs(equal - 0.5) < 5 * 0.5 / np.sqrt(32 * a.size)
    grid = np.linspace(-(2**31), 2**31, 1000)
    gap = np.abs(np.searchsorted(np.sort(a.ravel()), grid) - np.searchsorted(np.sort(b.ravel()), grid)).max()
    assert gap / a.size < 1.95 * np.sqrt(2 / a.size)  # Kolmogorov and Smirnov, at 0.1 %


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout_leaves_out_its_share(backend, rate):
    net = xpnet.Model([xpnet.Dropout(rate)], inputs=(300,), backend=backend, loss="mean_squared_error")
    x = np.ones((200, 300), np.float32)
    with backend.scope():
        c = net.context(net.xp, training=True, random=backend.from_numpy(random_words(0, np.asarray([1]))[0]))
        y = backend.to_numpy(net.network.layer.forward(c, net.variables, backend.asarray(x))[0])
    assert abs((y == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / x.size) + 1e-9
    kept = 1 - round(rate * 2**16) / 2**16  # so that the mean stays what it is
    np.testing.assert_allclose(y[y != 0], 1 / kept, rtol=1e-6)
    np.testing.assert_array_equal(backend.to_numpy(net.predict(x)), x)
