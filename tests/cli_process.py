"""The command line in processes of its own, as a user has it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from xpnet import load

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "TTY_COMPATIBLE")},
    "PYTHONPATH": str(ROOT),
    "XPNET_BACKEND": "numpy",
    "OPENBLAS_NUM_THREADS": "1",
    "COLUMNS": "120",
    "TERM": "xterm",
}
LONG = ("train", "--iterations", "20000", "--eval-every", "1000", "--hidden", "20")
"""Two seconds of training or more: time to be stopped in."""


def start(*arguments: object, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "xpnet", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen(command, env=ENVIRONMENT, **pipes)


def run(*arguments: object, **options) -> subprocess.CompletedProcess:
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for(file: Path, process: subprocess.Popen) -> None:
    while not file.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def fingerprint(folder: Path) -> str:
    return load(folder / "model.safetensors", backend="numpy").fingerprint()


def config(folder: Path) -> dict:
    return json.loads((folder / "config.json").read_text())
