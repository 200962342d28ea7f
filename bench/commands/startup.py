"""``startup``: import time, time to the first iteration, installed size."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from bench.contestants import Contestant, LeftOutError
from bench.environment import environment
from bench.figures import bars
from bench.installed import installed_size
from bench.networks import CLASSIC
from bench.options import Figure, Json, Markdown, Options, Quick, Rounds, Threads
from bench.peers import PEERS
from bench.session import Session
from bench.statistics import ratios, summarize
from bench.tables import Table, ratio_cell, size_cell, time_cell
from bench.task import Spec
from xpnet.errors import XpnetError

_ROOT = Path(__file__).parents[2]
_MODULES = {
    "numpy": "numpy",
    "xpnet": "xpnet",
    "scikit-learn": "sklearn.neural_network",
    "torch": "torch",
    "jax": "jax",
    "keras": "keras",
    "thinc": "thinc.api",
}
_FIRST = [
    "xpnet-numpy",
    "textbook",
    "sklearn",
    "torch-eager",
    "torch-compile",
    "jax-jit",
    "keras-jax",
    "thinc",
]
_IMPORT = """
import time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def startup(
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Figure = None,
) -> None:
    """Measure import time beside ``import numpy``, time to the first iteration, size with dependencies."""
    options = Options(quick, threads, rounds, json, markdown, figure)
    session = Session("startup", options)
    modules = _installed(session)
    session.announce(options.count * len(modules) + (1 if quick else options.count) * len(_FIRST) * 4)
    first = _FIRST[:1] if quick else _FIRST
    with session.progress(options.count * (len(modules) + len(first))) as advance:
        imports: dict[str, list[float]] = {name: [] for name in modules}
        for _ in range(options.count):
            for name, module in modules.items():
                advance(f"import {module}")
                imports[name].append(_import_time(module, threads))
        firsts: dict[str, list[float]] = {name: [] for name in first}
        for _ in range(options.count):
            for name in list(firsts):
                advance(f"first iteration of {name}")
                try:
                    firsts[name].append(_time_to_first_iteration(name, threads))
                except LeftOutError as error:
                    session.result.leave_out(f"first iteration, {name}", str(error))
                    del firsts[name]
    session.result.notes.append(
        "The first iteration: from the start of the process (784-50-10, 1,000 samples); every process also"
        " imports xpnet, which draws the initial weights. Installed size: with all that it requires."
    )
    tables = [_import_table(session, imports), _first_table(session, firsts)]
    drawn = {
        "Import": {name: summarize(values) for name, values in imports.items()},
        "From the start of the process to the end of the first iteration": {
            PEERS[name].label: summarize(values) for name, values in firsts.items()
        },
    }
    session.finish(tables, lambda: bars(drawn, "seconds, less is better"))


def _installed(session: Session) -> dict[str, str]:
    found = {}
    for name, module in _MODULES.items():
        if find_spec(module.partition(".")[0]) is None:
            session.result.leave_out(f"import {name}", "not installed")
        else:
            found[name] = module
    return found


def _import_time(module: str, threads: int) -> float:
    """Return the seconds that an import takes in a fresh process."""
    ended = subprocess.run(
        [sys.executable, "-c", _IMPORT.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
        cwd=_ROOT,
        env={**environment(threads, "cpu"), "KERAS_BACKEND": "jax"},
    )
    return float(ended.stdout.splitlines()[-1])


def _time_to_first_iteration(name: str, threads: int) -> float:
    start = time.perf_counter()
    contestant = Contestant(Spec.of(CLASSIC, name, 1_000, data="synthetic", threads=threads))
    try:
        contestant.seconds(contestant.chunk)
        return time.perf_counter() - start
    finally:
        contestant.close()


def _import_table(session: Session, imports: dict[str, list[float]]) -> Table:
    rows = []
    for name, values in imports.items():
        times = ratios(values, imports["numpy"])
        session.result.add(f"import {name}", "import time", "s", values)
        session.result.add(f"import {name} / import numpy", "ratio of times", "1", times)
        try:
            size = installed_size(name)
            session.result.add(f"install {name}", "installed size", "B", [size])
            told = size_cell(size)
        except XpnetError as error:
            session.result.leave_out(f"install {name}", str(error))
            told = ""
        rows.append((name, time_cell(summarize(values)), ratio_cell(times), told))
    head = ("package", "import", "times import numpy", "installed size")
    return Table("Import and installed size", head, rows)


def _first_table(session: Session, firsts: dict[str, list[float]]) -> Table:
    rows = []
    for name, values in firsts.items():
        session.result.add(f"first iteration, {name}", "time to the first iteration", "s", values)
        rows.append((PEERS[name].label, time_cell(summarize(values))))
    return Table("Time to the first iteration", ("contestant", "from the start of the process"), rows)
