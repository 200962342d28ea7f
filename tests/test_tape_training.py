"""Layers that define `forward` alone and losses that define `values` alone are trained like any other."""

import math
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.nn.context import context
from xpnet.nn.layer import NOTHING

X = np.random.default_rng(0).normal(size=(40, 6))
T = np.random.default_rng(1).normal(size=(40, 2))


@xpnet.register
@dataclass(frozen=True)
class Gated(xpnet.Layer):
    """A gated unit that leaves inputs out at random and counts its batches: params, state, random bits."""

    units: int
    noisy: bool = True

    @property
    def random(self):
        return self.noisy

    def output_shape(self, inputs):
        return (self.units,)

    def variables(self, inputs):
        weights = xpnet.Parameter((*inputs, self.units), "xavier", (*inputs, self.units), decayed=True)
        params = {"W": weights, "V": weights, "b": xpnet.Parameter((self.units,))}
        return xpnet.Variables(params, {"batches": xpnet.Parameter(())})

    def forward(self, c, v, x):
        x = c.floating(x)
        if c.training and self.noisy:
            x = c.xp.where(c.bits(tuple(x.shape)) > 0, x * 2.0, c.xp.zeros_like(x))
        gate = c.xp.tanh(c.xp.matmul(x, v.params["V"]))
        y = c.xp.matmul(x, v.params["W"]) * gate + v.params["b"]
        return y, None, {"batches": v.state["batches"] + 1.0}


@xpnet.register
@dataclass(frozen=True)
class LogCosh(xpnet.Loss):
    """The logarithm of the hyperbolic cosine of the differences."""

    def check(self, xp, t, outputs, dtype):
        return xp.astype(t, dtype)

    def values(self, xp, y, t):
        distance = xp.abs(y - t)
        return xp.sum(distance + xp.log1p(xp.exp(distance * -2.0)) - math.log(2.0), axis=-1)


def model(backend, arithmetic="exact", first=None):
    layers = [first or Gated(5), xpnet.Tanh(), Gated(4), xpnet.Dense(2)]
    return xpnet.Model(layers, (6,), loss=LogCosh(), l2=0.01, backend=backend, arithmetic=arithmetic)


def trained(backend, x=X, iterations=12, checkpoint=None, callbacks=(), **settings):
    net = model(backend, **settings)
    xpnet.train(
        net,
        x,
        T,
        xpnet.Momentum(0.1),
        batch_size=8,
        iterations=iterations,
        eval_every=4,
        seed=3,
        progress=False,
        checkpoint=checkpoint,
        callbacks=callbacks,
    )
    return net


@pytest.fixture(scope="module")
def expected():
    return trained("numpy")


def test_one_fingerprint_on_all_libraries(backend, expected):
    assert trained(backend).fingerprint() == expected.fingerprint()


def test_it_learns_and_its_state_is_carried(backend):
    net = xpnet.Model([Gated(8, noisy=False), xpnet.Dense(2)], (6,), loss=LogCosh(), backend=backend)
    t = X[:, :2] * X[:, 2:4]  # what gates are for
    before = net.loss(X, t)
    xpnet.train(net, X, t, xpnet.Adam(0.02), batch_size=20, iterations=400, seed=0, progress=False)
    assert net.loss(X, t) < 0.1 * before
    assert float(backend.to_numpy(net.variables.state["batches1"])) == 400.0


def test_the_same_bits_are_drawn_on_the_way_back():
    """The gradient of the inputs of a layer that draws: that of differences, where inputs were kept."""
    c = context(
        xpnet.get_backend("numpy").xp, np.float64, training=True, random=np.asarray([1, 2, 3], np.int32)
    )
    layer, rng = Gated(3), np.random.default_rng(5)
    params = {"W": rng.normal(size=(6, 3)), "V": rng.normal(size=(6, 3)), "b": rng.normal(size=3)}
    v, dy, way = (
        xpnet.Variables(params, {"batches": np.zeros(())}),
        rng.normal(size=(40, 3)),
        rng.normal(size=X.shape),
    )
    _, cache, state = layer.forward(c, v, X)
    dx, _ = layer.backward(c, v, dy, cache, True)
    above, below = (np.sum(layer.forward(c, v, X + s * 1e-6 * way)[0] * dy) for s in (1, -1))
    assert np.sum(dx * way) == pytest.approx((above - below) / 2e-6, rel=1e-7)
    assert 0.4 < np.mean(dx == 0.0) < 0.6
    assert float(state["batches"]) == 1.0


