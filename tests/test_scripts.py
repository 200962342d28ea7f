"""The experiments run from the command line, print what they found and leave whole figures."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import require
from test_datasets import real_folder
from textbook import loss_and_gradients

import xpnet
from xpnet.datasets.mnist import FASHION_MNIST, MNIST

pytest.importorskip("matplotlib", reason="Matplotlib is not installed: the experiments draw figures")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: it comes with Matplotlib")

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(name: str, out: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPTS / f"{name}.py", "--quick", "--out", out, *options]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)


def printed_by(name: str, out: Path, backend: str) -> str:
    """Run the script; return what it printed, having checked that all went well."""
    require(backend)
    result = run(name, out, "--backend", backend)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def row(printed: str, first: str) -> list[str]:
    """Return the cells after the first one of the only line that begins with it."""
    (line,) = [line for line in printed.splitlines() if re.match(rf"\s*{re.escape(first)}(  |$)", line)]
    return re.split(r"\s{2,}", line.strip())[1:]


def check_figures(out: Path, printed: str, names: set[str]) -> None:
    """Check that the figures are there, were named on the way, are whole and show something."""
    assert {path.name for path in out.iterdir()} == names
    assert set(re.findall(r"^figure: (.*)$", printed, re.MULTILINE)) == {str(out / name) for name in names}
    for name in names:
        with Image.open(out / name) as image:
            assert (image.format, image.width) == ("PNG", 900)
            darkest, brightest = image.convert("L").getextrema()  # decodes every pixel
        assert darkest < 100
        assert brightest == 255


def test_fashion_two_layer(tmp_path):
    real_folder(FASHION_MNIST)
    printed = printed_by("fashion_two_layer", tmp_path, "numpy")
    loss, _, _, norm = (float(cell) for cell in row(printed, "200"))
    assert loss < 1.5
    assert 0 < norm < 1
    for images, textbook in ("all training images", "0.880"), ("all test images", "0.861"):
        here, beside, _ = row(printed, images)
        assert 0.5 < float(here) < 0.88
        assert beside == textbook
    check_figures(tmp_path, printed, {"fashion_two_layer.png"})


def test_numerical_gradient_sgd(tmp_path):
    real_folder(MNIST)
    printed = printed_by("numerical_gradient_sgd", tmp_path, "numpy")
    for batches in "fixed batch", "fresh batches":
        numerical = [float(cell) for cell in row(printed, f"{batches}, numerical")]
        backward = [float(cell) for cell in row(printed, f"{batches}, backward")]
        np.testing.assert_allclose(numerical[:3], backward[:3], atol=1e-4)
        assert numerical[1] < numerical[0]
        _, difference, above, finer = row(printed, f"end, {batches}")
        assert float(difference) < 1e-9
        assert above == "0"
        assert float(finer) < 1e-7
    check_figures(tmp_path, printed, {"numerical_gradient_sgd.png", "numerical_against_backward.png"})


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_pretrained_inference(tmp_path, backend):
    folder = real_folder(MNIST).parent
    if not (folder / "sample_weight.pkl").is_file():
        pytest.skip(f"{folder} has no sample_weight.pkl")
    printed = printed_by("pretrained_inference", tmp_path, backend)
    assert row(printed, "scaled, 0..1") == ["0.9352", "648", "0.9352", "648"]
    assert row(printed, "raw, 0..255") == ["0.9207", "793", "0.9207", "793"]
    check_figures(tmp_path, printed, {"activation_functions.png", "pretrained_wrong.png"})


def test_mnist_two_layer(tmp_path):
    real_folder(MNIST)
    printed = printed_by("mnist_two_layer", tmp_path, "numpy")
    assert float(row(printed, "1,000")[0]) < 0.01  # five samples, by heart
    loss, training, test = (float(cell) for cell in row(printed, "700"))
    assert loss < 1
    assert training > 0.75
    assert test > 0.75
    assert row(printed, "all test images") == [f"{test:.4f}", "0.945 to 0.947"]
    check_figures(tmp_path, printed, {"mnist_two_layer.png"})


def textbook_moons_losses(passes: int) -> list[float]:
    """Return the losses of the 2-3-2 network, as the textbook computes them."""
    x, t = xpnet.datasets.make_moons(200, noise=0.20, seed=0)
    params = xpnet.MLP([2, 3, 2], init="xavier", dtype="float64", backend="numpy").params
    losses = []
    for _ in range(passes):
        loss, slopes = loss_and_gradients(params, x, t, "tanh", reduction="sum", l2=0.01)
        losses.append(loss / 200)
        params = {name: params[name] - 0.01 * slopes[name] for name in params}
    return losses


def test_moons_boundary(tmp_path):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    printed = printed_by("moons_boundary", tmp_path, "numpy")
    accuracies = {name: float(row(printed, name)[-1]) for name in ("LogisticRegressionCV", "5 hidden")}
    assert 0.8 < accuracies["LogisticRegressionCV"] < 0.9 < accuracies["5 hidden"]
    losses = textbook_moons_losses(passes=200)
    assert row(printed, "3 hidden")[:2] == [f"{losses[1]:.6f}", f"{losses[-1]:.6f}"]
    check_figures(tmp_path, printed, {"moons_boundary.png", "moons_hidden_sizes.png"})


def test_the_loss_of_the_original_moons_is_met():
    """The original printed 0.432387 after its first pass and 0.068947 1,000 passes later."""
    sklearn_datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    x, t = sklearn_datasets.make_moons(200, noise=0.20, random_state=0)
    random = np.random.RandomState(0)
    params = {
        "W1": random.randn(2, 3) / np.sqrt(2),
        "b1": np.zeros(3),
        "W2": random.randn(3, 2) / np.sqrt(3),
        "b2": np.zeros(2),
    }
    net = xpnet.MLP.from_params(params, "numpy", activation="tanh", dtype="float64", l2=0.01, reduction="sum")
    history = xpnet.train(
        net, x, t, optimizer=xpnet.SGD(0.01), sampling="full", iterations=1002, eval_every=0
    )
    losses = [round(history.loss[passes] / 200, 6) for passes in (1, 1001)]
    assert losses == [0.432387, 0.068947]


def test_optimizer_comparison(tmp_path):
    real_folder(MNIST)
    printed = printed_by("optimizer_comparison", tmp_path, "numpy")
    losses = {name: float(row(printed, name)[2]) for name in ("SGD", "Momentum", "AdaGrad", "Adam")}
    assert max(losses, key=losses.get) == "SGD"
    assert losses["Adam"] < losses["SGD"] / 2
    check_figures(tmp_path, printed, {"optimizer_comparison.png"})


def test_initial_weights(tmp_path):
    real_folder(MNIST)
    printed = printed_by("initial_weights", tmp_path, "numpy")
    spreads, last = {}, {}
    for line in filter(None, printed.splitlines()):
        name, *cells = line.split()
        if name in ("0.01", "1", "Xavier", "He") and len(cells) == 5:
            spreads.setdefault(name, []).append(float(cells[-1]))
        elif name in ("0.01", "Xavier", "He") and len(cells) == 2:
            last[name] = float(cells[-1])
    assert spreads["0.01"][0] < 0.1 < spreads["Xavier"][0] < 0.3 < spreads["1"][0]  # of sigmoid's layer 5
    assert spreads["0.01"][1] < 0.01 < spreads["Xavier"][1] < spreads["He"][0]  # of ReLU's
    assert last["He"] < last["Xavier"] < last["0.01"]
    names = {f"initial_weights_{part}.png" for part in ("sigmoid", "relu", "training")}
    check_figures(tmp_path, printed, names)


def test_overfitting(tmp_path):
    real_folder(MNIST)
    printed = printed_by("overfitting", tmp_path, "numpy")
    for cure in ("none", "weight decay 0.1", "dropout 0.2"):
        training, test, gap = (float(cell) for cell in row(printed, cure))
        assert 0 < test < 1
        assert gap == pytest.approx(training - test, abs=1.1e-3)
    check_figures(tmp_path, printed, {"overfitting.png"})


def test_hyperparameter_search(tmp_path):
    real_folder(MNIST)
    printed = printed_by("hyperparameter_search", tmp_path, "numpy")
    best = [row(printed, str(place)) for place in (1, 2, 3, 4, 5)]
    assert float(best[0][0]) > 0.005  # the learning rate of the only one that begins to learn in 3 epochs
    accuracies = [float(accuracy) for _, _, accuracy in best]
    assert accuracies == sorted(accuracies, reverse=True)
    check_figures(tmp_path, printed, {"hyperparameter_search.png"})


def test_batch_normalization(tmp_path):
    real_folder(MNIST)
    printed = printed_by("batch_normalization", tmp_path, "numpy")
    found = re.search(r"above 0.5 at the end: (\d+) of 3 with, (\d+) without", printed)
    assert (
        1 <= int(found[2]) <= 3
    )  # in three epochs without normalisation; the scale 0.29 alone learns so fast
    assert len(re.findall(r"^0\.\d+ +0\.\d+ +0\.\d+$", printed, re.MULTILINE)) == 3
    check_figures(tmp_path, printed, {"batch_normalization.png"})


def test_simple_convnet(tmp_path):
    real_folder(MNIST)
    printed = printed_by("simple_convnet", tmp_path, "numpy")
    here, book = row(printed, "all test images")
    assert 0.3 < float(here) < 0.98
    assert book == "0.9896"
    check_figures(tmp_path, printed, {"simple_convnet.png", "simple_convnet_filters.png"})


def test_deep_convnet(tmp_path):
    real_folder(MNIST)
    printed = printed_by("deep_convnet", tmp_path, "numpy")
    accuracy = float(row(printed, "accuracy on all test images")[0])
    wrong = int(re.search(r"wrong: (\d+) of 100", printed)[1])
    assert accuracy == pytest.approx(1 - wrong / 100, abs=1e-4)
    check_figures(tmp_path, printed, {"deep_convnet.png", "deep_convnet_wrong.png"})


def test_three_gradients(tmp_path):
    printed = printed_by("three_gradients", tmp_path, "numpy")
    largest = dict(re.findall(r"^largest, (\w+): (.*)$", printed, re.MULTILINE))
    assert float(largest["tape"]) < 1e-14
    assert float(largest["differences"]) < 1e-8
    assert len(re.findall(r"^(?:layer|activation|loss) ", printed, re.MULTILINE)) >= 25
    check_figures(tmp_path, printed, {"three_gradients.png"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--backend", "nump"), "did you mean 'numpy'"),
        (("--out", os.devnull), f"cannot make the output folder {os.devnull}"),
        ((), "sample_weight.pkl is missing"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path, options, message):
    result = run("pretrained_inference", tmp_path / "out", *options, XPNET_DATA=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
