"""Initial weights: their distributions, and the same bits on every library."""

import hashlib
import math

import numpy as np
import pytest

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.nn.initializers import initial
from xpnet.nn.layer import Parameter
from xpnet.random import Stream

DEVIATIONS = {
    "he": math.sqrt(2 / 300),
    "xavier": math.sqrt(2 / 500),
    "uniform": 1 / math.sqrt(300) / math.sqrt(3),
    0.01: 0.01,
    2: 2.0,
}


def draw(init, seed=0):
    return initial(Parameter((300, 200), init, (300, 200)), Stream(seed, "W1"))


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


# The first weights of a network never change: runs of earlier versions must be repeatable. (Biases began as
# zeros of random sign once: weights, and whatever is trained in exact arithmetic, are the same bits since.)
GOLDEN = {
    ("he", "float32"): "3c6c5fe94111c992598f809a6724851b29b2b35c907bfc744d18d7c4ac84104b",
    ("he", "float64"): "bbfe81a576dce50034506333760d80ae1bdf0dbd84d95851c2fdd84a8d7b01bf",
    ("xavier", "float32"): "692c275c3136284aec8a2d09843e5d907c34740d64687e1118d9dd17b175800d",
    ("xavier", "float64"): "d3add4c291aab6500898b1a0f0b14f5d94125db7bc13f6ebcafb6467364a883c",
    ("uniform", "float32"): "046ce67492a9c12686bd0ad1c1d9b0216d4c1e23e6784880a5f09ed57d8b5559",
    ("uniform", "float64"): "acb43ed1d070a10d22c44c2a0e30b540e19833ce15005a358cb74745204a35b5",
    (0.01, "float32"): "70be9b0bae14f2859d3fbbd3214018f25970745aabdc93fa6c8df8c0fac95ca3",
    (0.01, "float64"): "05d555a3748e639cf1a3e8960175f30d182e8d61f5e0e7010030d8594dbefa95",
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
