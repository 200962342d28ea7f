"""Networks of every kind of layer in exact arithmetic: 100 steps on every library, to published strings."""

import json
from contextlib import suppress

import pytest
from conftest import BACKENDS, require
from golden.write import FOLDER, layered, train_layered

import xpnet
from xpnet.catalogue import LAYERS
from xpnet.describe import describe

GOLDEN = json.loads((FOLDER / "layers.json").read_text())
DIGITS = xpnet.datasets.load("digits")
ON_JAX = {("convolutions", "float64"), ("tokens", "float32")}
"""JAX compiles each operation for each shape and dtype: one dtype of each network, half a minute each."""


def tried():
    """Return each network on each library."""
    for name in BACKENDS:
        for case in GOLDEN:
            if not name.startswith("jax") or (case["network"], case["dtype"]) in ON_JAX:
                yield pytest.param(name, case, id=f"{name}-{case['network']}-{case['dtype']}")


@pytest.fixture
def opened(request):
    require(request.param)
    with BACKENDS[request.param]() as backend:
        yield backend


def classes_in(description):
    """Yield the names of all classes in a description."""
    if isinstance(description, dict):
        yield from [description["class"]] if "class" in description else []
        for value in description.values():
            yield from classes_in(value)
    elif isinstance(description, list | tuple):
        for value in description:
            yield from classes_in(value)


def test_every_layer_with_variables_or_random_bits_is_among_them():
    found = {name for layers in layered().values() for name in classes_in(describe(xpnet.Sequential(layers)))}
    kinds = {name: getattr(xpnet, name) for name in LAYERS}
    wanted = {
        name for name, kind in kinds.items() if kind.variables is not xpnet.Layer.variables or kind.random
    }
    assert wanted <= found


@pytest.mark.parametrize(("opened", "case"), list(tried()), indirect=["opened"])
def test_every_library_ends_on_the_published_bits(opened, case):
    assert train_layered(case, DIGITS, opened).fingerprint() == case["sha256"]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Checkpoints of NumPy's after half of the steps, by network and dtype."""
    folder, made = tmp_path_factory.mktemp("half"), {}
    for case in GOLDEN:
        path = made[case["network"], case["dtype"]] = folder / f"{case['network']}-{case['dtype']}"
        half = lambda evaluation: evaluation.history.iteration[-1] == 50  # noqa: E731
        with suppress(KeyboardInterrupt):
            train_layered(
                case, DIGITS, checkpoint=xpnet.Checkpoint(path, 50), eval_every=50, callbacks=[half]
            )
    return made


@pytest.mark.parametrize(("opened", "case"), list(tried()), indirect=["opened"])
def test_half_a_run_goes_on_on_another_library(opened, case, interrupted):
    path = interrupted[case["network"], case["dtype"]]
    x = (16 * DIGITS.x_train).astype("uint8")
    net, history = xpnet.resume(path, x, DIGITS.t_train, backend=opened, progress=False)
    assert len(history.loss) == 100
    assert net.fingerprint() == case["sha256"]
