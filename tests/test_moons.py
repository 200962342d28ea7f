"""The two moons: their shape, their order, their noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpnet.datasets import make_moons
from xpnet.errors import InvalidInputError


@given(samples=st.integers(1, 301), seed=st.integers(0, 2**32 - 1))
def test_any_size_lies_on_the_circles(samples, seed):
    x, t = make_moons(samples, 0.0, seed)
    assert x.shape == (samples, 2)
    assert t.shape == (samples,)
    assert t.dtype == np.int32
    assert t.sum() == (samples + 1) // 2
    centre = np.where(t[:, None] == 0, (0.0, 0.0), (1.0, 0.5))
    np.testing.assert_allclose(np.hypot(*(x - centre).T), 1.0, rtol=1e-15)
    side = np.where(t == 0, x[:, 1], 0.5 - x[:, 1])
    assert (side >= 0).all()


@pytest.mark.parametrize("samples", [2, 7, 100, 201])
def test_same_points_as_scikit_learn(samples):
    sklearn_datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    reference, labels = sklearn_datasets.make_moons(samples, shuffle=False, noise=None)
    x, t = make_moons(samples, 0.0, seed=3)
    # Both in the order of their labels, then of the angle along each half circle.
    by_angle = np.lexsort([np.where(t == 0, -x[:, 0], x[:, 0]), t])
    np.testing.assert_array_equal(t[by_angle], labels)
    np.testing.assert_allclose(x[by_angle], reference, rtol=0, atol=1e-15)


def test_seed_fixes_everything():
    first, second, other = (make_moons(101, 0.2, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[1], other[1])


def test_order_is_shuffled():
    _, t = make_moons(1000, 0.0, seed=0)
    assert 400 < np.count_nonzero(np.diff(t)) < 600


def test_noise_has_its_standard_deviation():
    clean, labels = make_moons(20_000, 0.0, seed=1)
    noisy, same_labels = make_moons(20_000, 0.25, seed=1)
    np.testing.assert_array_equal(labels, same_labels)
    noise = noisy - clean
    np.testing.assert_allclose(noise.std(axis=0), 0.25, rtol=0.02)
    np.testing.assert_allclose(noise.mean(axis=0), 0.0, atol=0.01)


def test_dtype():
    x32, _ = make_moons(50, 0.1, seed=0, dtype="float32")
    x64, _ = make_moons(50, 0.1, seed=0)
    assert x64.dtype == np.float64
    assert x32.dtype == np.float32
    np.testing.assert_array_equal(x32, x64.astype(np.float32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0.1, 0), "samples must be a whole number of at least 1, not 0"),
        ((2.5, 0.1, 0), "samples must be a whole number"),
        ((10, -0.1, 0), "noise must be a finite number, at least 0, not -0.1"),
        ((10, float("nan"), 0), "noise must be a finite number"),
        ((10, "0.1", 0), "noise must be a finite number"),
        ((10, 0.1, -1), "seed must be an integer"),
        ((10, 0.1, 0, "float16"), "unknown dtype 'float16'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        make_moons(*arguments)
