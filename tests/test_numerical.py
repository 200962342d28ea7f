"""The numerical gradient on every library, the gradient check, and how fast the first one is."""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import textbook
from conftest import assert_close

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.nn.activations import ACTIVATIONS
from xpnet.nn.chain import Chain
from xpnet.nn.gradcheck import dodge_kinks, relative_difference
from xpnet.nn.layers import fully_connected
from xpnet.nn.losses import LOSSES
from xpnet.nn.numerical import central_differences, numerical_gradient

SIZES = {0: [3, 2], 1: [3, 4, 2], 2: [3, 4, 3, 2], 3: [3, 4, 3, 3, 2]}
SMOOTH = ["sigmoid", "tanh", "identity"]
NETWORKS = [(depth, activation) for depth in SIZES for activation in [*SMOOTH, "relu"]]
EVERYWHERE = [(2, "tanh"), (2, "relu")]
"""On every library; the other networks on NumPy alone, as JAX compiles each shape anew."""

X = textbook.numbers(5, 3)
T = np.asarray([1, 0, 0, 1, 1])
KINDS = [(loss, reduction) for loss in LOSSES for reduction in ("mean", "sum")]


@pytest.fixture(autouse=True)
def _in_scope(request):
    """Compute as a network does; JAX would compile everything once more outside."""
    if "backend" not in request.fixturenames:
        yield
        return
    with request.getfixturevalue("backend").scope():
        yield


def on(backend, params, x=X, t=T):
    return {name: backend.asarray(p) for name, p in params.items()}, backend.asarray(x), backend.asarray(t)


@pytest.mark.parametrize(("depth", "activation"), EVERYWHERE)
def test_the_stacked_way_agrees_with_backward(backend, depth, activation):
    check_against_backward(backend, depth, activation)


@pytest.mark.parametrize(("depth", "activation"), NETWORKS)
def test_the_stacked_way_in_any_network(depth, activation):
    check_against_backward(xpnet.get_backend("numpy"), depth, activation)


def check_against_backward(backend, depth, activation):
    params, x, t = on(backend, textbook.parameters(SIZES[depth]))
    chain = Chain(fully_connected(SIZES[depth], activation), l2=0.1)
    params = dodge_kinks(backend.xp, chain, params, x)
    host = {name: backend.to_numpy(p) for name, p in params.items()}
    _, expected = textbook.loss_and_gradients(host, X, T, activation, l2=0.1)
    found = numerical_gradient(backend.xp, chain, params, x, t, h=1e-5)
    assert list(found) == list(params)
    for name in params:
        assert_close(backend, found[name], expected[name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("depth", SIZES)
@pytest.mark.parametrize(("loss", "reduction"), KINDS)
@pytest.mark.parametrize("rows", [False, True])
def test_the_stacked_way_agrees_with_one_at_a_time(depth, loss, reduction, rows):
    backend = xpnet.get_backend("numpy")
    params, x, t = on(backend, textbook.parameters(SIZES[depth]), t=np.eye(2)[T] if rows else T)
    chain = Chain(fully_connected(SIZES[depth], "tanh"), loss, reduction, l2=0.1)
    single = central_differences(backend.xp, lambda p: chain.loss_of(backend.xp, p, x, t), params, h=1e-4)
    stacked = numerical_gradient(backend.xp, chain, params, x, t, h=1e-4)
    for name in params:
        assert_close(backend, stacked[name], single[name], atol=1e-9)


def test_one_at_a_time(backend):
    params, x, t = on(backend, textbook.parameters(SIZES[0]))
    chain = Chain(fully_connected(SIZES[0], "tanh"))
    single = central_differences(backend.xp, lambda p: chain.loss_of(backend.xp, p, x, t), params)
    _, expected = textbook.loss_and_gradients(textbook.parameters(SIZES[0]), X, T, "tanh")
    for name in params:
        assert_close(backend, single[name], expected[name], rtol=1e-6, atol=1e-8)


def test_one_at_a_time_takes_any_function(backend):
    params = {"a": backend.asarray(np.asarray([[1.0, -2.0], [0.5, 3.0]]))}
    cubes = central_differences(backend.xp, lambda p: backend.xp.sum(p["a"] * p["a"] * p["a"]), params)
    assert_close(backend, cubes["a"], np.asarray([[3.0, 12.0], [0.75, 27.0]]), rtol=1e-7)


@pytest.mark.parametrize("zeros", [[1], [0, 1, 2]])
def test_inputs_that_are_always_zero_have_no_slope(backend, zeros):
    x = X.copy()
    x[:, zeros] = 0.0
    params, own_x, own_t = on(backend, textbook.parameters(SIZES[2]), x)
    chain = Chain(fully_connected(SIZES[2], "tanh"))
    found = numerical_gradient(backend.xp, chain, params, own_x, own_t)
    _, expected = textbook.loss_and_gradients(textbook.parameters(SIZES[2]), x, T, "tanh")
    for name in params:
        assert_close(backend, found[name], expected[name], rtol=1e-6, atol=1e-8)
    assert not backend.to_numpy(found["W1"])[zeros].any()


def test_blocks_smaller_than_a_layer_change_nothing(monkeypatch):
    net = xpnet.MLP([7, 6, 5, 3], activation="tanh", dtype="float64", backend="numpy")
    x, t = textbook.numbers(4, 7), np.asarray([0, 1, 2, 0])
    whole = net.numerical_gradient(x, t)
    monkeypatch.setattr("xpnet.nn.numerical._ELEMENTS_AT_ONCE", 30)
    for name, value in net.numerical_gradient(x, t).items():
        np.testing.assert_allclose(value, whole[name], atol=1e-10)


def test_bytes_are_pixels_to_the_numerical_gradient_too(backend):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3)).astype(np.uint8)
    net = xpnet.MLP(SIZES[2], "tanh", dtype="float64", backend=backend)
    backward = net.gradient(pixels, T)
    for name, value in net.numerical_gradient(pixels, T).items():
        assert_close(backend, value, backend.to_numpy(backward[name]), rtol=1e-6, atol=1e-8)


