"""The table of vector-Jacobian products: each entry, on each library, by PyTorch and by differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tape_examples import EXAMPLES

import xpnet
from xpnet.arithmetic.exact import REPLACED, SAME_BITS, NotExactError, exact
from xpnet.nn.tape.table import COMPOSED, CONSTANT, OF_SEQUENCES, VJPS
from xpnet.nn.tape.transforms import pullback

NAMES = [f"{i}-{example.name}" for i, example in enumerate(EXAMPLES)]
over_examples = pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
DIFFERENTIABLE = {*VJPS, *OF_SEQUENCES, *COMPOSED}


def test_every_entry_has_an_example():
    assert {example.name for example in EXAMPLES} == DIFFERENTIABLE


def test_the_table_is_of_the_standard():
    standard = pytest.importorskip("array_api_strict")
    assert {name for name in {*DIFFERENTIABLE, *CONSTANT} if not hasattr(standard, name)} == {"getitem"}


def skip_where_unknown(backend, example):
    if backend.name == example.unknown_to:
        pytest.skip(f"{backend.name} does not know this form of {example.name}")


def weights(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def gradients(backend, example, inputs):
    """Return the value, and the gradients of its elements' weighted sum."""
    arrays = tuple(map(backend.from_numpy, inputs))
    found = pullback(example.call, backend.xp, arrays, tuple(range(len(arrays))))
    y = backend.to_numpy(found.values)
    got = found(backend.from_numpy(weights(y.shape)), *range(len(arrays)))
    return y, [backend.to_numpy(g) for g in got]


@over_examples
def test_gradients_are_pytorchs(backend, torch, example):
    skip_where_unknown(backend, example)
    inputs = example.inputs()
    y, got = gradients(backend, example, inputs)
    assert [g.shape for g in got] == [x.shape for x in inputs]
    if example.torch is None:
        wanted = differences(example, inputs)
        tolerance = 1e-6
    else:
        with torch.device("cpu"):
            tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
            value = example.torch(torch, *tensors)
            np.testing.assert_allclose(y, value.detach().numpy(), rtol=1e-12, atol=1e-14)
            (value * torch.tensor(weights(y.shape))).sum().backward()
        wanted = [x.numpy() if x is None else x.grad.numpy() for x in tensors]
        tolerance = 1e-10
    for g, w in zip(got, wanted, strict=True):
        np.testing.assert_allclose(g, w, rtol=tolerance, atol=tolerance)


def differences(example, inputs, h=1e-6):
    """Return gradients by central differences of the weighted sum, on NumPy."""
    xp = xpnet.get_backend("numpy").xp

    def value(*arrays):
        y = example.call(xp, *arrays)
        return float(np.sum(y * weights(y.shape)))

    found = []
    for position, x in enumerate(inputs):
        gradient = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            steps = []
            for sign in (1, -1):
                moved = x.copy()
                moved[place] += sign * h
                steps.append(value(*inputs[:position], moved, *inputs[position + 1 :]))
            gradient[place] = (steps[0] - steps[1]) / (2 * h)
        found.append(gradient)
    return found


SMOOTH = [example for example in EXAMPLES if example.smooth]


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(SMOOTH), st.integers(0, 2**32 - 1))
def test_gradients_are_those_of_differences(example, seed):
    """Wherever the numbers lie, in a random direction; but near kinks and poles differences do not tell."""
    numpy = xpnet.get_backend("numpy")
    inputs = example.inputs(seed)
    _, got = gradients(numpy, example, inputs)
    rng = np.random.default_rng(seed)
    way = [rng.normal(size=x.shape) for x in inputs]

    def value(step):
        y = example.call(numpy.xp, *(x + step * w for x, w in zip(inputs, way, strict=True)))
        return float(np.sum(y * weights(y.shape)))

    slopes = [(value(h) - value(-h)) / (2 * h) for h in (1e-5, 1e-6)]
    slope = sum(np.sum(g * w) for g, w in zip(got, way, strict=True))
    if slopes[0] == pytest.approx(slopes[1], rel=1e-4, abs=1e-5):
        assert slope == pytest.approx(slopes[1], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("example", SMOOTH, ids=[NAMES[EXAMPLES.index(e)] for e in SMOOTH])
def test_second_derivatives(example):
    """The gradient of a gradient's projection, against differences of the gradient."""
    numpy = xpnet.get_backend("numpy")
    inputs = tuple(example.inputs())
    every = tuple(range(len(inputs)))
    rng = np.random.default_rng(2)
    way = [rng.normal(size=x.shape) for x in inputs]

    def scalar(xp, *arrays):
        y = example.call(xp, *arrays)
        return xp.sum(xp.sin(y) * weights(tuple(y.shape)))

    def along(xp, *arrays):
        found = xpnet.grad(scalar, every)(xp, *arrays)
        return sum(xp.sum(g * w) for g, w in zip(found, way, strict=True))

    got = xpnet.grad(along, every)(numpy.xp, *inputs)
    h = 1e-6

    def moved(step):
        return xpnet.grad(scalar, every)(numpy.xp, *(x + step * w for x, w in zip(inputs, way, strict=True)))

    for g, above, below in zip(got, moved(h), moved(-h), strict=True):
        np.testing.assert_allclose(g, (above - below) / (2 * h), rtol=2e-4, atol=2e-5)


def test_functions_of_the_exact_namespace_have_gradients_there():
    """Whatever is differentiable and exact: its rule calls nothing that the exact namespace lacks."""
    known = {*REPLACED, *SAME_BITS, "getitem", "add", "subtract", "multiply", "concat", "stack"}
    tried = 0
    numpy = xpnet.get_backend("numpy")
    for example in EXAMPLES:
        if example.name in known:
            arrays = tuple(example.inputs())
            try:
                example.call(exact(numpy.xp), *arrays)
            except xpnet.XpnetError:
                continue  # the example calls another function besides, which is not exact
            found = pullback(example.call, exact(numpy.xp), arrays, tuple(range(len(arrays))))
            found(np.ones_like(found.values), *range(len(arrays)))
            tried += 1
    assert tried > 60


EXACT = {}
FIRST = {example.name: example for example in reversed(EXAMPLES)}


@pytest.mark.parametrize("name", FIRST)
def test_one_set_of_bits_in_exact_arithmetic(backend, name):
    """Examples of functions that are not exact are refused, on every library alike."""
    EXACT.setdefault(name, exact_bits(xpnet.get_backend("numpy"), FIRST[name]))
    assert exact_bits(backend, FIRST[name]) == EXACT[name]


def exact_bits(backend, example):
    arrays = tuple(backend.from_numpy(x.astype(np.float32)) for x in example.inputs())
    try:
        found = pullback(example.call, exact(backend.xp), arrays, tuple(range(len(arrays))))
    except NotExactError:
        return None
    y = backend.to_numpy(found.values)
    got = found(backend.from_numpy(weights(y.shape).astype(y.dtype)), *range(len(arrays)))
    return [(backend.to_numpy(g) + 0.0).tobytes() for g in got]
