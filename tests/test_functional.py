"""Every function of `nn`, forward and backward, on every library: against the textbook and autograd."""

import warnings

import numpy as np
import pytest
import textbook
from conftest import assert_close
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from networks import Perceptron

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.nn import functional as F  # noqa: N812 - as the field calls it
from xpnet.nn.activations import ACTIVATIONS
from xpnet.nn.losses.table import LOSSES as CLASSES_OF_LOSSES

SIZES = {0: [4, 3], 1: [4, 5, 3], 2: [4, 5, 6, 3], 3: [4, 5, 6, 5, 3]}
LABELS = np.asarray([2, 0, 1, 1, 2, 0])
TARGETS = {"integers": LABELS, "one_hot": np.eye(3)[LABELS], "rows": textbook.softmax(textbook.numbers(6, 3))}
LOSSES = {
    "softmax_cross_entropy": (F.softmax_cross_entropy_forward, F.softmax_cross_entropy_backward),
    "mean_squared_error": (F.mean_squared_error_forward, F.mean_squared_error_backward),
}
LOSS_NAMES = {cls: name for name, cls in CLASSES_OF_LOSSES.items()}
KINDS = [(loss, reduction) for loss in LOSSES for reduction in ("mean", "sum")]

few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
logits_of_batches = hnp.arrays(np.float64, (4, 3), elements=st.floats(-1e3, 1e3))


def on(backend, *arrays):
    """Return the arrays on the backend."""
    return [backend.asarray(array) for array in arrays]


@pytest.mark.parametrize("name", textbook.ACTIVATIONS)
def test_activation(backend, name):
    function, derivative = textbook.ACTIVATIONS[name]
    x, dy = 3.0 * textbook.numbers(5, 4), textbook.numbers(5, 4, seed=1)
    y, cache = ACTIVATIONS[name].pair.forward(backend.xp, backend.asarray(x))
    dx = ACTIVATIONS[name].pair.backward(backend.xp, backend.asarray(dy), cache)
    assert_close(backend, y, function(x), rtol=1e-13)
    assert_close(backend, dx, dy * derivative(function(x)), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["sigmoid", "relu", "tanh"])
