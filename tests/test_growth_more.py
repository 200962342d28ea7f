"""Models made of what users write, taken through every use that a model has."""

import copy
import io
import pickle
import subprocess
import sys
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path

import extensions
import numpy as np
import pytest
from conftest import assert_close, require
from extensions import Centred, Counting, Flat, Noisy, Smooth, Triangle

import xpnet
from xpnet.backends.known import forget_backend
from xpnet.errors import BackendError, InvalidInputError
from xpnet.models.inputs import ScaleWarning
from xpnet.nn.losses.cross_entropy import accuracy, softmax
from xpnet.nn.losses.targets import check_labels, one_hot
from xpnet.training import Settings
from xpnet.trees import leaves

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3)).astype(np.float32)
T = RNG.integers(0, 3, 24)
IMAGES = RNG.integers(0, 256, (24, 1, 4, 4)).astype(np.uint8)


@xpnet.register
@dataclass(frozen=True)
class Brier(xpnet.Loss):
    """A classifier's loss: squared differences of probabilities."""

    metric = "accuracy"

    def check(self, xp, t, outputs, dtype):
        return check_labels(xp, t, outputs)

    def values(self, xp, y, t):
        difference = softmax(xp, y) - one_hot(xp, t, y)
        return xp.sum(difference * difference, axis=-1)

    def gradient(self, xp, y, t):
        p = softmax(xp, y)
        g = 2.0 * (p - one_hot(xp, t, y))
        return p * (g - xp.sum(p * g, axis=-1, keepdims=True))

    def score(self, xp, y, t):
        return accuracy(xp, y, t)

    def predict(self, xp, y):
        return xp.argmax(y, axis=-1)

    def probabilities(self, xp, y):
        return softmax(xp, y)


@xpnet.register
@dataclass(frozen=True)
class Shrinking(xpnet.Optimizer):
    """Weights shrink by a product of scalars alone."""

    decay: float = 0.3

    def apply(self, xp, p, g, slots, c):
        return p * (1 - c["rate"] * self.decay) - c["rate"] * g, slots


@xpnet.register
@dataclass(frozen=True)
class Named(xpnet.Layer):
    """What operators must not do, by the functions that may: quotients, powers, products, parts."""

    def variables(self, inputs):
        return xpnet.Variables({"scale": xpnet.Parameter((), "ones")}, {"seen": xpnet.Parameter(())})

    def forward(self, c, v, x):
        xp = c.xp
        size = xp.sqrt(xp.sum(xp.square(x), axis=1, keepdims=True) + 1.0)
        first, *rest = xp.unstack(xp.divide(x, size), axis=1)
        y = xp.stack([first, *(xp.where(part > 0, part, 0.5 * part) for part in rest)], axis=1)
        return y * v.params["scale"], (x, size, y), {"seen": v.state["seen"] + 1.0}

    def backward(self, c, v, dy, cache, need_dx):
        xp, (x, size, y) = c.xp, cache
        gradients = {"scale": xp.sum(c.samples.sum(dy * y))}
        if not need_dx:
            return None, gradients
        first, *rest = xp.unstack(dy * v.params["scale"], axis=1)
        parts = [first, *(xp.where(x[:, i] > 0, g, 0.5 * g) for i, g in enumerate(rest, start=1))]
        du = xp.stack(parts, axis=1)
        u = xp.divide(x, size)
        return xp.divide(du - u * xp.sum(u * du, axis=1, keepdims=True), size), gradients


@xpnet.register
@dataclass(frozen=True)
class Tally(Counting):
    """Counts for parameters in groups too."""

    def init(self, xp, params):
        return super().init(xp, {"one": leaves(params)[0]}) | xpnet.Optimizer.init(self, xp, params)


def deep(backend, **settings):
    """Groups in groups in groups, of which the innermost carries a state and draws bits."""
    inner = xpnet.Sequential([Centred(), Noisy(0.1)])
    middle = xpnet.Sequential([xpnet.Dense(4), xpnet.Tanh(), inner])
    layers = [xpnet.Tanh(), xpnet.Sequential([middle]), Named(), xpnet.Dense(3)]
    return xpnet.Model(layers, (3,), loss=Brier(), backend=backend, **{"arithmetic": "exact", **settings})


