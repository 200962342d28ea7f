"""What the README promises, tried."""

import re
import shlex
from pathlib import Path

import pytest
from conftest import require
from typer.testing import CliRunner

from xpnet.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def code_blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_the_published_fingerprint_is_what_its_command_prints(name, tmp_path):
    require(name)
    (command,) = (
        line for block in code_blocks("sh") for line in block.splitlines() if "--arithmetic exact" in line
    )
    words = [*shlex.split(command)[1:], "--backend", name, "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(app, words)
    (printed,) = re.findall(r"fingerprint\s+([0-9a-f]{64})", done.output)
    assert printed in README


@pytest.mark.parametrize("block", code_blocks("python"), ids=lambda block: block.split("\n")[0])
def test_python_examples_run(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names


def test_files_that_are_named_are_there():
    named = re.findall(r"\]\(((?!http)[^)#]+)\)", README) + re.findall(
        r"`((?:scripts|docs|tests)/[\w./]+)`", README
    )
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
