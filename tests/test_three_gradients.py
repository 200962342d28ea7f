"""Three gradients, one answer: written by hand, from the tape, and from differences (`test_layers`)."""

import numpy as np
import pytest
from cases import BATCH
from test_layers import gradient_of_outputs, opened, over_trainable

import xpnet
from xpnet.catalogue import LOSSES
from xpnet.errors import InvalidInputError
from xpnet.nn.taping import taped
from xpnet.trees import flat


@over_trainable
def test_a_layers_backward_is_the_tapes(backend, case):
    c, v, x = opened(backend, case)
    y, cache, state = case.layer.forward(c, v, x)
    dy = backend.from_numpy(gradient_of_outputs(y))
    dx, gradients = case.layer.backward(c, v, dy, cache, case.floating)
    y_noted, noted, state_noted = taped(type(case.layer).forward)(case.layer, c, v, x)
    dx_noted, gradients_noted = noted.gradients(dy, case.floating)
    assert backend.to_numpy(y_noted).tobytes() == backend.to_numpy(y).tobytes()
    assert flat(state_noted).keys() == flat(state).keys()
    assert flat(gradients_noted).keys() == flat(gradients).keys()
    for name, gradient in flat(gradients).items():
        np.testing.assert_allclose(
            backend.to_numpy(flat(gradients_noted)[name]), backend.to_numpy(gradient), rtol=1e-12, atol=1e-12
        )
    if case.floating:
        np.testing.assert_allclose(backend.to_numpy(dx_noted), backend.to_numpy(dx), rtol=1e-12, atol=1e-12)
    assert noted.gradients(dy, False)[0] is None


def examples_of(loss):
    """Yield outputs and targets, of those forms that are known, that a loss takes."""
    rng = np.random.default_rng(0)
    xp = xpnet.get_backend("numpy").xp
    for width in (3, 1):
        y = rng.normal(size=(BATCH, width))
        rows = rng.random(y.shape)
        for t in (
            rng.integers(0, max(width, 2), BATCH),
            rng.normal(size=y.shape),
            rng.random(y.shape),
            rows / rows.sum(axis=1, keepdims=True),
            rng.integers(0, 2, y.shape),
        ):
            try:
                loss.check_outputs((width,))
                yield y, np.asarray(loss.check(xp, t, y.shape, xp.float64))
            except InvalidInputError:
                continue


@pytest.mark.parametrize("name", LOSSES)
def test_a_losss_gradient_is_the_tapes(backend, name):
    loss = getattr(xpnet, name)()
    found = list(examples_of(loss))
    assert found, f"say in examples_of which targets {name} takes"
    for y, t in found:
        y, t = backend.from_numpy(y), backend.from_numpy(t)
        values, gradient = xpnet.Loss._from_tape(loss, backend.xp, y, t)
        np.testing.assert_array_equal(
            backend.to_numpy(values), backend.to_numpy(loss.values(backend.xp, y, t))
        )
        wanted = loss.gradient(backend.xp, y, t)
        np.testing.assert_allclose(
            backend.to_numpy(gradient), backend.to_numpy(wanted), rtol=1e-12, atol=1e-12
        )
