"""Models of any kind: regression, weights of samples, scaling of inputs, pickles."""

import copy
import io
import pickle
import pickletools

import numpy as np
import pytest
from conftest import assert_close

import xpnet
from xpnet.errors import BackendError, InvalidInputError
from xpnet.models.inputs import ScaleWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.stack([X.sum(axis=1), X[:, 0] - X[:, 1]], axis=1)
T = RNG.integers(0, 3, 40)


def regression(backend, outputs=1, **settings):
    layers = [xpnet.Dense(8, "xavier"), xpnet.Tanh(), xpnet.Dense(outputs)]
    return xpnet.Model(layers, (3,), loss="mean_squared_error", dtype="float64", backend=backend, **settings)


# Regression


@pytest.mark.parametrize("shape", [(40,), (40, 1)])
def test_one_value_a_sample(backend, shape):
    net, t = regression(backend), Y[:, 0].reshape(shape)
    history = xpnet.train(
        net, X, t, xpnet.Adam(0.02), sampling="full", iterations=200, eval_every=50, validation=(X, t)
    )
    outputs = net.predict(X)
    assert_close(backend, outputs, backend.to_numpy(net.logits(X)))
    assert outputs.shape == (40, 1)
    residual = ((backend.to_numpy(outputs)[:, 0] - Y[:, 0]) ** 2).sum()
    expected = 1.0 - residual / ((Y[:, 0] - Y[:, 0].mean()) ** 2).sum()
    assert net.score(X, t) == pytest.approx(expected, rel=1e-12)
    assert history.metric == "R²"
    assert history.train_accuracy == history.test_accuracy == []
    assert history.test_score[-1] == pytest.approx(expected, rel=1e-12)
    assert history.best_iteration == 200
    assert history.test_score[0] < 0.9 < history.test_score[-1], "the untrained weights are not the best"


def test_several_values_a_sample(backend):
    net = regression(backend, outputs=2)
    assert net.loss(X, Y) == pytest.approx(np.mean((backend.to_numpy(net.logits(X)) - Y) ** 2), rel=1e-12)
    errors = ((backend.to_numpy(net.logits(X)) - Y) ** 2).sum(axis=0)
    spread = ((Y - Y.mean(axis=0)) ** 2).sum(axis=0)
    assert net.score(X, Y) == pytest.approx(np.mean(1.0 - errors / spread), rel=1e-12)


def test_the_score_of_targets_that_are_all_alike():
    net = xpnet.MLP.from_params(
        {"W1": np.zeros((3, 1)), "b1": np.ones(1)}, "numpy", loss="mean_squared_error"
    )
    assert net.score(X, np.ones(40)) == 1.0
    assert net.score(X, np.full(40, 2.0)) == 0.0


def test_what_a_regression_cannot_say_is_refused(backend):
    net = regression(backend)
    with pytest.raises(InvalidInputError, match="no probabilities: take predict"):
        net.predict_proba(X)
    with pytest.raises(InvalidInputError, match=r"has no accuracy: take score\(x, t\), its R²"):
        net.accuracy(X, Y[:, 0])
    with pytest.raises(InvalidInputError, match=r"t must have the shape \(40,\) or \(40, 1\)"):
        net.loss(X, Y)
    with pytest.raises(InvalidInputError, match="t contains NaN"):
        net.loss(X, np.full(40, np.nan))


def test_one_softmax_output_is_refused():
    with pytest.raises(InvalidInputError, match="a softmax needs two outputs or more"):
        xpnet.MLP([3, 1], backend="numpy")


def test_probabilities_below_zero_are_refused():
    rows = np.asarray([[2.0, -1.0, 0.0]] * 40)
    with pytest.raises(InvalidInputError, match="t has negative entries"):
        xpnet.MLP([3, 3], backend="numpy").loss(X, rows)


# Weights of samples


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "mean_squared_error"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_weight_counts_a_sample_so_often(backend, loss, reduction):
    net = xpnet.MLP(
        [3, 5, 3], "tanh", dtype="float64", loss=loss, reduction=reduction, l2=0.1, backend=backend
    )
    weight = np.arange(40) % 4
    repeated = np.repeat(np.arange(40), weight)
    assert net.loss(X, T, weight) == pytest.approx(net.loss(X[repeated], T[repeated]), rel=1e-12)
    plain, weighted = net.gradient(X[repeated], T[repeated]), net.gradient(X, T, weight)
    for name, value in plain.items():
        assert_close(backend, weighted[name], backend.to_numpy(value), rtol=1e-10, atol=1e-14)


def test_weights_go_with_their_samples_into_mini_batches(backend):
    """A sample of weight 0 has no influence wherever it lies."""
    spoiled = X.copy()
    spoiled[::2] = 5.0
    weight = (np.arange(40) % 2).astype(float)
    nets = [xpnet.MLP([3, 4, 3], backend=backend) for _ in range(2)]
    for net, x in zip(nets, (X, spoiled), strict=True):
        xpnet.train(net, x, T, batch_size=7, iterations=9, sample_weight=weight, eval_every=0)
    assert nets[0].fingerprint() == nets[1].fingerprint()


