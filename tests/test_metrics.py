"""The metrics against scientific Python's, on arrays of every library."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import xpnet
from xpnet import metrics
from xpnet.errors import InvalidInputError

sk = pytest.importorskip("sklearn.metrics")

AVERAGES = ["macro", "micro", "weighted", None]
NAMES = {
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
}


VECTORS = array_shapes(min_dims=1, max_dims=1, max_side=30)
ROWS = st.tuples(st.integers(1, 30), st.integers(2, 4))


def pairs(shapes, dtype, elements):
    """Draw two arrays of one shape."""
    return shapes.flatmap(lambda shape: st.tuples(*[arrays(dtype, shape, elements=elements)] * 2))


classes = pairs(VECTORS, np.int64, st.integers(-2, 5))
yes_or_no = pairs(ROWS, np.int8, st.integers(0, 1))
numbers = pairs(VECTORS | ROWS, np.float64, st.floats(-1e3, 1e3, width=32))


@given(st.one_of(classes, yes_or_no))
def test_accuracy(pair):
    assert metrics.accuracy(*pair) == pytest.approx(sk.accuracy_score(*pair), rel=1e-12)


@given(classes)
def test_confusion_matrix(pair):
    more = [*np.union1d(*pair), 6]  # it warns of a single one
    np.testing.assert_array_equal(
        metrics.confusion_matrix(*pair), sk.confusion_matrix(*pair, labels=more)[:-1, :-1]
    )


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("name", NAMES)
@given(pair=st.one_of(classes, yes_or_no))
def test_precision_recall_and_f1(name, average, pair):
    found = getattr(metrics, name)(*pair, average=average)
    expected = NAMES[name](*pair, average=average, zero_division=0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert isinstance(found, np.ndarray if average is None else float)


@pytest.mark.parametrize("name", NAMES)
@given(pair=pairs(VECTORS, np.int32, st.integers(0, 3)))
def test_classes_that_do_not_occur(name, pair):
    found = getattr(metrics, name)(*pair, average=None, classes=6)
    expected = NAMES[name](*pair, average=None, labels=range(6), zero_division=0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    matrix = metrics.confusion_matrix(*pair, classes=6)
    np.testing.assert_array_equal(matrix, sk.confusion_matrix(*pair, labels=range(6)))


@settings(deadline=None)
@given(data=st.data(), k=st.integers(1, 6))
def test_top_k_accuracy(data, k):
    t = data.draw(arrays(np.int64, st.integers(1, 20), elements=st.integers(0, 5)))
    seed = data.draw(st.integers(0, 2**32 - 1))
    outputs = np.random.default_rng(seed).normal(size=(len(t), 6))  # no two are equal
    if k == 6:
        assert metrics.top_k_accuracy(t, outputs, k) == 1.0
    else:
        expected = sk.top_k_accuracy_score(t, outputs, k=k, labels=range(6))
        assert metrics.top_k_accuracy(t, outputs, k) == pytest.approx(expected, rel=1e-12)


@given(data=st.data())
def test_the_best_guess_is_the_prediction(data):
    """Where outputs are equal, too."""
    outputs = data.draw(arrays(np.float64, (8, 3), elements=st.integers(0, 2)))
    t = data.draw(arrays(np.int64, 8, elements=st.integers(0, 2)))
    assert metrics.top_k_accuracy(t, outputs, 1) == metrics.accuracy(t, outputs.argmax(axis=1))


@given(numbers)
def test_errors_of_values(pair):
    assert metrics.mean_absolute_error(*pair) == pytest.approx(sk.mean_absolute_error(*pair), rel=1e-12)
    assert metrics.mean_squared_error(*pair) == pytest.approx(sk.mean_squared_error(*pair), rel=1e-12)


@given(numbers.filter(lambda pair: len(pair[0]) > 1))
def test_r2_score(pair):
    assert metrics.r2_score(*pair) == pytest.approx(sk.r2_score(*pair), rel=1e-9, abs=1e-9)


# Arrays of any library

T = np.asarray([0, 2, 1, 1, 0, 2])
OUTPUTS = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
PREDICTED = OUTPUTS.argmax(axis=1)


def test_arrays_of_every_library(backend):
    t, predicted, outputs = backend.asarray(T, "int32"), backend.asarray(PREDICTED), backend.asarray(OUTPUTS)
    for name in ("accuracy", "confusion_matrix", "precision", "recall", "f1"):
        function = getattr(metrics, name)
        expected = function(T, PREDICTED)
        np.testing.assert_array_equal(function(t, predicted), expected)
        np.testing.assert_array_equal(function(T.tolist(), predicted), expected)
    assert metrics.top_k_accuracy(t, outputs, 2) == metrics.top_k_accuracy(T, OUTPUTS, 2)
    for name in ("r2_score", "mean_absolute_error", "mean_squared_error"):
        assert getattr(metrics, name)(OUTPUTS, -outputs) == getattr(metrics, name)(outputs, -OUTPUTS)


def test_what_models_predict(backend):
    x, yes = np.random.default_rng(1).normal(size=(6, 4)), (OUTPUTS > 0).astype(int)
    net = xpnet.MLP([4, 3], backend=backend)
    assert metrics.accuracy(T, net.predict(x)) == net.accuracy(x, T)
    net = xpnet.MLP([4, 3], backend=backend, loss="binary_cross_entropy")
    assert metrics.accuracy(yes, net.predict(x)) == net.accuracy(x, yes)
    net = xpnet.MLP([4, 1], backend=backend, loss="binary_cross_entropy")
    for t in (yes[:, 0], yes[:, :1] > 0):
        assert metrics.accuracy(t, net.predict(x)) == net.accuracy(x, t)
    net = xpnet.MLP([4, 1], backend=backend, loss="huber", dtype="float64")
    assert metrics.r2_score(x[:, 0], net.predict(x)) == pytest.approx(net.score(x, x[:, 0]), rel=1e-12)


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.accuracy(T, PREDICTED[:4]), r"must have one shape.* they have \(6,\) and \(4,\)"),
        (lambda: metrics.accuracy(T, OUTPUTS), "predicted must hold labels.* not float32: take net.predict"),
        (lambda: metrics.accuracy([], []), r"t must have the shape \(samples,\).* it has the shape \(0,\)"),
        (lambda: metrics.accuracy(1, 1), r"it has the shape \(\)"),
        (lambda: metrics.accuracy(["a"], ["b"]), "t must be an array of real numbers"),
        (lambda: metrics.f1([[0, 2]], [[0, 1]]), "must hold 0 and 1; those of t run from 0 to 2"),
        (lambda: metrics.f1(T, T, average="binary"), "unknown average 'binary'"),
        (
            lambda: metrics.f1(T, T, classes=2),
            "there are 2 classes; these run from 0 to 2",
        ),
        (lambda: metrics.recall(T - 1, T, classes=3), "these run from -1 to 1"),
        (lambda: metrics.recall(T, T, classes=0.5), "classes must be a whole number"),
        (lambda: metrics.confusion_matrix([[0, 1]], [[1, 1]]), "a confusion matrix is of one class a sample"),
        (lambda: metrics.top_k_accuracy(T, OUTPUTS), "k must be at most the number of classes, 3, not 5"),
        (lambda: metrics.top_k_accuracy(T, OUTPUTS, 0), "k must be a whole number of at least 1"),
        (lambda: metrics.top_k_accuracy(T + 1, OUTPUTS, 2), "these run from 1 to 3"),
        (lambda: metrics.top_k_accuracy(T, PREDICTED), r"outputs must have the shape \(samples, classes\)"),
        (lambda: metrics.top_k_accuracy(T, OUTPUTS * np.nan), "outputs contains NaN"),
        (lambda: metrics.r2_score(T, OUTPUTS), "must have one shape"),
        (lambda: metrics.r2_score([np.inf, 1.0], [1.0, 1.0]), "t contains NaN or infinity"),
    ],
)
def test_what_does_not_fit_is_told(call, message):
    with pytest.raises(InvalidInputError, match=message):
        call()
