"""``xpnet train`` leaves a whole run folder, the same one for the same seed, and refuses what cannot work."""

import csv
import importlib.util
import os
import re
import subprocess
from contextlib import suppress

import pytest
from cli_process import config, fingerprint, run, start
from typer.testing import CliRunner

import xpnet
from xpnet.cli import app
from xpnet.cli.options import hidden_sizes
from xpnet.cli.runs import RunConfig

FILES = ["best.safetensors", "checkpoint.safetensors", "config.json", "history.csv", "model.safetensors"]
SHORT = ["train", "--backend", "numpy", "--iterations", "20", "--hidden", "5"]


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_train_without_arguments_learns_the_digits_and_leaves_a_run_folder(tmp_path):
    done = run("train", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"digits-\d{8}-\d{6}", folder.name)
    files = sorted(file.name for file in folder.iterdir())
    assert files == [*FILES, "training.png"]
    assert (folder / "training.png").read_bytes().startswith(b"\x89PNG")

    data = xpnet.datasets.load("digits")
    last, best = (xpnet.load(folder / f"{name}.safetensors", "numpy") for name in ("model", "best"))
    assert last.params["W1"].shape == (64, 50)
    assert best.accuracy(data.x_test, data.t_test) >= last.accuracy(data.x_test, data.t_test) > 0.9
    assert last.fingerprint() in done.stdout
    assert f"test {best.accuracy(data.x_test, data.t_test):.4f}" in done.stdout

    rows = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    assert len(rows) == 3001
    assert float(rows[3000]["test_accuracy"]) == last.accuracy(data.x_test, data.t_test)


def test_output_that_is_no_terminal_is_plain_text(tmp_path):
    done = run(*SHORT, "--out", tmp_path / "run")
    assert done.stderr == ""
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", done.stdout)
    assert done.stdout.isascii()


