"""Initial weights: their distributions, and the same bits on every library."""

import hashlib
import math

import numpy as np
import pytest

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.nn.initializers import initial_weights
from xpnet.random import Stream

DEVIATIONS = {
    "he": math.sqrt(2 / 300),
    "xavier": math.sqrt(2 / 500),
    "uniform": 1 / math.sqrt(300) / math.sqrt(3),
    0.01: 0.01,
    2: 2.0,
}


def draw(init, seed=0):
    return initial_weights(init, Stream(seed, "W1"), 300, 200)


@pytest.mark.parametrize("init", DEVIATIONS)
def test_mean_and_deviation(init):
    weights = draw(init)
    assert (weights.shape, weights.dtype) == ((300, 200), np.float64)
    assert abs(weights.mean()) < 5 * DEVIATIONS[init] / math.sqrt(weights.size)
    assert weights.std() == pytest.approx(DEVIATIONS[init], rel=0.02)


def test_uniform_weights_stay_within_their_bound():
    bound = 1 / math.sqrt(300)
    assert bound * 0.99 < np.abs(draw("uniform")).max() <= bound


@pytest.mark.parametrize("init", ["he", "xavier", 0.01])
def test_normal_weights_have_the_shape_of_a_bell(init):
    """Of normal numbers 68.3 % lie within one standard deviation, of uniform ones 57.7 %."""
    assert np.mean(np.abs(draw(init)) < DEVIATIONS[init]) == pytest.approx(0.683, abs=0.01)


def test_no_deviation_gives_zeros():
    assert not draw(0.0).any()


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("hee", "unknown initializer 'hee': did you mean 'he'"),
        ("xaviar", "did you mean 'xavier'"),
        (-0.1, "init as a standard deviation must be a finite number, at least 0, not -0.1"),
        (math.nan, "must be a finite number"),
        (math.inf, "must be a finite number"),
        (None, "must be a finite number"),
    ],
)
def test_an_unfit_initializer_is_refused(init, message):
    with pytest.raises(InvalidInputError, match=message):
        draw(init)
    with pytest.raises(InvalidInputError, match=message):
        xpnet.MLP([2, 2], init=init, backend="numpy")


# The first weights of a network never change: runs of earlier versions must be repeatable.
GOLDEN = {
    ("he", "float32"): "6d704e5190c3612f567e281fcb57594465224054937df98959ea65dcfce859c0",
    ("he", "float64"): "f27c244006107d3bf06a07cb90c287803f490b6467983759c6d7e66a4c90f414",
    ("xavier", "float32"): "1f79cf0363f0ca514532a45b7744edabf052bcb878b8fde886bdce1cf264a4ab",
    ("xavier", "float64"): "73d543e74f53af4093ecd3e1db5eb26d09c2142dcce285a46c1aa554b2c560bd",
    ("uniform", "float32"): "66b2f6addac9937317367a2baf7be1ea0240da31e9bc246c78d484792f80a754",
    ("uniform", "float64"): "2cdf40e3cfe9ca916ee7c88a8b9178faa41b7e0101c6963cff83624e3fb9a011",
    (0.01, "float32"): "54472e8b3b64f6233ad97ed27ff3d666d602f11d6674f5dabc096ed9cb8e07b3",
    (0.01, "float64"): "162c4036942a59cae38c90ff7d06fe75a1442fafe5cf60be65b2f17c1d4897d0",
}


@pytest.mark.parametrize(("init", "dtype"), GOLDEN)
def test_initial_weights_are_the_same_bits_on_every_library(backend, init, dtype):
    net = xpnet.MLP([20, 7, 5, 3], init=init, seed=5, dtype=dtype, backend=backend)
    assert net.fingerprint() == GOLDEN[init, dtype]
    digest = hashlib.sha256()
    for name, value in net.params.items():
        host = backend.to_numpy(value)
        digest.update(
            f"{name} {list(host.shape)} {dtype}\n".encode() + host.astype(f"<f{host.itemsize}").tobytes()
        )
    assert digest.hexdigest() == net.fingerprint(), "the documented content of a fingerprint"


def test_layers_are_independent_of_each_other():
    """Another layer behind leaves those before it as they were; seeds differ, layers differ."""
    two, three = (xpnet.MLP(sizes, backend="numpy") for sizes in ([6, 6, 6], [6, 6, 6, 6]))
    np.testing.assert_array_equal(two.params["W1"], three.params["W1"])
    np.testing.assert_array_equal(two.params["W2"], three.params["W2"])
    assert not np.array_equal(two.params["W1"], two.params["W2"])
    assert not np.array_equal(two.params["W1"], xpnet.MLP([6, 6, 6], seed=1, backend="numpy").params["W1"])


def test_biases_begin_at_zero(backend):
    for name, value in xpnet.MLP([5, 4, 3], init="uniform", backend=backend).params.items():
        assert backend.to_numpy(value).any() == name.startswith("W")
