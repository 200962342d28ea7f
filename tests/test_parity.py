"""``xpnet parity``: its table, its files, its exit status, and what it says before it trains."""

import json
import re

import pytest
from conftest import require
from typer.testing import CliRunner

import xpnet
from xpnet.backends import BackendInfo
from xpnet.cli import app

SMALL = ("--dataset", "moons", "--hidden", 5, "--iterations", 20)


def parity(*arguments: object):
    return CliRunner().invoke(app, ["parity", *(str(argument) for argument in (*SMALL, *arguments))])


@pytest.mark.parametrize("other", ["torch", "jax", "array_api_strict"])
def test_exact_bits_are_the_same(other, tmp_path):
    require(other)
    files = ("--json", tmp_path / "parity.json", "--figure", tmp_path / "parity.png")
    done = parity("--backends", f"numpy,{other}", "--require", other, *files)
    assert done.exit_code == 0, done.output
    courses = json.loads((tmp_path / "parity.json").read_text())["courses"]
    assert [(course["backend"], course["arithmetic"]) for course in courses] == [
        (name, arithmetic) for arithmetic in ("standard", "exact") for name in ("numpy", other)
    ]
    assert courses[3]["verdict"] == "same bits"
    assert courses[3]["fingerprint"] == courses[2]["fingerprint"]
    assert set(courses[3]["difference"]) == {0.0}
    assert courses[3]["loss_difference"] == 0.0
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")
    assert re.search(rf"same bits +{courses[2]['fingerprint']}", done.stdout)


def test_other_bits_fail(monkeypatch):
    require("torch")
    from xpnet.backends.torch import TorchBackend

    def off(array):
        host = plain(array)
        return host * (1 + 2**-20) if host.dtype.kind == "f" else host

    plain = TorchBackend.to_numpy
    monkeypatch.setattr(TorchBackend, "to_numpy", staticmethod(off))
    done = parity("--backends", "numpy,torch", "--arithmetic", "exact")
    assert done.exit_code == 1
    assert "BITS DIFFER" in done.stdout


def test_a_broken_bound_fails(monkeypatch):
    require("torch")
    monkeypatch.setattr("xpnet.training.parity.STANDARD_BOUNDS", {"float32": -1.0})
    monkeypatch.setattr("xpnet.models.mlp.MLP.fingerprint", lambda net: net.backend.name)
    done = parity("--backends", "numpy,torch", "--arithmetic", "standard")
    assert done.exit_code == 1
    assert "BEYOND -1" in done.stdout


def missing(monkeypatch):
    reason = "cupy is not installed: pip install 'xpnet[cuda12]'"
    known = {**xpnet.available_backends(), "cupy": BackendInfo(False, reason=reason)}
    monkeypatch.setattr("xpnet.cli.chosen.available_backends", lambda: known)


def test_what_is_required_but_missing_fails(monkeypatch):
    missing(monkeypatch)
    done = parity("--backends", "numpy", "--require", "cupy")
    assert done.exit_code == 2
    assert "cupy is required but cannot be used: cupy is not installed" in done.stderr


def test_what_is_missing_is_left_out_and_nothing_at_all_fails(monkeypatch):
    missing(monkeypatch)
    done = parity("--backends", "numpy,cupy", "--arithmetic", "standard")
    assert done.exit_code == 0
    assert "left out: cupy is not installed" in done.stderr
    done = parity("--backends", "cupy")
    assert done.exit_code == 2
    assert "none of these backends can be used here" in done.stderr


@pytest.mark.parametrize("option", ["--json", "--figure"])
def test_a_file_that_cannot_be_written_is_told_before_training(monkeypatch, tmp_path, option):
    monkeypatch.setattr("xpnet.cli.parity.compare_backends", pytest.fail)
    done = parity("--backends", "numpy", option, tmp_path / "nowhere" / "parity.png")
    assert done.exit_code == 2
    assert "nowhere is no folder that can be written" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backends", "nunpy"], "unknown backend 'nunpy': did you mean 'numpy'"),
        (["--arithmetic", "exakt"], "unknown arithmetic 'exakt'"),
        (["--backends", "numpy", "--batch-size", 5000], "batch_size is 5000"),
        (["--backends", "numpy:cuda"], "NumPy computes on 'cpu' alone"),
    ],
)
def test_bad_options_are_told(arguments, message):
    done = parity(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
