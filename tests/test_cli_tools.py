"""``xpnet info``, ``xpnet gradcheck``, and what all commands have in common."""

import json
import platform
import re
import sys

import numpy as np
import pytest
from cli_process import ROOT, run
from typer.testing import CliRunner

import xpnet
from xpnet import cli
from xpnet.cli import app

COMMANDS = ["train", "resume", "evaluate", "predict", "gradcheck", "parity", "info", "selfcheck"]


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


# --- info


def test_info_for_programs():
    done = run("info", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert (found["xpnet"], found["numpy"]) == (xpnet.__version__, np.__version__)
    assert found["python"] == platform.python_version()
    assert found["auto"] == "numpy"
    assert set(found["backends"]) == {"numpy", "cupy", "torch", "jax", "array_api_strict"}
    for backend in found["backends"].values():
        assert backend["available"] == (backend["reason"] is None) == (backend["memory"] is not None)


def test_info_says_how_to_get_what_is_missing(monkeypatch):
    missing = xpnet.BackendInfo(False, reason="cupy is not installed: pip install 'xpnet[cuda12]'")
    present = xpnet.available_backends()["numpy"]
    monkeypatch.setattr("xpnet.cli.info.available_backends", lambda: {"numpy": present, "cupy": missing})
    done = invoke("info")
    assert done.exit_code == 0
    assert re.search(rf"numpy +yes +{re.escape(np.__version__)} +cpu +[\d.]+ GiB", done.stdout)
    assert re.search(r"cupy +no", done.stdout)
    assert "pip install 'xpnet[cuda12]'" in done.stdout


# --- gradcheck


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_gradcheck_finds_the_gradients_right(activation):
    done = invoke("gradcheck", "--hidden", "6,5", "--activation", activation, "--samples", 4, "--l2", 0.1)
    assert done.exit_code == 0
    assert "ok: right is below 1e-07" in done.stdout
    assert re.findall(r" (W\d|b\d) +\d\.\de-\d+ +ok", done.stdout) == ["W1", "b1", "W2", "b2", "W3", "b3"]


def test_gradcheck_finds_a_gradient_wrong(monkeypatch):
    monkeypatch.setattr("xpnet.gradcheck", lambda net, x, t: {"W1": 1e-10, "b1": 0.5})
    done = invoke("gradcheck", "moons")
    assert done.exit_code == 1
    assert re.search(r"W1 +1\.0e-10 +ok", done.stdout)
    assert re.search(r"b1 +5\.0e-01 +wrong", done.stdout)
    assert "wrong: right is below" in done.stdout


def test_gradcheck_refuses_what_cannot_be_trained():
    done = invoke("gradcheck", "--activation", "step")
    assert done.exit_code == 2
    assert re.fullmatch(r"error: .*step.*\n", done.stderr)


# --- all of them


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_a_purpose_and_examples(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    done = invoke(command, "--help")
    assert done.exit_code == 0
    assert done.stdout.index("Usage: ") < done.stdout.index("Options") < done.stdout.index("Examples")
    examples = done.stdout[done.stdout.index("Examples") :]
    assert f"xpnet {command}" in examples


def test_the_list_of_commands_names_them_all():
    done = invoke("--help")
    assert re.findall(r"│ (\w+) {2,}[A-Z]", done.stdout) == COMMANDS


def test_the_version_is_told():
    assert invoke("--version").stdout == f"xpnet {xpnet.__version__}\n"


def test_an_unknown_option_is_bad_input():
    done = run("train", "--hiden", "5")
    assert done.returncode == 2
    assert "--hidden" in done.stderr


def test_main_exits_with_the_status(capsys):
    with pytest.raises(SystemExit) as exit_info:
        cli.main(["train", "digitz"])
    assert exit_info.value.code == 2
    assert "did you mean 'digits'?" in capsys.readouterr().err


def test_ctrl_c_outside_training_exits_with_130(monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("xpnet.datasets.load", interrupted)
    assert invoke("train").exit_code == 130


def test_an_error_of_several_lines_becomes_one(monkeypatch):
    def failing(*arguments):
        raise xpnet.XpnetError("[red]first\nsecond")

    monkeypatch.setattr("xpnet.datasets.load", failing)
    done = invoke("train")
    assert (done.exit_code, done.stderr) == (2, "error: [red]first second\n")


def test_only_the_command_line_imports_typer_and_rich():
    outside = [path for path in (ROOT / "xpnet").rglob("*.py") if path.parent.name != "cli"]
    assert not [path for path in outside if re.search(r"^(import|from) (typer|rich)", path.read_text(), re.M)]
    import subprocess

    program = "import sys, xpnet; print([name for name in ('rich', 'typer') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