def test_activation_against_autograd(backend, torch, name):
    x, dy = 3.0 * textbook.numbers(5, 4), textbook.numbers(5, 4, seed=1)
    leaf = torch.tensor(x, device="cpu", requires_grad=True)
    expected = getattr(torch, name)(leaf)
    expected.backward(torch.tensor(dy, device="cpu"))
    y, cache = ACTIVATIONS[name].pair.forward(backend.xp, backend.asarray(x))
    assert_close(backend, y, expected.detach().numpy(), rtol=1e-13)
    dx = ACTIVATIONS[name].pair.backward(backend.xp, backend.asarray(dy), cache)
    assert_close(backend, dx, leaf.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_of_huge_numbers_neither_warns_nor_overflows(backend, dtype):
    x = np.asarray([-1e4, -80.0, 0.0, 80.0, 1e4], dtype=dtype)
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        y, cache = F.sigmoid_forward(backend.xp, backend.asarray(x))
        dx = F.sigmoid_backward(backend.xp, backend.asarray(np.ones_like(x)), cache)
    assert_close(backend, y, np.asarray([0.0, np.exp(-80.0), 0.5, 1.0, 1.0], dtype=dtype), rtol=1e-5)
    expected = np.asarray([0.0, np.exp(-80.0), 0.25, 0.0, 0.0], dtype=dtype)
    assert_close(backend, dx, expected, rtol=1e-5)


def test_the_derivative_of_relu_at_zero_is_zero(backend):
    x = np.asarray([-0.0, 0.0, -1.0, np.nextafter(0.0, 1.0) * 2**52])
    y, cache = F.relu_forward(backend.xp, backend.asarray(x))
    dx = F.relu_backward(backend.xp, backend.asarray(np.full(4, 7.0)), cache)
    assert_close(backend, y, np.asarray([0.0, 0.0, 0.0, x[3]]))
    assert_close(backend, dx, np.asarray([0.0, 0.0, 0.0, 7.0]))


@pytest.mark.parametrize("name", ["sigmoid", "relu", "tanh", "identity"])
def test_nan_goes_through(backend, name):
    y, _ = ACTIVATIONS[name].pair.forward(backend.xp, backend.asarray(np.asarray([np.nan, 1.0])))
    assert np.isnan(backend.to_numpy(y)).tolist() == [True, False]


@pytest.mark.parametrize("loss", LOSSES)
def test_nan_reaches_the_loss(backend, loss):
    outputs, targets = on(backend, np.asarray([[np.nan, 1.0, 2.0]]), np.asarray([0]))
    assert np.isnan(float(LOSSES[loss][0](backend.xp, outputs, targets)[0]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_step_is_for_inference_only(backend, dtype):
    x = np.asarray([-1.0, 0.0, 2.0], dtype=dtype)
    y, cache = F.step_forward(backend.xp, backend.asarray(x))
    assert_close(backend, y, np.asarray([0.0, 0.0, 1.0], dtype=dtype))
    with pytest.raises(InvalidInputError, match="'step' cannot be trained"):
        F.step_backward(backend.xp, y, cache)


@pytest.mark.parametrize("scale", [1.0, 1 / 255])
def test_affine(backend, scale):
    x, W, b, dy = (textbook.numbers(*shape) for shape in ((6, 4), (4, 3), (3,), (6, 3)))
    y, cache = F.affine_forward(backend.xp, *on(backend, x, W, b), scale)
    dx, dW, db = F.affine_backward(backend.xp, backend.asarray(dy), cache)
    assert_close(backend, y, scale * x @ W + b, rtol=1e-12, atol=1e-14)
    assert_close(backend, dx, scale * dy @ W.T, rtol=1e-12, atol=1e-14)
    assert_close(backend, dW, scale * x.T @ dy, rtol=1e-12, atol=1e-14)
    assert_close(backend, db, dy.sum(axis=0), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(3,), (6, 3)])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_softmax(backend, shape, scale):
    z = scale * textbook.numbers(*shape)
    probabilities = F.softmax(backend.xp, backend.asarray(z))
    assert_close(backend, probabilities, textbook.softmax(z), rtol=1e-12, atol=1e-300)


def test_softmax_of_huge_logits(backend):
    z = np.asarray([[1e308, 1e308, -1e308], [-1e308, -1e308, -1e308]]) * 0.5
    expected = np.asarray([[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    assert_close(backend, F.softmax(backend.xp, backend.asarray(z)), expected, rtol=1e-15)


def test_cross_entropy_of_huge_logits_is_finite(backend):
    outputs, targets = on(backend, np.asarray([[1e4, 0.0, -1e4]]), np.asarray([2]))
    loss, cache = F.softmax_cross_entropy_forward(backend.xp, outputs, targets)
    assert_close(backend, loss, np.float64(2e4))
    assert_close(backend, F.softmax_cross_entropy_backward(backend.xp, cache), np.asarray([[1.0, 0.0, -1.0]]))


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize(("loss", "reduction"), KINDS)
def test_loss(backend, loss, reduction, targets):
    z, t = 3.0 * textbook.numbers(6, 3), TARGETS[targets]
    value, dz = textbook.loss_and_derivative(z, t, loss, reduction)
    got, cache = LOSSES[loss][0](backend.xp, *on(backend, z, t), reduction)
    assert_close(backend, got, np.float64(value), rtol=1e-13)
    assert_close(backend, LOSSES[loss][1](backend.xp, cache), dz, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("loss", "reduction"), KINDS)
def test_loss_against_autograd(backend, torch, loss, reduction):
    z = 3.0 * textbook.numbers(6, 3)
    leaf = torch.tensor(z, device="cpu", requires_grad=True)
    if loss == "softmax_cross_entropy":
        labels = torch.tensor(LABELS, device="cpu")
        expected = torch.nn.functional.cross_entropy(leaf, labels, reduction=reduction)
    else:
        rows = torch.tensor(TARGETS["one_hot"], device="cpu")
        expected = torch.nn.functional.mse_loss(leaf, rows, reduction=reduction)
    expected.backward()
    got, cache = LOSSES[loss][0](backend.xp, *on(backend, z, LABELS), reduction)
    assert_close(backend, got, np.float64(expected.item()), rtol=1e-13)
    assert_close(backend, LOSSES[loss][1](backend.xp, cache), leaf.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("loss", "reduction"), KINDS)
def test_integer_and_one_hot_labels_give_the_same_bits(backend, loss, reduction):
    z = backend.asarray(textbook.numbers(6, 3))
    results = []
    for t in (LABELS, LABELS.astype(np.int32), LABELS.astype(np.uint8), TARGETS["one_hot"]):
        value, cache = LOSSES[loss][0](backend.xp, z, backend.asarray(t), reduction)
        gradient = LOSSES[loss][1](backend.xp, cache)
        results.append((float(value), backend.to_numpy(gradient).tobytes()))
    assert results == [results[0]] * 4


@pytest.mark.parametrize("function", [F.softmax_cross_entropy_forward, F.mean_squared_error_forward])
def test_an_unknown_reduction_is_refused(function):
    with pytest.raises(InvalidInputError, match="unknown reduction 'means': did you mean 'mean'"):
        function(np, np.zeros((2, 2)), np.asarray([0, 1]), "means")


@pytest.mark.parametrize("depth", SIZES)
@pytest.mark.parametrize("activation", textbook.ACTIVATIONS)
def test_network_of_any_depth(backend, depth, activation):
    params, x = textbook.parameters(SIZES[depth]), textbook.numbers(6, 4)
    net = Perceptron(backend.xp, SIZES[depth], activation, l2=0.01)
    check_gradients(backend, net, params, x, LABELS, activation)


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize(("loss", "reduction"), KINDS)
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_network_with_any_loss(backend, loss, reduction, targets, l2):
    params, x = textbook.parameters(SIZES[1]), textbook.numbers(6, 4)
    net = Perceptron(backend.xp, SIZES[1], "tanh", loss, reduction, l2)
    check_gradients(backend, net, params, x, TARGETS[targets], "tanh")


def check_gradients(backend, net, params, x, t, activation):
    kind = (LOSS_NAMES[type(net.network.loss)], net.network.reduction, net.network.l2)
    value, gradients = textbook.loss_and_gradients(params, x, t, activation, *kind)
    own = {name: backend.asarray(p) for name, p in params.items()}
    x, t = on(backend, x, t)
    got, found = net.loss_and_gradients(own, x, t)
    assert list(found) == list(params)
    assert_close(backend, got, np.float64(value), rtol=1e-12)
    assert_close(backend, net.loss(own, x, t), np.float64(value), rtol=1e-12)
    for name in params:
        assert_close(backend, found[name], gradients[name], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("depth", SIZES)
def test_network_against_autograd(backend, torch, depth):
    params, x = textbook.parameters(SIZES[depth]), textbook.numbers(6, 4)
    leaves = {name: torch.tensor(p, device="cpu", requires_grad=True) for name, p in params.items()}
    outputs = torch.tensor(x, device="cpu")
    for i in range(1, depth + 2):
        outputs = outputs @ leaves[f"W{i}"] + leaves[f"b{i}"]
        outputs = torch.tanh(outputs) if i <= depth else outputs
    penalty = sum((leaf**2).sum() for name, leaf in leaves.items() if name[0] == "W")
    expected = torch.nn.functional.cross_entropy(outputs, torch.tensor(LABELS, device="cpu")) + 0.05 * penalty
    expected.backward()
    net = xpnet.MLP.from_params(params, backend, activation="tanh", dtype="float64", l2=0.1)
    assert net.loss(x, LABELS) == pytest.approx(expected.item(), rel=1e-12)
    for name, gradient in net.gradient(x, LABELS).items():
        assert_close(backend, gradient, leaves[name].grad.numpy(), rtol=1e-10, atol=1e-13)


def test_nothing_changes_its_arguments(backend):
    params, x = textbook.parameters(SIZES[2]), textbook.numbers(6, 4)
    net = Perceptron(backend.xp, SIZES[2], "relu", l2=0.1)
    own = {name: backend.asarray(p.copy()) for name, p in params.items()}
    own_x, own_t = on(backend, x.copy(), TARGETS["one_hot"].copy())
    net.loss_and_gradients(own, own_x, own_t)
    for name, value in own.items():
        assert_close(backend, value, params[name])
    assert_close(backend, own_x, x)
    assert_close(backend, own_t, TARGETS["one_hot"])


@few
@given(z=logits_of_batches, shift=st.floats(-1e3, 1e3))
def test_softmax_sums_to_one_and_ignores_shifts(backend, z, shift):
    own = backend.asarray(z)
    rows = backend.to_numpy(F.softmax(backend.xp, own))
    assert rows.min() >= 0
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, rtol=1e-14)
    shifted = backend.to_numpy(F.softmax(backend.xp, own + shift))
    np.testing.assert_allclose(shifted, rows, rtol=1e-11, atol=1e-300)


@few
@given(z=logits_of_batches, t=hnp.arrays(np.int64, 4, elements=st.integers(0, 2)))
def test_cross_entropy_is_never_negative(backend, z, t):
    own = on(backend, z, t)
    loss, cache = F.softmax_cross_entropy_forward(backend.xp, *own)
    gradient = backend.to_numpy(F.softmax_cross_entropy_backward(backend.xp, cache))
    assert float(loss) >= 0
    assert np.abs(gradient.sum(axis=1)).max() < 1e-15  # softmax and target both sum to 1
