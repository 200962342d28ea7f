"""What settings, outputs and targets of losses mean, and what is refused."""

import numpy as np
import pytest
from conftest import assert_close
from loss_cases import BATCH, CASES, COUNTS, LABELS, VALUES, YES, X, Y

import xpnet
from xpnet.errors import InvalidInputError

# Weights of classes


def test_a_weight_counts_a_class_so_often(backend):
    """Beside the weights of samples, in values, gradients and whatever the reduction."""
    loss, own = xpnet.SoftmaxCrossEntropy(0.2, (1.0, 2.0, 0.0)), np.arange(BATCH) % 3
    often = np.repeat(np.arange(BATCH), own * np.asarray([1, 2, 0])[LABELS])
    for reduction in ("mean", "sum"):
        weighted = xpnet.MLP([4, 5, 3], loss=loss, reduction=reduction, dtype="float64", backend=backend)
        plain = weighted.copy(loss=xpnet.SoftmaxCrossEntropy(0.2))
        expected = plain.loss(X[often], LABELS[often])
        assert weighted.loss(X, LABELS, own) == pytest.approx(expected, rel=1e-12)
        gradients = plain.gradient(X[often], LABELS[often])
        for name, value in weighted.gradient(X, LABELS, own).items():
            assert_close(backend, value, backend.to_numpy(gradients[name]), rtol=1e-10, atol=1e-14)


def test_one_hot_rows_have_the_weights_of_their_labels(backend):
    loss = xpnet.SoftmaxCrossEntropy(class_weights=[1, 2, 4])
    for t in (LABELS, np.eye(3)[LABELS]):
        t = backend.asarray(t, "float64" if t.ndim == 2 else "int32")
        weights = loss.weights(backend.xp, t, backend.xp.float64)
        assert_close(backend, weights, np.asarray([1.0, 2.0, 4.0])[LABELS])


def test_a_batch_of_classes_without_weight_changes_nothing(backend):
    net = xpnet.MLP([4, 3], loss=xpnet.SoftmaxCrossEntropy(class_weights=(0, 0, 1)), backend=backend)
    before = net.fingerprint()
    xpnet.train(net, X, np.arange(BATCH) % 2, batch_size=5, iterations=3, eval_every=0)
    assert net.fingerprint() == before


def test_classes_that_count_more_are_found_more_often():
    """A rare class is told apart once it counts as much as the others."""
    x, t = X, (X[:, 0] > 1.2).astype(int)
    found = []
    for weights in (None, (1.0, 30.0)):
        loss = xpnet.SoftmaxCrossEntropy(class_weights=weights)
        net = xpnet.MLP([4, 2], loss=loss, backend="numpy", init=0.0)
        xpnet.train(net, x, t, xpnet.SGD(0.1), sampling="full", iterations=20, eval_every=0, progress=False)
        found.append(xpnet.metrics.recall(t, net.predict(x), average=None)[1])
    assert 0 < t.sum() < 8
    assert found[0] < found[1] == 1.0


# What outputs say


def test_what_one_output_says_of_two_classes(backend):
    loss, logits = xpnet.BinaryCrossEntropy(), np.asarray([[-700.0], [-1.0], [0.0], [3.0]])
    y = backend.asarray(logits)
    labels, probabilities = loss.predict(backend.xp, y), loss.probabilities(backend.xp, y)
    p = 1.0 / (1.0 + np.exp(-logits))
    assert_close(backend, labels, np.asarray([0, 0, 0, 1], dtype=np.int32))
    assert_close(backend, probabilities, np.concatenate([1.0 - p, p], axis=1), rtol=1e-12, atol=1e-300)
    t = loss.check(backend.xp, backend.asarray(np.asarray([False, True, False, True])), (4, 1), y.dtype)
    assert loss.score(backend.xp, y, t) == 0.75


def test_what_several_outputs_say_of_labels(backend):
    loss, y = xpnet.BinaryCrossEntropy(), backend.asarray(Y)
    assert_close(backend, loss.predict(backend.xp, y), (Y > 0).astype(np.int32))
    assert_close(backend, loss.probabilities(backend.xp, y), 1.0 / (1.0 + np.exp(-Y)), rtol=1e-12)
    t = loss.check(backend.xp, backend.asarray(YES), Y.shape, y.dtype)
    assert loss.score(backend.xp, y, t) == np.mean(np.all((Y > 0) == YES, axis=1))


def test_one_output_learns_two_classes(backend):
    t = X[:, 0] > X[:, 1]
    net = xpnet.MLP([4, 1], loss="binary_cross_entropy", backend=backend)
    history = xpnet.train(net, X, t, xpnet.Adam(0.1), sampling="full", iterations=100, eval_every=50)
    assert net.accuracy(X, t) == history.train_accuracy[-1] > 0.9
    predicted, probabilities = (backend.to_numpy(f(X)) for f in (net.predict, net.predict_proba))
    assert np.mean(predicted == t) == net.accuracy(X, t)
    assert probabilities.shape == (BATCH, 2)
    assert (probabilities.argmax(axis=1) == predicted).all()


