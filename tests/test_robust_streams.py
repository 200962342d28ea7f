"""Standard streams that are missing, full or closed: a line of error or none, never a traceback."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_process import ENVIRONMENT, run
from runs import LABELS, PIXELS, network

import xpnet
from xpnet.errors import DataError
from xpnet.io import check_folder, write_atomically
from xpnet.training.progress import Quiet, progress_bar

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
posix = pytest.mark.skipif(os.name != "posix", reason="pipes and descriptors of POSIX")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model and 100,000 samples: more predictions than a pipe holds."""
    folder = tmp_path_factory.mktemp("model")
    xpnet.MLP([4, 3], backend="numpy").save(folder / "model.safetensors")
    np.save(folder / "x.npy", np.ones((100_000, 4), dtype=np.float32))
    return folder / "model.safetensors", folder / "x.npy"


def shell(command, **variables):
    """Run a command line in a shell; ``xpnet`` is the program."""
    line = command.replace("xpnet ", f"{sys.executable} -m xpnet ")
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        env={**ENVIRONMENT, "PYTHONUNBUFFERED": "", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# Full devices


@needs_full
@pytest.mark.parametrize("command", ["info", "info --json", "--help", "--version", "train --help"])
def test_a_full_device_is_one_line_of_error(command):
    done = shell(f"xpnet {command} > /dev/full")
    assert done.stderr == "error: cannot write the output: No space left on device\n"
    assert done.returncode == 1


@needs_full
def test_predictions_to_a_full_device(model):
    done = shell(f"xpnet predict {model[0]} {model[1]} > /dev/full")
    assert done.stderr == "error: cannot write the output: No space left on device\n"
    assert done.returncode == 1


@needs_full
@pytest.mark.parametrize("command", ["--version", "--help", "predict nowhere.safetensors digits"])
def test_a_full_standard_error_leaves_the_status(command):
    here, elsewhere = run(*command.split()), shell(f"xpnet {command} 2> /dev/full")
    assert (elsewhere.returncode, elsewhere.stderr) == (here.returncode, "")
    assert elsewhere.stdout == here.stdout


@needs_full
def test_bad_usage_with_a_full_standard_error():
    done = shell("xpnet train --hiden 3 2> /dev/full")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_file_that_cannot_grow(model, tmp_path, unbuffered):
    """The system takes part of a write, as of a disk filling up: without a buffer Python would not tell."""
    command = f"ulimit -f 20; trap '' XFSZ; xpnet predict {model[0]} {model[1]} > {tmp_path / 'out.csv'}"
    done = shell(command, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (1, "error: cannot write the output: File too large\n")
    assert (tmp_path / "out.csv").stat().st_size == 20 * 1024


@posix
def test_the_whole_output_arrives_without_a_buffer(model):
    done = shell(f"xpnet predict {model[0]} {model[1]} | (sleep 0.5; cat)", PYTHONUNBUFFERED="1")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 100_000)


@needs_full
def test_both_full():
    done = shell("xpnet --help > /dev/full 2>&1")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


# Closed pipes


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_is_silent(model, unbuffered):
    done = shell(f"xpnet predict {model[0]} {model[1]} | head -1", PYTHONUNBUFFERED=unbuffered)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert done.returncode == 1


@posix
@pytest.mark.parametrize("command", ["info", "--help", "--version"])
def test_a_pipe_that_nobody_reads_is_silent(command):
    reading, writing = os.pipe()
    os.close(reading)
    done = run(*command.split(), stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


# Closed before the program begins


@posix
@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
def test_streams_that_are_closed_are_done_without(closed, model, tmp_path):
    out = tmp_path / "run"
    for command in (f"predict {model[0]} {model[1]}", f"train digits --iterations 9 --hidden 5 --out {out}"):
        done = shell(f"xpnet {command} {closed}")
        assert (done.returncode, done.stderr) == (0, "")
    assert (out / "model.safetensors").exists()
    assert shell(f"xpnet predict nowhere digits {closed}").returncode == 2


# Progress without a terminal


class Poor:
    """A stream that can do no more than write."""

    def write(self, text):
        raise AssertionError("nothing is written")


def closed_file():
    file = io.StringIO()
    file.close()
    return file


@pytest.mark.parametrize(
    "stream", [None, closed_file(), Poor(), io.StringIO()], ids=["none", "closed", "poor", "text"]
)
def test_training_is_quiet_without_a_terminal(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(True, 0, 3) as bar:
        assert isinstance(bar, Quiet)
    assert len(xpnet.train(network("numpy"), PIXELS, LABELS, batch_size=10, iterations=3).loss) == 3


def test_a_terminal_gets_a_bar(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress_bar(True, 0, 3) as bar:
            assert not isinstance(bar, Quiet)
            bar.advance(3)
    os.close(ours)


# Memory


def test_a_network_too_large_for_memory_is_one_line_of_error(monkeypatch):
    from typer.testing import CliRunner

    from xpnet.cli import app, info

    def fail():
        raise MemoryError("Unable to allocate 47.7 GiB")

    monkeypatch.setattr(info, "_gather", fail)
    done = CliRunner().invoke(app, ["info"])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: out of memory: Unable to allocate 47.7 GiB; try a smaller network")
    assert "Traceback" not in done.stderr


# Files that are no files


@posix
def test_a_device_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check_folder(pipe)
    write_atomically(pipe, b"whole")
    assert os.read(reader, 10) == b"whole"
    os.close(reader)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


@needs_full
def test_a_full_device_is_told(tmp_path):
    link = tmp_path / "full.npy"
    link.symlink_to(FULL)
    with pytest.raises(DataError, match=r"cannot write .*full.npy: No space left on device"):
        write_atomically(link, b"whole")
    assert link.is_symlink()


@posix
def test_predictions_to_a_full_file(model, tmp_path):
    link = tmp_path / "full.csv"
    link.symlink_to(FULL)
    done = run("predict", *model, "--output", link)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: cannot write {link}: No space left on device\n"
