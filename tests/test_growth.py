"""What is written outside the package is a full citizen: trained, checked, saved and resumed, bit by bit."""

from contextlib import suppress
from dataclasses import dataclass

import extensions
import numpy as np
import pytest
from conftest import require
from extensions import Bounded, Centred, Counting, Flat, Noisy, Smooth, Triangle

import xpnet
from xpnet.backends.known import forget_backend
from xpnet.errors import DataError, InvalidInputError, XpnetError
from xpnet.programs.step import StepError

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(60, 1, 2, 3)).astype(np.float32)
VALUES = np.stack([IMAGES.sum(axis=(1, 2, 3)), IMAGES[:, 0, 0, 0] ** 2], axis=1).astype(np.float32)
RULE = Counting(0.05, schedule=Triangle(7))
SETTINGS = {"batch_size": 8, "eval_every": 4, "seed": 5, "progress": False}


@pytest.fixture
def another():
    """array-api-strict under another name, registered as a user would."""
    require("array_api_strict")
    extensions.register_another_strict()
    yield xpnet.get_backend("another")
    forget_backend("another")


def network(backend, **settings):
    layers = [
        Flat(),
        Centred(),
        xpnet.Sequential([xpnet.Dense(7), xpnet.Tanh()]),
        Noisy(0.05),
        xpnet.Dropout(0.2),
        xpnet.Dense(2),
    ]
    return xpnet.Model(layers, inputs=(1, 2, 3), loss=Smooth(), l2=0.01, backend=backend, **settings)


def trained(backend, iterations=12, checkpoint=None, callbacks=(), **settings):
    net = network(backend, **settings)
    history = xpnet.train(
        net,
        IMAGES,
        VALUES,
        RULE,
        iterations=iterations,
        checkpoint=checkpoint,
        callbacks=callbacks,
        **SETTINGS,
    )
    return net, history


@pytest.fixture(scope="module")
def expected():
    return {dtype: trained("numpy", arithmetic="exact", dtype=dtype)[0] for dtype in ("float32", "float64")}


