"""What every command does around its own part: estimate, progress, tables, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.contestants import Outcome, measure, steps
from bench.machine import describe
from bench.options import Options
from bench.peers import PEERS, get_entry
from bench.results import Result
from bench.tables import Table, check_table, to_markdown
from bench.task import Spec
from xpnet.io import write_atomically

_START, _QUICK_START = 8.0, 4.0
"""Seconds until a contestant is loaded, has compiled and is calibrated; measured, roughly."""

_WIDTH = 140
"""Columns where the output is no terminal."""

_BACKENDS = ("numpy", "torch", "jax", "cupy")

Advance = Callable[[str], None]


class Session:
    """One run of a command.

    Parameters
    ----------
    command : str
        Its name.
    options : Options
        What all commands share.
    **arguments
        Its own, for the record.

    Attributes
    ----------
    result : Result
        What has been measured.
    """

    def __init__(self, command: str, options: Options, **arguments: Any) -> None:
        self.options = options
        self.console = Console()
        if not self.console.is_terminal:
            self.console.width = _WIDTH
        shared = {"threads": options.threads, "rounds": options.count}
        self.result = Result(command, describe(options.threads), options.quick, {**shared, **arguments})

    def contestants(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Return peer and device of those that can be asked here; the others are named as left out."""
        found = []
        for name in names:
            entry = get_entry(name)
            on_gpu = set(entry.requires) & set(self.result.machine.gpu_libraries)
            devices = [device for device in entry.devices if device == "cpu" or on_gpu]
            if not devices:
                self.result.leave_out(name, "no CUDA device answers here")
            found += [(name, device) for device in devices]
        return found

    def measure(self, groups: Sequence[Sequence[Spec]]) -> list[list[Outcome]]:
        """Measure groups of contestants, one group after the other, each interleaved in itself."""
        options = self.options
        starting = _QUICK_START if options.quick else _START
        each = starting + options.count * options.seconds_a_round * 1.2
        self.announce(each * sum(len(group) for group in groups))
        with self.progress(sum(steps(group, options.count) for group in groups)) as advance:
            return [measure(group, options.count, options.seconds_a_round, advance) for group in groups]

    def announce(self, seconds: float) -> None:
        """Print the estimated time."""
        lasting = f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
        self.console.print(f"{self.result.command}: about {lasting}")

    @contextmanager
    def progress(self, total: int) -> Iterator[Advance]:
        """Show a bar, on a terminal; what is yielded takes the name of the next step."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bar:
            shown = bar.add_task("", total=total + 1)
            yield lambda text: bar.update(shown, advance=1, description=text)

    def finish(self, tables: Sequence[Table], draw: Callable[[], Any] | None = None) -> None:
        """Print the tables and write the files that were asked for."""
        result, options = self.result, self.options
        for table in tables:
            self.console.print(table.to_rich())
        if result.checks:
            self.console.print(check_table(result).to_rich())
        for left in result.left_out:
            self.console.print(f"left out: {left['id']}: {left['reason']}", markup=False)
        for note in result.notes:
            self.console.print(note, markup=False)
        if options.json:
            result.write(options.json)
        if options.markdown:
            write_atomically(options.markdown, to_markdown(result, tables).encode())
        if options.figure and draw:
            from xpnet.plots.style import house_style, save_figure

            with house_style():
                save_figure(draw(), options.figure)


def on_backends(names: Sequence[str] | None) -> list[str]:
    """Return xpnet's contestants on the backends named; on all where none is."""
    return [f"xpnet-{name}" for name in names or _BACKENDS]


def identity(outcome: Outcome) -> str:
    """Return what makes a contestant comparable between two runs."""
    return identity_of(outcome.spec)


def identity_of(spec: Spec) -> str:
    """Return the same from what it was told to do."""
    parts = [
        _network(spec),
        f"batch {spec.batch}",
        f"{spec.samples} samples",
        spec.dtype,
        spec.peer,
        spec.device,
    ]
    return ", ".join(parts if spec.arithmetic == "standard" else [*parts, spec.arithmetic])


def labels(outcome: Outcome) -> dict[str, Any]:
    """Return what a contestant is, for tables and figures."""
    plain = outcome.spec.to_json()
    del plain["sizes"], plain["stack"]
    return {"network": _network(outcome.spec), "label": label(outcome.spec), **plain}


def _network(spec: Spec) -> str:
    return spec.stack or "-".join(str(size) for size in spec.sizes)


def label(spec: Spec) -> str:
    """Return a contestant's name for a reader."""
    marks = [spec.dtype if spec.dtype != "float32" else "", spec.arithmetic, spec.device]
    told = [mark for mark in marks if mark not in ("", "standard", "cpu")]
    return PEERS[spec.peer].label + (f" ({', '.join(told)})" if told else "")


def record(result: Result, outcome: Outcome) -> bool:
    """Add a contestant's time per iteration to the result, or name it as left out; tell which."""
    if outcome.left_out:
        result.leave_out(identity(outcome), outcome.left_out)
        return False
    result.add(identity(outcome), "time per iteration", "s", outcome.seconds, **labels(outcome))
    return True
