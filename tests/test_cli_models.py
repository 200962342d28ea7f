"""``xpnet evaluate`` and ``xpnet predict`` tell of a model what the network itself tells."""

import io
import re

import numpy as np
import pytest
from typer.testing import CliRunner

import xpnet
from xpnet import metrics
from xpnet.cli import app
from xpnet.io import write_weights


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "run"
    words = ["--hidden", "20", "--iterations", "500", "--l2", "0.001", "--backend", "numpy", "--out", folder]
    assert invoke("train", *words).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def net(folder):
    return xpnet.load(folder / "model.safetensors", backend="numpy")


DIGITS = xpnet.datasets.load("digits")


# --- evaluate


@pytest.mark.parametrize("backend", ["numpy", "array_api_strict"])
def test_evaluate_tells_loss_and_accuracy_of_both_sets(folder, net, backend):
    pytest.importorskip(backend)
    done = invoke("evaluate", folder, "--backend", backend)
    assert done.exit_code == 0, done.stderr
    for label, x, t in (
        ("training", DIGITS.x_train, DIGITS.t_train),
        ("test", DIGITS.x_test, DIGITS.t_test),
    ):
        expected = f"loss {net.loss(x, t):.4f}, accuracy {net.accuracy(x, t):.4f}, {len(t):,} samples"
        assert re.search(rf"{label} set +{expected}", done.stdout)


def test_evaluate_tells_of_each_class(folder):
    done = invoke("evaluate", folder / "best.safetensors", "digits", "--backend", "numpy")
    best = xpnet.load(folder / "best.safetensors", backend="numpy")
    rows = [re.findall(r"[\d.]+|-", line) for line in done.stdout.splitlines() if re.match(r" ?\d ", line)]
    predicted, t = best.predict(DIGITS.x_test), DIGITS.t_test
    shares = [f(t, predicted, average=None) for f in (metrics.precision, metrics.recall, metrics.f1)]
    assert len(rows) == 20
    for label, (name, samples, *numbers) in enumerate(rows[:10]):
        mine = predicted[t == label]
        wrong = mine[mine != label]
        assert (int(name), int(samples)) == (label, len(mine))
        assert numbers[:3] == [f"{share[label]:.4f}" for share in shares]
        if len(wrong):
            assert numbers[3:] == [str(np.bincount(wrong).argmax()), str(np.bincount(wrong).max())]
    matrix = [[int(count.replace("-", "0")) for count in row[1:]] for row in rows[10:]]
    assert matrix == metrics.confusion_matrix(t, predicted).tolist()
    assert re.search(rf"network +{re.escape(best.title)}\n", done.stdout)


def test_evaluate_fits_into_80_columns(tmp_path, monkeypatch):
    """With ten classes of long names, and a thousand samples of each."""
    names = xpnet.datasets.class_names("fashion_mnist")
    t = np.repeat(np.arange(10), 2000)
    data = xpnet.datasets.Dataset(np.zeros((1, 64)), np.zeros(1, int), np.zeros((20000, 64)), t)
    monkeypatch.setattr("xpnet.datasets.class_names", lambda name: names)
    monkeypatch.setattr("xpnet.datasets.load", lambda *arguments: data)
    xpnet.MLP([64, 10], backend="numpy").save(tmp_path / "model.safetensors")
    monkeypatch.setenv("COLUMNS", "80")
    done = invoke("evaluate", tmp_path / "model.safetensors", "digits")
    assert done.exit_code == 0
    lines = done.stdout[done.stdout.index("class") :].splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in done.stdout
    assert sum(line.rstrip().endswith(f"{names[0]} (2000 times)") for line in lines) == 9
    assert sum(line.split()[-10:] == ["2000", *"-" * 9] for line in lines) == 10


@pytest.mark.parametrize(
    ("outputs", "loss", "metric"),
    [(1, "huber", "R²"), (2, "mean_squared_error", "R²"), (1, xpnet.Quantile(0.25), "score")],
)
def test_evaluate_tells_of_values(tmp_path, outputs, loss, metric):
    net, data = xpnet.MLP([2, outputs], loss=loss, backend="numpy"), xpnet.datasets.load("moons")
    net.save(tmp_path / "model.safetensors")
    done = invoke("evaluate", tmp_path / "model.safetensors", "moons", "--backend", "numpy")
    assert done.exit_code == 0, done.stderr
    rows = data.t_test[:, None] if outputs == 1 else np.eye(2)[data.t_test]
    error = np.mean(np.abs(net.predict(data.x_test) - rows))
    score = net.score(data.x_test, data.t_test)
    assert f"{metric} {score:.4f}, mean absolute error {error:.4f}, {len(rows):,} samples" in done.stdout
    assert "precision" not in done.stdout


