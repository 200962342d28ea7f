"""Training on every library: the same course, the same rows, a true history."""

import csv
from collections import Counter

import numpy as np
import pytest
import textbook
from runs import LABELS, OPTIMIZERS, PIXELS, TEST, difference, network, trained

import xpnet
from xpnet.programs.programs import Programs
from xpnet.training.batches import make_sampler

FLOAT32_BOUND = 2e-5
"""Relative to the largest weight of each array, and of the losses: 8e-6 was measured (Adam on JAX)."""


# The same course everywhere


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_in_float64_every_library_ends_where_numpy_does(backend, name):
    net, history = trained(backend, optimizer=OPTIMIZERS[name])
    reference, expected = trained("numpy", optimizer=OPTIMIZERS[name])
    assert net.params["W1"].dtype == backend.xp.float64
    assert list(net.params) == list(reference.params)  # the fingerprint goes through them in order
    assert difference(net, reference) < 1e-10
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-10)
    assert history.train_accuracy == expected.train_accuracy


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_in_float32_every_library_ends_near_numpy(backend, name):
    net, history = trained(backend, "float32", optimizer=OPTIMIZERS[name])
    reference, expected = trained("numpy", "float32", optimizer=OPTIMIZERS[name])
    assert net.params["W1"].dtype == backend.xp.float32
    assert difference(net, reference) < FLOAT32_BOUND
    np.testing.assert_allclose(history.loss, expected.loss, rtol=FLOAT32_BOUND)


def test_float32_follows_float64():
    single, double = trained("numpy", "float32")[0], trained("numpy")[0]
    assert difference(single, double) < FLOAT32_BOUND


@pytest.mark.parametrize("sampling", ["with_replacement", "shuffle"])
def test_every_library_takes_the_same_rows(monkeypatch, backend, sampling):
    seen = []
    spy_on_chunks(monkeypatch, lambda data, batches: seen.extend(batches.indices.tolist()))
    trained(backend, "float32", sampling=sampling, iterations=8, eval_every=4, seed=3, batch_size=40)
    sampler = make_sampler(sampling, 120, 40, seed=3)
    assert seen == [row for _, rows in sampler.blocks(0, 8) for row in rows.tolist()]


def test_the_course_is_that_of_the_textbook(backend):
    """Plain gradient descent, 20 steps, loss by loss."""
    net, x = network(backend, l2=0.01), PIXELS / 255.0
    params = {name: backend.to_numpy(value).copy() for name, value in net.params.items()}
    history = xpnet.train(net, PIXELS, LABELS, xpnet.SGD(0.5), sampling="full", iterations=20, eval_every=0)
    for loss in history.loss:
        value, gradients = textbook.loss_and_gradients(params, x, LABELS, "tanh", l2=0.01)
        assert loss == pytest.approx(value, rel=1e-10)
        for name in params:
            params[name] -= 0.5 * gradients[name]
    for name, value in net.params.items():
        np.testing.assert_allclose(backend.to_numpy(value), params[name], rtol=1e-9, atol=1e-12)


def test_the_same_seed_gives_the_same_bits(backend):
    first, again = trained(backend), trained(backend)
    assert first[0].fingerprint() == again[0].fingerprint()
    assert first[1].loss == again[1].loss
    assert trained("numpy", seed=1)[0].fingerprint() != trained("numpy")[0].fingerprint()


def test_training_reads_nothing_back_between_evaluations(monkeypatch, backend):
    """The losses, once at the end: however many iterations there are."""
    reads = []
    for owner, method in reading_methods(backend):
        monkeypatch.setattr(owner, method, counted(owner, method, reads))
    net = network(backend)
    xpnet.train(
        net, PIXELS, LABELS, batch_size=10, iterations=1, eval_every=0
    )  # tells whether bytes are pixels
    counts = []
    for iterations in (128, 300):  # one chunk, and three
        reads.clear()
        xpnet.train(net, PIXELS, LABELS, batch_size=10, iterations=iterations, eval_every=0)
        counts.append(Counter(reads))
    assert counts[0] == counts[1]
    assert counts[0]["to_numpy"] == 2, "the losses, and whether the weights are finite"


def reading_methods(backend):
    """Return what brings numbers to the host: the shim's way, and those of an array of the library."""
    yield type(backend), "to_numpy"
    if backend.name in ("array_api_strict", "torch"):
        kind = type(backend.asarray([1.0]))
        for method in ("__float__", "__int__", "__bool__", "__array__", "__index__", "item", "tolist"):
            if hasattr(kind, method):
                yield kind, method


def counted(owner, method, reads):
    original = getattr(owner, method)

    def count(*arguments, **options):
        reads.append(method)
        return original(*arguments, **options)

    return staticmethod(count) if method == "to_numpy" else count


def test_data_stays_as_it_was_stored(monkeypatch, backend):
    """Bytes on the device, not floats eight times their size."""
    seen = []
    spy_on_chunks(monkeypatch, lambda data, batches: seen.append(data))
    trained(backend, iterations=2, eval_every=0)
    assert (seen[0]["x"].dtype, seen[0]["t"].dtype) == (backend.xp.uint8, backend.xp.int32)
    assert all(data["x"] is seen[0]["x"] for data in seen)


def spy_on_chunks(monkeypatch, look):
    """Call a function with the data and the batches of each chunk."""
    make_loop = Programs.loop

    class Spy:
        def __init__(self, loop):
            self.loop = loop

        def over(self, data):
            chunk = self.loop.over(data)
            return lambda state, batches: (look(data, batches), chunk(state, batches))[1]

    monkeypatch.setattr(Programs, "loop", lambda *arguments: Spy(make_loop(*arguments)))


# Sampling and length


