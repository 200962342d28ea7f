"""The numerical gradient on every library, the gradient check, and how fast the first one is."""

from functools import partial

import numpy as np
import pytest
import textbook
from conftest import assert_close
from networks import Perceptron

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.models.gradcheck import relative_difference
from xpnet.nn.activations import ACTIVATIONS
from xpnet.nn.layer import Variables
from xpnet.nn.losses.table import LOSSES
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


def numerical(net, params, x, t, h=1e-4):
    return numerical_gradient(net.context, net.network, Variables(params, {}), net.data(x, t), h)


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
    net = Perceptron(backend.xp, SIZES[depth], activation, l2=0.1)
    host = {name: backend.to_numpy(p) for name, p in params.items()}
    _, expected = textbook.loss_and_gradients(host, X, T, activation, l2=0.1)
    found = numerical(net, params, x, t, h=1e-5)
    assert list(found) == list(params)
    for name in params:
        assert_close(backend, found[name], expected[name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("depth", SIZES)
@pytest.mark.parametrize(("loss", "reduction"), KINDS)
@pytest.mark.parametrize("rows", [False, True])
def test_the_stacked_way_agrees_with_one_at_a_time(depth, loss, reduction, rows):
    backend = xpnet.get_backend("numpy")
    params, x, t = on(backend, textbook.parameters(SIZES[depth]), t=np.eye(2)[T] if rows else T)
    net = Perceptron(backend.xp, SIZES[depth], "tanh", loss, reduction, l2=0.1)
    single = central_differences(backend.xp, lambda p: net.loss(p, x, t), params, h=1e-4)
    stacked = numerical(net, params, x, t, h=1e-4)
    of_rounding = 1e-15 / 1e-4 * float(net.loss(params, x, t))  # Poisson's sums are in the thousands
    for name in params:
        assert_close(backend, stacked[name], single[name], atol=max(1e-9, of_rounding))


def test_one_at_a_time(backend):
    params, x, t = on(backend, textbook.parameters(SIZES[0]))
    net = Perceptron(backend.xp, SIZES[0], "tanh")
    single = central_differences(backend.xp, lambda p: net.loss(p, x, t), params)
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
    net = Perceptron(backend.xp, SIZES[2], "tanh")
    found = numerical(net, params, own_x, own_t)
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


@pytest.mark.parametrize(
    ("wrong", "spoiled"),
    [
        (lambda xp, dy, y: dy * (1.0 - y), {"W1", "b1", "W2", "b2"}),
        (lambda xp, dy, y: dy * (1.0 - y * y) * 1.0001, {"W1", "b1", "W2", "b2"}),
    ],
    ids=["another function's", "off by 0.01 %"],
)
def test_a_wrong_backward_is_caught(monkeypatch, backend, wrong, spoiled):
    monkeypatch.setattr(ACTIVATIONS["tanh"], "pair", ACTIVATIONS["tanh"].pair._replace(backward=wrong))
    net = xpnet.MLP(SIZES[2], "tanh", dtype="float64", backend=backend)
    found = xpnet.gradcheck(net, X, T)
    assert {name for name, difference in found.items() if difference > 1e-5} == spoiled
    assert max(found["W3"], found["b3"]) < 1e-7, "the last layer is right"


def test_a_forgotten_penalty_is_caught():
    backend = xpnet.get_backend("numpy")
    params, x, t = on(backend, textbook.parameters(SIZES[1]))
    net = Perceptron(backend.xp, SIZES[1], "tanh", l2=0.1)
    _, backward = Perceptron(backend.xp, SIZES[1], "tanh").loss_and_gradients(params, x, t)
    found = numerical(net, params, x, t)
    assert relative_difference(backend.xp, backward["W1"], found["W1"]) > 1e-2
    assert relative_difference(backend.xp, backward["b1"], found["b1"]) < 1e-6


@pytest.mark.parametrize("h", [0, 0.0, -1e-4, "1e-4", float("nan")])
def test_an_unfit_step_is_refused(h):
    net = xpnet.MLP([2, 2], backend="numpy")
    for function in (net.numerical_gradient, partial(xpnet.gradcheck, net)):
        with pytest.raises(InvalidInputError, match="h must be a finite number"):
            function(np.ones((1, 2)), np.asarray([0]), h=h)


def test_step_has_no_gradient_to_check():
    with pytest.raises(InvalidInputError, match="'step' cannot be trained"):
        xpnet.gradcheck(xpnet.MLP(SIZES[1], "step", backend="numpy"), X, T)


def test_the_stacked_way_of_a_large_network_agrees_with_one_at_a_time():
    """On 784-50-100-10 and pixels; how fast it is, `python -m bench numerical-gradient` tells."""
    rng = np.random.default_rng(0)
    net = xpnet.MLP([784, 50, 100, 10], init=0.1, dtype="float64", backend="numpy")
    x = np.where(rng.random((10, 784)) < 0.2, rng.random((10, 784)), 0.0)
    t = rng.integers(0, 10, 10)
    gradient = net.numerical_gradient(x, t)["W1"]
    for i, j in [*rng.integers(0, 50, (20, 2)), (783, 49)]:
        losses = []
        for shift in (1e-4, -1e-4):
            moved = net.params["W1"].copy()
            moved[i, j] += shift
            losses.append(
                xpnet.MLP.from_params({**net.params, "W1": moved}, "numpy", dtype="float64").loss(x, t)
            )
        assert gradient[i, j] == pytest.approx((losses[0] - losses[1]) / 2e-4, abs=1e-9)
