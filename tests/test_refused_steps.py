"""Steps that are not portable, or do not return what they were given, refused on every library."""

import numpy as np
import pytest
from extensions import Smooth

import xpnet
from xpnet.programs.step import StepError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3)).astype(np.float32)
T = RNG.integers(0, 3, 24)


def one_step(net, optimizer):
    xpnet.train(net, X, T, optimizer, batch_size=6, iterations=1, eval_every=0, seed=3, progress=False)


WRONG = {
    "power": (lambda xp, x: x**2, r"operator \*\*"),
    "quotient": (lambda xp, x: 1.0 / x, "operator /"),
    "whole quotient": (lambda xp, x: x // 2.0, "operator //"),
    "remainder": (lambda xp, x: x % 2.0, "operator %"),
    "walk": (lambda xp, x: sum(row for row in x), "must not go through an array's elements"),
    "largest": (lambda xp, x: x * max(x), "must not go through an array's elements"),
    "number": (lambda xp, x: x * float(xp.sum(x)), r"must not read values \(float\(\)\)"),
    "whole number": (lambda xp, x: x * int(xp.sum(x)), r"must not read values \(int\(\)\)"),
    "and": (lambda xp, x: x and x, r"must not read values \(if\)"),
    "transposed": (lambda xp, x: x.T, "'T'"),
    "item": (lambda xp, x: x * xp.sum(x).item(), "'item'"),
}


class Spoilt(xpnet.Layer):
    """Does what is wrong in one of its functions."""

    def __init__(self, function, place):
        self.function, self.place = function, place

    def forward(self, c, v, x):
        return (self.function(c.xp, x) if c.training and self.place == "forward" else x), None, {}

    def backward(self, c, v, dy, cache, need_dx):
        return (self.function(c.xp, dy) if self.place == "backward" else dy), {}


@pytest.mark.parametrize("place", ["forward", "backward"])
@pytest.mark.parametrize("case", WRONG)
def test_layers_are_refused_at_the_first_step(backend, case, place):
    function, message = WRONG[case]
    net = xpnet.Model([xpnet.Dense(3), Spoilt(function, place), xpnet.Dense(3)], (3,), backend=backend)
    before = net.fingerprint()
    with pytest.raises(StepError, match=message):
        one_step(net, xpnet.Momentum(0.1))
    assert net.fingerprint() == before


@pytest.mark.parametrize("case", ["power", "quotient", "walk", "number"])
def test_losses_and_optimisers_are_refused_too(backend, case):
    function, message = WRONG[case]

    class Loss(Smooth):
        def values(self, xp, y, t):
            return xp.sum(function(xp, y) + y, axis=1)

    class Rule(xpnet.Optimizer):
        def apply(self, xp, p, g, slots, c):
            return p - c["rate"] * function(xp, g), slots

    net = xpnet.Model([xpnet.Dense(2)], (3,), loss=Loss(), backend=backend)
    with pytest.raises(StepError, match=message):
        xpnet.train(net, X, X[:, :2], batch_size=6, iterations=1, eval_every=0)
    with pytest.raises(StepError, match=message):
        one_step(xpnet.MLP([3, 3], backend=backend), Rule(0.1))


CARRIED = {
    "dtype": (lambda xp, a: {"a": xp.astype(a, xp.int32)}, "as float32 .*returned it as int32"),
    "shape": (lambda xp, a: {"a": xp.concat([a, a])}, r"as float32 \(2,\) and returned it as float32 \(4,\)"),
    "lost": (lambda xp, a: {}, r"memory/a as float32 \(2,\) and returned it as nothing"),
    "more": (lambda xp, a: {"a": a, "b": a}, r"memory/b as nothing and returned it as float32"),
}


@pytest.mark.parametrize("case", CARRIED)
def test_memory_keeps_its_structure(backend, case):
    change, message = CARRIED[case]

    class Rule(xpnet.Optimizer):
        def init(self, xp, params):
            device = getattr(params["b1"], "device", None)
            return {"memory": {"a": xp.zeros((2,), dtype=xp.float32, device=device)}}

        def update(self, xp, params, gradients, state, coefficients, decayed=None):
            return params, {"memory": change(xp, state["memory"]["a"])}

    with pytest.raises(StepError, match=message):
        one_step(xpnet.MLP([3, 3], backend=backend), Rule(0.1))


@pytest.mark.parametrize("change", [lambda xp, m: {}, lambda xp, m: {"m": xp.sum(m)}], ids=["lost", "shape"])
def test_running_state_keeps_its_structure(backend, change):
    class Forgetful(xpnet.Layer):
        def variables(self, inputs):
            return xpnet.Variables({}, {"m": xpnet.Parameter(inputs)})

        def forward(self, c, v, x):
            return x, None, change(c.xp, v.state["m"])

        def backward(self, c, v, dy, cache, need_dx):
            return dy, {}

    net = xpnet.Model([Forgetful(), xpnet.Dense(3)], (3,), backend=backend)
    with pytest.raises(StepError, match=r"was given state/m1 as float32 \(3,\) and returned it as"):
        one_step(net, xpnet.Momentum(0.1))
