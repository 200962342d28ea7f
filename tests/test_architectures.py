"""Networks by name: their layers, and the command line's whole way with each."""

import re

import pytest
from cli_process import fingerprint
from typer.testing import CliRunner

import xpnet
from xpnet.cli import app
from xpnet.errors import InvalidInputError
from xpnet.models.architectures import ARCHITECTURES, Style, new_model

OF_IMAGES = ("conv", "deep")
HIDDEN = Style((6, 5), "tanh", 0.1)
over_names = pytest.mark.parametrize("name", [pytest.param(name) for name in ARCHITECTURES])


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def kinds(net):
    return " ".join(type(layer).__name__ for layer in net.network.layer.layers)


def test_layers_of_vectors():
    dense = xpnet.Dense(6, 0.1)
    batchnorm, dropout, mlp = (
        new_model(name, 64, 3, HIDDEN, backend="numpy") for name in ("batchnorm", "dropout", "mlp")
    )
    assert kinds(batchnorm) == "Dense BatchNorm Tanh Dense BatchNorm Tanh Dense"
    assert kinds(dropout) == "Dense Tanh Dropout Dense Tanh Dropout Dense"
    assert isinstance(mlp, xpnet.MLP)
    assert mlp.sizes == [64, 6, 5, 3]
    for net in (batchnorm, dropout, mlp):
        assert net.network.layer.layers[0] == dense
        assert (net.network.inputs, net.network.outputs) == ((64,), (3,))


def test_layers_of_images():
    conv, deep = (new_model(name, 784, 3, HIDDEN, backend="numpy") for name in OF_IMAGES)
    assert kinds(conv) == "Conv2D Tanh MaxPool2D Flatten Dense Tanh Dense Tanh Dense"
    block = "Conv2D Tanh Conv2D Tanh MaxPool2D"
    assert kinds(deep) == f"{block} {block} {block} Flatten Dense Tanh Dropout Dense Tanh Dropout Dense"
    for net in (conv, deep):
        assert (net.network.inputs, net.network.outputs) == ((1, 28, 28), (3,))


@over_names
def test_no_hidden_layers(name):
    net = new_model(name, 64, 3, Style(()), backend="numpy")
    assert net.network.outputs == (3,)


@pytest.mark.parametrize("name", OF_IMAGES)
def test_images_are_square(name):
    with pytest.raises(InvalidInputError, match="takes square images, not samples of 2 numbers"):
        new_model(name, 2, 2, Style(), backend="numpy")


@over_names
def test_train_resume_evaluate_and_predict(tmp_path, name):
    short = ["train", "--network", name, "--hidden", 6, "--backend", "numpy", "--seed", 3, "--quiet"]
    whole, half = tmp_path / "whole", tmp_path / "half"
    assert invoke(*short, "--iterations", 8, "--out", whole).exit_code == 0
    assert invoke(*short, "--iterations", 4, "--out", half).exit_code == 0
    done = invoke("resume", half, "--iterations", 8, "--quiet")
    assert done.exit_code == 0, done.output
    assert fingerprint(half) == fingerprint(whole)
    done = invoke("evaluate", whole, "--backend", "numpy")
    assert done.exit_code == 0, done.output
    assert "test set" in done.output
    done = invoke("predict", whole, "digits", "--backend", "numpy", "--output", tmp_path / "labels.csv")
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 297


def test_an_unknown_name_is_refused_with_the_list(tmp_path):
    done = invoke("train", "--network", "cnov", "--out", tmp_path / "run")
    assert done.exit_code == 2
    told = re.sub(r"\s+", " ", done.output)
    assert (
        "unknown network 'cnov': did you mean 'conv'? Known are: batchnorm, conv, deep, dropout, mlp" in told
    )


def test_help_lists_the_names():
    told = re.sub(r"[\s│]+", " ", invoke("train", "--help").output)
    assert ", ".join(ARCHITECTURES) in told
