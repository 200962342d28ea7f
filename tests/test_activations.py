"""Activations far from zero, against PyTorch, by name, and one for each hidden layer."""

import warnings

import numpy as np
import pytest
from conftest import assert_close

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.nn import functional as F  # noqa: N812 - as the field calls it
from xpnet.nn.activations import ACTIVATIONS
from xpnet.nn.context import context
from xpnet.nn.layer import NOTHING

REFERENCES = {
    "relu": lambda torch, x: torch.relu(x),
    "leaky_relu": lambda torch, x: torch.nn.functional.leaky_relu(x, 0.01),
    "gelu": lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
    "silu": lambda torch, x: torch.nn.functional.silu(x),
    "softplus": lambda torch, x: torch.nn.functional.softplus(x),
    "sigmoid": lambda torch, x: torch.sigmoid(x),
    "tanh": lambda torch, x: torch.tanh(x),
    "softmax": lambda torch, x: torch.softmax(x, -1),
    "identity": lambda torch, x: x,
}
trainable = pytest.mark.parametrize("name", REFERENCES)
FAR = np.asarray([[-1e4, -700.0, -50.0, -20.0, -1e-3], [0.5, 20.0, 50.0, 700.0, 1e4]])


def test_every_name_is_tried():
    assert ACTIVATIONS.keys() == {*REFERENCES, "step"}


def forward_backward(backend, name, x, dy, arithmetic="standard"):
    xp = xpnet.Model([xpnet.Dense(2)], (1,), backend=backend, arithmetic=arithmetic, dtype="float64").xp
    layer, c = ACTIVATIONS[name](), context(xp, xp.float64, training=True)
    with backend.scope():
        y, cache, _ = layer.forward(c, NOTHING, backend.from_numpy(x))
        return y, layer.backward(c, NOTHING, backend.from_numpy(dy), cache, True)[0]


@trainable
@pytest.mark.parametrize("arithmetic", ["standard", "exact"])
def test_far_from_zero(backend, torch, name, arithmetic):
    """PyTorch takes 0.5 * (1 + tanh) for GELU's gate and loses it where tanh is -1, rounded."""
    dy = np.asarray([[1.0, -2.0, 0.5, 3.0, 1.0], [2.0, 1.0, -1.0, 0.1, 1.0]])
    with torch.device("cpu"):
        leaf = torch.tensor(FAR, requires_grad=True)
        expected = REFERENCES[name](torch, leaf)
        expected.backward(torch.tensor(dy))
    y, dx = forward_backward(backend, name, FAR, dy, arithmetic)
    assert_close(backend, y, expected.detach().numpy(), rtol=1e-12, atol=1e-15)
    assert_close(backend, dx, leaf.grad.numpy(), rtol=1e-11, atol=1e-14)


@trainable
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_overflows_at_the_ends(name, dtype):
    """Products of infinity and zero would be NaN: of the largest numbers there are none."""
    largest = float(np.finfo(dtype).max) / 4
    x = np.asarray([[-largest, -1e30, -1e4, -0.0, 1e4, 1e30, largest]], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, cache, _ = ACTIVATIONS[name]().forward(context(np), NOTHING, x)
        dx, _ = ACTIVATIONS[name]().backward(context(np), NOTHING, np.ones_like(x), cache, True)
    assert y.dtype == dx.dtype == dtype
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


def test_leaky_slopes(backend):
    x, dy = np.asarray([-2.0, 0.0, 3.0]), np.asarray([1.0, 10.0, 100.0])
    y, cache = F.leaky_relu_forward(backend.xp, backend.from_numpy(x), slope=0.25)
    assert_close(backend, y, np.asarray([-0.5, 0.0, 3.0]))
    dx = F.leaky_relu_backward(backend.xp, backend.from_numpy(dy), cache)
    assert_close(backend, dx, np.asarray([0.25, 2.5, 100.0]))


@pytest.mark.parametrize("slope", [-0.1, 1.5, "0.1", float("nan")])
def test_slopes_out_of_range(slope):
    with pytest.raises(InvalidInputError, match="slope must be a finite number, between 0 and 1"):
        xpnet.LeakyReLU(slope)


@trainable
def test_by_name_in_a_perceptron(name):
    net = xpnet.MLP([4, 5, 3], activation=name, dtype="float64", backend="numpy")
    assert net.title == f"4-5-3 {ACTIVATIONS[name].__name__}"
    x, t = np.random.default_rng(0).normal(size=(6, 4)), [0, 1, 2, 0, 1, 2]
    assert max(xpnet.gradcheck(net, x, t).values()) < 1e-7


@pytest.mark.parametrize("kind", [list, tuple])
def test_one_for_each_hidden_layer(tmp_path, kind):
    names = kind(["relu", "tanh", "relu"])
    net = xpnet.MLP([4, 5, 4, 3, 2], activation=names, backend="numpy")
    assert net.network.layer.layers[1::2] == (xpnet.ReLU(), xpnet.Tanh(), xpnet.ReLU())
    assert net.title == "4-5-4-3-2 ReLU Tanh"
    again = xpnet.MLP.from_params(net.params, "numpy", activation=names)
    assert again.network == net.network
    net.save(tmp_path / "model.safetensors")
    assert xpnet.load(tmp_path / "model.safetensors", backend="numpy").network == net.network
    x, t = np.random.default_rng(0).normal(size=(6, 4)), [0, 1, 0, 1, 0, 1]
    assert xpnet.train(net, x, t, iterations=2, batch_size=3, progress=False).loss


def test_softmax_regression_takes_any_name_but_no_sequence():
    assert xpnet.MLP([4, 2], activation="tanh", backend="numpy").title == "4-2"
    assert xpnet.MLP([4, 2], activation=[], backend="numpy").title == "4-2"
    with pytest.raises(InvalidInputError, match="each of the 0 hidden layers"):
        xpnet.MLP([4, 2], activation=["relu"], backend="numpy")
