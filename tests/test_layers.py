"""What every layer must do: the right values and gradients. `test_layers_exact` goes on with their bits."""

import numpy as np
import pytest
from cases import BATCH, CASES, TRAINABLE

import xpnet
from xpnet.catalogue import LAYERS
from xpnet.nn.context import context
from xpnet.nn.layer import Variables
from xpnet.random import random_words
from xpnet.trees import flat, like, map_tree

over_cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
over_trainable = pytest.mark.parametrize("case", TRAINABLE.values(), ids=TRAINABLE.keys())


def test_every_layer_has_a_case():
    assert LAYERS.keys() <= {type(case.layer).__name__ for case in CASES.values()}


def variables_of(case):
    """Return NumPy variables at random: none is zero by chance."""
    rng = np.random.default_rng(2)
    declared = case.layer.variables(case.inputs)
    params = map_tree(lambda p: 1.0 + 0.3 * rng.normal(size=p.shape), declared.params)
    state = map_tree(lambda p: rng.uniform(0.5, 1.5, size=p.shape), declared.state)
    return Variables(params, state)


def opened(backend, case, training=True):
    """Return a float64 context, variables and samples on a library's device."""
    random = backend.from_numpy(random_words(3, np.arange(1))[0])
    c = context(backend.xp, backend.xp.float64, training=training, random=random)
    return c, map_tree(backend.from_numpy, variables_of(case)), backend.from_numpy(case.x)


def gradient_of_outputs(y):
    return np.random.default_rng(4).normal(size=tuple(y.shape))


@over_cases
def test_values_and_gradients_are_pytorchs(backend, torch, case):
    if case.reference is None:
        pytest.skip("a composition, or random: held against differences below")
    c, v, x = opened(backend, case)
    y, cache, _ = case.layer.forward(c, v, x)
    with torch.device("cpu"):
        params = map_tree(lambda p: torch.tensor(p, requires_grad=True), dict(variables_of(case).params))
        inputs = torch.tensor(case.x, requires_grad=case.floating)
        wanted = case.reference(torch, params, inputs)
    np.testing.assert_allclose(backend.to_numpy(y), wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    assert tuple(y.shape) == (BATCH, *case.layer.output_shape(case.inputs))
    if not case.trainable:
        return
    dy = gradient_of_outputs(y)
    dx, gradients = case.layer.backward(c, v, backend.from_numpy(dy), cache, case.floating)
    (wanted * torch.tensor(dy, device="cpu")).sum().backward()
    for name, gradient in flat(gradients).items():
        expected = flat(params)[name].grad.numpy()
        np.testing.assert_allclose(backend.to_numpy(gradient), expected, rtol=1e-10, atol=1e-10, err_msg=name)
    assert flat(gradients).keys() == flat(params).keys()
    if case.floating:
        np.testing.assert_allclose(backend.to_numpy(dx), inputs.grad.numpy(), rtol=1e-10, atol=1e-10)


@over_trainable
def test_gradients_are_those_of_differences(case):
    """In ten random directions, of parameters and inputs together, in float64."""
    backend = xpnet.get_backend("numpy")
    c, v, x = opened(backend, case)
    y, cache, _ = case.layer.forward(c, v, x)
    dy, rng, h = gradient_of_outputs(y), np.random.default_rng(5), 1e-6
    dx, gradients = case.layer.backward(c, v, dy, cache, case.floating)
    point = [*flat(v.params).values(), *([x] if case.floating else [])]
    found = [*flat(gradients).values(), *([dx] if case.floating else [])]

    def value(leaves):
        inputs = leaves[-1] if case.floating else x
        return np.sum(case.layer.forward(c, Variables(like(v.params, leaves), v.state), inputs)[0] * dy)

    for _ in range(10 if point else 0):
        way = [rng.normal(size=leaf.shape) for leaf in point]
        above, below = ([p + s * h * w for p, w in zip(point, way, strict=True)] for s in (1, -1))
        slope = sum(np.sum(g * w) for g, w in zip(found, way, strict=True))
        assert (value(above) - value(below)) / (2 * h) == pytest.approx(slope, rel=1e-6, abs=1e-6)


@over_trainable
def test_need_dx_saves_nothing_but_work(case):
    backend = xpnet.get_backend("numpy")
    c, v, x = opened(backend, case)
    y, cache, _ = case.layer.forward(c, v, x)
    dy = gradient_of_outputs(y)
    dx, gradients = case.layer.backward(c, v, dy, cache, False)
    assert dx is None
    again = case.layer.backward(c, v, dy, cache, case.floating)[1]
    assert {name: g.tobytes() for name, g in flat(gradients).items()} == {
        name: g.tobytes() for name, g in flat(again).items()
    }
