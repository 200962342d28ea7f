"""What layers, losses and optimisers of one's own get wrong, told instead of computed with."""

from dataclasses import dataclass

import numpy as np
import pytest

import xpnet
from xpnet.errors import InvalidInputError, XpnetError
from xpnet.programs.step import StepError

X = np.linspace(0.0, 1.0, 12, dtype=np.float32).reshape(4, 3)
T = np.asarray([0, 1, 0, 1])
BYTES = (np.arange(12).reshape(4, 3) * 20).astype(np.uint8)


def fit(net, optimizer=None, **settings):
    defaults = {"batch_size": 2, "iterations": 2, "eval_every": 0, "progress": False}
    return xpnet.train(net, X, T, optimizer, **{**defaults, **settings})


def layer(function, in_training=True):
    """Return a layer that applies a function of a context and an array."""

    class Own(xpnet.Layer):
        def forward(self, c, v, x):
            return (function(c, x) if c.training or not in_training else x), None, {}

        def backward(self, c, v, dy, cache, need_dx):
            return dy, {}

    return Own()


def in_place(c, x):
    x += 1.0
    return x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda c, x: x * 0.0 + c.xp.sum(x[x > 0]), "choose elements by a mask"),
        (lambda c, x: x + c.xp.nonzero(x)[0], "must not call xp.nonzero"),
        (in_place, r"operator \+="),
    ],
    ids=["mask", "nonzero", "in place"],
)
def test_what_depends_on_the_data_is_refused(backend, function, message):
    net = xpnet.Model([layer(function), xpnet.Dense(2)], (3,), backend=backend)
    with pytest.raises(StepError, match=message):
        fit(net)


@pytest.mark.parametrize("rows", [4, 1000], ids=["whole blocks", "the rest of a block"])
def test_predictions_are_looked_at_too(backend, rows, monkeypatch):
    """An assignment in place would write into the user's data."""
    monkeypatch.setattr("xpnet.models.prediction.ROWS_AT_ONCE", rows)
    data = X.copy()
    net = xpnet.Model([layer(in_place, in_training=False), xpnet.Dense(2)], (3,), backend=backend)
    with pytest.raises(StepError, match=r"operator \+="):
        net.predict(data)
    np.testing.assert_array_equal(data, X)
    halved = layer(lambda c, x: x / 2.0, in_training=False)
    net = xpnet.Model([halved, xpnet.Dense(2)], (3,), backend=backend, arithmetic="exact")
    with pytest.raises(StepError, match="operator /"):
        net.logits(X)


def test_layers_that_build_on_others_stay_themselves_on_bytes(backend):
    @dataclass(frozen=True)
    class Doubled(xpnet.Dense):
        def forward(self, c, v, x):
            y, cache, state = super().forward(c, v, x)
            return y * 2.0, cache, state

    @dataclass(frozen=True)
    class Residual(xpnet.Sequential):
        def forward(self, c, v, x):
            y, cache, state = super().forward(c, v, x)
            return x + y, cache, state

    for first in (Doubled(3), Residual([xpnet.Dense(3)])):
        net = xpnet.Model([first], (3,), backend=backend)
        expected = backend.to_numpy(net.logits(BYTES / np.float32(255)))
        np.testing.assert_allclose(backend.to_numpy(net.logits(BYTES)), expected, rtol=1e-5)


def gains(gradients, dx=lambda dy: dy):
    """Return a layer with one parameter whose backward returns something else than it should."""

    class Gains(xpnet.Layer):
        def variables(self, inputs):
            return xpnet.Variables({"g": xpnet.Parameter(inputs, "ones")}, {})

        def forward(self, c, v, x):
            return x * v.params["g"], x, {}

        def backward(self, c, v, dy, cache, need_dx):
            return dx(dy), gradients(c, c.samples.sum(dy * cache))

    return Gains()


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        (lambda c, s: {}, "must return gradients of g1, W2, b2; it returned those of W2, b2"),
        (lambda c, s: {"g": s, "h": s}, "it returned those of g1, h1, W2, b2"),
        (lambda c, s: {"g": c.xp.sum(s)}, r"the gradient of g1 must be an array of the shape \(3,\)"),
        (lambda c, s: {"g": None}, "the gradient of g1 must be an array .* it is None"),
        (lambda c, s: {"g": 0.0}, "the gradient of g1 must be an array .* it is 0.0"),
    ],
)
def test_gradients_that_do_not_fit_are_told(gradients, message):
    with pytest.raises(InvalidInputError, match=message):
        fit(xpnet.Model([gains(gradients), xpnet.Dense(2)], (3,), backend="numpy"))


