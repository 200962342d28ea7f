"""The perceptron on every library: results, files, copies, and what it says of bad input."""

import json

import numpy as np
import pytest
import textbook
from conftest import BACKENDS, assert_close, require

import xpnet
from xpnet.errors import DataError, InvalidInputError
from xpnet.io import write_weights

SIZES = [6, 5, 3]
X = textbook.numbers(8, 6)
T = np.asarray([0, 1, 2, 2, 1, 0, 0, 1])
PARAMS = textbook.parameters(SIZES)
PIXELS = np.random.default_rng(0).integers(0, 256, (8, 6)).astype(np.uint8)


def expected_logits(x=X):
    return np.tanh(x @ PARAMS["W1"] + PARAMS["b1"]) @ PARAMS["W2"] + PARAMS["b2"]


def network(backend, **config):
    return xpnet.MLP.from_params(PARAMS, backend, **{"activation": "tanh", "dtype": "float64", **config})


# Results


def test_predictions(backend):
    net, logits = network(backend), expected_logits()
    assert_close(backend, net.logits(X), logits, rtol=1e-12, atol=1e-14)
    assert_close(backend, net.predict_proba(X), textbook.softmax(logits), rtol=1e-12)
    assert backend.to_numpy(net.predict(X)).tolist() == logits.argmax(axis=1).tolist()
    assert net.accuracy(X, T) == np.mean(logits.argmax(axis=1) == T)


def test_loss_and_gradient(backend):
    net = network(backend, l2=0.1)
    value, gradients = textbook.loss_and_gradients(PARAMS, X, T, "tanh", l2=0.1)
    assert net.loss(X, T) == pytest.approx(value, rel=1e-13)
    found = net.gradient(X, T)
    assert list(found) == list(net.params) == ["W1", "b1", "W2", "b2"]
    for name in found:
        assert_close(backend, found[name], gradients[name], rtol=1e-11, atol=1e-14)


def test_shapes_and_dtypes(backend):
    net = xpnet.MLP([6, 5, 4, 3], backend=backend)
    expected = {"W1": (6, 5), "b1": (5,), "W2": (5, 4), "b2": (4,), "W3": (4, 3), "b3": (3,)}
    assert {name: tuple(value.shape) for name, value in net.params.items()} == expected
    for value in net.params.values():
        assert_close(backend, value, backend.to_numpy(value))
        assert value.dtype == backend.xp.float32
    small = network(backend, dtype="float32")
    assert small.logits(X).dtype == small.gradient(X, T)["W1"].dtype == backend.xp.float32


def test_one_hot_labels_are_accepted(backend):
    net, rows = network(backend), np.eye(3)[T]
    assert net.loss(X, rows) == net.loss(X, T)
    assert net.accuracy(X, rows) == net.accuracy(X, T)
    for name, value in net.gradient(X, rows).items():
        assert_close(backend, value, backend.to_numpy(net.gradient(X, T)[name]))


def test_lists_and_labels_of_any_integer_dtype(backend):
    net = network(backend)
    assert net.loss(X.tolist(), T.tolist()) == net.loss(X, T)
    for dtype in ("int8", "uint8", "int16", "int32", "int64"):
        assert net.loss(X, T.astype(dtype)) == net.loss(X, T)


def test_images_are_flattened(backend):
    net = network(backend)
    for shape in ((8, 2, 3), (8, 3, 2), (8, 1, 2, 3)):
        assert_close(backend, net.logits(X.reshape(shape)), expected_logits(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-12), ("float32", 1e-4)])
def test_bytes_are_pixels_from_zero_to_one(backend, dtype, rtol):
    net, scaled = network(backend, dtype=dtype), PIXELS / 255.0
    expected = expected_logits(scaled).astype(dtype)
    assert_close(backend, net.logits(PIXELS), expected, rtol=rtol, atol=rtol)
    assert_close(backend, net.logits(scaled.astype(dtype)), expected, rtol=rtol, atol=rtol)
    assert net.loss(PIXELS, T) == pytest.approx(net.loss(scaled, T), rel=rtol)
    for name, value in net.gradient(scaled, T).items():
        assert_close(backend, net.gradient(PIXELS, T)[name], backend.to_numpy(value), rtol=rtol, atol=rtol)