@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
def test_a_quantile_has_its_share_below(q):
    rng = np.random.default_rng(1)
    t, x = rng.exponential(size=400), np.zeros((400, 1))
    net = xpnet.MLP([1, 1], loss=xpnet.Quantile(q), dtype="float64", backend="numpy")
    settings = {"sampling": "full", "iterations": 600, "eval_every": 300, "progress": False}
    history = xpnet.train(net, x, t, xpnet.Adam(0.01), **settings)
    assert np.mean(t < net.predict(x)[0, 0]) == pytest.approx(q, abs=0.01)
    assert history.metric == "score"
    assert history.train_score[-1] == pytest.approx(-net.loss(x, t), rel=1e-12)


def test_a_poisson_predicts_the_rate():
    t, x = np.asarray([0, 1, 2, 5]), np.zeros((4, 1))
    net = xpnet.MLP([1, 1], loss="poisson", dtype="float64", backend="numpy")
    xpnet.train(net, x, t, sampling="full", iterations=300, eval_every=0, progress=False)
    np.testing.assert_allclose(net.predict(x), 2.0, rtol=1e-6)
    assert net.score(x, t) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", ["squared", "absolute", "Huber"])
def test_the_score_of_values_is_r2(backend, name):
    expected = xpnet.metrics.r2_score(VALUES, Y)
    y, t = backend.asarray(Y), backend.asarray(VALUES)
    assert CASES[name].loss.score(backend.xp, y, t) == pytest.approx(expected, rel=1e-12)
    assert CASES[name].loss.metric == "R²"


# Bad settings and targets


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: xpnet.SoftmaxCrossEntropy(1.5), "label_smoothing must be .* between 0 and 1, not 1.5"),
        (lambda: xpnet.SoftmaxCrossEntropy(class_weights=2.0), "must be a sequence of numbers, one a class"),
        (lambda: xpnet.SoftmaxCrossEntropy(class_weights=(1, -1)), "a class's weight must be .*, not -1"),
        (lambda: xpnet.SoftmaxCrossEntropy(class_weights=(0, 0)), "must hold a number above 0"),
        (lambda: xpnet.BinaryCrossEntropy(0), "positive_weight must be above 0"),
        (lambda: xpnet.BinaryCrossEntropy(np.nan), "positive_weight must be a finite number"),
        (lambda: xpnet.Huber(0.0), "delta must be above 0: without a square, take MeanAbsoluteError"),
        (lambda: xpnet.Huber("1"), "delta must be a finite number"),
        (lambda: xpnet.Quantile(1), "q must lie between 0 and 1, not on the edge, 1"),
        (lambda: xpnet.Quantile(-0.5), "q must be a finite number, between 0 and 1"),
    ],
)
def test_unfit_settings_are_refused(make, message):
    with pytest.raises(InvalidInputError, match=message):
        make()


WEIGHTED = xpnet.SoftmaxCrossEntropy(class_weights=(1, 2))


@pytest.mark.parametrize(
    ("layer", "loss", "message"),
    [
        (xpnet.Dense(3), WEIGHTED, "class_weights must be 3 numbers, one a class; there are 2"),
        (xpnet.Dense(1), "softmax_cross_entropy", "or loss='binary_cross_entropy'"),
        (xpnet.Reshape((2, 2)), "binary_cross_entropy", r"labels, not one of the shape \(2, 2\)"),
        (xpnet.Reshape((2, 2)), "huber", r"Huber is of one vector a sample, not of the shape \(2, 2\)"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(layer, loss, message):
    with pytest.raises(InvalidInputError, match=message):
        xpnet.Model([layer], (4,), loss=loss, backend="numpy")


@pytest.mark.parametrize(
    ("loss", "outputs", "t", "message"),
    [
        ("binary_cross_entropy", 1, LABELS, "t must hold 0 and 1, or probabilities; these run from 0 to 2"),
        ("binary_cross_entropy", 3, 1 - 2 * YES, "these run from -1 to 1"),
        ("binary_cross_entropy", 1, YES, r"shape \(40,\) or \(40, 1\).* has the shape \(40, 3\)"),
        ("binary_cross_entropy", 3, YES[:, :2], r"must have the shape \(40, 3\).* has the shape \(40, 2\)"),
        ("binary_cross_entropy", 3, YES[:, 0] * 0.5, "labels must be integers"),
        ("binary_cross_entropy", 1, np.full(BATCH, np.nan), "t contains NaN or infinity"),
        ("poisson", 3, COUNTS - 1, "t must hold counts, at least 0; the lowest is -1"),
        ("quantile", 3, VALUES[:9], r"it has the shape \(9, 3\)"),
        ("huber", 3, np.where(VALUES > 3, np.inf, VALUES), "t contains NaN or infinity"),
    ],
)
def test_unfit_targets_are_refused(backend, loss, outputs, t, message):
    net = xpnet.MLP([4, outputs], loss=loss, backend=backend)
    for function in (net.loss, net.gradient, net.score):
        with pytest.raises(InvalidInputError, match=message):
            function(X, t)


@pytest.mark.parametrize("name", ["squared", "absolute", "Huber", "Poisson", "quantile"])
def test_values_are_no_probabilities(name):
    net = xpnet.MLP([4, 3], loss=CASES[name].loss, backend="numpy")
    with pytest.raises(InvalidInputError, match="are no probabilities"):
        net.predict_proba(X)
    with pytest.raises(InvalidInputError, match="has no accuracy"):
        net.accuracy(X, CASES[name].t)