def test_names_are_those_of_the_place():
    net = network("numpy")
    assert list(net.params) == ["gain1", "layers2", "W3", "b3"]
    assert list(net.params["layers2"]) == ["W1", "b1"]
    assert list(net.state) == ["mean1"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_fingerprint_in_exact_arithmetic(backend, dtype, expected):
    net, history = trained(backend, arithmetic="exact", dtype=dtype)
    assert net.fingerprint() == expected[dtype].fingerprint()
    untrained = network(backend, arithmetic="exact", dtype=dtype)
    assert net.loss(IMAGES, VALUES) < untrained.loss(IMAGES, VALUES)
    assert history.metric == "score"


def test_a_registered_library_has_the_bits_too(another, expected):
    assert trained("another", arithmetic="exact")[0].fingerprint() == expected["float32"].fingerprint()
    assert xpnet.available_backends()["another"].available


def test_standard_arithmetic_stays_close(backend):
    net, reference = trained(backend, dtype="float64")[0], trained("numpy", dtype="float64")[0]
    for name in ("gain1", "W3"):
        got, wanted = backend.to_numpy(net.params[name]), reference.params[name]
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(backend.to_numpy(net.state["mean1"]), reference.state["mean1"], rtol=1e-9)


def test_gradients_are_right(backend):
    found = xpnet.gradcheck(network(backend), IMAGES[:5], VALUES[:5])
    assert list(found) == ["gain1", "layers2/W1", "layers2/b1", "W3", "b3"]
    assert max(found.values()) < 1e-7


def test_a_file_keeps_all(backend, tmp_path, expected):
    path = tmp_path / "model.safetensors"
    expected["float32"].save(path)
    net = xpnet.load(path, backend=backend)
    assert net.fingerprint() == expected["float32"].fingerprint()
    assert net.network == expected["float32"].network
    outputs = expected["float32"].predict(IMAGES)
    assert backend.to_numpy(net.predict(IMAGES)).tobytes() == outputs.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_goes_on_on_another_library(backend, tmp_path, dtype, expected):
    path = tmp_path / "run.safetensors"
    half = lambda evaluation: evaluation.history.iteration[-1] == 8  # noqa: E731
    with suppress(KeyboardInterrupt):
        trained(
            "numpy",
            arithmetic="exact",
            dtype=dtype,
            checkpoint=xpnet.Checkpoint(path, 4),
            callbacks=[half],
        )
    net, history = xpnet.resume(path, IMAGES, VALUES, backend=backend, progress=False)
    assert net.fingerprint() == expected[dtype].fingerprint()
    assert len(history.loss) == 12


def test_a_sample_is_predicted_alike_alone_and_among_others(backend, expected):
    net = expected["float32"].copy(backend)
    together = backend.to_numpy(net.logits(IMAGES[:4]))
    alone = [backend.to_numpy(net.logits(IMAGES[i : i + 1]))[0] for i in range(4)]
    np.testing.assert_array_equal(np.stack(alone), together)


def test_integers_and_a_rate_live_side_by_side(backend):
    net = network(backend)
    run = xpnet.Run(net, RULE, xpnet.training.Settings(batch_size=8), net.prepare(IMAGES, VALUES))
    before = net.fingerprint()
    run.advance(3)
    assert backend.to_numpy(run.state["optimizer"]["count"]["steps"]).tolist() == [3]
    assert net.fingerprint() != before


def test_what_is_not_registered_is_refused_before_training(tmp_path):
    @dataclass(frozen=True)
    class Unknown(xpnet.Layer):
        def forward(self, c, v, x):
            return x, None, {}

    net = xpnet.Model([Unknown(), xpnet.Dense(2)], inputs=(3,), backend="numpy")
    with pytest.raises(InvalidInputError, match=r"Unknown is not registered.*@xpnet\.register"):
        net.save(tmp_path / "model")
    with pytest.raises(InvalidInputError, match="Unknown is not registered"):
        xpnet.train(
            net, np.ones((4, 3)), [0, 1, 0, 1], batch_size=2, checkpoint=xpnet.Checkpoint(tmp_path / "c", 1)
        )


def test_a_file_of_a_class_that_is_not_registered_says_what_to_do(tmp_path, monkeypatch, expected):
    expected["float32"].save(tmp_path / "model")
    monkeypatch.delitem(xpnet.describe.__globals__["_registered"], "Centred")
    with pytest.raises((DataError, InvalidInputError), match=r"'Centred'.*must be registered"):
        xpnet.load(tmp_path / "model", backend="numpy")


def test_settings_of_ones_own_are_checked_when_a_file_is_read():
    assert xpnet.restore(xpnet.describe(Bounded(0.1, bound=0.5))) == Bounded(0.1, bound=0.5)
    with pytest.raises(InvalidInputError, match="bound must be"):
        xpnet.restore({**xpnet.describe(Bounded(0.1)), "bound": 2.0})


WRONG = {
    "divides": (lambda c, x: x / 2.0, "operator /"),
    "multiplies": (lambda c, x: x @ x, "operator @"),
    "has a method": (lambda c, x: x.sum(), "'sum'"),
    "reads": (lambda c, x: x if x[0, 0] > 0 else -x, "must not read values"),
    "assigns": (lambda c, x: x.__setitem__((0, 0), 1.0), "assign into an array"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_portable_is_refused_on_every_library(backend, case):
    function, message = WRONG[case]

    class Wrong(xpnet.Layer):
        def forward(self, c, v, x):
            return (function(c, x) if c.training else x), None, {}

        def backward(self, c, v, dy, cache, need_dx):
            return dy, {}

    net = xpnet.Model([Wrong(), xpnet.Dense(3)], inputs=(3,), backend=backend)
    with pytest.raises(StepError, match=message) as raised:
        xpnet.train(net, np.ones((4, 3)), np.asarray([0, 1, 2, 0]), batch_size=2, iterations=1, eval_every=0)
    assert isinstance(raised.value, XpnetError)


def test_bits_without_saying_so_are_refused():
    class Sly(xpnet.Layer):
        def forward(self, c, v, x):
            return x + c.bits(tuple(x.shape)), None, {}

    net = xpnet.Model([Sly(), xpnet.Dense(2)], inputs=(3,), backend="numpy")
    with pytest.raises(InvalidInputError, match="without saying so: set random = True"):
        xpnet.train(net, np.ones((4, 3)), np.asarray([0, 1, 1, 0]), batch_size=2, iterations=1, eval_every=0)


def test_memory_of_another_dtype_is_kept_as_it_is(backend):
    class Precise(xpnet.Optimizer):
        def init(self, xp, params):
            return {
                "sum": {"of": xp.zeros((2,), dtype=xp.float64, device=getattr(params["b1"], "device", None))}
            }

        def update(self, xp, params, gradients, state, coefficients, decayed=None):
            grown = state["sum"]["of"] + 1e-12
            return params, {"sum": {"of": grown}}

    net = xpnet.MLP([3, 2], backend=backend)
    if backend.name == "jax":
        backend.require_dtype("float64")
    data = net.prepare(np.ones((4, 3)), np.asarray([0, 1, 1, 0]))
    run = xpnet.Run(net, Precise(0.1), xpnet.training.Settings(batch_size=2), data)
    run.advance(3)
    kept = run.state["optimizer"]["sum"]["of"]
    assert kept.dtype == backend.xp.float64
    np.testing.assert_allclose(backend.to_numpy(kept), 3e-12, rtol=1e-9)
