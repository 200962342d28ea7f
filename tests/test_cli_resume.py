"""An interrupted run loses nothing and goes on, to the same bits as if it had never stopped."""

import signal
import subprocess

import pytest
from cli_process import LONG, config, fingerprint, run, start, wait_for
from typer.testing import CliRunner

from xpnet.cli import app

SHORT = ["train", "--hidden", "5", "--eval-every", "10", "--backend", "numpy"]


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(*LONG, "--out", folder).returncode == 0
    return fingerprint(folder)


def test_ctrl_c_keeps_everything_and_the_run_goes_on_to_the_same_bits(tmp_path, uninterrupted):
    folder = tmp_path / "my run"
    process = start(*LONG, "--checkpoint-every", 100, "--out", folder)
    wait_for(folder / "checkpoint.safetensors", process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"xpnet resume '{folder}'" in err
    assert "Traceback" not in err
    for name in ("model.safetensors", "best.safetensors", "history.csv", "training.png"):
        assert (folder / name).exists()
    assert fingerprint(folder) != uninterrupted

    done = run("resume", folder)
    assert done.returncode == 0, done.stderr
    assert fingerprint(folder) == uninterrupted
    assert uninterrupted in done.stdout
    assert (folder / "history.csv").read_text().splitlines()[-1].startswith("20000,")


def test_ctrl_c_leaves_a_checkpoint_unasked(tmp_path):
    folder = tmp_path / "run"
    process = start(*LONG, "--quiet", "--out", folder)
    wait_for(folder / "config.json", process)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)  # into the training
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert (folder / "checkpoint.safetensors").exists()


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path, uninterrupted):
    folder = tmp_path / "run"
    process = start(*LONG, "--checkpoint-every", 300, "--out", folder)
    wait_for(folder / "checkpoint.safetensors", process)
    process.kill()
    process.communicate()
    assert not (folder / "model.safetensors").exists()
    assert run("resume", folder).returncode == 0
    assert fingerprint(folder) == uninterrupted


def test_a_run_goes_on_for_longer_on_another_library_to_the_same_bits(tmp_path):
    pytest.importorskip("array_api_strict")
    heavy = [*SHORT, "--optimizer", "momentum"]
    assert invoke(*heavy, "--iterations", 30, "--out", tmp_path / "whole").exit_code == 0
    assert invoke(*heavy, "--iterations", 10, "--out", tmp_path / "run").exit_code == 0
    done = invoke("resume", tmp_path / "run", "--iterations", 30, "--backend", "array_api_strict")
    assert done.exit_code == 0, done.stderr
    assert fingerprint(tmp_path / "run") == fingerprint(tmp_path / "whole")
    assert (tmp_path / "run/history.csv").read_text() == (tmp_path / "whole/history.csv").read_text()
    found = config(tmp_path / "run")
    assert found["backend"] == "array_api_strict"
    assert "array_api_strict" in found["versions"]
    assert found["settings"]["iterations"] == 30


def test_early_stopping_counts_on_where_it_was(tmp_path):
    patient = [*SHORT, "--lr", 0, "--early-stopping", 5]
    assert invoke(*patient, "--iterations", 30, "--out", tmp_path / "run").exit_code == 0
    done = invoke("resume", tmp_path / "run", "--iterations", 1000)
    assert "stopped early" in done.stdout
    assert (tmp_path / "run/history.csv").read_text().splitlines()[-1].startswith("50,")


def test_a_finished_run_says_how_to_go_on(tmp_path):
    assert invoke(*SHORT, "--iterations", 10, "--out", tmp_path / "run").exit_code == 0
    before = fingerprint(tmp_path / "run")
    for words in ([], ["--iterations", 5]):
        done = invoke("resume", tmp_path / "run", *words)
        assert done.exit_code == 2
        assert "has done 10 iterations" in done.stderr
    assert fingerprint(tmp_path / "run") == before
    assert config(tmp_path / "run")["settings"]["iterations"] == 10


def test_what_is_no_run_folder_is_told(tmp_path):
    done = invoke("resume", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "is no run folder" in done.stderr


def test_a_run_without_checkpoint_is_told(tmp_path):
    assert invoke(*SHORT, "--iterations", 10, "--out", tmp_path / "run").exit_code == 0
    (tmp_path / "run/checkpoint.safetensors").unlink()
    done = invoke("resume", tmp_path / "run")
    assert done.exit_code == 2
    assert "--checkpoint-every" in done.stderr


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"dataset": "digits"}', "\udcff"])
def test_a_damaged_configuration_is_told(tmp_path, text):
    (tmp_path / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    done = invoke("resume", tmp_path)
    assert done.exit_code == 2
    assert "config.json is damaged" in done.stderr