@pytest.mark.parametrize("sampling", ["with_replacement", "shuffle", "full", "fixed"])
def test_each_sampling_learns(sampling):
    optimizer = xpnet.Adam(0.02)
    _, history = trained("numpy", sampling=sampling, iterations=400, optimizer=optimizer)
    assert len(history.loss) == 400
    assert np.mean(history.loss[-20:]) < 0.2 * np.mean(history.loss[:20])


def test_short_batches_on_every_library(backend):
    """Batches of 50, 50 and 20: what is compiled for one shape must not be used for another."""
    settings = {"sampling": "shuffle", "batch_size": 50, "iterations": 6, "eval_every": 3}
    net, history = trained(backend, **settings)
    reference, expected = trained("numpy", **settings)
    assert difference(net, reference) < 1e-12
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-12)


def test_a_fixed_batch_is_learned_by_heart():
    net = network("numpy")
    xpnet.train(net, PIXELS, LABELS, xpnet.Adam(0.05), sampling="fixed", batch_size=5, iterations=300, seed=4)
    rows = make_sampler("fixed", 120, 5, seed=4).subset()
    assert net.loss(PIXELS[rows], LABELS[rows]) < 0.01
    assert net.accuracy(PIXELS, LABELS) < 1.0


@pytest.mark.parametrize(
    ("settings", "iterations"),
    [
        ({"epochs": 3}, 36),
        ({"epochs": 0.5}, 6),
        ({"epochs": 2, "sampling": "shuffle", "batch_size": 50}, 6),
        ({"epochs": 2, "sampling": "shuffle", "batch_size": 50, "drop_last": True}, 4),
        ({"epochs": 7, "sampling": "full"}, 7),
        ({}, 120),
        ({"iterations": 5}, 5),
    ],
)
def test_how_long_it_trains(settings, iterations):
    history = xpnet.train(network("numpy"), PIXELS, LABELS, **{"batch_size": 10, **settings})
    assert len(history.loss) == iterations
    assert history.iteration[0] == 0
    assert history.iteration[-1] == iterations


# History


def test_history_holds_what_the_network_says(backend):
    net = network(backend)
    before = net.accuracy(PIXELS, LABELS)
    settings = {"batch_size": 10, "iterations": 7, "eval_every": 3, "validation": TEST}
    history = xpnet.train(net, PIXELS, LABELS, xpnet.SGD(0.5), **settings)
    assert history.iteration == [0, 3, 6, 7]
    assert history.train_accuracy[0] == before
    assert history.train_accuracy[-1] == net.accuracy(PIXELS, LABELS)
    assert history.test_accuracy[-1] == net.accuracy(*TEST)
    assert len(history.loss) == 7
    assert history.stopped == "finished"


def test_the_gradient_norm_is_that_of_the_batch():
    net = network("numpy")
    first = net.gradient(PIXELS, LABELS)
    settings = {"sampling": "full", "iterations": 4, "eval_every": 2, "gradient_norm": True}
    history = xpnet.train(net, PIXELS, LABELS, **settings)
    last = net.gradient(PIXELS, LABELS)
    for name, norms in history.gradient_norm.items():
        assert len(norms) == 3
        assert norms[0] == pytest.approx(np.linalg.norm(first[name]), rel=1e-12)
        assert norms[-1] == pytest.approx(np.linalg.norm(last[name]), rel=1e-12)


def test_the_gradient_norm_on_every_library(backend):
    settings = {"gradient_norm": True, "iterations": 4, "eval_every": 2}
    _, history = trained(backend, **settings)
    _, expected = trained("numpy", **settings)
    assert list(history.gradient_norm) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    for name, norms in history.gradient_norm.items():
        assert norms == pytest.approx(expected.gradient_norm[name], rel=1e-10)


def test_measuring_does_not_change_the_course():
    plain = trained("numpy", eval_every=0)[0]
    measured = trained("numpy", eval_every=7, gradient_norm=True, validation=TEST)[0]
    assert plain.fingerprint() == measured.fingerprint()


def test_the_best_parameters_are_kept():
    net = network("numpy")
    fingerprints = {}

    def note(evaluation):
        fingerprints[evaluation.history.iteration[-1]] = evaluation.net.fingerprint()

    history = xpnet.train(
        net, PIXELS, LABELS, xpnet.SGD(3.0), batch_size=5, iterations=60, eval_every=5, callbacks=[note]
    )
    best = history.iteration[int(np.argmax(history.train_accuracy))]
    assert history.best_iteration == best < 60
    net.params = history.best_params
    assert net.fingerprint() == fingerprints[best]
    assert net.accuracy(PIXELS, LABELS) == max(history.train_accuracy)


def test_the_table(tmp_path):
    settings = {"iterations": 5, "eval_every": 2, "validation": TEST, "gradient_norm": True}
    _, history = trained("numpy", **settings)
    history.to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    norms = [f"gradient_norm_{name}" for name in ("W1", "b1", "W2", "b2", "W3", "b3")]
    assert header == ["iteration", "loss", "train_accuracy", "test_accuracy", *norms]
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["iteration"] for row in table] == ["0", "1", "2", "3", "4", "5"]
    assert [float(row["loss"]) for row in table[:5]] == history.loss
    assert table[5]["loss"] == "", "before the sixth update, which never came"
    evaluated = [row for row in table if row["train_accuracy"]]
    assert [int(row["iteration"]) for row in evaluated] == history.iteration == [0, 2, 4, 5]
    for name in ("train_accuracy", "test_accuracy"):
        assert [float(row[name]) for row in evaluated] == getattr(history, name)
    assert [float(row["gradient_norm_b1"]) for row in evaluated] == history.gradient_norm["b1"]


def test_it_is_quiet_where_nobody_watches(capsys):
    trained("numpy", iterations=3, progress=True)
    assert capsys.readouterr() == ("", "")