# The check


@pytest.mark.parametrize(("depth", "activation"), EVERYWHERE)
def test_the_check_passes(backend, depth, activation):
    check_passes(backend, depth, activation)


@pytest.mark.parametrize(("depth", "activation"), NETWORKS)
def test_the_check_passes_for_any_network(depth, activation):
    check_passes(xpnet.get_backend("numpy"), depth, activation)


def check_passes(backend, depth, activation):
    net = xpnet.MLP(SIZES[depth], activation, dtype="float64", l2=0.01, backend=backend)
    found = xpnet.gradcheck(net, X, T)
    assert list(found) == list(net.params)
    assert max(found.values()) < 1e-7


@pytest.mark.parametrize("activation", [*SMOOTH, "relu"])
@pytest.mark.parametrize(("loss", "reduction"), KINDS)
def test_the_check_passes_with_any_loss(activation, loss, reduction):
    net = xpnet.MLP([6, 9, 8, 4], activation, init=1.0, loss=loss, reduction=reduction, backend="numpy")
    x, t = textbook.numbers(12, 6), np.arange(12) % 4
    assert max(xpnet.gradcheck(net, x, t).values()) < 1e-7
    assert max(xpnet.gradcheck(net, x, np.eye(4)[t]).values()) < 1e-7


def test_samples_exactly_on_a_kink_are_dodged(backend):
    """With zero biases a sample of zeros puts every unit of every layer on its kink."""
    net = xpnet.MLP(SIZES[2], "relu", dtype="float64", backend=backend)
    x = np.concatenate([np.zeros((2, 3)), np.ones((2, 3)), np.ones((1, 3))])
    fingerprint = net.fingerprint()
    assert max(xpnet.gradcheck(net, x, T).values()) < 1e-7
    assert max(xpnet.gradcheck(net, np.zeros((5, 3)), T).values()) < 1e-7
    assert net.fingerprint() == fingerprint, "the network itself is left as it is"


def test_dodging_keeps_every_sample_away_from_the_kinks():
    backend = xpnet.get_backend("numpy")
    params, x, _ = on(backend, textbook.parameters(SIZES[3]))
    chain = Chain(fully_connected(SIZES[3], "relu"))
    moved = dodge_kinks(backend.xp, chain, params, x)
    for i in (1, 2, 3):
        outputs = x @ moved[f"W{i}"] + moved[f"b{i}"]
        assert np.abs(outputs).min() > 4e-3
        x = np.maximum(outputs, 0.0)
        np.testing.assert_array_equal(moved[f"W{i}"], params[f"W{i}"])
    np.testing.assert_array_equal(moved["b4"], params["b4"])
    smooth = Chain(fully_connected(SIZES[3], "tanh"))
    assert dodge_kinks(backend.xp, smooth, params, x) == params


