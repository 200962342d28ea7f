"""``memory``: the peak resident memory of a whole run, beside the textbook's."""

from __future__ import annotations

import json as json_module
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.data import mnist_is_here
from bench.environment import environment
from bench.figures import bars
from bench.options import Figure, Json, Markdown, Options, Quick, Rounds, Threads
from bench.session import Session
from bench.statistics import summarize
from bench.tables import Table, size_cell, time_cell
from xpnet.errors import DataError

_ROOT = Path(__file__).parents[2]
_PEAK = str(_ROOT / "bench" / "peak.py")


def memory(
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Figure = None,
) -> None:
    """Measure peak memory of ``xpnet train mnist --hidden 50 --iterations 10000`` and of the textbook."""
    options = Options(quick, threads, rounds or (1 if quick else 3), json, markdown, figure)
    dataset, iterations = ("digits", 200) if quick or not mnist_is_here() else ("mnist", 10_000)
    session = Session("memory", options, dataset=dataset, iterations=iterations)
    result = session.result
    if dataset != "mnist":
        result.notes.append("MNIST was not used: set XPNET_DATA for its files, and leave out --quick.")
    commands = _commands(dataset, iterations)
    session.announce(options.count * len(commands) * (4 if quick else 15))
    peaks: dict[str, list[float]] = {name: [] for name in commands}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with session.progress(options.count * len(commands)) as advance, tempfile.TemporaryDirectory() as folder:
        for number in range(options.count):
            for name, command in commands.items():
                advance(name)
                out = [f"--out={folder}/{number}"] if command[0] == "-m" else []
                told = _run([*command, *out], options.threads)
                peaks[name].append(told["peak"])
                seconds[name].append(told["seconds"])
    rows = []
    for name in commands:
        result.add(name, "peak memory", "B", peaks[name])
        result.add(name, "whole run", "s", seconds[name])
        rows.append((name, size_cell(max(peaks[name])), time_cell(summarize(seconds[name]))))
    table = Table("Whole runs", ("command", "peak memory", "from start to end"), rows)
    drawn = {"Peak resident memory": {name: summarize(values) for name, values in peaks.items()}}
    session.finish([table], lambda: bars(drawn, "megabytes, less is better", 1e-6))


def _commands(dataset: str, iterations: int) -> dict[str, list[str]]:
    asked = ["train", dataset, "--hidden", "50", "--iterations", str(iterations)]
    program = f"from bench.textbook import program; program({dataset!r}, 50, {iterations})"
    return {
        " ".join(["xpnet", *asked]): ["-m", "xpnet", *asked, "--backend", "numpy"],
        f"textbook, {dataset}, 50 hidden units, {iterations} iterations": ["-c", program],
    }


def _run(command: list[str], threads: int) -> dict[str, float]:
    ended = subprocess.run(
        [sys.executable, "-S", _PEAK, sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=_ROOT,
        env=environment(threads, "cpu"),
    )
    told = json_module.loads(ended.stdout)
    if told["status"] != 0:
        raise DataError(f"{' '.join(command)} ended with {told['status']}: {ended.stderr.strip()[-500:]}")
    return dict(told)