def test_other_integers_are_taken_as_they_are(backend):
    net = network(backend)
    whole = PIXELS.astype(np.int32) // 10
    assert_close(backend, net.logits(whole), expected_logits(whole.astype(float)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("source", BACKENDS)
def test_inputs_may_belong_to_any_library(backend, source):
    require(source)
    net = network(backend, dtype="float32")
    with BACKENDS[source]() as other:
        x, t = other.asarray(X, "float32"), other.asarray(T, "int32")
        assert net.loss(x, t) == net.loss(X.astype(np.float32), T)
        assert net.logits(x).dtype == backend.xp.float32


def test_predictions_in_blocks_are_predictions_at_once(monkeypatch, backend):
    net = network(backend)
    whole, accuracy = backend.to_numpy(net.logits(X)), net.accuracy(X, T)
    monkeypatch.setattr("xpnet.models.prediction.ROWS_AT_ONCE", 3)
    assert_close(backend, net.logits(X), whole, rtol=1e-14, atol=1e-15)
    assert net.accuracy(X, T) == accuracy


def test_no_hidden_layer_is_softmax_regression(backend):
    params = textbook.parameters([6, 3])
    net = xpnet.MLP.from_params(params, backend, dtype="float64")
    expected = textbook.softmax(X @ params["W1"] + params["b1"])
    assert_close(backend, net.predict_proba(X), expected, rtol=1e-12)


def test_step_networks_predict(backend):
    hidden = (X @ PARAMS["W1"] + PARAMS["b1"] > 0) * 1.0
    expected = hidden @ PARAMS["W2"] + PARAMS["b2"]
    assert_close(backend, network(backend, activation="step").logits(X), expected, rtol=1e-12, atol=1e-14)
    with pytest.raises(InvalidInputError, match="'step' cannot be trained"):
        network(backend, activation="step").gradient(X, T)


def test_nothing_changes_the_users_arrays(backend):
    x, t, params = X.copy(), T.copy(), {name: value.copy() for name, value in PARAMS.items()}
    for array in (x, t, *params.values()):
        array.flags.writeable = False
    net = xpnet.MLP.from_params(params, backend, activation="tanh", dtype="float64")
    net.gradient(x, t)
    net.accuracy(x, t)
    if backend.name != "jax":  # its arrays never change, and it would compile for seconds
        net.numerical_gradient(x, t)
    xpnet.train(net, x, t, batch_size=4, iterations=3)
    np.testing.assert_array_equal(x, X)
    for name, value in params.items():
        np.testing.assert_array_equal(value, PARAMS[name])


# Copies and files


@pytest.mark.parametrize("target", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_copy_on_any_library_has_the_same_fingerprint(backend, target, dtype):
    require(target)
    net = network(backend, dtype=dtype, l2=0.5)
    with BACKENDS[target]() as other:
        copy = net.copy(other)
        assert copy.fingerprint() == net.fingerprint()
        assert copy.config == net.config
        for value in copy.params.values():
            assert_close(other, value, other.to_numpy(value))


def test_a_copy_lives_on_its_own(backend):
    net = network(backend)
    copy = net.copy()
    xpnet.train(copy, X, T, batch_size=4, iterations=2)
    assert_close(backend, net.params["W1"], PARAMS["W1"])
    assert copy.fingerprint() != net.fingerprint()


def test_a_copy_in_numpy_shares_no_memory():
    net = xpnet.MLP(SIZES, backend="numpy")
    before, copy = net.fingerprint(), net.copy()
    copy.params["W1"] -= 1.0  # as the textbook updates
    assert net.fingerprint() == before


def test_fingerprints_tell_every_difference(backend):
    nets = [
        network(backend),
        network(backend, dtype="float32"),
        xpnet.MLP.from_params({**PARAMS, "b2": PARAMS["b2"] + 1e-15}, backend, dtype="float64"),
        xpnet.MLP(SIZES, backend=backend),
        xpnet.MLP(SIZES, seed=1, backend=backend),
    ]
    assert len({net.fingerprint() for net in nets}) == len(nets)
    assert network(backend).fingerprint() == network("numpy").fingerprint()


def test_a_file_keeps_all(backend, tmp_path):
    net = network(backend, l2=0.25, loss="mean_squared_error", reduction="sum")
    net.save(tmp_path / "model.safetensors")
    for loaded in (
        xpnet.load(tmp_path / "model.safetensors", backend=backend),
        xpnet.load(tmp_path / "model.safetensors", backend="numpy"),
    ):
        assert loaded.fingerprint() == net.fingerprint()
        assert loaded.config == net.config
        assert loaded.loss(X, T) == pytest.approx(net.loss(X, T), rel=1e-13)


def test_the_configuration_is_plain_data():
    net = network("numpy")
    assert json.loads(json.dumps(net.config)) == net.config


def test_a_file_of_a_textbook(tmp_path):
    np.savez(tmp_path / "weights.npz", **PARAMS)
    net = xpnet.load(tmp_path / "weights.npz", backend="numpy", activation="tanh", dtype="float64")
    np.testing.assert_allclose(net.logits(X), expected_logits(), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none", None, "none"),
        ("text", b"hello, this is no model at all", "text"),
        ("empty", b"", "empty"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        xpnet.load(tmp_path / name, backend="numpy")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no folder .*nowhere; make it first"):
        network("numpy").save(tmp_path / "nowhere" / "model.safetensors")


# Bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": [5]}, "sizes must be at least two positive integers, inputs first and classes last, not"),
        ({"sizes": [5, 0, 2]}, r"not \[5, 0, 2\]"),
        ({"sizes": [5, -3, 2]}, "sizes must be"),
        ({"sizes": [5, 2.5]}, "sizes must be"),
        ({"sizes": [5, True]}, "sizes must be"),
        ({"sizes": [5, float("nan")]}, "sizes must be"),
        ({"sizes": [5, None]}, "sizes must be"),
        ({"sizes": 5}, "sizes must be .* not 5"),
        ({"sizes": {5, 2}}, "sizes must be"),
        ({"activation": ["rleu"]}, "unknown activation 'rleu': did you mean 'relu'"),
        ({"activation": ["relu", "tanh"]}, r"one for each of the 1 hidden layers, not \['relu', 'tanh'\]"),
        ({"activation": 3}, "unknown activation 3"),
        ({"activation": "rleu"}, "unknown activation 'rleu': did you mean 'relu'"),
        ({"dtype": "float23"}, "unknown dtype 'float23': did you mean 'float32'"),
        ({"dtype": "float16"}, "unknown dtype 'float16'"),
        ({"loss": "softmax_crossentropy"}, "did you mean 'softmax_cross_entropy'"),
        ({"reduction": "average"}, "unknown reduction 'average': Known are: mean, sum"),
        ({"arithmetic": "exakt"}, "unknown arithmetic 'exakt'"),
        ({"init": "kaiming"}, "unknown initializer 'kaiming'"),
        ({"backend": "nunpy"}, "unknown backend 'nunpy': did you mean 'numpy'"),
        ({"l2": -1.0}, "l2 must be a finite number, at least 0, not -1.0"),
        ({"l2": float("nan")}, "l2 must be a finite number"),
        ({"l2": "0.1"}, "l2 must be a finite number, at least 0, not '0.1'"),
        ({"l2": True}, "l2 must be a finite number"),
        ({"init": [0.1]}, "init as a standard deviation must be a finite number"),
        ({"seed": -1}, "seed must be an integer between 0"),
        ({"seed": 0.5}, "seed must be an integer between 0"),
    ],
)
def test_unfit_arguments_are_refused(change, message):
    with pytest.raises(InvalidInputError, match=message):
        xpnet.MLP(**{"sizes": SIZES, "backend": "numpy", **change})


BAD_SAMPLES = {
    "another number of columns": (X[:, :5], r"x must have the shape \(batch, 6\).*it has the shape \(8, 5\)"),
    "one sample": (X[0], r"for one sample, give x\[None, :\] of shape \(1, 6\)"),
    "a number": (np.float64(1.0), r"it has the shape \(\)"),
    "images of another size": (X.reshape(8, 2, 3)[:, :, :2], r"it has the shape \(8, 2, 2\)"),
    "empty": (X[:0], "x is empty: there must be at least one sample"),
    "NaN": (np.where(X > 1, np.nan, X), "x contains NaN, infinity or numbers beyond .*float64"),
    "infinity": (np.where(X > 1, -np.inf, X), "x contains NaN, infinity or numbers beyond .*float64"),
}

BAD_LABELS = {
    "too few": (T[:5], r"t must have the shape \(8,\), a label for each .*it has the shape \(5,\)"),
    "rows of another width": (
        np.eye(4)[T],
        r"or \(8, 3\), a one-hot row for each; it has the shape \(8, 4\)",
    ),
    "a column": (T[:, None], r"it has the shape \(8, 1\)"),
    "floats": (T.astype(float), "labels must be integers, not .*float64"),
    "booleans": (T > 0, "labels must be integers"),
    "too large": (T + 1, "labels must lie between 0 and 2, the network has 3 outputs; these run from 1 to 3"),
    "negative": (T - 1, "these run from -1 to 1"),
    "beyond 32 bits": (T + 2**32, "these run from 4294967296 to"),
    "NaN in rows": (np.full((8, 3), np.nan), "t contains NaN"),
    "rows that are no probabilities": (np.ones((8, 3)), "each row of t must add up to 1"),
}


@pytest.mark.parametrize("case", BAD_SAMPLES)
def test_bad_samples_are_refused(backend, case):
    x, message = BAD_SAMPLES[case]
    net = network(backend)
    with pytest.raises(InvalidInputError, match=message):
        net.predict(x)
    with pytest.raises(InvalidInputError, match=message):
        xpnet.train(net, x, T, batch_size=4, iterations=1)


@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels_are_refused(backend, case):
    t, message = BAD_LABELS[case]
    net = network(backend)
    for function in (net.loss, net.gradient, net.accuracy):
        with pytest.raises(InvalidInputError, match=message):
            function(X, t)
    with pytest.raises(InvalidInputError, match=message):
        xpnet.train(net, X, T, batch_size=4, iterations=1, validation=(X, t))


@pytest.mark.parametrize("dtype", ["U8", "complex128", "datetime64[s]", "object"])
def test_what_is_no_real_number_is_no_data(backend, dtype):
    x = np.zeros((2, 6), dtype)
    with pytest.raises(InvalidInputError, match="must be an array of real numbers"):
        network(backend).predict(x)


def test_labels_that_are_missing_are_told(backend):
    for function in (network(backend).loss, network(backend).accuracy):
        with pytest.raises(InvalidInputError, match="must be an array of real numbers"):
            function(X, None)


def test_rows_of_values_are_for_the_squared_error(backend):
    t = np.full((8, 3), 2.0)
    loss = network(backend, loss="mean_squared_error").loss(X, t)
    assert loss == pytest.approx(np.mean((expected_logits() - t) ** 2))


def test_numbers_of_numpy_are_taken_as_those_of_python(backend, tmp_path):
    """A scalar of NumPy would widen float32 on some libraries, and JSON cannot hold it."""
    config = {"init": 0.25, "seed": 3, "l2": 0.5, "backend": backend, "arithmetic": "exact"}
    scalars = {"init": np.float32(0.25), "seed": np.int64(3), "l2": np.float64(0.5)}
    plain, net = xpnet.MLP(SIZES, **config), xpnet.MLP(np.asarray(SIZES), **{**config, **scalars})
    for one, optimizer in (
        (plain, xpnet.Momentum(0.1, 0.9)),
        (net, xpnet.Momentum(np.float64(0.1), np.float64(0.9))),
    ):
        xpnet.train(one, X, T, optimizer=optimizer, batch_size=4, iterations=3)
    assert net.config == plain.config
    assert net.fingerprint() == plain.fingerprint()
    net.save(tmp_path / "model.safetensors")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"sizes": [6, 5, 3], "dropout": 0.5}'])
def test_a_damaged_description_is_told(tmp_path, text):
    path = tmp_path / "model.safetensors"
    write_weights(path, PARAMS, {"xpnet": text})
    with pytest.raises(
        DataError, match=r"its description of the network is damaged|another version of xpnet"
    ):
        xpnet.load(path, backend="numpy")


def test_numbers_too_large_for_the_dtype_are_refused(backend):
    with pytest.raises(InvalidInputError, match=r"numbers beyond .*float32: clean the data"):
        network(backend, dtype="float32").logits(np.full((2, 6), 1e300))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "expected .*W1, b1, W2, b2 … with matrices W1, W2 …; there are none"),
        ({"W1": np.eye(2)}, "has the parameters W1, b1; these are W1"),
        ({"W1": np.eye(2), "b1": np.zeros(2), "c": np.zeros(2)}, "these are W1, b1, c"),
        ({"W1": np.zeros(2), "b1": np.zeros(2)}, "with matrices W1"),
        ({"W2": np.eye(2), "b2": np.zeros(2)}, "with matrices W1, W2 …; there are W2, b2"),
        ({"W1": [[1.0]], "b1": [0.0]}, "with matrices W1"),
        ({"W1": np.eye(2), "b1": [0.0, 0.0]}, r"b1 must have the shape \(2,\)"),
        ({"W1": np.eye(2) * 1j, "b1": np.zeros(2)}, "must be an array of real numbers"),
        ({"W1": np.eye(2), "b1": np.zeros(3)}, r"b1 must have the shape \(2,\).*not \(3,\)"),
        (
            {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.zeros((3, 2)), "b2": np.zeros(2)},
            r"W2 must have the shape \(2, 2\) in this network, not \(3, 2\)",
        ),
    ],
)
def test_unfit_parameters_are_refused(params, message):
    with pytest.raises(InvalidInputError, match=message):
        xpnet.MLP.from_params(params, "numpy")