@pytest.mark.parametrize(
    ("wrong", "spoiled"),
    [
        (lambda xp, dy, y: dy * (1.0 - y), {"W1", "b1", "W2", "b2"}),
        (lambda xp, dy, y: dy * (1.0 - y * y) * 1.0001, {"W1", "b1", "W2", "b2"}),
    ],
    ids=["another function's", "off by 0.01 %"],
)
def test_a_wrong_backward_is_caught(monkeypatch, backend, wrong, spoiled):
    monkeypatch.setitem(ACTIVATIONS, "tanh", replace_backward("tanh", wrong))
    net = xpnet.MLP(SIZES[2], "tanh", dtype="float64", backend=backend)
    found = xpnet.gradcheck(net, X, T)
    assert {name for name, difference in found.items() if difference > 1e-5} == spoiled
    assert max(found["W3"], found["b3"]) < 1e-7, "the last layer is right"


def replace_backward(name, backward):
    return ACTIVATIONS[name]._replace(backward=backward)


def test_a_forgotten_penalty_is_caught():
    backend = xpnet.get_backend("numpy")
    params, x, t = on(backend, textbook.parameters(SIZES[1]))
    chain = Chain(fully_connected(SIZES[1], "tanh"), l2=0.1)
    _, backward = replace(chain, l2=0.0).loss_and_gradients(backend.xp, params, x, t)
    numerical = numerical_gradient(backend.xp, chain, params, x, t)
    assert relative_difference(backend.xp, backward["W1"], numerical["W1"]) > 1e-2
    assert relative_difference(backend.xp, backward["b1"], numerical["b1"]) < 1e-6


@pytest.mark.parametrize("h", [0, 0.0, -1e-4, "1e-4", float("nan")])
def test_an_unfit_step_is_refused(h):
    net = xpnet.MLP([2, 2], backend="numpy")
    for function in (net.numerical_gradient, partial(xpnet.gradcheck, net)):
        with pytest.raises(InvalidInputError, match="h must be a finite number"):
            function(np.ones((1, 2)), np.asarray([0]), h=h)


def test_step_has_no_gradient_to_check():
    with pytest.raises(InvalidInputError, match="'step' cannot be trained"):
        xpnet.gradcheck(xpnet.MLP(SIZES[1], "step", backend="numpy"), X, T)


# The speed

RACE = """
    import json, statistics, time
    import numpy as np
    import xpnet

    rng = np.random.default_rng(0)
    net = xpnet.MLP([784, 50, 100, 10], init=0.1, dtype="float64", backend="numpy")
    # As in MNIST, whose margins are empty: 19 % are not zero, and 396 pixels in one of the samples at least.
    x = np.zeros((10, 28, 28))
    x[:, 4:24, 4:24] = np.where(rng.random((10, 20, 20)) < 0.37, rng.random((10, 20, 20)), 0.0)
    x = x.reshape(10, 784)
    t = rng.integers(0, 10, 10)
    rows = np.eye(10)[t]
    p = {name: value.copy() for name, value in net.params.items()}

    def loss():
        h = np.maximum(np.dot(x, p["W1"]) + p["b1"], 0)
        h = np.maximum(np.dot(h, p["W2"]) + p["b2"], 0)
        z = np.dot(h, p["W3"]) + p["b3"]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        return -np.sum(rows * np.log(y + 1e-7)) / 10

    def one_at_a_time(name, indices, h=1e-4):
        for i in indices:
            old = p[name].flat[i]
            p[name].flat[i] = old + h
            above = loss()
            p[name].flat[i] = old - h
            below = loss()
            p[name].flat[i] = old
            yield (above - below) / (2 * h)

    indices = rng.choice(784 * 50, 150, replace=False)
    parameters = sum(value.size for value in p.values())
    textbook, stacked = [], []
    for _ in range(5):
        start = time.perf_counter()
        slopes = list(one_at_a_time("W1", indices))
        textbook.append((time.perf_counter() - start) / len(indices) * parameters)
        start = time.perf_counter()
        gradient = net.numerical_gradient(x, t)
        stacked.append(time.perf_counter() - start)
    difference = np.abs(gradient["W1"].reshape(-1)[indices] - slopes).max()
    print(json.dumps([statistics.median(textbook), statistics.median(stacked), difference]))
"""


def test_ten_times_the_speed_of_the_textbook():
    """On 784-50-100-10 with 10 samples; the textbook's time for a part of its weights, times the rest."""
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(RACE)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    textbook_seconds, stacked_seconds, difference = json.loads(done.stdout)
    assert difference < 1e-5  # the textbook's log(y + 1e-7) is another function, by a little
    assert textbook_seconds > 10 * stacked_seconds