def test_a_batch_without_any_weight_changes_nothing(backend):
    net = xpnet.MLP([3, 3], backend=backend)
    before = net.fingerprint()
    weight = np.zeros(40)
    weight[0] = 1.0
    rows = xpnet.training.batches.make_sampler("with_replacement", 40, 3, 0)
    assert 0 not in next(rows.blocks(0, 1))[1]
    xpnet.train(net, X, T, batch_size=3, iterations=1, sample_weight=weight, eval_every=0)
    assert net.fingerprint() == before


# Scaling of inputs

BYTES = RNG.integers(0, 4, (60, 3)).astype(np.uint8)
PIXELS = RNG.integers(0, 256, (60, 3)).astype(np.uint8)
LABELS = BYTES.argmax(axis=1)


def test_small_bytes_are_numbers_once_trained_on(backend):
    nets = [xpnet.MLP([3, 8, 3], backend=backend) for _ in range(2)]
    for net, x in zip(nets, (BYTES, BYTES.astype(np.int64)), strict=True):
        xpnet.train(net, x, LABELS, batch_size=10, iterations=300)
    assert [net.blueprint.scale for net in nets] == ["none", "auto"]
    assert nets[0].fingerprint() == nets[1].fingerprint()
    assert nets[0].accuracy(BYTES, LABELS) == nets[1].accuracy(BYTES.astype(float), LABELS) > 0.95


def test_the_scale_is_kept_in_the_file(tmp_path):
    for x, scale in ((BYTES, "none"), (PIXELS, "pixels")):
        net = xpnet.MLP([3, 8, 3], backend="numpy")
        xpnet.train(net, x, LABELS, batch_size=10, iterations=5)
        net.save(tmp_path / scale)
        again = xpnet.load(tmp_path / scale, backend="numpy")
        assert again.blueprint.scale == scale
        np.testing.assert_array_equal(again.logits(BYTES), net.logits(BYTES))
    assert xpnet.MLP([3, 3], scale="pixels", backend="numpy").copy(scale="none").blueprint.scale == "none"
    with pytest.raises(InvalidInputError, match="unknown scale 'pixel': did you mean 'pixels'"):
        xpnet.MLP([3, 3], scale="pixel", backend="numpy")


def test_numbers_far_from_one_are_told_of_once(backend):
    net = xpnet.MLP([3, 3], backend=backend)
    x = np.asarray([[0.0, 255.0, 3.0]])
    with pytest.warns(ScaleWarning, match="x has numbers as large as 255; networks learn") as told:
        predictions = [net.predict(x) for _ in range(2)]
    assert [tuple(prediction.shape) for prediction in predictions] == [(1,), (1,)]
    assert len(told) == 1
    assert told[0].filename == __file__


# Pickles


def test_a_pickle_holds_numpy_alone_and_comes_back(backend):
    net = regression(backend, arithmetic="exact")
    stored = pickle.dumps(net)
    modules = {str(arg).split()[0] for op, arg, _ in pickletools.genops(stored) if op.name == "GLOBAL"}
    words = {arg for op, arg, _ in pickletools.genops(stored) if op.name.endswith("BINUNICODE")}
    libraries = ("torch.", "jax.", "jaxlib", "cupy.", "array_api_strict.")
    assert not [name for name in modules | words if str(name).startswith(libraries)]
    again = pickle.loads(stored)
    assert again.fingerprint() == net.fingerprint()
    assert (again.blueprint, again.backend.name) == (net.blueprint, backend.name)
    assert again.backend.device_name == backend.device_name
    assert copy.deepcopy(net).fingerprint() == net.fingerprint()


def test_a_pickle_opens_where_its_library_is_missing(monkeypatch, caplog):
    net = regression("numpy")
    state = {**net.__getstate__(), "backend": "cupy", "device": "cuda:1"}

    def missing(name, device=None):
        if name == "cupy":
            raise BackendError("cupy is not installed")
        return plain(name, device)

    plain = xpnet.get_backend
    monkeypatch.setattr("xpnet.models.files.get_backend", missing)
    again = xpnet.Model.__new__(xpnet.Model)
    again.__setstate__(state)
    assert again.backend.name == "numpy"
    assert again.fingerprint() == net.fingerprint()
    assert "goes on with NumPy: cupy is not installed" in caplog.text


def test_joblib_takes_models_too():
    joblib = pytest.importorskip("joblib")
    file = io.BytesIO()
    net = regression("numpy")
    joblib.dump(net, file)
    file.seek(0)
    assert joblib.load(file).fingerprint() == net.fingerprint()