def test_evaluate_tells_of_two_classes_by_one_output(tmp_path):
    net, data = xpnet.MLP([2, 1], loss="binary_cross_entropy", backend="numpy"), xpnet.datasets.load("moons")
    net.save(tmp_path / "model.safetensors")
    done = invoke("evaluate", tmp_path / "model.safetensors", "moons", "--backend", "numpy")
    assert done.exit_code == 0, done.stderr
    assert f"accuracy {net.accuracy(data.x_test, data.t_test):.4f}" in done.stdout
    assert "precision" in done.stdout


def test_evaluate_reads_npz_with_the_activation_named(tmp_path, net):
    with (tmp_path / "weights").open("wb") as file:
        np.savez(file, **net.params)
    done = invoke("evaluate", tmp_path / "weights", "digits", "--activation", "sigmoid", "--backend", "numpy")
    assert done.exit_code == 0, done.stderr
    sigmoid = xpnet.MLP.from_params(net.params, "numpy", activation="sigmoid")
    assert f"accuracy {sigmoid.accuracy(DIGITS.x_test, DIGITS.t_test):.4f}" in done.stdout


def test_a_lone_file_needs_a_data_set(tmp_path, net):
    net.save(tmp_path / "model.safetensors")
    done = invoke("evaluate", tmp_path / "model.safetensors")
    assert done.exit_code == 2
    assert "name a data set, one of digits, moons" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["moons"], "must have the shape (batch, 64)"),
        (["digitz"], "did you mean 'digits'?"),
        (["digits", "--activation", "tanh"], "a network has no setting activation"),
    ],
)
def test_what_does_not_fit_the_model_is_told(folder, words, message):
    done = invoke("evaluate", folder, "--backend", "numpy", *words)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_missing_model_is_told(tmp_path):
    done = invoke("evaluate", tmp_path, "digits")
    assert done.exit_code == 2
    assert "model.safetensors: No such file" in done.stderr


def test_a_checkpoint_is_no_model(folder):
    done = invoke("evaluate", folder / "checkpoint.safetensors", "digits")
    assert done.exit_code == 2
    assert "is a checkpoint" in done.stderr


# --- predict


def test_predict_prints_a_label_a_line(folder, net):
    done = invoke("predict", folder, "digits", "--backend", "numpy")
    assert [int(line) for line in done.stdout.splitlines()] == net.predict(DIGITS.x_test).tolist()


@pytest.mark.parametrize("output", ["labels.npy", "labels.csv"])
@pytest.mark.parametrize("proba", [False, True])
def test_predict_writes_a_file(tmp_path, folder, net, output, proba):
    np.save(tmp_path / "samples.npy", DIGITS.x_test[:7])
    path = tmp_path / output
    words = ["--output", path, "--backend", "numpy", *(["--proba"] if proba else [])]
    done = invoke("predict", folder, tmp_path / "samples.npy", *words)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    read = (
        np.load(path) if output.endswith(".npy") else np.loadtxt(io.StringIO(path.read_text()), delimiter=",")
    )
    expected = net.predict_proba(DIGITS.x_test[:7]) if proba else net.predict(DIGITS.x_test[:7])
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("content", [b"", b"not numpy", b"\x93NUMPY\x01\x00"])
def test_a_file_that_holds_no_array_is_told(tmp_path, folder, content):
    (tmp_path / "x.npy").write_bytes(content)
    done = invoke("predict", folder, tmp_path / "x.npy", "--backend", "numpy")
    assert done.exit_code == 2
    assert "is no .npy file of numbers" in done.stderr


def test_an_array_of_objects_is_never_unpickled(tmp_path, folder):
    np.save(tmp_path / "x.npy", np.asarray([print], dtype=object), allow_pickle=True)
    done = invoke("predict", folder, tmp_path / "x.npy", "--backend", "numpy")
    assert done.exit_code == 2
    assert "is no .npy file of numbers" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.npy"], "cannot read nowhere.npy"),
        (["digits", "--output", "labels.txt"], "must end in .npy or .csv"),
        (["digits", "--output", "/nowhere/labels.csv"], "there is no folder /nowhere"),
        (["digitz"], "did you mean 'digits'?"),
    ],
)
def test_what_cannot_be_predicted_is_told(folder, words, message):
    done = invoke("predict", folder, *words, "--backend", "numpy")
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_file_without_a_network_is_told(tmp_path):
    write_weights(tmp_path / "a.safetensors", {"a": np.ones(2)})
    done = invoke("predict", tmp_path / "a.safetensors", "digits", "--backend", "numpy")
    assert done.exit_code == 2
    assert "expected W1, b1" in done.stderr