def test_a_missing_gradient_of_the_inputs_is_told():
    last = gains(lambda c, s: {"g": s}, dx=lambda dy: None)
    with pytest.raises(InvalidInputError, match="returned no gradient of its inputs"):
        fit(xpnet.Model([xpnet.Dense(2), last], (3,), backend="numpy"))


def test_losses_of_another_shape_are_told():
    class Whole(xpnet.Loss):
        def check(self, xp, t, outputs, dtype):
            return xp.astype(t, dtype)

        def values(self, xp, y, t):
            return xp.sum(y)

        def gradient(self, xp, y, t):
            return y

    with pytest.raises(
        InvalidInputError, match=r"the values of the loss must be an array of the shape \(2,\)"
    ):
        fit(xpnet.Model([xpnet.Dense(2)], (3,), loss=Whole(), backend="numpy"))


@pytest.mark.parametrize("inputs", [3, (-3,), "3", (3.5,), None], ids=str)
def test_the_shape_of_inputs_is_checked(inputs):
    with pytest.raises(InvalidInputError, match="inputs must be the shape of one sample"):
        xpnet.Model([xpnet.Dense(2)], inputs, backend="numpy")


@pytest.mark.parametrize("layers", [None, xpnet.ReLU, 3, "relu", []], ids=str)
def test_layers_are_checked(layers):
    with pytest.raises(InvalidInputError, match=r"must be a list of at least one layer|is no layer"):
        xpnet.Model(layers, (3,), backend="numpy")


def test_a_network_without_parameters_cannot_be_trained():
    with pytest.raises(InvalidInputError, match="has no parameters: there is nothing to train"):
        fit(xpnet.Model([xpnet.ReLU()], (3,), backend="numpy"))


@pytest.mark.parametrize("factor", [float("nan"), None, "a", -1.0], ids=str)
def test_factors_of_schedules_are_checked(factor):
    class Strange:
        def factor(self, iteration):
            return factor

    rule = xpnet.SGD(0.1, schedule=Strange())
    with pytest.raises(XpnetError, match="the factor of the schedule must be a finite number, at least 0"):
        fit(xpnet.MLP([3, 2], backend="numpy"), rule)


def test_a_gradient_that_is_zero_is_right():
    """The bias before a mean is subtracted has none."""
    from extensions import Centred

    net = xpnet.Model([xpnet.Dense(4), Centred(), xpnet.Dense(2)], (3,), backend="numpy")
    assert max(xpnet.gradcheck(net, X, T).values()) < 1e-7


@pytest.mark.parametrize(
    "memory",
    [
        lambda xp: {"h": [xp.zeros(2, dtype=xp.float32)] * 2},
        lambda xp: {"h": (xp.zeros(2, dtype=xp.float32),)},
        lambda xp: {"h": {}, "k": xp.zeros(2, dtype=xp.float32)},
    ],
    ids=["list", "tuple", "empty"],
)
def test_memory_of_any_tree_is_resumed(tmp_path, memory, monkeypatch):
    @dataclass(frozen=True)
    class Remembering(xpnet.Optimizer):
        def init(self, xp, params):
            return memory(xp)

        def update(self, xp, params, gradients, state, coefficients, decayed=None):
            return params, state

    monkeypatch.setitem(xpnet.describe.__globals__["_registered"], "Remembering", Remembering)
    path = tmp_path / "run"
    fit(xpnet.MLP([3, 2], backend="numpy"), Remembering(0.1), checkpoint=xpnet.Checkpoint(path, 1))
    _, history = xpnet.resume(path, X, T, iterations=4, backend="numpy")
    assert len(history.loss) == 4


@pytest.mark.parametrize(
    ("given", "name"),
    [({"sample_weight": np.ones(4)}, "sample_weight"), ({"validation": (X, T)}, "validation")],
)
def test_resuming_asks_for_what_the_run_began_with(tmp_path, given, name):
    path = tmp_path / "run"
    fit(xpnet.MLP([3, 2], backend="numpy"), checkpoint=xpnet.Checkpoint(path, 1), **given)
    with pytest.raises(InvalidInputError, match=f"the run began with {name}: give it the same"):
        xpnet.resume(path, X, T, iterations=4, backend="numpy")
    assert len(xpnet.resume(path, X, T, iterations=4, backend="numpy", **given)[1].loss) == 4