def test_it_goes_on_from_a_checkpoint_on_another_library(backend, tmp_path, expected):
    path = tmp_path / "run.safetensors"
    half = lambda evaluation: evaluation.history.iteration[-1] == 8  # noqa: E731
    with suppress(KeyboardInterrupt):
        trained("numpy", callbacks=[half], checkpoint=xpnet.Checkpoint(path, 4))
    net, _ = xpnet.resume(path, X, T, backend=backend, progress=False)
    assert net.fingerprint() == expected.fingerprint()


def test_bytes_train_as_the_numbers_that_they_stand_for(backend):
    pixels = (np.abs(X) * 60).astype(np.uint8)
    got = trained(backend, pixels, arithmetic="standard").params
    wanted = trained("numpy", pixels / 255, arithmetic="standard").params
    for name, parameter in wanted.items():
        np.testing.assert_allclose(backend.to_numpy(got[name]), parameter, rtol=1e-4, atol=1e-5)


def test_gradients_are_the_numerical_ones():
    net = xpnet.Model([xpnet.Dense(4), Swish(), xpnet.Dense(2)], (6,), loss=LogCosh(), dtype="float64")
    got, wanted = net.gradient(X, T), net.numerical_gradient(X, T)
    for name in got:
        np.testing.assert_allclose(got[name], wanted[name], rtol=1e-5, atol=1e-8)


class Swish(xpnet.Layer):
    def forward(self, c, v, x):
        return c.xp.divide(x, 1.0 + c.xp.exp(-x)), None, {}


class Residual(xpnet.Sequential):
    """It changes the forward of a layer that has a backward, which does not fit any more."""

    def forward(self, c, v, x):
        y, cache, state = super().forward(c, v, x)
        return x + y, cache, state


def test_a_changed_forward_has_the_backward_that_fits():
    net = xpnet.Model(
        [Residual([xpnet.Dense(6), Swish()]), xpnet.Dense(2)], (6,), loss=LogCosh(), dtype="float64"
    )
    got, wanted = net.gradient(X, T), net.numerical_gradient(X, T)
    for name in ("W2", "b2"):
        np.testing.assert_allclose(got[name], wanted[name], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(got["layers1"]["W1"], wanted["layers1"]["W1"], rtol=1e-5, atol=1e-8)


class Tripled(Swish):
    """A backward of its own for the forward of another."""

    def backward(self, c, v, dy, cache, need_dx):
        return dy * 3.0, {"cache": cache}


class Both(Swish):
    """Both of its own, which call those of the layer that has its backward from the tape."""

    def forward(self, c, v, x):
        y, cache, state = super().forward(c, v, x)
        return y * 2.0, cache, state

    def backward(self, c, v, dy, cache, need_dx):
        return super().backward(c, v, dy * 2.0, cache, need_dx)


def test_a_backward_belongs_to_its_forward():
    c, x = context(xpnet.get_backend("numpy").xp, np.float64, training=True), X[:2]
    _, cache, _ = Tripled().forward(c, NOTHING, x)
    assert cache is None
    assert Tripled().backward(c, NOTHING, x, cache, True)[1] == {"cache": None}
    (_, plain, _), (_, doubled, _) = Swish().forward(c, NOTHING, x), Both().forward(c, NOTHING, x)
    dx = Swish().backward(c, NOTHING, x, plain, True)[0]
    np.testing.assert_array_equal(Both().backward(c, NOTHING, x, doubled, True)[0], 2.0 * dx)


def test_outside_of_training_no_call_is_noted():
    c = context(xpnet.get_backend("numpy").xp, np.float64)
    _, cache, _ = Swish().forward(c, NOTHING, X)
    with pytest.raises(InvalidInputError, match="in training alone"):
        Swish().backward(c, NOTHING, X, cache, True)


def test_the_recorded_step_computes_nothing_twice():
    """A layer on the tape makes as many calls as its forward and its derivative need."""
    from xpnet.programs.tracing import record

    def build(xp):
        def step(x, dy):
            c = context(xp, np.float64, training=True)
            _, cache, _ = Swish().forward(c, NOTHING, x)
            return Swish().backward(c, NOTHING, dy, cache, True)[0]

        return step

    recording, _ = record(build, xpnet.get_backend("numpy").xp, X, X)
    names = [call.name for call in recording.record.calls]
    assert names[:4] == ["negative", "exp", "add", "divide"]
    assert names.count("exp") == 1
    assert len(names) == 11