def shown_on_a_terminal(*arguments: object) -> str:
    """Return what a command writes to its standard error stream when that is a terminal."""
    ours, theirs = pytest.importorskip("pty").openpty()
    with start(*arguments, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        pieces = []
        with suppress(OSError):  # the end of a terminal, on Linux
            while piece := os.read(ours, 4096):
                pieces.append(piece)
        assert process.wait() == 0
    os.close(ours)
    return b"".join(pieces).decode()


def test_a_terminal_shows_a_progress_bar_unless_told_to_be_quiet(tmp_path):
    text = shown_on_a_terminal("train", "--iterations", 300, "--out", tmp_path / "loud")
    assert "300/300" in text
    assert re.search(r"loss \d\.\d+ .*accuracy \d\.\d+ .*it/s", text)
    assert shown_on_a_terminal("train", "--iterations", 300, "--quiet", "--out", tmp_path / "quiet") == ""


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(tmp_path):
    for name in "ab":
        assert run(*SHORT, "--seed", 3, "--out", tmp_path / name).returncode == 0
    assert invoke(*SHORT, "--seed", 4, "--out", tmp_path / "c").exit_code == 0
    prints = [fingerprint(tmp_path / name) for name in "abc"]
    assert prints[0] == prints[1] != prints[2]


def test_the_configuration_is_enough_to_repeat_the_run(tmp_path):
    folder = tmp_path / "run"
    words = ["--optimizer", "adam", "--lr", 0.01, "--schedule", "cosine", "--clip-norm", 1, "--l2", 0.01]
    words += [
        "--activation",
        "tanh",
        "--init",
        0.1,
        "--dtype",
        "float64",
        "--sampling",
        "shuffle",
        "--seed",
        7,
    ]
    assert invoke(*SHORT, *words, "--out", folder).exit_code == 0
    found = RunConfig.read(folder)
    assert found.versions["xpnet"] == xpnet.__version__
    data = xpnet.datasets.load(found.dataset)
    net = xpnet.Model.drawn(xpnet.restore(found.network), found.backend, found.device)
    rule = xpnet.restore(found.optimizer)
    assert rule == xpnet.Adam(0.01, schedule=xpnet.optim.Cosine(20), clip_norm=1.0)
    xpnet.train(net, data.x_train, data.t_train, rule, **found.settings, progress=False)
    assert net.fingerprint() == fingerprint(folder)


def shapes(folder):
    params = xpnet.load(folder / "model.safetensors", "numpy").params
    return [value.shape for value in params.values()]


@pytest.mark.parametrize("hidden", ["none", ""])
def test_no_hidden_layers_are_softmax_regression(tmp_path, hidden):
    assert invoke(*SHORT, "--hidden", hidden, "--out", tmp_path / "run").exit_code == 0
    assert shapes(tmp_path / "run") == [(64, 10), (10,)]


def test_epochs_are_passes_over_the_data(tmp_path):
    words = ["train", "moons", "--backend", "numpy", "--hidden", "8", "--epochs", "2.5"]
    assert invoke(*words, "--out", tmp_path / "run").exit_code == 0
    assert config(tmp_path / "run")["settings"]["iterations"] == 25
    assert shapes(tmp_path / "run") == [(2, 8), (8,), (8, 2), (2,)]


@pytest.mark.parametrize("schedule", ["constant", "step", "exponential", "cosine", "inverse_scaling"])
def test_every_schedule_has_settings_that_suit_the_run(tmp_path, schedule):
    assert invoke(*SHORT, "--schedule", schedule, "--out", tmp_path / "run").exit_code == 0
    assert (
        config(tmp_path / "run")["optimizer"]["schedule"]["class"] == xpnet.optim.SCHEDULES[schedule].__name__
    )


def test_early_stopping_ends_the_run_and_says_so(tmp_path):
    words = ["--lr", 0, "--early-stopping", 3, "--eval-every", 2, "--out", tmp_path / "run"]
    done = invoke(*SHORT, *words)
    assert done.exit_code == 0
    assert "stopped early" in done.stdout
    assert len((tmp_path / "run/history.csv").read_text().splitlines()) == 1 + 7  # 0..6


def test_quiet_prints_nothing(tmp_path):
    done = invoke(*SHORT, "--quiet", "--out", tmp_path / "run")
    assert (done.exit_code, done.output) == (0, "")


def test_without_evaluations_there_is_no_best_model(tmp_path):
    assert invoke(*SHORT, "--eval-every", 0, "--out", tmp_path / "run").exit_code == 0
    assert not (tmp_path / "run/best.safetensors").exists()
    assert (tmp_path / "run/model.safetensors").exists()


def test_without_matplotlib_a_line_says_how_to_get_the_figure(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "xpnet.cli.runs.find_spec", lambda name: None if name == "matplotlib" else found(name)
    )
    done = invoke(*SHORT, "--out", tmp_path / "run")
    assert done.exit_code == 0
    assert "pip install 'xpnet[plot]'" in done.stdout
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == FILES


def test_runs_begun_in_the_same_second_get_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(3):
        assert invoke(*SHORT).exit_code == 0
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_divergence_is_bad_input_and_keeps_what_was_learned(tmp_path):
    folder = tmp_path / "run"
    words = ["--iterations", 300, "--lr", 1e30, "--eval-every", 1, "--out", folder]
    done = run(*SHORT, *words)
    assert done.returncode == 2
    assert "the loss became" in done.stderr
    assert "Traceback" not in done.stderr
    assert str(folder) in done.stderr
    assert (folder / "model.safetensors").exists()
    assert len((folder / "history.csv").read_text().splitlines()) > 1


# --- what is refused, before training begins


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["digit"], "did you mean 'digits'?"),
        (["digits", "--backend", "nunpy"], "did you mean 'numpy'?"),
        (["digits", "--activation", "rleu"], "did you mean 'relu'?"),
        (["digits", "--init", "hee"], "did you mean 'he'?"),
        (["digits", "--dtype", "float23"], "did you mean 'float32'?"),
        (["digits", "--optimizer", "adamm"], "did you mean 'adam'?"),
        (["digits", "--schedule", "cosin"], "did you mean 'cosine'?"),
        (["digits", "--sampling", "shufle"], "did you mean 'shuffle'?"),
        (["digits", "--arithmetic", "standart"], "did you mean 'standard'?"),
        (["digits", "--hidden", "50,-3"], "positive whole numbers"),
        (["digits", "--device", "cuda:7"], "'cpu' alone"),
        (["digits", "--batch-size", "1501"], "only 1500 samples"),
        (["digits", "--iterations", "5", "--epochs", "1"], "not both"),
        (["digits", "--iterations", "0"], "--iterations must be a whole number of at least 1"),
        (["digits", "--lr", "nan"], "learning_rate must be a finite number"),
        (["digits", "--seed", "-1"], "seed"),
    ],
)
def test_bad_arguments_get_one_line_and_leave_no_folder(tmp_path, words, message):
    done = invoke("train", "--backend", "numpy", *words, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert re.fullmatch(r"error: .*\n", done.stderr)
    assert message in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_made_is_told_before_training(tmp_path):
    (tmp_path / "file").touch()
    done = run("train", "--iterations", 10**9, "--out", tmp_path / "file" / "run")
    assert done.returncode == 2
    assert re.fullmatch(r"error: cannot make .*: Not a directory; give another with --out\n", done.stderr)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    done = invoke(*SHORT, "--out", tmp_path)
    assert done.exit_code == 2
    assert "not empty" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_data_that_cannot_be_had_is_told(tmp_path):
    (tmp_path / "mnist").touch()  # where the downloaded files would go
    done = invoke("train", "mnist", "--backend", "numpy", "--data-dir", tmp_path, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert re.fullmatch(r"error: .*\n", done.stderr)


@pytest.mark.parametrize("text", ["x", "5,", ",", "1.5", "0", "5 5", "²"])
def test_hidden_sizes_refuses_what_are_no_sizes(text):
    with pytest.raises(xpnet.XpnetError, match="positive whole numbers"):
        hidden_sizes(text)