def trained(net, iterations=6, optimizer=None, **settings):
    rule = optimizer or Tally(0.1, schedule=Triangle(5))
    defaults = {"batch_size": 6, "eval_every": 0, "progress": False, "seed": 3}
    history = xpnet.train(net, X, T, rule, iterations=iterations, **{**defaults, **settings})
    return net, history


@pytest.fixture(scope="module")
def expected():
    return trained(deep("numpy"))[0]


# One set of bits, wherever a run begins and ends


def test_groups_in_groups(backend, expected, tmp_path):
    """Begun on any library and gone on with on NumPy; names are those of the places."""
    path = tmp_path / "run"
    net, _ = trained(deep(backend), 3, checkpoint=xpnet.Checkpoint(path, 3))
    assert list(net.params) == ["layers1", "scale2", "W3", "b3"]
    assert list(net.params["layers1"]["layers1"]) == ["W1", "b1", "layers2"]
    assert net.state["layers1"]["layers1"]["layers2"].keys() == {"mean1"}
    assert float(net.state["seen2"]) == 3.0
    again, history = xpnet.resume(path, X, T, iterations=6, backend="numpy", progress=False)
    assert again.fingerprint() == expected.fingerprint() != net.fingerprint()
    assert len(history.loss) == 6


def test_standard_runs_go_on_elsewhere_within_rounding(backend, tmp_path):
    path, settings = tmp_path / "run", {"arithmetic": "standard", "dtype": "float64"}
    trained(deep(backend, **settings), 3, checkpoint=xpnet.Checkpoint(path, 3))
    again, _ = xpnet.resume(path, X, T, iterations=6, backend="numpy", progress=False)
    whole, _ = trained(deep("numpy", **settings))
    for name in ("scale2", "W3", "b3"):
        np.testing.assert_allclose(again.params[name], whole.params[name], rtol=1e-9, atol=1e-12)


def test_gradients_of_groups_in_groups_are_right():
    found = xpnet.gradcheck(deep("numpy"), X[:6], T[:6])
    assert "layers1/layers1/layers2/gain1" in found
    assert max(found.values()) < 1e-7


def test_a_classifier_by_a_loss_of_ones_own(backend):
    net = deep(backend, arithmetic="standard")
    history = xpnet.train(net, X, T, batch_size=6, iterations=4, eval_every=2, progress=False)
    assert history.metric == "accuracy"
    assert history.train_accuracy[-1] == net.accuracy(X, T)
    assert history.best_score == max(history.train_accuracy)
    probabilities = backend.to_numpy(net.predict_proba(X))
    np.testing.assert_array_equal(backend.to_numpy(net.predict(X)), probabilities.argmax(axis=1))


def test_a_library_of_ones_own_does_all_of_it(expected, tmp_path):
    require("array_api_strict")
    extensions.register_another_strict()
    try:
        model, run = tmp_path / "model", tmp_path / "run"
        trained(deep("another"), 3, checkpoint=xpnet.Checkpoint(run, 3))
        for backend in ("numpy", "another"):
            again, _ = xpnet.resume(run, X, T, iterations=6, backend=backend, progress=False)
            assert again.fingerprint() == expected.fingerprint()
        again.save(model)
        assert xpnet.load(model, backend="another").fingerprint() == expected.fingerprint()
        assert max(xpnet.gradcheck(again, X[:6], T[:6]).values()) < 1e-7
        assert pickle.loads(pickle.dumps(again)).backend.name == "another"
    finally:
        forget_backend("another")
    with pytest.raises(InvalidInputError, match="unknown backend 'another'"):
        xpnet.get_backend("another")


def test_scalars_are_rounded_alike_on_every_library(backend):
    """``p * (1 - rate * decay)`` under a cosine once had a hash for NumPy and another for the rest."""
    rule = Shrinking(0.1, schedule=xpnet.Cosine(7, 0.1))
    nets = [xpnet.MLP([3, 4, 3], "tanh", arithmetic="exact", backend=where) for where in ("numpy", backend)]
    for net in nets:
        trained(net, optimizer=rule, eval_every=0)
    assert nets[0].fingerprint() == nets[1].fingerprint()


def test_images_as_bytes_and_as_numbers(backend):
    """The first layer has no parameters, and is not of the package."""
    net = xpnet.Model(
        [Noisy(0.1), Flat(), xpnet.Dense(3)], inputs=(1, 4, 4), backend=backend, dtype="float64"
    )
    expected = backend.to_numpy(net.logits(IMAGES / 255.0))
    np.testing.assert_allclose(backend.to_numpy(net.logits(IMAGES)), expected, rtol=1e-12)
    np.testing.assert_allclose(
        backend.to_numpy(net.logits(IMAGES.reshape(24, 16))), expected, rtol=1e-12, err_msg="rows as images"
    )
    history = xpnet.train(net, IMAGES, T, xpnet.Adam(0.05), sampling="full", iterations=15, eval_every=0)
    assert history.loss[-1] < history.loss[0]
    assert net.blueprint.scale == "pixels"


# What is not registered


def test_every_part_must_be_registered(tmp_path):
    class Loss(Smooth):
        pass

    @dataclass(frozen=True)
    class Dense(xpnet.Dense):  # the name of a class of the package makes it none
        pass

    class Rule(Counting):
        pass

    @dataclass(frozen=True)
    class Zigzag(Triangle):
        pass

    def net(*layers, **settings):
        return xpnet.Model(layers or [xpnet.Dense(3)], (3,), backend="numpy", **settings)

    parts = {
        "Loss": (xpnet.Model([xpnet.Dense(3)], (3,), loss=Loss(), backend="numpy"), Counting(0.1)),
        "Dense": (net(Dense(3)), Counting(0.1)),
        "Rule": (net(), Rule(0.1)),
        "Zigzag": (net(), Counting(0.1, schedule=Zigzag())),
    }
    for name, (model, rule) in parts.items():
        before = model.fingerprint()
        with pytest.raises(InvalidInputError, match=rf"{name} is not registered.*@xpnet\.register"):
            xpnet.train(
                model,
                X,
                T,
                rule,
                iterations=1,
                batch_size=6,
                checkpoint=xpnet.Checkpoint(tmp_path / "run", 1),
            )
        assert model.fingerprint() == before
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_has_not_registered_the_classes_is_told_so(expected, tmp_path):
    model, run = tmp_path / "model", tmp_path / "run"
    expected.save(model)
    trained(deep("numpy"), 1, checkpoint=xpnet.Checkpoint(run, 1), eval_every=0)
    code = f"""
        import xpnet
        for read in (lambda: xpnet.load({str(model)!r}), lambda: xpnet.resume({str(run)!r}, None, None)):
            try:
                read()
            except xpnet.XpnetError as error:
                print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, timeout=60
    )
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 2
    assert all("must be registered with @xpnet.register before the file is read" in line for line in lines)


# Weights of samples


def test_training_with_weights_is_training_on_repeated_samples(backend):
    weight = np.arange(24) % 3
    repeated = np.repeat(np.arange(24), weight)
    nets = []
    for x, t, given in ((X, T, weight), (X[repeated], T[repeated], None)):
        layers = [xpnet.Dense(4), xpnet.Tanh(), xpnet.Dense(3)]
        net = xpnet.Model(layers, (3,), loss=Brier(), l2=0.1, dtype="float64", backend=backend)
        rule, settings = xpnet.Momentum(0.1), {"sampling": "full", "iterations": 5, "eval_every": 0}
        xpnet.train(net, x, t, rule, sample_weight=given, **settings)
        nets.append(net)
    for name, value in nets[0].params.items():
        assert_close(backend, value, backend.to_numpy(nets[1].params[name]), rtol=1e-10, atol=1e-13)


def test_weights_of_any_kind(backend):
    net, weight = xpnet.MLP([3, 3], backend=backend), np.arange(24) % 3
    kinds = (weight, weight.tolist(), weight.astype(np.uint8), backend.asarray(weight, "float64"))
    found = {backend.to_numpy(net.gradient(X, T, given)["W1"]).tobytes() for given in kinds}
    assert len(found) == 1
    assert backend.to_numpy(net.gradient(X, T)["W1"]).tobytes() not in found


def test_weights_have_one_set_of_bits_too(backend):
    nets = [xpnet.MLP([3, 3], arithmetic="exact", backend=where) for where in ("numpy", backend)]
    for net in nets:
        trained(net, 3, sample_weight=np.arange(24) / 7.0)
    assert nets[0].fingerprint() == nets[1].fingerprint()


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones((24, 1)), r"must have the shape \(24,\).* has the shape \(24, 1\)"),
        (1.0, r"must have the shape \(24,\)"),
        ([np.nan, *[1.0] * 23], "must hold finite numbers"),
        ([np.inf, *[1.0] * 23], "must hold finite numbers"),
        ([0.0] * 24, "some above"),
        (["a"] * 24, "sample_weight must be an array of real numbers"),
    ],
    ids=["column", "number", "NaN", "infinity", "zeros", "text"],
)
def test_unfit_weights_are_refused(backend, weight, message):
    net = xpnet.MLP([3, 3], backend=backend)
    for use in (lambda: trained(net, 1, sample_weight=weight), lambda: net.gradient(X, T, weight)):
        with pytest.raises(InvalidInputError, match=message):
            use()


# Regression


def test_the_best_weights_of_a_regression_are_the_best(backend):
    """The rate is so high at the end that the last weights are not the best."""
    values = X.sum(axis=1)

    class Reckless(Triangle):
        def factor(self, iteration):
            return 0.05 if iteration < 20 else 3.0

    net = xpnet.Model([xpnet.Dense(1)], (3,), loss="mean_squared_error", backend=backend)
    history = xpnet.train(
        net, X, values, xpnet.SGD(1.0, schedule=Reckless()), sampling="full", iterations=24, eval_every=4
    )
    assert history.best_iteration == 20
    assert history.best_score == max(history.train_score) > history.train_score[-1]
    best = net.with_variables(history.best)
    assert best.score(X, values) == pytest.approx(history.best_score, abs=1e-6)
    assert net.score(X, values) == pytest.approx(history.train_score[-1], rel=1e-5)


# Copies and pickles


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pickles_and_copies_are_models_of_their_own(backend, dtype):
    joblib = pytest.importorskip("joblib")
    net = deep(backend, dtype=dtype, arithmetic="standard")
    file = io.BytesIO()
    joblib.dump(net, file)
    file.seek(0)
    before = net.fingerprint()
    twins = [pickle.loads(pickle.dumps(net)), copy.deepcopy(net), joblib.load(file)]
    for twin in twins:
        assert (twin.fingerprint(), twin.blueprint, twin.backend) == (before, net.blueprint, backend)
    data = twins[0].prepare(X, T)
    xpnet.Run(twins[0], Tally(0.1), Settings(batch_size=6), data).advance(2)
    assert twins[0].fingerprint() != before
    assert net.fingerprint() == twins[1].fingerprint() == before


def test_a_pickle_goes_on_with_numpy_where_its_library_is_missing(backend, monkeypatch, caplog, expected):
    stored = pickle.dumps(expected.copy(backend))

    def missing(name, device=None):
        if name == backend.name and name != "numpy":
            raise BackendError(f"{name} is not installed")
        return xpnet.get_backend(name, device)

    monkeypatch.setattr("xpnet.models.files.get_backend", missing)
    again = pickle.loads(stored)
    assert again.fingerprint() == expected.fingerprint()
    assert again.backend.name == "numpy"
    assert ("goes on with NumPy" in caplog.text) == (backend.name != "numpy")


# Scaling


def test_training_tells_of_images_as_floats_once(backend):
    net = xpnet.Model([Flat(), xpnet.Dense(3)], (1, 4, 4), backend=backend)
    floats = IMAGES.astype(np.float32)
    with pytest.warns(ScaleWarning, match="as large as") as told:
        assert [xpnet.train(net, floats, T, batch_size=8, iterations=2) for _ in range(2)]
    assert len(told) == 1
    assert Path(told[0].filename).name == Path(__file__).name
    assert net.blueprint.scale == "auto", "floats settle nothing"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xpnet.train(net.copy(), IMAGES, T, batch_size=8, iterations=2)


def test_a_checkpoint_keeps_the_scale(tmp_path):
    path, net = tmp_path / "run", xpnet.Model([Flat(), xpnet.Dense(3)], (1, 4, 4), backend="numpy")
    dark = IMAGES % 4
    xpnet.train(net, dark, T, batch_size=8, iterations=2, checkpoint=xpnet.Checkpoint(path, 2))
    again, _ = xpnet.resume(path, dark, T, iterations=4, backend="numpy", progress=False)
    assert (net.blueprint.scale, again.blueprint.scale) == ("none", "none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScaleWarning)
        assert again.score(dark, T) == again.score(dark.astype(np.float32), T)
